"""Logs: formats, and that no secret gets through any of them."""

import io
import json
import logging

import pytest

from server import log

SECRETS = ["a-key-of-enough-length", "hush-hush-credential"]


def written(form: str, *arguments: object, error: Exception | None = None) -> str:
    stream = io.StringIO()
    log.configure("info", form, SECRETS, stream)
    logging.getLogger("server.test").info(*arguments, exc_info=error)
    return stream.getvalue()


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize(
    "message",
    [
        "key is a-key-of-enough-length",
        "Authorization: Bearer abcdef123456",
        "GET /api/offer?session=s1&token=abcdef123456 200",
        '{"token": "abcdef123456", "text": "x"}',
        "{'credential': 'abcdef123456'}",
        "api_key=abcdef123456",
        "a=ice-pwd:abcdef123456",
        "turn with hush-hush-credential",
    ],
)
def test_no_secret_is_written(root: logging.Logger, form: str, message: str) -> None:
    text = written(form, message)
    assert "********" in text
    for secret in ("abcdef123456", *SECRETS):
        assert secret not in text


@pytest.mark.parametrize("form", ["text", "json"])
def test_arguments_and_tracebacks_are_covered_too(root: logging.Logger, form: str) -> None:
    try:
        raise ValueError("a-key-of-enough-length in a traceback")
    except ValueError as error:
        text = written(form, "given %s", "hush-hush-credential", error=error)
    assert "ValueError" in text and not any(secret in text for secret in SECRETS)


def test_ordinary_words_stay(root: logging.Logger) -> None:
    assert "the keyboard made 7 tokens" in written("text", "the keyboard made 7 tokens")


def test_json_lines_can_be_read(root: logging.Logger) -> None:
    entry = json.loads(written("json", "hello %s", "wörld"))
    assert entry["level"] == "info" and entry["logger"] == "server.test" and entry["message"] == "hello wörld"
    assert entry["time"].endswith("Z")


def test_levels_hold(root: logging.Logger) -> None:
    stream = io.StringIO()
    log.configure("warning", "text", (), stream)
    logging.getLogger("server.test").info("quiet")
    logging.getLogger("aioice").info("quiet")
    assert stream.getvalue() == ""
