"""Measures the text–motion model on a set of descriptions, beside a lexical baseline."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from models.language.motion.descriptions import (
    DOMAINS,
    LANGUAGES,
    NO_MOTION,
    Description,
    contexts,
    described,
    unfold,
)
from models.language.motion.model import MotionModel
from models.language.motion.search import MotionFinder
from models.language.ranking import Ranking
from realtime.core.clips import BUILT_IN
from realtime.core.described import THRESHOLD

_ALL: Final = 10_000
WORDINGS: Final = 8
"""Of each training line, this many are what BM25 searches."""

Ranked = Callable[[str], list[str]]
"""Names of primitives, best first."""


def report(model: MotionModel, samples: Sequence[Description], threshold: float = THRESHOLD) -> dict[str, Any]:
    """Recall at 1 and 3 per language, of the model and of BM25 over the training descriptions; how
    often a motion is played at the threshold (`coverage`), how often it is then the right one (`precision`, unrelated
    descriptions included), and how many unrelated descriptions play one (`false_plays`). Descriptions that are word for
    word among the training wordings are left out."""
    given, trained_on = len(samples), wordings()
    samples = [one for one in samples if one.text.lower() not in trained_on]
    finder = MotionFinder(BUILT_IN, model)
    meant = [one for one in samples if one.primitive != NO_MOTION]
    first = [(one, finder.nearest(one.text, 1)[0]) for one in samples]
    played = [(one, found) for one, found in first if found.similarity >= threshold]
    unrelated = [one for one in samples if one.primitive == NO_MOTION]
    return {
        "n": len(meant),
        "left_out": given - len(samples),
        "model": _recalls(meant, lambda text: [found.name for found in finder.nearest(text, 3)]),
        "bm25": _recalls(meant, lexical()),
        "gate": _gate(model, meant),
        "at_threshold": {
            "threshold": threshold,
            "coverage": _share([one.primitive != NO_MOTION for one, _ in played], len(meant)),
            "precision": _share([one.primitive == found.name for one, found in played], len(played)),
            "false_plays": _share([one.primitive == NO_MOTION for one, _ in played], len(unrelated)),
            "unrelated": len(unrelated),
        },
    }


def _gate(model: MotionModel, samples: Sequence[Description]) -> float:
    """How often the gate hears most the expert of the domain in whose words a description is put; chance is 0.25."""
    right = [
        DOMAINS[int(model.domains(said.replace("{x}", one.text)).argmax())] == domain
        for domain, of in contexts().items()
        for one in samples
        for said in of[one.language]
    ]
    return _share(right, len(right))


def wordings() -> set[str]:
    """Every wording of the training descriptions."""
    return {text.lower() for one in described("train") for text in unfold(one.text, _ALL)}


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
