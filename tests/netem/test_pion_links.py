"""Pion, WebRTC in Go, behind bad links: what a player could show of the packets that it gets."""

import asyncio
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.links import CASES, run
from tests.interop.conftest import built_go, needs_pion
from tests.netem.namespaces import possible

FREEZE_S = 0.5
SETTLED_S = 3.0
SHORT_S = 7.0
LONG_S = 20.0
DRIFT_PARTS = 5
through_a_wire = [
    pytest.mark.slow,
    needs_pion,
    pytest.mark.skipif(not possible(), reason="needs root and TUN"),
]
when_idle = [
    *through_a_wire,
    pytest.mark.skipif(not os.environ.get("ANIMA_TEST_LINKS"), reason="watches real time: make test-links, when idle"),
]


def playable(packets: list[list[int]]) -> NDArray[np.float64]:
    """When each picture could be shown and its media time, (pictures, 2) in seconds, of Pion's rows of a packet: time
    in us, sequence number, RTP time, marker, first of a keyframe, repeated. A picture is whole with all its packets,
    and can be decoded if the one before could, or if it is a keyframe."""
    rows = np.asarray(packets, np.int64)
    for column, wrap in ((1, 1 << 16), (2, 1 << 32)):
        offsets = (rows[:, column] - rows[0, column] + wrap // 2) % wrap - wrap // 2
        # distances to the first would wrap within a minute of packets: add up those between neighbours
        steps = (np.diff(offsets) + wrap // 2) % wrap - wrap // 2
        rows[:, column] = np.concatenate(([0], np.cumsum(steps)))
    came: dict[int, NDArray[np.int64]] = {}
    for row in rows:
        came.setdefault(int(row[1]), row)
    shown: list[tuple[float, float]] = []
    picture: list[NDArray[np.int64]] = []
    expected, decodable, at_us = -1, False, 0
    for number in sorted(came):
        row = came[number]
        if row[4]:
            decodable, picture = True, []
        elif number != expected:
            decodable = False
        picture.append(row)
        expected = number + 1
        if row[3]:
            if decodable:
                at_us = max(at_us, *(int(one[0]) for one in picture))
                shown.append((at_us / 1e6, int(row[2]) / 90_000))
            picture = []
    return np.asarray(shown, np.float64).reshape(-1, 2)


def drift_s(sound: list[list[int]], picture: NDArray[np.float64]) -> float:
    """How far sound and picture move apart: of the delay of each beyond its media time, the least in each fifth of the
    time, the range of their difference."""
    rows = np.asarray(sound, np.float64)
    sound_late = np.stack((rows[:, 0] / 1e6, rows[:, 0] / 1e6 - (rows[:, 2] - rows[0, 2]) % 2**32 / 48_000), axis=1)
    picture_late = np.stack((picture[:, 0], picture[:, 0] - picture[:, 1]), axis=1)
    edges_s = np.linspace(SETTLED_S + picture[0, 0], min(rows[-1, 0] / 1e6, picture[-1, 0]), DRIFT_PARTS + 1)
    least = [
        [late[(late[:, 0] >= begin_s) & (late[:, 0] < end_s), 1].min() for late in (sound_late, picture_late)]
        for begin_s, end_s in zip(edges_s, edges_s[1:], strict=False)
    ]
    return float(np.ptp(np.subtract(*np.transpose(least))))


async def _watched(folder: Path, name: str, seconds: float) -> dict[str, Any]:
    case = next(case for case in CASES if case.name == name)
    if case.cut_s is not None and seconds < LONG_S:
        case = replace(case, cut_s=(1.5, 4.5))
    program = await built_go(folder, "pion_link.go")
    return await asyncio.to_thread(run, case, seconds, program)


def test_what_can_be_shown_needs_all_before_it() -> None:
    def row(at_ms: int, number: int, picture: int, marker: int, key: int = 0) -> list[int]:
        return [at_ms * 1000, number & 0xFFFF, 3600 * picture, marker, key, 0]

    began = [row(0, 65534, 0, 0, 1), row(1, 65535, 0, 1), row(40, 0, 1, 1)]
    late = [*began, row(120, 2, 3, 1), row(300, 1, 2, 1)]
    assert playable(late)[:, 0].tolist() == [0.001, 0.04, 0.3, 0.3], "a repeat fills the hole, and both are shown"
    lost = [*began, row(120, 2, 3, 1), row(160, 3, 4, 0, 1), row(161, 4, 4, 1), row(200, 5, 5, 1)]
    assert playable(lost)[:, 1].tolist() == [0.0, 0.04, 0.16, 0.2], "from a keyframe on again"


@pytest.mark.parametrize("name", [pytest.param(name, marks=through_a_wire) for name in ("lossy", "narrow_700")])
async def test_over_a_bad_link_pictures_follow_each_other(name: str, tmp_path: Path) -> None:
    brought = await _watched(tmp_path, name, SHORT_S)
    shown = playable(brought["packets"]["video"])
    assert brought["state"] == "connected" and len(shown) > 50 and len(brought["packets"]["audio"]) > 50
    if name == "lossy":
        assert any(row[5] for row in brought["packets"]["video"]), "what is lost is repeated"


@pytest.mark.parametrize("name", [pytest.param("outage_10", marks=through_a_wire)])
async def test_after_a_short_outage_pictures_come_again(name: str, tmp_path: Path) -> None:
    shown = playable((await _watched(tmp_path, name, SHORT_S))["packets"]["video"])
    gaps_s = np.diff(shown[:, 1])
    longest = int(gaps_s.argmax())
    assert gaps_s[longest] > 1.0, "nothing passed meanwhile"
    assert len(gaps_s) - longest > 5, "and it goes on"


@pytest.mark.parametrize(
    ("name", "least_fps", "freeze_s"),
    [
        pytest.param("lossy", 22.0, FREEZE_S, marks=when_idle),
        pytest.param("jittery", 22.0, FREEZE_S, marks=when_idle),
        pytest.param("narrow_700", 24.0, FREEZE_S, marks=when_idle),
        pytest.param("narrow_300", 15.0, FREEZE_S, marks=when_idle),
    ],
)
async def test_a_bad_link_hardly_freezes_the_picture(
    name: str, least_fps: float, freeze_s: float, tmp_path: Path
) -> None:
    brought = await _watched(tmp_path, name, LONG_S)
    shown = playable(brought["packets"]["video"])
    settled = shown[shown[:, 0] >= shown[0, 0] + SETTLED_S, 0]
    figures = {
        "fps": len(settled) / (settled[-1] - settled[0]),
        "freeze_s": float(np.diff(settled).max()),
        "drift_s": drift_s(brought["packets"]["audio"], shown),
    }
    assert figures["fps"] >= least_fps and figures["freeze_s"] <= freeze_s, figures
    assert figures["drift_s"] <= 0.045, figures


@pytest.mark.parametrize("name", [pytest.param("outage_10", marks=when_idle)])
async def test_an_outage_of_ten_seconds_is_survived(name: str, tmp_path: Path) -> None:
    shown = playable((await _watched(tmp_path, name, LONG_S))["packets"]["video"])
    assert 10.0 <= np.diff(shown[:, 0]).max() <= 11.5
    assert shown[-1, 0] - shown[0, 0] >= LONG_S - 2.0, "and it goes on"
