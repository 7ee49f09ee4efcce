"""What is around the host: brand, look, framing and card; viewers are told of each change, and those who come later."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from realtime.conductor import Conductor
from realtime.core import events
from realtime.core.prompting_look import Look, dressed
from realtime.core.rundown import Card, Shot
from realtime.core.scenes_brand import Brand

MAX_CUE_LOOK: Final = 0.8
"""A prompt's emotion is no more than this: it describes a picture, it does not act a scene."""


class Wardrobe:
    """One session's. `clean` is the safety filter that every shown text passes."""

    def __init__(
        self,
        brand: Brand | None,
        look: Look | None,
        emit: Callable[[events.Event], None],
        clean: Callable[[str], str],
    ) -> None:
        self.brand = brand if look is None else dressed(brand, look)
        self.look = look
        self.card: Card | None = None
        self._emit = emit
        self._clean = clean

    def begin(self, conductor: Conductor) -> None:
        """The content's own look is put on before anybody watches."""
        if self.look is not None:
            _voice(conductor, self.look)
            if self.look.emotion is not None:
                conductor.feel(self.look.emotion, min(self.look.intensity, MAX_CUE_LOOK))

    def wear(self, look: Look, conductor: Conductor) -> None:
        """Put a look on now: light, palette, camera, face, gesture and voice."""
        self.look, self.brand = look, dressed(self.brand, look)
        self._emit(events.Report("brand", self.brand.as_json()))
        if look.framing is not None:
            self._emit(events.Report("shot", {"framing": look.framing, "camera": look.camera}))
        _voice(conductor, look)
        if look.emotion is not None:
            conductor.feel(look.emotion, min(look.intensity, MAX_CUE_LOOK))
        if look.gesture is not None:
            conductor.gesture(look.gesture)

    def frame(self, shot: Shot) -> None:
        """A shot begins: how near the picture is, and how it gets there."""
        data = {"id": shot.id, "phase": shot.phase, "framing": shot.framing, "camera": shot.camera}
        self._emit(events.Report("shot", data))

    def show(self, card: Card | None) -> None:
        """Show a card beside the picture, or none."""
        self.card = card
        if card is not None:
            lines = tuple(self._clean(line) for line in card.lines)
            self.card = replace(card, title=self._clean(card.title), lines=lines)
            self._emit(events.Report("card", self.card.as_json()))

    def as_json(self) -> dict[str, Any]:
        """For a viewer who joins."""
        return {
            "brand": self.brand.as_json() if self.brand else None,
            "look": self.look.as_json() if self.look else None,
            "card": self.card.as_json() if self.card else None,
        }


def _voice(conductor: Conductor, look: Look) -> None:
    conductor.sound_like(look.voice.rate, look.voice.pitch, look.voice.energy)
