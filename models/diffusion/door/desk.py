"""A loaded checkpoint with its styles, as the painter's thread uses it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from models.diffusion.door.brush import paint
from models.diffusion.door.checkpoint import load_checkpoint
from models.diffusion.door.packs import StylePack
from models.diffusion.door.styles import StyleRack
from realtime.core.painting import Painted, PaintOrder, Rgb, Tiles


class Desk:
    """Used on one thread only."""

    def __init__(self, place: Path, device: str = "cpu") -> None:
        """Raises `PackError` where the checkpoint does not fit."""
        self.checkpoint = load_checkpoint(place, device)
        self.rack = StyleRack(self.checkpoint.unet)

    def paint(
        self, order: PaintOrder, style: StylePack | None, picture: Rgb, chosen: Tiles
    ) -> Iterator[Painted | None]:
        """Pieces of work; before each the order's own style is put on, for other orders take turns with this one."""
        prompt = order
        if style is not None and style.keywords and not any(word in order.prompt for word in style.keywords):
            # a LoRA answers to the words it was trained with
            prompt = replace(order, prompt=f"{style.keywords[0]}, {order.prompt}")
        work = paint(self.checkpoint, prompt, picture, chosen)
        while True:
            self.rack.wear(style, order.style_strength)
            try:
                piece = next(work)
            except StopIteration:
                return
            yield piece
