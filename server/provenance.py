"""Provenance records: what a mark's 64 bits point to, one JSON object a line in one file."""

import json
import logging
import os
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

_log = logging.getLogger(__name__)

MAX_LINE_BYTES: Final = 16_384


@dataclass(frozen=True, slots=True)
class Provenance:
    """Who made a picture, when and with what."""

    identity: str
    """The mark's 64 bits, 16 hexadecimal digits."""
    made_at: str
    """Start of the session, ISO 8601, UTC."""
    session: str
    anima: str
    """Version of this software."""
    avatar: str
    pack: str
    """Checksum of the avatar's pack."""
    source: str
    """Where the avatar's looks come from: drawn by code, or a photo with its licence and consent."""
    models: Mapping[str, str] = field(default_factory=dict)
    """Model by part (voice, answers, denoiser), each with its version or hash and the source of its training data."""


def new_identity() -> int:
    """64 random bits: they say nothing by themselves, and no two sessions share them."""
    return secrets.randbits(64)


def now_text() -> str:
    """The time as a record states it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


class ProvenanceLog:
    """Appends records and finds them again. A line is written whole or, when the disk fails, not at all, with a
    warning: no session ends for want of its record."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, record: Provenance) -> bool:
        """Write a record; whether that worked."""
        line = json.dumps(asdict(record), ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        if len(line) > MAX_LINE_BYTES:
            _log.warning("the provenance of session %s is too long to be recorded", record.session)
            return False
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            # one write to a file opened for appending: several processes may share it (POSIX, O_APPEND)
            handle = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(handle, line)
            finally:
                os.close(handle)
        except OSError as error:
            _log.warning("the provenance of session %s was not recorded: %s", record.session, error)
            return False
        return True

    def find(self, identity: int) -> dict[str, Any] | None:
        """The record of a mark; None if there is none. Lines that are no records are passed over."""
        wanted = f"{identity:016x}"
        return next((record for record in self._records() if record.get("identity") == wanted), None)

    def _records(self) -> Iterator[dict[str, Any]]:
        if not self._path.exists():
            return
        with self._path.open("rb") as lines:
            for line in lines:
                try:
                    record = json.loads(line)
                except ValueError:
                    continue
                if isinstance(record, dict):
                    yield record
