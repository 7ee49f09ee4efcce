"""Picks what repairs mouth and eyes, as the settings `denoiser…` say. A part of `server.compose`."""

from collections.abc import Mapping
from zlib import crc32

from models.diffusion.refiner import refiner_for
from models.diffusion.refiner_engine import FAILED, announced_engine
from models.diffusion.runtime.choose import ANY, Compute
from realtime.aside import Aside
from realtime.ports import Avatar, Denoiser
from server.config import Config


def compute_of(config: Config) -> Compute:
    """What weights are computed in and on."""
    return Compute(config.denoiser_precision, config.denoiser_device)


class Denoising:
    """One for all sessions of a process."""

    def __init__(self, wish: str, compute: Compute = ANY) -> None:
        """`wish` is `auto`, `off` or a directory of weights; what is wrong with them is logged and noticed. Raises
        `ConfigError` where `compute` chooses what this machine or these weights lack."""
        self._engine, self._about = announced_engine(wish, compute)
        together = self._engine is not None and self._engine.concurrent
        self.aside = Aside(name="refining") if together else None
        """Where denoisers work that gather the work of several sessions; None for the compute thread."""

    def of(self, avatar: Avatar, session_id: str) -> Denoiser | None:
        """A session's denoiser; None where its avatar is shown as drawn."""
        return refiner_for(self._engine, avatar, crc32(session_id.encode()))

    def notices(self) -> Mapping[str, str]:
        """What is wrong, if something is wrong and not merely absent."""
        return {"denoiser": self._about} if self._about.startswith(FAILED) else {}

    def close(self) -> None:
        """Join the threads, then release what they used."""
        if self.aside is not None:
            self.aside.close()
        if self._engine is not None:
            self._engine.close()
