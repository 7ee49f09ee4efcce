"""Measures the text–motion model on a set of descriptions, beside a lexical baseline."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from models.language.motion.descriptions import LANGUAGES, NO_MOTION, Description, described, unfold
from models.language.motion.model import MotionModel
from models.language.motion.search import THRESHOLD, MotionFinder
from models.language.ranking import Ranking
from realtime.core.clips import BUILT_IN

WORDINGS: Final = 8
"""Of each training line, this many are what BM25 searches."""

Ranked = Callable[[str], list[str]]
"""Names of primitives, best first."""


def report(model: MotionModel, samples: Sequence[Description], threshold: float = THRESHOLD) -> dict[str, Any]:
    """Recall at 1 and 3 per language, of the model and of BM25 over the training descriptions; how
    often a motion is played at the threshold (`coverage`), how often it is then the right one (`precision`, unrelated
    descriptions included), and how many unrelated descriptions play one (`false_plays`)."""
    finder = MotionFinder(BUILT_IN, model)
    meant = [one for one in samples if one.primitive != NO_MOTION]
    first = [(one, finder.nearest(one.text, 1)[0]) for one in samples]
    played = [(one, found) for one, found in first if found.similarity >= threshold]
    unrelated = [one for one in samples if one.primitive == NO_MOTION]
    return {
        "n": len(meant),
        "model": _recalls(meant, lambda text: [found.name for found in finder.nearest(text, 3)]),
        "bm25": _recalls(meant, lexical()),
        "at_threshold": {
            "threshold": threshold,
            "coverage": _share([one.primitive != NO_MOTION for one, _ in played], len(meant)),
            "precision": _share([one.primitive == found.name for one, found in played], len(played)),
            "false_plays": _share([one.primitive == NO_MOTION for one, _ in played], len(unrelated)),
            "unrelated": len(unrelated),
        },
    }


def lexical() -> Ranked:
    """BM25 over the training descriptions, the best of each primitive counting."""
    rows = [(one.primitive, text) for one in described("train") for text in unfold(one.text, WORDINGS)]
    ranking = Ranking([text for _, text in rows])

    def ranked(text: str) -> list[str]:
        scores = ranking.scores(text)
        order = np.argsort(-scores, kind="stable")
        return list(dict.fromkeys(rows[i][0] for i in order if scores[i] > 0.0))[:3]

    return ranked


def _recalls(samples: Sequence[Description], ranked: Ranked) -> dict[str, float]:
    found = [(one, ranked(one.text)) for one in samples]
    figures: dict[str, float] = {}
    for language in LANGUAGES:
        own = [(one, names) for one, names in found if one.language == language]
        for k in (1, 3):
            figures[f"{language}_at_{k}"] = _share([one.primitive in names[:k] for one, names in own], len(own))
    figures["at_1"] = _share([one.primitive in names[:1] for one, names in found], len(found))
    figures["at_3"] = _share([one.primitive in names[:3] for one, names in found], len(found))
    return figures


def _share(hits: Sequence[bool], of: int) -> float:
    return round(sum(hits) / of, 3) if of else 0.0
