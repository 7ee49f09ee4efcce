"""Is what the recorder finds what was acted? And every reason to refuse a clip."""

import warnings
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from models.avatar.portrait.avatar import PortraitAvatar
from models.vision.motion_file import Motion
from models.vision.recorder import Take, check, check_length, record, understand
from models.vision.watching import Seen
from realtime.core.errors import Conflict, InvalidField
from realtime.core.primitives import Primitive
from realtime.core.values import I420
from tests.models.avatar.portrait.conftest import assets, avatar, framed, photo, photo_path  # noqa: F401
from tests.models.vision.acting import ACT, acted, film, performed

Floats = NDArray[np.float64]
SWAY = Primitive(
    "sway", "loop", 4.0,
    {"yaw": ((0, 0), (1, 7), (3, -7), (4, 0)), "roll": ((0, 0), (2, 4), (4, 0))}, "Sways.",
)  # fmt: skip


@pytest.fixture(scope="session")
def pictures(avatar: PortraitAvatar) -> list[I420]:  # noqa: F811
    return performed(avatar, acted())


@pytest.fixture(scope="session")
def clip(pictures: list[I420], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return film(pictures, tmp_path_factory.mktemp("clips") / "act.mp4")


@pytest.fixture(scope="session")
def recorded(clip: Path) -> Motion:
    return watched(clip, Take("my_act", description="Acted."))


def watched(clip: Path, take: Take) -> Motion:
    cv2.setNumThreads(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # mediapipe's generated modules
        return record(clip, take)


@pytest.mark.parametrize("control", ["pitch", "yaw", "roll", "blink_l", "blink_r", "AU12"])
def test_what_is_recorded_is_what_was_acted(recorded: Motion, control: str) -> None:
    truth = np.array([one[control] for one in acted()])
    found = np.array(recorded.tracks[control])
    assert len(found) == len(truth)
    assert np.corrcoef(truth, found)[0, 1] >= 0.9
    assert 0.75 <= float(np.polyfit(truth, found, 1)[0]) <= 1.25


def test_a_gesture_rests_at_both_ends_and_leaves_the_mouth_to_speech(recorded: Motion) -> None:
    played = recorded.primitive()
    assert played.kind == "gesture" and played.moves_body
    assert played.duration_s == pytest.approx(ACT.duration_s)
    for at_s in (0.0, played.duration_s):
        assert float(np.abs(played.offsets(at_s)).max()) < 1e-4
    assert not {"AU25", "AU26"} & set(recorded.tracks)


def test_the_report_says_how_good_the_clip_was(recorded: Motion) -> None:
    report = recorded.report
    assert report["face_seen"] == 1.0 and report["frames"] == len(acted())
    assert report["jitter_deg"] < 0.6 and 0 <= report["unexplained"] <= 1
    assert isinstance(report["warnings"], list)


def test_a_loop_closes_in_whole_breaths(avatar: PortraitAvatar, tmp_path: Path) -> None:  # noqa: F811
    controls = [one for one in acted(SWAY)[:-1] + acted(SWAY)[:15]]
    motion = watched(film(performed(avatar, controls), tmp_path / "sway.mp4"), Take("sway", loop=True))
    assert motion.kind == "loop" and motion.duration_s % 4.0 == 0.0
    values = np.array(motion.tracks["yaw"])
    assert values[0] == pytest.approx(values[-1], abs=1e-3)
    assert float(np.abs(np.diff(values)).max()) < 1.2
    assert 5.0 < float(np.ptp(values)) / 2 < 9.0


def test_what_has_no_face_or_is_no_video(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(60, 220, (30, 192, 128)).astype(np.uint8)
    with pytest.raises(InvalidField, match="no face"):
        watched(film(list(noise), tmp_path / "noise.mp4"), Take("x"))
    (tmp_path / "text.mp4").write_text("no video")
    for name in ("text.mp4", "none.mp4"):
        with pytest.raises(InvalidField, match="cannot be read") as caught:
            watched(tmp_path / name, Take("x"))
        assert caught.value.field == "video"


def seen(face: Floats | None, faces: int = 1, light: float = 150.0, change: float = 1.0) -> Seen:
    return Seen(face, faces if face is not None else 0, None, light, change)


@pytest.fixture(scope="session")
def face(framed: object) -> Floats:  # noqa: F811
    points: Floats = getattr(framed, "points")  # noqa: B009
    return np.asarray(points, np.float64)


def test_refusals(face: Floats) -> None:
    good = [seen(face)] * 20
    check(good)
    for clip, reason in (
        ([seen(face, light=12.0)] * 20, "too dark"),
        ([seen(None)] * 20, "no face"),
        (good + [seen(None)] * 5, "20 of 25 frames"),
        (good + [seen(face, faces=2)] * 5, "several faces"),
        ([seen(face * 0.1)] * 20, "too small"),
        ([*good, seen(face + 2000.0), *good], "a cut at 0.8 s"),
        ([*good, seen(face, change=90.0), *good], "a cut at 0.8 s"),
    ):
        with pytest.raises(InvalidField, match=reason) as caught:
            check(clip)
        assert caught.value.field == "video"


@pytest.mark.parametrize(("duration_s", "word"), [(0.2, "short"), (9.0, "long")])
def test_too_short_and_too_long(duration_s: float, word: str) -> None:
    with pytest.raises(InvalidField, match=f"too {word}"):
        check_length(duration_s, 0.4, 8.0)


def test_stillness_is_no_motion(face: Floats) -> None:
    with pytest.raises(InvalidField, match="nothing moves"):
        understand([seen(face)] * 20, Take("still"))


def test_names_that_are_taken_and_parts_that_are_none() -> None:
    with pytest.raises(Conflict):
        Take("nod")
    with pytest.raises(Conflict):
        Take("idle")
    assert Take("idle", loop=True).name == "idle"
    with pytest.raises(InvalidField):
        Take("x", start_s=2.0, end_s=1.0)
