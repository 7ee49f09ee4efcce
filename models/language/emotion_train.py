"""Trains the emotion reader: `python -m models.language.emotion_train` writes its weights and prints its figures.

Data: models/language/emotion/train.yaml (sentences written for this, and templates filled at random with a fixed seed).
Chosen by cross-validation on the written training sentences. Reported on heldout_lines.yaml, what hosts say, written
after the weights were fixed; and on heldout.yaml, which avoids cue words, and which threshold and templates were chosen
with a view of.
"""

import argparse
import hashlib
import json
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import yaml
from numpy.typing import NDArray

from models.language.emotion_model import SIZE, WEIGHTS, EmotionModel, features
from models.language.mood import sensed_emotion
from realtime.core.emotion import read_emotion
from realtime.core.facs import Emotion

DATA: Final = WEIGHTS.parent
SEED: Final = 2013
PER_TEMPLATE: Final = 24
TEMPLATE_WEIGHT: Final = 0.35
"""A generated sentence counts less than a written one."""
CUE_WEIGHT: Final = 0.25
EPOCHS: Final = 60
RATE: Final = 0.6
DECAY: Final = 2e-5
FOLDS: Final = 5

_CHOICE: Final = re.compile(r"\{([^{}]+)\}")
Reader = Callable[[str, str], tuple[Emotion, float]]


@dataclass(frozen=True, slots=True)
class Sample:
    """One labelled sentence."""

    text: str
    language: str
    emotion: Emotion
    weight: float = 1.0


def written(name: str) -> list[Sample]:
    """The sentences of a data file that were written by hand."""
    data = yaml.safe_load((DATA / name).read_text("utf-8"))
    return [
        Sample(text, language, Emotion[label.upper()])
        for language in ("en", "zh")
        for label, texts in data[language].items()
        for text in texts
    ]


def generated(seed: int = SEED) -> list[Sample]:
    """Sentences from the templates."""
    data = yaml.safe_load((DATA / "train.yaml").read_text("utf-8"))
    rng = random.Random(seed)
    return [
        Sample(text, language, Emotion[label.upper()], TEMPLATE_WEIGHT)
        for language in ("en", "zh")
        for label, templates in data["templates"][language].items()
        for template in templates
        for text in sorted({_filled(template, data["things"], language, rng) for _ in range(PER_TEMPLATE)})
    ]


def cues(name: str = "train.yaml") -> list[Sample]:
    """Single words that go with an emotion, as sentences of their own."""
    data = yaml.safe_load((DATA / name).read_text("utf-8"))["words"]
    return [
        Sample(word, language, Emotion[label.upper()], CUE_WEIGHT)
        for language in ("en", "zh")
        for label, words in data[language].items()
        for word in words.split()
    ]


def train(samples: Sequence[Sample], seed: int = SEED) -> NDArray[np.float32]:
    """Weights of shape (SIZE, 7): softmax regression by AdaGrad (Duchi, Hazan & Singer, 2011) with L2 decay."""
    inputs = [features(sample.text, sample.language) for sample in samples]
    weights = np.zeros((SIZE, len(Emotion)), np.float32)
    squares = np.full_like(weights, 1e-2)
    rng = np.random.default_rng(seed)
    for _ in range(EPOCHS):
        for index in rng.permutation(len(samples)):
            places, values = inputs[index]
            scores = values @ weights[places]
            odds = np.exp(scores - scores.max())
            odds /= odds.sum()
            odds[samples[index].emotion] -= 1.0
            slope = samples[index].weight * np.outer(values, odds) + DECAY * weights[places]
            np.add.at(squares, places, slope * slope)
            np.add.at(weights, places, -RATE * slope / np.sqrt(squares[places]))
    return weights


