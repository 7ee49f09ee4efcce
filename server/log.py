"""Logging to standard error, as text or JSON lines, with secrets taken out before anything is written."""

import json
import logging
import re
import sys
import time
from collections.abc import Iterable
from typing import Final, TextIO

from server.noise import quieten
from server.settings import MASK

_PATTERNS: Final = (
    # Authorization headers, token/key query parameters and JSON members, and the SDP's ICE password
    re.compile(r"(?i)(bearer\s+)[^\s\"',;]+"),
    re.compile(
        r"(?i)((?:^|[?&;\s\"'{(])(?:token|api_?key|key|credential|password|secret)[\"']?\s*[=:]\s*[\"']?)[^\s&\"',;}]+"
    ),
    re.compile(r"(a=ice-pwd:)\S+"),
)


class Redactor:
    """Covers secrets in text: known values, and whatever looks like a credential by its place."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = sorted({secret for secret in secrets if secret}, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        for pattern in _PATTERNS:
            text = pattern.sub(rf"\g<1>{MASK}", text)
        return text


class TextFormatter(logging.Formatter):
    """`2026-01-31T12:00:00.000Z INFO server.app: message`, redacted, tracebacks included."""

    converter = staticmethod(time.gmtime)

    def __init__(self, redact: Redactor) -> None:
        super().__init__("%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S")
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        return self._redact(super().format(record))


class JsonFormatter(TextFormatter):
    """One JSON object per record: time, level, logger, message, and error with its traceback where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": f"{self.formatTime(record, self.datefmt)}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self._redact(record.getMessage()),
        }
        if record.exc_info:
            entry["error"] = self._redact(self.formatException(record.exc_info))
        return json.dumps(entry, ensure_ascii=False)


def configure(level: str, form: str, secrets: Iterable[str] = (), stream: TextIO | None = None) -> None:
    """Send all loggers to one handler. The formatter redacts, so that no logger and no traceback gets around it."""
    redact = Redactor(secrets)
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter(redact) if form == "json" else TextFormatter(redact))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # these report every candidate pair and packet at info
    for chatty in ("aioice", "aiortc"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, root.level))
    quieten()
