"""Marks a stream's pictures, once each, before they are encoded: the visible label and the invisible mark."""

from dataclasses import replace
from typing import Final, Protocol

from realtime.core.mark import Marker
from realtime.core.values import I420, Frame

STARTING_S: Final = 2.0
"""For so long an encoder at a low rate pays off its first keyframe."""


class VisibleLabel(Protocol):
    """Drawn over every picture."""

    def draw(self, picture: I420, width: int, height: int) -> None:
        """Lay the label over a picture in place."""
        ...


class Marking:
    """One stream's. Called on its encode thread. A picture that is shown again is not marked again.

    `width` and `height` are those of the visible picture: a matte packed below it is left alone by the mark."""

    def __init__(self, width: int, height: int, *, label: VisibleLabel | None, identity: int | None) -> None:
        self._size = (width, height)
        self._label = label
        self._marker = None if identity is None else Marker(identity, width, height)
        self._seen: I420 | None = None
        self._made: I420 | None = None
        self._begun_s: float | None = None
        self.marked = 0
        """Pictures that were marked; those shown again are not counted."""

    def __call__(self, frame: Frame) -> Frame:
        """The frame with marked pixels; the frame's own pixels are not written to."""
        if self._label is None and self._marker is None:
            return frame
        if self._made is None or frame.pixels is not self._seen:
            width, height = self._size
            pixels = frame.pixels.copy()
            if self._label is not None:
                self._label.draw(pixels, width, height)
            if self._marker is not None:
                self._begun_s = frame.media_s if self._begun_s is None else self._begun_s
                self._marker.mark(pixels[:height], starting=frame.media_s - self._begun_s < STARTING_S)
            self._seen, self._made = frame.pixels, pixels
            self.marked += 1
        return replace(frame, pixels=self._made)
