"""Turns a clip of a real person into a motion primitive: watched, judged, understood, smoothed, closed, stripped.

Of the person nothing stays but controls against their own neutral: no picture, no shape, no name of the file."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from models.avatar.portrait.topology import CHIN, FOREHEAD
from models.vision.footage import frames
from models.vision.mimic import MOUTH, Tracks, mimic, neutral_of
from models.vision.motion_file import Motion
from models.vision.shaping import eased, kept, looped, smoothed
from models.vision.watching import Floats, Seen, Watcher
from realtime.core.clips import check_name
from realtime.core.errors import InvalidField
from realtime.core.facs import MAX_DEG
from realtime.core.units import FRAME_S

GESTURE_S: Final = (0.4, 8.0)
LOOP_S: Final = (3.0, 25.0)
"""Shortest and longest clip."""
MIN_FACE_PX: Final = 80.0
MIN_LIGHT: Final = 40.0
MIN_SEEN: Final = 0.9
"""Share of frames that must show the face; gaps in between are bridged."""
MAX_CHANGE: Final = 45.0
"""Mean change of the whole picture from frame to frame, of 255: more is a cut."""
MAX_JUMP: Final = 0.6
"""How far the face may get in 40 ms, in its own heights."""
_REST_FRAMES: Final = 6
_NOISY_DEG: Final = 0.6
_WARN_APART_DEG: Final = 6.0

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Take:
    """What is wanted of a clip."""

    name: str
    loop: bool = False
    start_s: float = 0.0
    end_s: float | None = None
    mouth: bool = False
    """Whether the mouth's opening is recorded, too; without it the primitive can be played while speaking."""
    description: str = ""

    def __post_init__(self) -> None:
        check_name(self.name, "loop" if self.loop else "gesture")
        if self.start_s < 0 or (self.end_s is not None and self.end_s <= self.start_s):
            raise InvalidField("the part to be recorded ends after it begins", field="end", limit="start < end")


def record(video: Path, take: Take, progress: Progress | None = None) -> Motion:
    """The motion in a clip. Raises `InvalidField(field="video")` with the reason if it cannot be used."""
    shortest, longest = LOOP_S if take.loop else GESTURE_S
    stop_s = take.end_s if take.end_s is not None else take.start_s + longest + 2 * FRAME_S
    seen: list[Seen] = []
    with Watcher() as watcher:
        for picture in frames(video, take.start_s, stop_s):
            seen.append(watcher.look(picture))
            if progress is not None:
                progress("watching", len(seen), round((stop_s - take.start_s) / FRAME_S) + 1)
    check_length(len(seen) * FRAME_S, shortest, longest)
    check(seen)
    return understand(seen, take)


def check_length(duration_s: float, shortest_s: float, longest_s: float) -> None:
    """Raises `InvalidField` for a clip that is too short or too long."""
    if not shortest_s <= duration_s <= longest_s + FRAME_S:
        word = "short" if duration_s < shortest_s else "long"
        raise InvalidField(
            f"the clip is too {word}: {duration_s:.1f} s or more", field="video",
            limit=f"{shortest_s:g} to {longest_s:g} s (--start and --end choose a part)",
        )  # fmt: skip


def check(seen: Sequence[Seen]) -> None:
    """Raises `InvalidField(field="video")` with the reason if a clip cannot become a primitive."""
    faces = [one.face for one in seen if one.face is not None]
    if float(np.median([one.light for one in seen])) < MIN_LIGHT:
        raise InvalidField("the face is too dark", field="video", limit=f"a median brightness of {MIN_LIGHT:g} of 255")
    if not faces:
        raise InvalidField("no face was found", field="video", limit="one face")
    if len(faces) < MIN_SEEN * len(seen):
        found = f"the face is seen in {len(faces)} of {len(seen)} frames only"
        raise InvalidField(found, field="video", limit=f"{MIN_SEEN:.0%} of the frames")
    several = sum(one.faces > 1 for one in seen)
    if several > 0.1 * len(seen):
        raise InvalidField(f"{several} frames show several faces", field="video", limit="one face")
    heights = [_height(face) for face in faces]
    if float(np.median(heights)) < MIN_FACE_PX:
        found = f"the face is too small: {np.median(heights):.0f} px from forehead to chin"
        raise InvalidField(found, field="video", limit=f"at least {MIN_FACE_PX:g} px")
    for index in range(1, len(seen)):
        before, now = seen[index - 1].face, seen[index].face
        jump = 0.0 if before is None or now is None else _jump(before, now)
        if seen[index].change > MAX_CHANGE or jump > MAX_JUMP:
            found = f"there is a cut at {index * FRAME_S:.1f} s"
            raise InvalidField(found, field="video", limit="one take (--start and --end choose a part)")


