"""A second offer of a connection that stands: an ICE restart keeps everything but the paths (RFC 8839, 4.4.3)."""

import re
from collections.abc import Sequence
from typing import Final

from server.rtc.sdpfrag import Credentials

_LINE: Final = re.compile(r"\r?\n")
_UFRAG: Final = re.compile(r"^a=ice-ufrag:([!-~]{4,256})\s*$", re.MULTILINE)
_PASSWORD: Final = re.compile(r"^a=ice-pwd:([!-~]{22,256})\s*$", re.MULTILINE)
_FINGERPRINT: Final = re.compile(r"^a=fingerprint:\s*(\S+) ([0-9A-Fa-f:]+)\s*$", re.MULTILINE)
_MEDIA: Final = re.compile(r"^m=(\w+) ", re.MULTILINE)
_PATHS: Final = ("a=candidate:", "a=end-of-candidates")


def restart_of(before: str, offer: str) -> Credentials | None:
    """The credentials of an ICE restart; None if the offer asks for anything else than the first one did, or for
    nothing new."""
    ufrag, password = _UFRAG.search(offer), _PASSWORD.search(offer)
    if ufrag is None or password is None or ufrag[1] in _UFRAG.findall(before):
        return None
    same = set(_FINGERPRINT.findall(before)) == set(_FINGERPRINT.findall(offer))
    return Credentials(ufrag[1], password[1]) if same and _MEDIA.findall(before) == _MEDIA.findall(offer) else None


def restarted_answer(answer: str, ours: Credentials, candidates: Sequence[str]) -> str:
    """The first answer with the new ICE session in place of the old one. `candidates` begin with `candidate:`."""
    lines: list[str] = []
    for line in _LINE.split(answer.strip()):
        if line.startswith("a=ice-ufrag:"):
            lines.append(f"a=ice-ufrag:{ours.ufrag}")
        elif line.startswith("a=ice-pwd:"):
            lines.append(f"a=ice-pwd:{ours.password}")
            # in every section: which of them carries the bundle is the other side's choice
            lines += [*(f"a={candidate}" for candidate in candidates), "a=end-of-candidates"]
        elif line.startswith("o="):
            lines.append(_next_version(line))
        elif not line.startswith(_PATHS):
            lines.append(line)
    return "\r\n".join(lines) + "\r\n"


def _next_version(origin: str) -> str:
    """RFC 8866 section 5.2: a description that was modified has a higher version."""
    fields = origin.split(" ")
    fields[2] = str(int(fields[2]) + 1)
    return " ".join(fields)
