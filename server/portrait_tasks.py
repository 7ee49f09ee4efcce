"""Portraits that are being baked for somebody over HTTP: one at a time, in a process of its own, with progress."""

import asyncio
import json
import re
import secrets
import sys
import tempfile
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from realtime.core.errors import CapacityError, Conflict, InvalidField

WORKER: Final = "models.avatar.portrait.worker"
NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
MIN_CONSENT: Final = 12
MAX_LICENCE: Final = 200
MAX_TITLE: Final = 80
KEPT: Final = 64
"""Tasks that are remembered."""
BUSY_RETRY_S: Final = 15.0


def clearing(*steps: Callable[[str], None]) -> Callable[[str], None]:
    """Everything that has to happen for an avatar of this name to be gone, one after the other."""

    def clear(name: str) -> None:
        for step in steps:
            step(name)

    return clear


@dataclass(slots=True)
class PortraitTask:
    """One portrait on its way."""

    id: str
    name: str
    state: Literal["running", "done", "failed"] = "running"
    what: str = ""
    done: int = 0
    total: int = 0
    error: str | None = None
    """Why it failed, for the person who sent the photo."""
    field: str | None = None
    """What the error is about."""
    reason: str | None = None
    """What is wrong with the photo, in one word, for who says it in words of his own."""


class PortraitTasks:
    """Bakes portraits into a directory, and clears them away."""

    def __init__(
        self, packs: Path, taken: Callable[[], Collection[str]], clear: Callable[[str], None] = lambda name: None
    ) -> None:
        """`taken` tells the names that avatars have already. `clear` deletes a portrait; it blocks."""
        self._packs = packs
        self._taken = taken
        self._clear = clear
        self._tasks: dict[str, PortraitTask] = {}
        self._running: asyncio.Task[None] | None = None

    def find(self, task_id: str) -> PortraitTask | None:
        """A task that is running or ended not long ago."""
        return self._tasks.get(task_id)

    def begin(self, photo: bytes, name: str, consent: str, title: str, licence: str = "") -> PortraitTask:
        """Start a bake. Raises `InvalidField`, `Conflict` for a taken name, `CapacityError` while one is running."""
        if not NAME.fullmatch(name):
            raise InvalidField("a name has 1 to 64 small letters, digits and hyphens", field="name", limit=NAME.pattern)
        if len(consent.strip()) < MIN_CONSENT:
            limit = f"at least {MIN_CONSENT} characters"
            raise InvalidField("state who agreed to being animated, and to what", field="consent", limit=limit)
        if len(licence) > MAX_LICENCE or not licence.isprintable():
            limit = f"one line of up to {MAX_LICENCE} characters"
            raise InvalidField("a licence is a name, an SPDX expression or an address", field="licence", limit=limit)
        if len(title) > MAX_TITLE or not title.isprintable():
            limit = f"one line of up to {MAX_TITLE} characters"
            raise InvalidField("a title is what a viewer reads under the picture", field="title", limit=limit)
        if not photo:
            raise InvalidField("the form holds a photo", field="photo")
        if name in self._taken():
            raise Conflict(f"there is an avatar {name!r} already", field="name")
        if self._running is not None and not self._running.done():
            raise CapacityError("another portrait is being made", retry_after_s=BUSY_RETRY_S)
        task = PortraitTask(secrets.token_urlsafe(12), name)
        while len(self._tasks) >= KEPT:
            self._tasks.pop(next(iter(self._tasks)))
        self._tasks[task.id] = task
        self._running = asyncio.create_task(self._bake(task, photo, consent, title, licence))
        return task

    async def remove(self, name: str) -> None:
        """Delete a portrait; that nothing shows it any more is the caller's to know."""
        await asyncio.to_thread(self._clear, name)

    async def join(self) -> None:
        """Wait for what is running."""
        if self._running is not None:
            await asyncio.gather(self._running, return_exceptions=True)

    async def aclose(self) -> None:
        """Stop what is running."""
        if self._running is not None:
            self._running.cancel()
        await self.join()

    async def _bake(self, task: PortraitTask, photo: bytes, consent: str, title: str, licence: str) -> None:
        try:
            with tempfile.TemporaryDirectory(prefix="anima-photo-") as place:
                path = Path(place) / "photo"
                await asyncio.to_thread(path.write_bytes, photo)
                wish = {"photo": str(path), "name": task.name, "consent": consent, "title": title}
                wish |= {"licence": licence, "packs": str(self._packs)}
                await self._follow(task, json.dumps(wish).encode())
        except OSError as error:
            task.error = f"the photo could not be worked on: {error.strerror}"
        finally:
            task.state = "failed" if task.error is not None or task.done < task.total or not task.total else "done"
            if task.state == "failed" and task.error is None:
                task.error = "the work was broken off"

    async def _follow(self, task: PortraitTask, wish: bytes) -> None:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", WORKER,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        assert process.stdin is not None and process.stdout is not None
        try:
            process.stdin.write(wish)
            process.stdin.close()
            async for line in process.stdout:
                self._note(task, line)
            if await process.wait() and task.error is None:
                task.error = "the photo could not be worked on"
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    def _note(self, task: PortraitTask, line: bytes) -> None:
        told = json.loads(line)
        if "error" in told:
            task.error, task.field, task.reason = str(told["error"]), told["field"], told.get("reason")
        else:
            task.what, task.done, task.total = str(told["what"]), int(told["done"]), int(told["total"])
