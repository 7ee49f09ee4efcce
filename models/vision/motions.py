"""The recorded motion primitives of a directory: listed, inspected, removed, and made known to the motion library."""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from models.vision.motion_file import Motion, read, write
from realtime.core.clips import LOOPS, PRIMITIVES, learn
from realtime.core.errors import Conflict, NotFound, PackError
from realtime.core.primitives import Primitive

log = logging.getLogger(__name__)


class Motions:
    """A directory with recorded primitives, read anew at every question."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def all(self) -> dict[str, Motion]:
        """Every motion by name; a damaged file is passed over, and said in the log."""
        found = {}
        for path in sorted(self._directory.glob("*.json")):
            try:
                motion = read(path)
            except PackError as error:
                log.warning("%s", error)
                continue
            found[motion.name] = motion
        return found

    def learn(self) -> list[str]:
        """Make all of them known, so that they can be cued like those that come with Anima; returns their names.

        A loop takes the place of the body's loop of the same name; under another name it is played once."""
        known = []
        for motion in self.all().values():
            try:
                learn(motion.primitive(once=motion.kind == "loop" and motion.name not in LOOPS))
            except Conflict as error:
                log.warning("%s", error)
            else:
                known.append(motion.name)
        return known

    def library(self) -> Mapping[str, Primitive]:
        """All primitives that are known by now, those that come with Anima first."""
        return PRIMITIVES

    def record(
        self, video: Path, name: str, *, loop: bool, start_s: float, end_s: float | None, mouth: bool, description: str,
        replace: bool, progress: Callable[[str, int, int], None],
    ) -> Path:  # fmt: skip
        """Record a clip and keep what it shows. Raises `InvalidField` with the reason if it cannot be used."""
        from models.vision.recorder import Take, record  # OpenCV and mediapipe, which playing does without

        take = Take(name, loop, start_s, end_s, mouth, description)
        if not replace and self._path(name).exists():
            raise Conflict(f"there is a recorded primitive {name!r} already", field="name")
        return self.keep(record(video, take, progress), replace=replace)

    def keep(self, motion: Motion, *, replace: bool = False) -> Path:
        """Write a motion; returns where. Raises `Conflict` if there is one of this name and it may not be replaced."""
        path = self._path(motion.name)
        if path.exists() and not replace:
            raise Conflict(f"there is a recorded primitive {motion.name!r} already", field="name")
        write(motion, path)
        return path

    def inspect(self, name: str) -> dict[str, Any]:
        """What a motion's file says, its tracks as ranges. Raises `NotFound` or `PackError`."""
        motion = read(self._found(name))
        ranges = {track: [min(values), max(values)] for track, values in motion.tracks.items()}
        return {
            "name": motion.name, "type": motion.kind, "duration_s": motion.duration_s,
            "description": motion.description, "tracks": ranges, "report": dict(motion.report),
            "file": str(self._path(name)), "bytes": self._path(name).stat().st_size,
        }  # fmt: skip

    def remove(self, name: str) -> Path:
        """Delete a motion; returns where it was. Raises `NotFound`."""
        path = self._found(name)
        path.unlink()
        return path

    def _found(self, name: str) -> Path:
        known = [path.stem for path in sorted(self._directory.glob("*.json"))]
        if name not in known:
            there = ", ".join(known) or "none"
            raise NotFound(f"no recorded primitive {name!r}; there are: {there}", field="name")
        return self._path(name)

    def _path(self, name: str) -> Path:
        return self._directory / f"{name}.json"
