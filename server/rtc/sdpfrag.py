"""Reads and writes trickle-ICE SDP fragments (RFC 8840 section 9) as WHIP and WHEP send them. Pure."""

import re
from dataclasses import dataclass
from typing import Final

from realtime.core.errors import InvalidField, Malformed, TooLarge
from server.rtc.sdp_guard import CANDIDATES_MAX, SECTIONS_MAX

FRAGMENT_TYPE: Final = "application/trickle-ice-sdpfrag"
FRAGMENT_MAX_BYTES: Final = 32 * 1024
_LINE: Final = re.compile(r"[a-z]=[\x20-\x7e\x80-\U0010ffff]*")
_UFRAG: Final = re.compile(r"[A-Za-z0-9+/=_-]{4,256}")
_PASSWORD: Final = re.compile(r"[A-Za-z0-9+/=_-]{22,256}")
_MID: Final = re.compile(r"[!-~]{1,16}")


@dataclass(frozen=True, slots=True)
class Credentials:
    """ICE user fragment and password of one side (RFC 8839 section 5.4)."""

    ufrag: str
    password: str

    def __repr__(self) -> str:
        return f"Credentials({self.ufrag!r}, …)"


@dataclass(frozen=True, slots=True)
class Trickled:
    """One candidate with its section: `mid`, or else the m-line's index in the fragment."""

    candidate: str
    """The attribute without `a=`."""
    mid: str | None
    line: int


@dataclass(frozen=True, slots=True)
class Fragment:
    """What a fragment says. Without credentials it belongs to the ICE session that is running."""

    credentials: Credentials | None
    candidates: tuple[Trickled, ...]
    ended: bool
    """Whether no more candidates come."""


def parse_fragment(text: str) -> Fragment:
    """A fragment's content. Raises `TooLarge`, `Malformed` or `InvalidField`.

    Candidates before any m-line belong to the first section: everything is bundled on its transport."""
    if len(text.encode("utf-8", "replace")) > FRAGMENT_MAX_BYTES:
        raise TooLarge("the SDP fragment is too long", field="body", limit=f"{FRAGMENT_MAX_BYTES} bytes")
    ufrags: list[str] = []
    passwords: list[str] = []
    candidates: list[Trickled] = []
    mid: str | None = None
    line, ended = -1, False
    for row in (row.rstrip("\r") for row in text.split("\n")):
        if not row:
            continue
        if not _LINE.fullmatch(row):
            raise Malformed(f"no line of an SDP fragment: {row[:60]!r}", field="body")
        if row.startswith("m="):
            mid, line = None, line + 1
        elif row.startswith("a=mid:"):
            mid = _checked(row[6:], _MID, "a=mid")
        elif row.startswith("a=ice-ufrag:"):
            ufrags.append(_checked(row[12:], _UFRAG, "a=ice-ufrag"))
        elif row.startswith("a=ice-pwd:"):
            passwords.append(_checked(row[10:], _PASSWORD, "a=ice-pwd"))
        elif row.startswith("a=candidate:"):
            candidates.append(Trickled(row[2:].strip(), mid, max(line, 0)))
        elif row == "a=end-of-candidates":
            ended = True
    if line >= SECTIONS_MAX:
        raise TooLarge("the SDP fragment has too many m-lines", field="body", limit=str(SECTIONS_MAX))
    if len(candidates) > CANDIDATES_MAX:
        raise TooLarge("the SDP fragment has too many candidates", field="body", limit=str(CANDIDATES_MAX))
    return Fragment(_one_pair(ufrags, passwords), tuple(candidates), ended)


def write_fragment(credentials: Credentials, candidates: tuple[str, ...], mid: str, kind: str) -> str:
    """Our side of a restarted ICE session: credentials, all candidates (attributes without `a=`) and their end."""
    rows = [
        f"a=ice-ufrag:{credentials.ufrag}",
        f"a=ice-pwd:{credentials.password}",
        f"m={kind} 9 {'UDP/DTLS/SCTP webrtc-datachannel' if kind == 'application' else 'UDP/TLS/RTP/SAVPF 0'}",
        f"a=mid:{mid}",
        *(f"a={candidate}" for candidate in candidates),
        "a=end-of-candidates",
    ]
    return "\r\n".join(rows) + "\r\n"


def _one_pair(ufrags: list[str], passwords: list[str]) -> Credentials | None:
    if not ufrags and not passwords:
        return None
    if len(set(ufrags)) != 1 or len(set(passwords)) != 1:
        raise InvalidField("the fragment names one ice-ufrag and one ice-pwd", field="body", limit="one of each")
    return Credentials(ufrags[0], passwords[0])


def _checked(value: str, pattern: re.Pattern[str], field: str) -> str:
    if not pattern.fullmatch(value):
        raise Malformed(f"{field} has an unusable value", field=field)
    return value
