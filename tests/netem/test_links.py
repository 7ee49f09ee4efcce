"""Chromium behind bad links, on the real transport: it keeps seeing pictures."""

import os
import shutil
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bench.links import CASES, judge, media_gaps_s, run
from tests.netem.link import Link, LinkSpec
from tests.netem.namespaces import possible

FREEZE_S = 0.5
over_links = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.skipif(not possible() or shutil.which("chromium") is None, reason="needs root, TUN and chromium"),
    pytest.mark.skipif(not os.environ.get("ANIMA_TEST_LINKS"), reason="watches real time: make test-links, when idle"),
]


def test_a_link_keeps_its_rate_its_order_and_its_queue() -> None:
    link = Link(LinkSpec(rate_bps=800_000, delay_s=0.05, jitter_s=0.02, queue_s=0.1))
    out = [link.pass_on(1000, index * 0.001) for index in range(500)]
    passed = [at_s for at_s in out if at_s is not None]
    assert passed == sorted(passed)
    # 0.5 s of time and 0.1 s of queue at 100 packets a second
    assert 55 <= len(passed) <= 65
    assert link.counts.overflowed == 500 - len(passed)


def test_a_link_loses_its_share_and_everything_in_an_outage() -> None:
    lossy = Link(LinkSpec(loss=0.05))
    assert 30 <= sum(lossy.pass_on(100, index * 0.01) is None for index in range(1000)) <= 70
    broken = Link(LinkSpec(outage_s=(1.0, 2.0)))
    assert [broken.pass_on(100, at_s) is None for at_s in (0.9, 1.0, 1.9, 2.0)] == [False, True, True, False]


through_tcp = [mark for mark in over_links if not mark.kwargs.get("reason", "").startswith("watches")]


@pytest.mark.parametrize("name", [pytest.param("tcp_only", marks=through_tcp)])
def test_where_no_udp_passes_the_picture_comes_over_tcp(name: str) -> None:
    brought = run(next(case for case in CASES if case.name == name), 6.0)
    assert brought["inbound"]["path"]["protocol"] == "tcp"
    assert len(brought["shown"]) > 25 and brought["inbound"]["audio"]["packetsReceived"] > 50


@pytest.mark.parametrize("name", [pytest.param("tcp_narrow", marks=over_links)])
def test_a_narrow_tcp_path_gives_up_pictures_before_sound(name: str) -> None:
    seen = _watched(name)
    assert seen["protocol"] == "tcp" and seen["fps"] >= 15
    assert seen["latency_ms_p95"] <= 1000 and seen["concealed_ratio"] <= 0.1


SHORT_S = 7.0


def _short(name: str) -> Any:
    """A few seconds over a link: counts and media times only, which hold on a busy machine as well."""
    case = next(case for case in CASES if case.name == name)
    if name == "outage_10":
        case = replace(case, cut_s=(1.5, 4.5))
    return run(case, SHORT_S)


@pytest.mark.parametrize("name", [pytest.param(name, marks=through_tcp) for name in ("lossy", "narrow_700", "jittery")])
def test_over_a_bad_link_pictures_follow_each_other(name: str) -> None:
    brought = _short(name)
    gaps_s = media_gaps_s(np.asarray(brought["shown"], np.float64))
    assert brought["inbound"]["video"]["framesDecoded"] > 25 and len(gaps_s) > 20
    assert brought["inbound"]["audio"]["packetsReceived"] > 50
    # a picture that was lost on the way and the wait for its repair, of those that were sent
    assert np.count_nonzero(gaps_s > FREEZE_S) <= 1, np.sort(gaps_s)[-5:]


@pytest.mark.parametrize("name", [pytest.param("outage_10", marks=through_tcp)])
def test_after_a_short_outage_pictures_come_again(name: str) -> None:
    gaps_s = media_gaps_s(np.asarray(_short(name)["shown"], np.float64))
    longest = int(gaps_s.argmax())
    assert gaps_s[longest] > 1.0, "nothing passed meanwhile"
    assert len(gaps_s) - longest > 5, "and it goes on"


def _watched(name: str) -> dict[str, Any]:
    return judge(run(next(case for case in CASES if case.name == name)))


@pytest.mark.parametrize("name", [pytest.param("narrow_700", marks=over_links)])
def test_a_narrow_link_carries_every_picture(name: str) -> None:
    seen = _watched(name)
    assert seen["fps"] >= 22
    assert seen["latency_ms_p95"] <= 250
    assert seen["widths"] == {"512": sum(seen["widths"].values())}


@pytest.mark.parametrize("name", [pytest.param("narrow_300", marks=over_links)])
def test_a_thin_link_gets_a_smaller_encoding(name: str) -> None:
    seen = _watched(name)
    assert seen["rung_switches"] >= 1
    assert seen["freeze_ms_max"] <= 500


@pytest.mark.parametrize("name", [pytest.param("lossy", marks=over_links)])
def test_loss_on_a_long_path_freezes_nothing(name: str) -> None:
    seen = _watched(name)
    assert seen["freeze_ms_max"] <= 500
    assert seen["fps"] >= 18


@pytest.mark.parametrize("name", [pytest.param("outage", marks=over_links)])
def test_the_picture_goes_on_right_after_an_outage(name: str) -> None:
    seen = _watched(name)
    assert 3000 <= seen["freeze_ms_max"] <= 4500
    assert seen["freezes_over_200_ms"] <= 3


@pytest.mark.parametrize("name", [pytest.param("jittery", marks=over_links)])
def test_packets_that_come_unevenly_freeze_nothing(name: str) -> None:
    seen = _watched(name)
    assert seen["freeze_ms_max"] <= 500 and seen["fps"] >= 22


@pytest.mark.parametrize("name", [pytest.param("outage_10", marks=over_links)])
def test_a_long_outage_is_survived(name: str) -> None:
    seen = _watched(name)
    assert 10_000 <= seen["freeze_ms_max"] <= 12_500
    assert seen["freezes_over_200_ms"] <= 5


@pytest.mark.parametrize("name", [pytest.param("lossy", marks=over_links)])
def test_sound_does_not_drift_from_the_picture_under_loss(name: str) -> None:
    assert _watched(name)["av_drift_ms"] <= 45
