"""What is felt and stressed is heard: directions, bounds, and nothing at rest."""

import pytest

from realtime.core.facs import Emotion
from realtime.core.values import VoiceSpec
from realtime.core.voice_colour import FELT, Colour, coloured


def test_neutral_and_zero_intensity_change_nothing() -> None:
    spec = VoiceSpec("nora", "en", 1.2, 0.9, 1.0)
    assert coloured(spec, Emotion.NEUTRAL, 1.0) == spec
    for emotion in Emotion:
        assert coloured(spec, emotion, 0.0) == spec


def test_every_emotion_has_a_colour_and_the_known_directions() -> None:
    assert set(FELT) == set(Emotion)
    happy, sad = FELT[Emotion.HAPPY], FELT[Emotion.SAD]
    assert happy.rate > 1 and happy.pitch > 1 and happy.energy > 1
    assert sad.rate < 1 and sad.pitch < 1 and sad.energy < 1
    assert FELT[Emotion.ANGRY].energy > happy.energy
    assert FELT[Emotion.FEAR].rate > 1 > FELT[Emotion.FEAR].energy


def test_a_stronger_emotion_colours_more() -> None:
    weak, strong = (coloured(VoiceSpec(), Emotion.SAD, share).rate for share in (0.3, 0.9))
    assert strong < weak < 1.0


def test_emphasis_is_slower_higher_and_louder() -> None:
    strong, reduced = (coloured(VoiceSpec(), Emotion.NEUTRAL, 0.0, level) for level in ("strong", "reduced"))
    assert strong.rate < 1 < strong.pitch and strong.energy > 1
    assert reduced.rate > 1 > reduced.energy


@pytest.mark.parametrize("rate", [0.5, 2.0])
def test_a_coloured_voice_stays_in_range(rate: float) -> None:
    spec = VoiceSpec(rate=rate, pitch=rate, energy=1.4)
    for emotion in Emotion:
        made = coloured(spec, emotion, 7.0, "strong")
        assert 0.5 <= made.rate <= 2.0 and 0.5 <= made.pitch <= 2.0 and 0.0 <= made.energy <= 1.5
    assert Colour(0.1, 9.0, 9.0).on(VoiceSpec()) == VoiceSpec(rate=0.5, pitch=2.0, energy=1.5)
