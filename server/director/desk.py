"""The director's desk: every line passes the safety filter here, and a person may hold, approve, skip or replace it."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Literal

from realtime.core.errors import Conflict, NotFound
from realtime.core.script import strip_tags
from realtime.programme import Safety

KEPT_LINES: Final = 40
"""Lines that were dealt with and are still shown."""

Status = Literal["held", "said", "changed", "blocked", "skipped", "replaced", "dropped"]


@dataclass(slots=True)
class DeskLine:
    """One sentence on its way to the voice."""

    id: str
    text: str
    status: Status

    def as_json(self) -> dict[str, str]:
        """For the director's page."""
        return {"id": self.id, "text": self.text, "status": self.status}


class Desk:
    """The port `Gate` of one session. All methods run on the event loop."""

    def __init__(self, safety: Safety) -> None:
        self._safety = safety
        self._serial = 0
        self._held: dict[str, tuple[DeskLine, asyncio.Future[str]]] = {}
        self._past: deque[DeskLine] = deque(maxlen=KEPT_LINES)
        self._watchers: set[Callable[[], None]] = set()
        self.holding = False

    # --- the gate

    def clean(self, text: str) -> str:
        """What of a script may be said or shown. A block may come with words of its own."""
        verdict = self._safety.outgoing(text)
        return verdict.says if verdict.action == "block" else verdict.text

    async def release(self, text: str) -> str:
        """One sentence as it may be spoken now."""
        verdict = self._safety.outgoing(text)
        self._serial += 1
        line = DeskLine(f"l{self._serial}", text, "said")
        if verdict.action == "block":
            line.status = "blocked"
            return self._passed(line, verdict.says)
        if verdict.action != "allow":
            line.text, line.status = verdict.text, "changed"
        return await self._hold(line) if self.holding else self._passed(line, line.text)

    async def _hold(self, line: DeskLine) -> str:
        line.status = "held"
        decided: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._held[line.id] = (line, decided)
        self.changed()
        try:
            return await decided
        except asyncio.CancelledError:
            line.status = "dropped"
            raise
        finally:
            self._held.pop(line.id, None)
            self._past.append(line)
            self.changed()

    def _passed(self, line: DeskLine, text: str) -> str:
        self._past.append(line)
        self.changed()
        return text

    # --- the person at the desk

    def hold(self, on: bool) -> None:
        """Hold all lines from now on, or let them go; those held are said then."""
        self.holding = on
        self._safety.note("hold" if on else "release")
        if not on:
            for line_id in list(self._held):
                self.approve(line_id)
        self.changed()

    def approve(self, line_id: str) -> None:
        """Say a held line."""
        line = self._decide(line_id, "said", None)
        self._safety.note("approve", line.text)

    def skip(self, line_id: str) -> None:
        """Leave a held line out."""
        line = self._decide(line_id, "skipped", "")
        self._safety.note("skip", line.text)

    def replace(self, line_id: str, text: str) -> None:
        """Say something else in a held line's place; that passes the filter, too."""
        before = self._find(line_id)[0].text
        allowed = strip_tags(self.clean(text))
        line = self._decide(line_id, "replaced", allowed)
        line.text = allowed
        self._safety.note("replace", before, by_chars=str(len(allowed)))

    def _decide(self, line_id: str, status: Status, text: str | None) -> DeskLine:
        line, decided = self._find(line_id)
        line.status = status
        decided.set_result(line.text if text is None else text)
        return line

    def _find(self, line_id: str) -> tuple[DeskLine, asyncio.Future[str]]:
        held = self._held.get(line_id)
        if held is None:
            known = any(line.id == line_id for line in self._past)
            error = Conflict if known else NotFound
            limit = ", ".join(self._held) or "none is held"
            raise error("this line is not held, or no longer", field="id", limit=limit)
        if held[1].done():
            raise Conflict("this line is decided already", field="id")
        return held

    # --- who watches

    def changed(self) -> None:
        """Tell those who watch."""
        for tell in tuple(self._watchers):
            tell()

    @contextmanager
    def watched(self) -> Iterator[asyncio.Event]:
        """An event that is set whenever something changed."""
        event = asyncio.Event()
        event.set()
        self._watchers.add(event.set)
        try:
            yield event
        finally:
            self._watchers.discard(event.set)

    def as_json(self) -> dict[str, Any]:
        """What lies on it."""
        return {
            "holding": self.holding,
            "held": [line.as_json() for line, _ in self._held.values()],
            "past": [line.as_json() for line in self._past],
            "safety": dict(self._safety.counts),
        }
