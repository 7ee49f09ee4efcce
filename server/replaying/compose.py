"""Opens, for a replay, what a session had: the same denoiser on the same runtime, and avatars to be painted."""

from pathlib import Path

from models.diffusion.refiner import refiner_for
from models.diffusion.refiner_engine import Engine, open_engine
from models.diffusion.runtime.choose import ANY, Compute
from models.staging.collection import Collection
from models.staging.paintable import Paintable
from realtime.core.backdrop import TRANSPARENT, parse
from realtime.core.replaying import Record
from realtime.ports import Avatar, Repeatable
from server.replaying.painting import Repainting
from server.replaying.pixels import pixels_beside


def repainting(log: Path, avatars: Collection, name: str) -> Repainting:
    """What was painted of an avatar in the session of a log."""
    return Repainting(
        pixels_beside(log), lambda: avatars.open_aside(name, parse(TRANSPARENT)),
        lambda sheet: Paintable(avatars).dressed(name, sheet),
    )  # fmt: skip


class Reopening:
    """For the settings `denoiser…`. `close` releases what was opened."""

    def __init__(self, wish: str, compute: Compute = ANY) -> None:
        self._wish, self._compute = wish, compute
        self._engine: Engine | None = None

    def open(self, record: Record, avatar: Avatar) -> Repeatable | str:
        """The denoiser of a log's record, or why these frames are without it."""
        self._engine, about = open_engine(self._wish, self._compute) if self._engine is None else (self._engine, "")
        had = f"{record.get('name')} ({record.get('weights')}) on {record.get('runtime')}"
        if self._engine is None:
            return f"a denoiser, {had}, improved these frames; here is none: {about}"
        seed = record.get("seed")
        made = refiner_for(self._engine, avatar, seed if isinstance(seed, int) else 0)
        if made is None:
            return f"a denoiser, {had}, improved these frames; {self._engine.weights.name} is not used for this avatar"
        here = made.identity
        other = [f"{name} {record.get(name)!r}, here {here[name]!r}" for name in sorted(here)
                 if name != "name" and record.get(name) != here[name]]  # fmt: skip
        return f"another denoiser improved these frames: {'; '.join(other)}" if other else made

    def close(self) -> None:
        """Release the runtime."""
        if self._engine is not None:
            self._engine.close()
