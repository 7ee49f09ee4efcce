"""Picks the net that makes portraits' mouths from sound, as the setting `mouth_net` says. A part of `server.compose`.

What is wrong with the folder stops the start: who names one wants it, and would otherwise look for it in vain."""

import logging
from typing import TYPE_CHECKING, Final

from realtime.compute import ComputeThread
from realtime.core.errors import ConfigError, PackError
from realtime.core.spoken import PROBED_INTERVALS, Spoken
from realtime.levels import Workshop
from realtime.ports import Avatar, MouthMaker
from realtime.speaking import Speaking
from server.config import Config
from server.extras import require_packages

if TYPE_CHECKING:
    # torch is imported only where a net is named
    from models.diffusion.door.mouthpiece import Mouthpiece

log = logging.getLogger(__name__)

NEEDED: Final = ("torch", "diffusers", "transformers", "safetensors")


class Mouths:
    """One for all sessions of a process: the net, and the thread it works on."""

    def __init__(self, piece: "Mouthpiece | None" = None) -> None:
        self._piece = piece
        self._device = None if piece is None else ComputeThread("mouths")

    def notices(self) -> dict[str, str]:
        """What is wrong with the net, if something is."""
        return {"mouth_net": self._piece.about} if self._piece is not None and self._piece.about else {}

    @property
    def able(self) -> bool:
        """Whether there is a net."""
        return self._piece is not None

    def of(self, avatar: Avatar) -> MouthMaker | None:
        """What makes a session's mouths; None without a net, or for an avatar that it is not for."""
        return None if self._piece is None else self._piece.of(avatar)

    def speaking(self, shop: Workshop, spoken: Spoken, fps: int) -> Speaking | None:
        """What puts them into the session's frames; None without a net."""
        return None if self._device is None else Speaking(shop, spoken, self._device, self.of, 1.0 / fps)

    def close(self) -> None:
        """Join the thread."""
        if self._device is not None:
            self._device.close()


def mouths(config: Config) -> Mouths:
    """The net that the settings name, loaded and tried. Raises `ConfigError` that names the setting and what is wrong,
    also where its packages are not installed."""
    return Mouths(None if config.mouth_net is None else mouthpiece(config))


def mouthpiece(config: Config) -> "Mouthpiece":
    """See `mouths`; for settings that name a net."""
    place, source = config.mouth_net, config.source("mouth_net")
    assert place is not None
    require_packages(config, "mouth_net", NEEDED, "diffusion")
    from models.diffusion.door.card import read_card

    try:
        # before torch is imported, which takes seconds
        card = read_card(place)
        import torch

        from models.diffusion.door.mouthpiece import open_mouthpiece

        piece = open_mouthpiece(place, "cuda" if torch.cuda.is_available() else "cpu")
    except PackError as error:
        raise ConfigError(f"mouth_net ({source}): {error}") from error
    device, took_ms = piece.net.device, 1e3 * piece.guess_s
    log.info("mouth net: %s on %s, %.0f ms a mouth; licence: %s", card.name, device, took_ms, card.licence)
    if piece.guess_s * config.fps > PROBED_INTERVALS:
        log.warning(
            "mouth_net: %s takes %.0f ms a mouth on %s and a frame has %.0f ms: mouths stay as they are drawn",
            card.name, took_ms, device, 1e3 / config.fps,
        )  # fmt: skip
    return piece
