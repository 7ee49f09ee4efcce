"""Recorded motion primitives as files: one small JSON file each, checked when read."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from models.vision.mimic import BODY
from realtime.core.errors import InvalidField, PackError
from realtime.core.facs import CONTROL_HIGH, CONTROL_INDEX, CONTROL_LOW
from realtime.core.primitives import Primitive
from realtime.core.units import FRAME_S

KIND: Final = "anima-motion-primitive"
FORMAT: Final = 1
NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")
MAX_BYTES: Final = 1 << 20
MAX_S: Final = 30.0
_EASED: Final = 5
"""Frames in which a loop that is played once comes and goes."""


@dataclass(frozen=True, slots=True)
class Motion:
    """A recorded motion, a value every 40 ms on each track; the last one of a loop is its first."""

    name: str
    kind: Literal["loop", "gesture"]
    tracks: Mapping[str, tuple[float, ...]]
    description: str = ""
    report: Mapping[str, Any] = field(default_factory=dict)
    """How it was recorded, in numbers."""

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise InvalidField(
                "a primitive's name has 1 to 32 small letters, digits and underscores", field="name", limit=NAME.pattern
            )

    @property
    def duration_s(self) -> float:
        """Seconds from the first to the last value."""
        return round((len(next(iter(self.tracks.values()))) - 1) * FRAME_S, 3)

    def primitive(self, *, once: bool = False) -> Primitive:
        """The clip to be played; `once` makes a gesture of a loop, zero at both ends."""
        eases = once and self.kind == "loop"
        tracks = {}
        for name, values in self.tracks.items():
            last = len(values) - 1
            shares = [min(1.0, i / _EASED, (last - i) / _EASED) if eases else 1.0 for i in range(last + 1)]
            tracks[name] = tuple(
                (round(i * FRAME_S, 3), round(v * share, 4))
                for i, (v, share) in enumerate(zip(values, shares, strict=True))
            )
        kind: Literal["loop", "gesture"] = "gesture" if once else self.kind
        moves_body = any(name in BODY for name in tracks)
        return Primitive(self.name, kind, self.duration_s, tracks, self.description, moves_body)


def write(motion: Motion, path: Path) -> None:
    """Write a motion; the file appears at once. Raises `PackError` if it cannot be written."""
    content = {
        "kind": KIND, "format": FORMAT, "name": motion.name, "type": motion.kind, "step_s": FRAME_S,
        "duration_s": motion.duration_s, "description": motion.description, "report": dict(motion.report),
        "tracks": {name: list(values) for name, values in motion.tracks.items()},
    }  # fmt: skip
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        work = path.with_name(f".{path.name}.new")
        work.write_text(json.dumps(content, ensure_ascii=False), "utf-8")
        work.replace(path)
    except OSError as error:
        raise PackError(f"the primitive {path} cannot be written: {error.strerror}") from error


def read(path: Path) -> Motion:
    """A motion from its file, checked. Raises `PackError` that names what is wrong."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise PackError(f"{path} has more than {MAX_BYTES} bytes")
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise PackError(f"the primitive {path} cannot be read: {error}") from error
    if not isinstance(content, dict) or content.get("kind") != KIND:
        raise PackError(f"{path} does not describe a motion primitive")
    if (content.get("format"), content.get("step_s")) != (FORMAT, FRAME_S):
        raise PackError(f"{path} has format {content.get('format')!r}, this version needs {FORMAT}")
    kind, tracks = content.get("type"), content.get("tracks")
    if kind not in ("loop", "gesture") or not isinstance(tracks, dict) or not tracks:
        raise PackError(f"{path} says no type or holds no tracks")
    checked = {str(name): _track(path, str(name), values) for name, values in tracks.items()}
    if len({len(values) for values in checked.values()}) > 1:
        raise PackError(f"the tracks of {path} differ in length")
    report = content.get("report")
    try:
        motion = Motion(
            str(content.get("name")), kind, checked, str(content.get("description", "")),
            report if isinstance(report, dict) else {},
        )  # fmt: skip
        motion.primitive()
    except (InvalidField, ValueError) as error:
        raise PackError(f"{path} cannot be played: {error}") from error
    return motion


def _track(path: Path, name: str, values: object) -> tuple[float, ...]:
    if name not in CONTROL_INDEX:
        raise PackError(f"{path} moves {name!r}, which is no control")
    most = round(MAX_S / FRAME_S) + 1
    if not isinstance(values, list) or not 3 <= len(values) <= most:
        raise PackError(f"the track {name} of {path} has not 3 to {most} values")
    low, high = float(CONTROL_LOW[CONTROL_INDEX[name]]), float(CONTROL_HIGH[CONTROL_INDEX[name]])
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise PackError(f"the track {name} of {path} holds {value!r}")
        # what is added to a control at rest stays within what the control may be
        if not low - 1e-6 <= value <= high + 1e-6:
            raise PackError(f"the track {name} of {path} holds {value!r}, outside {low:g} to {high:g}")
    return tuple(float(value) for value in values)
