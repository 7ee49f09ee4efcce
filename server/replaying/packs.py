"""Which pack an avatar's pixels came from, told by the hashes of its files."""

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from realtime.core.errors import PackError
from realtime.core.replaying import Record
from server.shelves import MANIFEST


def pack_mark(place: Path) -> str:
    """Thirty-two hex digits that two packs share only if their files are the same; empty where no pack can be read,
    as for a host that is drawn while it is shown."""
    try:
        files = json.loads((place / MANIFEST).read_text(encoding="utf-8"))["files"]
        told = sorted((str(name), str(entry["sha256"])) for name, entry in files.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return ""
    return sha256(json.dumps(told).encode()).hexdigest()[:32]


def same_pack(header: Record, name: str, pack_of: Callable[[str], Path]) -> None:
    """Raises `PackError` that names both packs if a log's frames were made of another pack than this one. Logs that
    do not tell of a pack go with any."""
    had = header.get("pack", "")
    place = pack_of(name) if had else Path()
    here = pack_mark(place) if had else ""
    if had != here:
        what = f"that of {name} here, {place}, is {here}" if here else f"there is none of {name} here ({place})"
        raise PackError(f"the log's frames were made of the avatar pack {had}, but {what}; take its pack to replay it")
