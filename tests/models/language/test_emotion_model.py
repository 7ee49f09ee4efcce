"""The emotion reader: what it reads, that its weights are those its script makes, and that nothing upsets it."""

import hashlib

import numpy as np
import pytest

from models.language.emotion_model import SIZE, WEIGHTS, EmotionModel, emotion_model, features
from models.language.emotion_train import cues, generated, scores, train, written
from models.language.mood import sensed_emotion
from realtime.core.emotion import read_emotion
from realtime.core.facs import Emotion


@pytest.mark.parametrize(
    ("text", "language", "emotion"),
    [
        ("Congratulations, you passed with flying colours, we are so proud of you!", "en", Emotion.HAPPY),
        ("The food was rotten and the kitchen filthy, it made me sick.", "en", Emotion.DISGUST),
        ("Careful, there is something dangerous in the dark forest.", "en", Emotion.FEAR),
        ("你们骗了我，凭什么不退款！", "zh", Emotion.ANGRY),
        ("奶奶去世以后，我再也没有回过家。", "zh", Emotion.SAD),
        ("The box contains two cables and weighs four hundred grams.", "en", Emotion.NEUTRAL),
        ("价格含税，两天送到。", "zh", Emotion.NEUTRAL),
    ],
)
def test_plain_cases(text: str, language: str, emotion: Emotion) -> None:
    assert emotion_model().read(text, language)[0] is emotion


def test_it_reads_more_than_the_lexicon_and_is_seldom_wrong_on_calm_text() -> None:
    heldout = written("heldout.yaml")
    model, lexicon = scores(emotion_model().read, heldout), scores(read_emotion, heldout)
    assert model["accuracy"] >= lexicon["accuracy"] + 0.1 and model["macro_f1"] >= lexicon["macro_f1"] + 0.1
    assert model["precision"] >= lexicon["precision"] and model["false_alarms"] <= 0.1
    assert scores(sensed_emotion, heldout)["accuracy"] >= model["accuracy"]


def test_lines_that_were_never_seen_are_read() -> None:
    lines = written("heldout_lines.yaml")
    assert len(lines) == 112
    found = scores(sensed_emotion, lines)
    assert found["accuracy"] >= 0.75 and found["precision"] >= 0.85 and found["false_alarms"] <= 0.1
    assert min(found["f1"].values()) >= 0.6


def test_the_sets_share_no_sentence() -> None:
    train_texts = {sample.text for sample in [*written("train.yaml"), *generated(), *cues()]}
    names = ("validation.yaml", "heldout.yaml", "heldout_lines.yaml")
    others = [sample.text for name in names for sample in written(name)]
    assert len(set(others)) == len(others) and not train_texts & set(others)


@pytest.mark.slow
def test_the_script_makes_the_weights_that_are_shipped() -> None:
    weights = train([*written("train.yaml"), *generated(), *cues()]).astype(np.float16)
    with np.load(WEIGHTS) as stored:
        shipped = stored["weights"]
    # other builds of numpy may round otherwise: the weights agree, if not their digest
    assert np.abs(weights.astype(np.float32) - shipped.astype(np.float32)).max() < 0.02


def test_the_card_names_the_weights() -> None:
    card = (WEIGHTS.parents[3] / "docs" / "models" / "emotion.md").read_text("utf-8")
    with np.load(WEIGHTS) as stored:
        digest = hashlib.sha256(stored["weights"].tobytes()).hexdigest()
    assert digest in card and WEIGHTS.stat().st_size <= 1024 * 1024


@pytest.mark.parametrize("text", ["", "   ", "🔥🔥", "?" * 1000, "a" * 100_000, "好" * 10_000, "\ud800", "<b>hi</b>"])
def test_nothing_upsets_it(text: str) -> None:
    odds = emotion_model().probabilities(text)
    assert odds.shape == (7,) and odds.sum() == pytest.approx(1.0, abs=1e-4)
    emotion, intensity = emotion_model().read(text)
    assert emotion in Emotion and 0.0 <= intensity <= 0.8


def test_bad_weights_are_refused_and_features_are_bounded() -> None:
    with pytest.raises(ValueError, match="shape"):
        EmotionModel(np.zeros((3, 7), np.float32))
    places, values = features("Hello there, hello!", "en")
    assert places.max() == SIZE - 1 and len(places) == len(values)