def understand(seen: Sequence[Seen], take: Take) -> Motion:
    """The motion of what was seen and checked."""
    whole = _bridged(seen)
    faces = [one.face for one in whole if one.face is not None]
    # a gesture starts from rest; somebody who goes on and on is at rest in the middle of what they do
    neutral = neutral_of(faces if take.loop else faces[:_REST_FRAMES])
    raw, unexplained = mimic(whole, neutral)
    if take.loop:
        raw = _centred(raw)
    clean, jitter_deg = smoothed(raw)
    clipped = any(float(np.abs(clean[name]).max()) > MAX_DEG for name in ("yaw", "pitch", "roll"))
    wanted = kept(clean, () if take.mouth else MOUTH)
    if not wanted:
        raise InvalidField("nothing moves enough to be recorded", field="video", limit="0.8 degrees or 12 %")
    shaped, apart_deg = looped(wanted) if take.loop else (eased(wanted), 0.0)
    report = {
        "frames": len(seen),
        "face_seen": round(sum(one.face is not None for one in seen) / len(seen), 3),
        "face_px": round(float(np.median([_height(face) for face in faces]))),
        "light": round(float(np.median([one.light for one in seen]))),
        "shoulders_seen": all(one.shoulders is not None for one in whole),
        "jitter_deg": round(jitter_deg, 2),
        "unexplained": round(unexplained, 3),
        "ends_apart_deg": round(apart_deg, 2),
        "warnings": _warnings(jitter_deg, apart_deg, clipped, whole),
    }
    return Motion(take.name, "loop" if take.loop else "gesture", _rounded(shaped), take.description, report)


def _warnings(jitter_deg: float, apart_deg: float, clipped: bool, seen: Sequence[Seen]) -> list[str]:
    told: list[tuple[bool, str]] = [
        (jitter_deg > _NOISY_DEG, "the picture is noisy: more light or a larger face would help"),
        (apart_deg > _WARN_APART_DEG, "the clip ends far from where it began: the loop drifts back visibly"),
        (clipped, f"the head turns by more than {MAX_DEG:g} degrees: cut off there"),
        (any(one.shoulders is None for one in seen), "the shoulders are not to be seen: only the head was recorded"),
    ]
    return [text for holds, text in told if holds]


def _bridged(seen: Sequence[Seen]) -> list[Seen]:
    """Frames without a face take the mean of their neighbours', weighted by nearness."""
    known = [i for i, one in enumerate(seen) if one.face is not None]
    table = np.array([seen[i].face for i in known], np.float64)
    out = []
    for i, one in enumerate(seen):
        at = float(np.interp(i, known, np.arange(len(known))))
        low = min(int(at), len(known) - 1)
        high = min(low + 1, len(known) - 1)
        face: Floats = table[low] + (table[high] - table[low]) * (at - low)
        out.append(one if one.face is not None else Seen(face, 1, one.shoulders, one.light, one.change))
    return out


def _centred(tracks: Tracks) -> Tracks:
    """A loop's pose about its own middle: it adds to whatever the head does."""
    names = ("yaw", "pitch", "roll", "lean", "shoulders")
    return {name: v - np.median(v) if name in names else v for name, v in tracks.items()}


def _rounded(tracks: Tracks) -> dict[str, tuple[float, ...]]:
    return {name: tuple(round(float(v), 4) + 0.0 for v in values) for name, values in tracks.items()}


def _height(face: Floats) -> float:
    return float(np.hypot(*(face[CHIN, :2] - face[FOREHEAD, :2])))


def _jump(before: Floats, now: Floats) -> float:
    return float(np.hypot(*(now[:, :2].mean(0) - before[:, :2].mean(0)))) / max(_height(before), 1.0)
