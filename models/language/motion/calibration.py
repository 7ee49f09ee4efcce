"""Fits what the text–motion model's similarity means, on the validation set."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.language.motion.descriptions import Description
from models.language.motion.model import MotionModel
from models.language.motion.search import MotionFinder
from realtime.core.clips import BUILT_IN

STEPS: Final = 4_000
RATE: Final = 0.5
DECAY: Final = 1e-3


def fit_odds(model: MotionModel, samples: Sequence[Description]) -> NDArray[np.float32]:
    """The four numbers of `MotionModel.probability`: logistic regression of "the first is the right one" on cosine,
    margin and share of known words, by gradient descent with a little decay. Descriptions that fit no primitive count
    as wrong whatever is found."""
    finder = MotionFinder(BUILT_IN, model)
    inputs, right = [], []
    for one in samples:
        found = finder.nearest(one.text, 2)
        inputs.append((found[0].cosine, found[0].cosine - found[1].cosine, model.known(one.text), 1.0))
        right.append(found[0].name == one.primitive)
    x, y = np.array(inputs), np.array(right, float)
    weights = np.zeros(4)
    for _ in range(STEPS):
        odds = 1.0 / (1.0 + np.exp(-x @ weights))
        weights -= RATE * (x.T @ (odds - y) / len(y) + DECAY * weights * (1.0, 1.0, 1.0, 0.0))
    return weights.astype(np.float32)