def scores(reader: Reader, samples: Sequence[Sample]) -> dict[str, Any]:
    """Accuracy and macro F1 (the mean of the classes' F1), accuracy by language, F1 by class. `precision` is how often
    an emotion that is shown is the right one, `shown` how often one is, `false_alarms` how often on a neutral text."""
    pairs = [(sample, reader(sample.text, sample.language)[0]) for sample in samples]
    shown = [pair for pair in pairs if pair[1] is not Emotion.NEUTRAL]
    calm = [read for sample, read in pairs if sample.emotion is Emotion.NEUTRAL]
    found: dict[str, Any] = {"n": len(samples), "accuracy": _accuracy(pairs), "macro_f1": _macro(pairs)}
    found["precision"] = _accuracy(shown)
    found["shown"] = round(len(shown) / max(1, len(pairs)), 3)
    found["false_alarms"] = round(sum(read is not Emotion.NEUTRAL for read in calm) / max(1, len(calm)), 3)
    for language in ("en", "zh"):
        found[f"accuracy_{language}"] = _accuracy([pair for pair in pairs if pair[0].language == language])
    found["f1"] = {emotion.name.lower(): round(_f1(pairs, emotion), 3) for emotion in Emotion}
    return found


def cross_validated(samples: Sequence[Sample], extra: Sequence[Sample]) -> dict[str, Any]:
    """Figures of models that have not seen the sentences they are asked about."""
    order = np.random.default_rng(SEED).permutation(len(samples))
    answers: list[tuple[Sample, Emotion]] = []
    for fold in range(FOLDS):
        held = {int(i) for i in order[fold::FOLDS]}
        model = EmotionModel(train([s for i, s in enumerate(samples) if i not in held] + list(extra)))
        answers += [(samples[i], model.read(samples[i].text, samples[i].language)[0]) for i in sorted(held)]
    return {"accuracy": _accuracy(answers), "macro_f1": _macro(answers)}


def main(argv: Sequence[str] | None = None) -> int:
    """Train, measure, write."""
    parser = argparse.ArgumentParser(description="Train the emotion reader.")
    parser.add_argument("--out", type=Path, default=WEIGHTS, help="where the weights go")
    parser.add_argument("--check", action="store_true", help="cross-validate too (five more trainings)")
    options = parser.parse_args(argv)
    samples, extra = written("train.yaml"), [*generated(), *cues()]
    weights = train([*samples, *extra]).astype(np.float16)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(options.out, weights=weights)
    validation, heldout, lines = written("validation.yaml"), written("heldout.yaml"), written("heldout_lines.yaml")
    reader = EmotionModel(weights.astype(np.float32)).read
    report: dict[str, Any] = {
        "written": len(samples),
        "generated": len(extra),
        "weights_sha256": hashlib.sha256(weights.tobytes()).hexdigest(),
        "bytes": options.out.stat().st_size,
        "lines": _three(reader, lines),
        "without_cue_words": _three(reader, heldout),
        "validation": {"model": scores(reader, validation), "lexicon": scores(read_emotion, validation)},
    }
    if options.check:
        report["cross_validation"] = cross_validated(samples, extra)
    print(json.dumps(report, indent=2))
    return 0


def _three(reader: Reader, samples: Sequence[Sample]) -> dict[str, Any]:
    return {
        "model": scores(reader, samples),
        "lexicon": scores(read_emotion, samples),
        "in_use": scores(sensed_emotion, samples),
    }


def _filled(template: str, things: Mapping[str, Sequence[str]], language: str, rng: random.Random) -> str:
    def choose(match: re.Match[str]) -> str:
        name = match.group(1)
        if name == "thing":
            return str(rng.choice(things[language]))
        return str(rng.choice(things["who"] if name == "who" else name.split("|")))

    text = _CHOICE.sub(choose, template)
    return text[0].upper() + text[1:]


def _accuracy(pairs: Sequence[tuple[Sample, Emotion]]) -> float:
    return round(sum(sample.emotion is read for sample, read in pairs) / max(1, len(pairs)), 3)


def _f1(pairs: Sequence[tuple[Sample, Emotion]], emotion: Emotion) -> float:
    right = sum(sample.emotion is emotion and read is emotion for sample, read in pairs)
    either = sum((sample.emotion is emotion) + (read is emotion) for sample, read in pairs)
    return 2.0 * right / either if either else 0.0


def _macro(pairs: Sequence[tuple[Sample, Emotion]]) -> float:
    return round(float(np.mean(list(_each_f1(pairs)))), 3)


def _each_f1(pairs: Sequence[tuple[Sample, Emotion]]) -> Iterator[float]:
    return (_f1(pairs, emotion) for emotion in Emotion)


if __name__ == "__main__":
    raise SystemExit(main())
