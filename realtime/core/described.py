"""Which gesture a free description means: the nearest one if it is near enough, else none, with what was nearest."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from realtime.core.clips import GESTURES
from realtime.core.errors import InvalidField

THRESHOLD: Final = 0.88
"""The least similarity at which a motion is played unless the settings say otherwise."""
MAX_MOTION_CHARS: Final = 200
_NAMED: Final = 3
"""How many of the nearest are named where none is near enough."""


@dataclass(frozen=True, slots=True)
class NearMotion:
    """A motion primitive and how near a description is to it, 0..1."""

    name: str
    similarity: float


Search = Callable[[str], Sequence[NearMotion]]
"""The primitives nearest to a description, best first."""


class Described:
    """Finds gestures by description, and counts. Loops are what the body does of itself: they are never found here.

    Without a `search` it finds nothing. Not for several threads."""

    def __init__(self, search: Search | None = None, threshold: float = THRESHOLD) -> None:
        self._search = search
        self.threshold = threshold
        self.found = 0
        self.refused = 0

    def near(self, description: str) -> list[NearMotion]:
        """The nearest gestures, best first."""
        found = self._search(description[:MAX_MOTION_CHARS]) if self._search is not None else ()
        return [one for one in found if one.name in GESTURES][:_NAMED]

    def find(self, description: str) -> str | None:
        """The gesture that is meant, or None."""
        near = self.near(description)
        if near and near[0].similarity >= self.threshold:
            self.found += 1
            return near[0].name
        self.refused += 1
        return None

    def require(self, description: str, field: str) -> str:
        """The gesture that is meant. Raises `InvalidField` that names the nearest and their similarity."""
        name = self.find(description)
        if name is not None:
            return name
        near = ", ".join(f"{one.name} {one.similarity:.2f}" for one in self.near(description)) or "none"
        message = f"no motion fits {description[:64]!r} well enough; nearest: {near}"
        raise InvalidField(message, field=field, limit=f"similarity of at least {self.threshold:g}")


UNDESCRIBED: Final = Described()
"""Finds nothing: for texts that are read without a library of motions at hand."""
