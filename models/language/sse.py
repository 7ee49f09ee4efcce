"""Reads server-sent events (WHATWG HTML, section 9.2) and drops a model's private thoughts from its text."""

from collections.abc import Iterator
from typing import Final

from realtime.core.errors import UpstreamError

MAX_LINE_BYTES: Final = 256 * 1024

_OPEN: Final = "<think>"
_CLOSE: Final = "</think>"


class EventReader:
    """Bytes in, the `data` of each complete event out; other fields and comments are skipped."""

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[str] = []

    def feed(self, chunk: bytes) -> Iterator[str]:
        """The events that are complete by now. Raises `UpstreamError` on a line without end."""
        self._rest += chunk
        # a line may end in CR LF, LF or CR; a CR at the very end may still be followed by its LF
        held = b"\r" if self._rest.endswith(b"\r") else b""
        text = self._rest.removesuffix(b"\r").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *lines, rest = text.split(b"\n")
        self._rest = rest + held
        if len(self._rest) > MAX_LINE_BYTES:
            raise UpstreamError(f"an event has a line of more than {MAX_LINE_BYTES} bytes")
        for line in lines:
            if line.startswith(b"data:"):
                self._data.append(line[5:].removeprefix(b" ").decode("utf-8", "replace"))
            elif not line and self._data:
                data, self._data = "\n".join(self._data), []
                yield data


class ThoughtFilter:
    """Removes `<think>…</think>` from a text that arrives in pieces: some models write their reasoning into it."""

    def __init__(self) -> None:
        self._rest = ""
        self._thinking = False

    def feed(self, delta: str) -> str:
        """What can be said by now."""
        self._rest += delta
        said = ""
        while True:
            mark = _CLOSE if self._thinking else _OPEN
            before, found, after = self._rest.partition(mark)
            if found:
                said += "" if self._thinking else before
                self._rest, self._thinking = after, not self._thinking
                continue
            held = _held(self._rest, mark)
            said += "" if self._thinking else self._rest[: len(self._rest) - held]
            self._rest = self._rest[len(self._rest) - held :]
            return said

    def flush(self) -> str:
        """What was held back because it might have become a mark."""
        rest, self._rest = self._rest, ""
        return "" if self._thinking else rest


def _held(text: str, mark: str) -> int:
    """Length of the longest end of the text that the mark begins with."""
    return next((n for n in range(min(len(text), len(mark) - 1), 0, -1) if text.endswith(mark[:n])), 0)
