"""IPA symbols to mouth shapes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.core.phones import sounds

ENGLISH = (
    "t s n ɹ ɪ d k æ ɛ l p z ə m iː ɚ aɪ eɪ oʊ f ʌ w ɑː v ʃ ð ɐ b uː h i ᵻ ɔːɹ əl ɾ j dʒ "
    "ŋ ɡ ɑːɹ ɜː tʃ θ aʊ ɔː ɔɪ iə ʒ ɔ ʊ ɛɹ ɪɹ aɪɚ ʊɹ"
)
BRITISH = "a ɒ əʊ ɑː eə ʊə aɪə ʔ n̩ x"
MANDARIN = (
    "n i ŋ j ɑ u l w ə s. tɕ iɛ ɕ t ts. ɑu a χ p k onɡ i. tɕh th m f ts.h ai iɑ o- s ei y uo ou ts kh ʐ iou i̪ ph tsh "
    "uei uə yæ ua ər yɛ o yə uai yi"
)


def shapes(symbol: str) -> str:
    return " ".join(sound.viseme for sound in sounds(symbol))


@pytest.mark.parametrize("symbol", f"{ENGLISH} {BRITISH} {MANDARIN}".split())
def test_every_phone_of_the_voices_is_known(symbol: str) -> None:
    found = sounds(symbol)
    assert found and sum(sound.share for sound in found) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("symbol", "expected"),
    [
        ("aɪ", "A I"), ("tʃ", "SH"), ("ɔːɹ", "O R"), ("iou", "I O U"), ("tɕh", "SZ"), ("ph", "MBP"), ("onɡ", "O KG"),
        ("ts.", "SH"), ("ts", "SZ"), ("o-", "E"), ("ər", "E R"), ("əl", "E L"), ("h", "H"), ("w", "W"), ("v", "FV"),
    ],
)  # fmt: skip
def test_compound_phones_pass_through_their_shapes(symbol: str, expected: str) -> None:
    assert shapes(symbol) == expected


def test_a_diphthong_rests_longer_on_its_first_vowel() -> None:
    first, second = sounds("aɪ")
    assert first.share > second.share
    on_glide, vowel = sounds("ua")
    assert on_glide.share < vowel.share


def test_silence_and_the_unknown_have_no_shape() -> None:
    assert sounds("") == sounds("ˈ") == sounds("5?") == ()


@given(st.text(max_size=8))
def test_any_symbol_is_read_without_harm(symbol: str) -> None:
    found = sounds(symbol)
    assert not found or sum(sound.share for sound in found) == pytest.approx(1.0)
