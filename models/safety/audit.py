"""The audit log: what was blocked, changed, held or overridden, one JSON object per line, rotated by size.

It holds no viewer's words unless the operator wants them: a text is recorded as its length and the beginning of its
digest, by which a complaint can be matched with its record."""

import hashlib
import json
import logging
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

log = logging.getLogger(__name__)

MAX_FILE_BYTES: Final = 4 * 1024 * 1024
KEPT_FILES: Final = 5


class AuditLog:
    """Appends records; a failing disk is logged and never stops a conversation."""

    def __init__(
        self,
        path: Path | None,
        *,
        with_text: bool = False,
        max_bytes: int = MAX_FILE_BYTES,
        kept: int = KEPT_FILES,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._path = path
        self._with_text = with_text
        self._max_bytes = max_bytes
        self._kept = kept
        self._now = now
        self._failed = False
        self.written = 0

    def record(self, event: str, *, session: str, text: str = "", **about: Any) -> None:
        """Note an event; `about` holds JSON values."""
        self.written += 1
        if self._path is None:
            return
        at = self._now().isoformat(timespec="milliseconds")
        entry: dict[str, Any] = {"at": at, "event": event, "session": session}
        entry |= about | self._about_text(text)
        try:
            self._append(self._path, json.dumps(entry, ensure_ascii=False) + "\n")
            self._failed = False
        except OSError as error:
            if not self._failed:
                log.error("the audit log cannot be written: %s", error.strerror or error)
            self._failed = True

    def _about_text(self, text: str) -> dict[str, Any]:
        if not text:
            return {}
        digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]
        return {"chars": len(text), "sha256": digest} | ({"text": text[:2_000]} if self._with_text else {})

    def _append(self, path: Path, line: str) -> None:
        data = line.encode("utf-8", "replace")
        if path.exists() and path.stat().st_size + len(data) > self._max_bytes:
            self._rotate(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        # readable by the owner only: even without texts it says who was moderated when
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab") as file:
            file.write(data)

    def _rotate(self, path: Path) -> None:
        """`audit.jsonl` becomes `audit.jsonl.1`, that `.2` and so on; the oldest is written over."""
        for number in range(self._kept - 1, 0, -1):
            older = path.with_name(f"{path.name}.{number}")
            if older.exists():
                older.replace(path.with_name(f"{path.name}.{number + 1}"))
        path.replace(path.with_name(f"{path.name}.1"))
