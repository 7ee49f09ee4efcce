"""Finds the motion primitive that a free description means, or says which one is nearest and how sure that is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from models.language.motion.index import VectorIndex
from models.language.motion.model import MotionModel, motion_model
from realtime.core.clips import BUILT_IN, PRIMITIVES
from realtime.core.described import Described, NearMotion
from realtime.core.primitives import Primitive

_CANDIDATES: Final = 6
_ROWS_A_PRIMITIVE: Final = 4
"""Rows searched for each primitive that is asked for: one may have several."""


@dataclass(frozen=True, slots=True)
class Found:
    """One primitive. `similarity` 0..1 is the probability, calibrated on the validation set, that it is the one that
    was meant; `cosine` is that of its nearest vector."""

    name: str
    similarity: float
    cosine: float


class MotionFinder:
    """Searches motion primitives by their curves; those the model was not trained with also by their descriptions.

    `primitives` may grow: what was recorded since is taken in at the next search."""

    def __init__(
        self, primitives: Mapping[str, Primitive] = PRIMITIVES, model: MotionModel | None = None, engine: str = "auto"
    ) -> None:
        self._model = motion_model() if model is None else model
        self._primitives = primitives
        self._rows = VectorIndex(self._model.space, engine)
        self._moving: dict[str, Primitive] = {}
        self._learn()

    @property
    def engine(self) -> str:
        """What searches: `faiss` or `numpy`."""
        return self._rows.engine

    def nearest(self, description: str, k: int = 3) -> list[Found]:
        """The `k` primitives that fit best, best first; none for a text without words. The similarity falls with the
        cosine, that of the first one also where the second is close."""
        self._learn()
        vector = self._model.text(description)
        if not vector.any():
            return []
        best: dict[str, float] = {}
        for row, cosine in self._rows.search(vector, max(k + 1, 2) * _ROWS_A_PRIMITIVE):
            best.setdefault(self._rows.labels[row], cosine)
        ranked = list(best.items())
        known = self._model.known(description)
        return [
            Found(name, round(self._model.probability(cosine, _margin(cosine, i, ranked), known), 4), round(cosine, 4))
            for i, (name, cosine) in enumerate(ranked[:k])
        ]

    def near(self, description: str) -> list[NearMotion]:
        """As `realtime.core.described.Search` asks for: a few, since loops among them are passed over."""
        return [NearMotion(one.name, one.similarity) for one in self.nearest(description, _CANDIDATES)]

    def _learn(self) -> None:
        for name, one in tuple(self._primitives.items()):
            if self._moving.get(name) is one:
                continue
            self._moving[name] = one
            self._rows.add([name], self._model.motion(one)[None])
            if BUILT_IN.get(name) is not one:
                said = self._model.text(f"{name.replace('_', ' ')}, {one.description}")
                self._rows.add([name], said[None])


def _margin(cosine: float, rank: int, ranked: list[tuple[str, float]]) -> float:
    """By how much the best of the others is further away; below zero for all but the first."""
    if rank:
        return cosine - ranked[0][1]
    return cosine - ranked[1][1] if len(ranked) > 1 else cosine


def describing(threshold: float, engine: str) -> Described:
    """What finds the gestures of this process by description. Raises `ConfigError` for an engine that is missing."""
    return Described(MotionFinder(engine=engine).near, threshold)
