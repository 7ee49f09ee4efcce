"""The text–motion model in numpy: a text encoder of four gated experts and a motion encoder, into one space.

Trained by `python -m models.language.motion.train`; docs/models/motion.md is its card.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.language.motion.curves import motion_features
from models.language.motion.features import features
from realtime.core.primitives import Primitive

WEIGHTS: Final = Path(__file__).parent / "weights.npz"
Floats = NDArray[np.float32]


class MotionModel:
    """Both encoders. `weights` by name, any float type:

    `table` (buckets, width); `gate` (width, experts), `gate_bias` (experts,); `experts` (experts, width, space),
    `expert_bias` (experts, space); `mean`, `scale` (motion features,); `hidden` (motion features, units), its
    `hidden_bias`; `out` (units, space), `out_bias`; `words` (known words,) uint32 keys; `odds` (4,) of
    `probability`."""

    def __init__(self, weights: Mapping[str, NDArray[np.generic]]) -> None:
        self._w: dict[str, Floats] = {
            name: np.asarray(value, np.float32) for name, value in weights.items() if name not in ("words", "table")
        }
        # kept in half precision: a description touches some fifty of its rows
        self._table = np.asarray(weights["table"], np.float16)
        self._words = frozenset(np.asarray(weights["words"]).tolist())

    @property
    def space(self) -> int:
        """Dimensions of the common space."""
        return int(self._w["out"].shape[1])

    def text(self, description: str) -> Floats:
        """A description in the common space, float32 (space,), of unit length; zeros for a text without words."""
        found = features(description)
        if not len(found.places):
            return np.zeros(self.space, np.float32)
        bag = found.weights @ self._table[found.places].astype(np.float32)  # (width,)
        experts = np.einsum("w,ews->es", bag, self._w["experts"]) + self._w["expert_bias"]
        return _unit(self.gate(bag) @ experts)

    def gate(self, bag: Floats) -> Floats:
        """How much each expert is heard, (experts,), in sum 1."""
        scores = bag @ self._w["gate"] + self._w["gate_bias"]
        raised = np.exp(scores - scores.max())
        return np.asarray(raised / raised.sum(), np.float32)

    def domains(self, description: str) -> Floats:
        """The gate's weights for a description, (experts,)."""
        found = features(description)
        return self.gate(found.weights @ self._table[found.places].astype(np.float32))

    def motion(self, primitive: Primitive) -> Floats:
        """A primitive in the common space by its curves alone, float32 (space,), of unit length."""
        w = self._w
        seen = (motion_features(primitive) - w["mean"]) / w["scale"]
        hidden = np.maximum(0.0, np.clip(seen, -5.0, 5.0) @ w["hidden"] + w["hidden_bias"])
        return _unit(hidden @ w["out"] + w["out_bias"])

    def known(self, description: str) -> float:
        """Share of a description's meaningful words that were seen in training, 0..1."""
        words = features(description).words
        return sum(word in self._words for word in words) / len(words) if words else 0.0

    def probability(self, cosine: float, margin: float, known: float) -> float:
        """Probability that the nearest primitive is the one that is meant: a logistic curve (Platt, 1999) of its
        cosine, by how much the next one is further away, and the share of known words; fitted on the validation set."""
        a, b, c, bias = (float(value) for value in self._w["odds"])
        return float(1.0 / (1.0 + np.exp(-(a * cosine + b * margin + c * known + bias))))


@cache
def motion_model() -> MotionModel:
    """The model that comes with Anima."""
    with np.load(WEIGHTS) as stored:
        return MotionModel({name: stored[name] for name in stored.files})


def _unit(vector: Floats) -> Floats:
    length = float(np.linalg.norm(vector))
    return np.asarray(vector / length if length > 0.0 else vector, np.float32)
