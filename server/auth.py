"""Who may do what: server keys, and short-lived tokens that each open one session. Pure: the caller brings the time."""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal, get_args

TOKEN_BYTES = 32
TOKENS_PER_SESSION = 64
Scope = Literal["view", "talk", "direct"]
"""`view`: watch, and read the session's state. `talk`: ask the host and interrupt it. `direct`: speak through the host,
cue it, end the session."""
SCOPES: tuple[Scope, ...] = get_args(Scope)
ALL_SCOPES = frozenset(SCOPES)


@dataclass(frozen=True, slots=True)
class Grant:
    """What a request's credentials allow: everything (`server`), or one session's own calls."""

    server: bool = False
    session_id: str | None = None
    key: str | None = None
    """The digest of the server key that was shown, by which its requests are counted."""
    scopes: frozenset[Scope] = ALL_SCOPES
    """What it may do with that session."""

    def allows(self, session_id: str) -> bool:
        """Whether it may use this session."""
        return self.server or self.session_id == session_id


@dataclass(frozen=True, slots=True)
class Token:
    """A session's token and when it stops being valid (on the clock of whoever asks)."""

    text: str
    expires_s: float
    scopes: frozenset[Scope] = ALL_SCOPES

    def __repr__(self) -> str:
        return f"Token(…, expires_s={self.expires_s})"


class TokenBook:
    """The tokens of the running sessions. Use renews a token: it expires `ttl_s` after its last use."""

    def __init__(self, ttl_s: float) -> None:
        self.ttl_s = ttl_s
        self._tokens: dict[str, Token] = {}
        self._lesser: dict[str, list[Token]] = {}

    def __len__(self) -> int:
        return len(self._tokens)

    def issue(self, session_id: str, now_s: float) -> Token:
        """A fresh token for a session; an earlier one of it is void."""
        token = Token(secrets.token_urlsafe(TOKEN_BYTES), now_s + self.ttl_s)
        self._tokens[session_id] = token
        return token

    def issue_lesser(self, session_id: str, scopes: Iterable[Scope], now_s: float) -> Token | None:
        """A further token for a session, with these scopes only; None for a session without a token, or when it has
        `TOKENS_PER_SESSION` of them. It lives as long as the session's own."""
        lesser = self._lesser.setdefault(session_id, [])
        own = self._tokens.get(session_id)
        if own is None or own.expires_s <= now_s or len(lesser) >= TOKENS_PER_SESSION:
            return None
        token = Token(secrets.token_urlsafe(TOKEN_BYTES), own.expires_s, frozenset(scopes))
        lesser.append(token)
        return token

    def find(self, text: str, now_s: float) -> str | None:
        """The session this token opens, or None. Renews the token."""
        grant = self.grant(text, now_s)
        return grant.session_id if grant is not None else None

    def grant(self, text: str, now_s: float) -> Grant | None:
        """What this token allows, or None. Renews the session's tokens.

        All tokens are compared, each in constant time, so that the time taken tells nothing about any of them."""
        found: Grant | None = None
        for session_id, own in self._tokens.items():
            for token in (own, *self._lesser.get(session_id, ())):
                if same_secret(text, token.text) and own.expires_s > now_s:
                    found = Grant(session_id=session_id, scopes=token.scopes)
        if found is not None and found.session_id is not None:
            self.renew(found.session_id, now_s)
        return found

    def renew(self, session_id: str, now_s: float) -> Token | None:
        """Let a session's token live on, unless it expired already; returns it."""
        token = self._tokens.get(session_id)
        if token is None or token.expires_s <= now_s:
            return None
        self._tokens[session_id] = renewed = replace(token, expires_s=now_s + self.ttl_s)
        return renewed

    def peek(self, session_id: str) -> Token | None:
        """A session's token, without renewing it."""
        return self._tokens.get(session_id)

    def void(self, session_id: str) -> None:
        """Make a session's token invalid."""
        self._tokens.pop(session_id, None)
        self._lesser.pop(session_id, None)

    def keep(self, session_ids: Iterable[str]) -> None:
        """Forget the tokens of all sessions but these."""
        alive = set(session_ids)
        self._tokens = {key: token for key, token in self._tokens.items() if key in alive}
        self._lesser = {key: tokens for key, tokens in self._lesser.items() if key in alive}


def same_secret(given: str, expected: str) -> bool:
    """Whether two secrets are equal, in a time that does not depend on where they differ."""
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode("utf-8", "surrogatepass"))


def is_server_key(given: str, keys: Iterable[str]) -> bool:
    """Whether this is one of the server's keys; all are compared."""
    return any([same_secret(given, key) for key in keys])


def key_digest(key: str) -> str:
    """A name for a key that does not give it away."""
    return hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def bearer(header: str | None) -> str | None:
    """The credentials of an `Authorization: Bearer` header (RFC 6750 section 2.1), or None."""
    scheme, _, credentials = (header or "").strip().partition(" ")
    return credentials.strip() or None if scheme.lower() == "bearer" else None
