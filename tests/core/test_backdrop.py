"""Backgrounds by name."""

import pytest

from realtime.core.backdrop import Backdrop, parse, rgb_of


@pytest.mark.parametrize(
    ("text", "kind", "packed"),
    [
        ("default", "default", False),
        ("transparent", "transparent", True),
        ("blur", "blur", False),
        ("#00B140", "colour", False),
        ("studio", "image", False),
        ("own-0123456789ab", "image", False),
    ],
)
def test_names_are_read(text: str, kind: str, packed: bool) -> None:
    wish = parse(text)
    assert (wish.kind, wish.packed) == (kind, packed)
    assert str(wish) == text.lower()
    assert parse(str(wish)) == wish


@pytest.mark.parametrize("text", ["", "#fff", "#12345g", "Studio", "../secret", "a@b", "x" * 65, "a b", "#0000000"])
def test_what_cannot_be_one_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="#rrggbb"):
        parse(text)


def test_the_default_is_the_avatars_own() -> None:
    assert str(Backdrop()) == "default"
    assert rgb_of("#0a14ff") == (10, 20, 255)
