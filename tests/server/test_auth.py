"""Keys and tokens."""

import pytest

from server.auth import TOKENS_PER_SESSION, Grant, Token, TokenBook, bearer, is_server_key


def test_a_token_opens_its_session_until_it_expires() -> None:
    book = TokenBook(ttl_s=10.0)
    one, other = book.issue("one", 0.0), book.issue("other", 0.0)
    assert one.text != other.text and len(one.text) >= 43
    assert book.find(one.text, 5.0) == "one", "and it is renewed"
    assert book.find(one.text, 14.9) == "one"
    assert book.find(other.text, 14.9) is None
    assert book.renew("other", 15.0) is None, "what has expired stays so"


def test_issuing_again_voids_the_earlier_token() -> None:
    book = TokenBook(ttl_s=10.0)
    first = book.issue("one", 0.0)
    book.issue("one", 0.0)
    assert book.find(first.text, 1.0) is None


def test_tokens_of_gone_sessions_are_forgotten() -> None:
    book = TokenBook(ttl_s=10.0)
    tokens = {name: book.issue(name, 0.0) for name in ("a", "b", "c")}
    book.keep(["a", "c"])
    book.void("c")
    assert len(book) == 1 and book.find(tokens["b"].text, 1.0) is None and book.find(tokens["a"].text, 1.0) == "a"
    assert book.peek("b") is None


@pytest.mark.parametrize("guess", ["", "x", "ä", "\ud800", "a" * 10_000])
def test_wrong_guesses_of_any_shape_are_wrong(guess: str) -> None:
    book = TokenBook(ttl_s=10.0)
    book.issue("one", 0.0)
    assert book.find(guess, 0.0) is None
    assert not is_server_key(guess, ("a-key-of-enough-length",))


def test_any_of_several_keys_serves() -> None:
    assert is_server_key("second-key-of-length", ("first-key-of-length", "second-key-of-length"))


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("Bearer abc", "abc"), ("bearer  abc ", "abc"), ("Basic abc", None), ("Bearer", None), ("Bearer ", None),
        ("", None), (None, None),
    ],
)  # fmt: skip
def test_bearer_headers(header: str | None, expected: str | None) -> None:
    assert bearer(header) == expected


def test_grants() -> None:
    assert Grant(server=True).allows("any") and Grant(session_id="a").allows("a")
    assert not Grant(session_id="a").allows("b") and not Grant().allows("a")


def test_a_tokens_repr_covers_it() -> None:
    assert "abc" not in repr(Token("abc", 1.0))


def test_lesser_tokens_live_and_die_with_their_session() -> None:
    book = TokenBook(ttl_s=10.0)
    own = book.issue("one", 0.0)
    lesser = book.issue_lesser("one", ["view"], 0.0)
    assert lesser is not None and book.issue_lesser("none", ["view"], 0.0) is None
    assert book.grant(lesser.text, 5.0) == Grant(session_id="one", scopes=frozenset({"view"}))
    assert book.grant(own.text, 14.0) == Grant(session_id="one"), "its use had renewed them all"
    assert book.grant(lesser.text, 30.0) is None
    assert book.issue_lesser("one", ["view"], 30.0) is None
    book.issue("one", 30.0)
    assert all(book.issue_lesser("one", ["talk"], 30.0) for _ in range(TOKENS_PER_SESSION - 1))
    assert book.issue_lesser("one", ["talk"], 30.0) is None
    book.void("one")
    assert book.grant(lesser.text, 31.0) is None
