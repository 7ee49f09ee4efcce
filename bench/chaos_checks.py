"""What must hold after the walk of `bench.chaos`: hosts that live speak, and nothing of those that ended is left."""

import asyncio
import os
import re
import time
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp

from bench.chaos_door import Door
from bench.chaos_ledger import Ledger
from bench.chaos_viewers import Signaller, Watcher
from client.sdk import ApiError, RemoteSession

PICTURES: Final = 5
RELEASE: Final = {"action": "release"}
POOL: Final = 8 * (os.cpu_count() or 1)
"""Pictures asked for at once: more than a pool has threads (`ThreadPoolExecutor`: processors and 4)."""
LOUD: Final = 10
"""Sound packets that are not silent, of 20 ms."""
SPEAK_S: Final = 45.0
EMPTY_S: Final = 120.0
"""How long the server has to be empty once every session has ended: vanished peers are noticed by their silence."""
BACK_S: Final = 60.0
"""After that, how long to give back what it held: connections kept alive run out, timers fire."""
LOOK_EVERY_S: Final = 0.5
_ESTABLISHED: Final = "01"
GAUGES: Final = ("sessions", "viewers", "outputs")
SHOWN: Final = 40
"""Entries of the log that are told in words."""
_ENTRY: Final = re.compile(r"\n(?=\d{4}-\d\d-\d\dT)")
_SEVERE: Final = re.compile(r"^\S+Z (?:ERROR|CRITICAL) |^Traceback |was never (?:retrieved|awaited)", re.MULTILINE)
_KILLED: Final = re.compile(r"server\.gateway\.workers: worker \d+ ended with status -9 and is started anew")
_SAMPLE: Final = re.compile(r"^anima_(\w+)(?:\{[^}]*\})? ([0-9.e+-]+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Held:
    """What all processes of the server hold together."""

    processes: int
    fds: Counter[str]
    threads: int
    tasks: int

    @property
    def sizes(self) -> tuple[int, int, int]:
        """How many descriptors, threads and tasks."""
        return self.fds.total(), self.threads, self.tasks

    def within(self, other: "Held") -> bool:
        """Whether nothing is more than there."""
        return all(own <= theirs for own, theirs in zip(self.sizes, other.sizes, strict=True))


async def gauges(door: Door) -> dict[str, float]:
    """The sums over all workers of every metric without its labels. Raises `aiohttp.ClientError`."""
    async with aiohttp.ClientSession() as http, http.get(f"{door.url}/metrics") as answer:
        text = await answer.text()
    found: dict[str, float] = {}
    for name, value in _SAMPLE.findall(text):
        found[name] = found.get(name, 0.0) + float(value)
    return found


async def held(door: Door, family: Sequence[int]) -> Held:
    """As it is now, without the connections that gateway and workers keep between them, however many that are: each has
    two sockets and a task. The connection that asks is closed before anything is counted."""
    tasks = int((await gauges(door))["tasks"])
    threads = sum(len(_names(Path(f"/proc/{pid}/task"))) for pid in family)
    held = [_target(Path(f"/proc/{pid}/fd/{name}")) for pid in family for name in _names(Path(f"/proc/{pid}/fd"))]
    fds = Counter(one.partition(":")[0] for one in held)
    kept = kept_connections(_table(), {one[8:-1] for one in held if "socket" in one})
    fds["socket"] -= 2 * kept
    return Held(len(family), fds, threads, tasks - kept)


def kept_connections(table: str, inodes: Collection[str]) -> int:
    """How many TCP connections (proc_net_tcp(5)) have both their ends among these sockets."""
    rows = [line.split() for line in table.splitlines()[1:]]
    ends = {(row[1], row[2]) for row in rows if row[3] == _ESTABLISHED and row[9] in inodes}
    return sum((remote, local) in ends for local, remote in ends) // 2


def _table() -> str:
    return Path("/proc/net/tcp").read_text("ascii")


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []  # it has ended meanwhile


def _target(link: Path) -> str:
    try:
        return os.readlink(link)
    except OSError:
        return "closed"


async def empty(door: Door) -> dict[str, int]:
    """What the gauges tell once they are all zero, or have not become so in time."""
    end_s = time.monotonic() + EMPTY_S
    while True:
        now = await gauges(door)
        left = {name: int(now.get(name, 0.0)) for name in GAUGES}
        if not any(left.values()) or time.monotonic() > end_s:
            return left
        await asyncio.sleep(LOOK_EVERY_S)


async def speaks(session: RemoteSession, door: Door) -> str:
    """Whether a session does what it is told: empty if it does, else what is missing."""
    url, token = door.sdk.absolute(session.credentials.offer_url), session.credentials.token
    watcher = Watcher(Signaller(url, token, door.ledger, "the last viewer"))
    if not await watcher.join():
        return "cannot be joined"
    # somebody at the director's desk may have held everything
    await door.call("release", "POST", f"/v1/sessions/{session.id}/director", 202, json=RELEASE, bearer=door.key)
    try:
        await session.say("Is everybody still there? I am, and I go on.", interrupt=True)
        async with asyncio.timeout(SPEAK_S):
            while watcher.pictures < PICTURES or watcher.loud < LOUD:  # noqa: ASYNC110  # callbacks count
                await asyncio.sleep(LOOK_EVERY_S / 10)
        await session.state()
    except TimeoutError:
        return f"{watcher.pictures} pictures, {watcher.loud} loud sounds within {SPEAK_S:g} s"
    except ApiError as error:
        return f"refuses: {error.status} {error}"
    finally:
        await watcher.leave()
    return ""


def severe(log: str, kills: int) -> list[str]:
    """The entries of a log, with their tracebacks, that tell of a fault of the server's own. As many dead workers as
    were killed are none."""
    found = []
    for entry in _ENTRY.split(log):
        if _SEVERE.search(entry):
            if kills and _KILLED.search(entry):
                kills -= 1
            else:
                found.append(f"{entry[:400]} ... {entry[-1600:]}" if len(entry) > 2000 else entry)
    return found


def alive(pids: Iterable[int]) -> list[int]:
    """Those of some processes that still run."""
    return [pid for pid in pids if _state(pid) not in ("", "Z")]


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][:1]
    except OSError:
        return ""


async def fill_pool(session: RemoteSession, door: Door) -> None:
    """Have a session's worker start all threads that its event loop's pool may have."""
    listed = await door.sdk.request("GET", "/v1/backgrounds")
    picture = f"/v1/backgrounds/{listed['backgrounds'][0]['name']}.jpg?session={session.id}"
    await asyncio.gather(*(door.call("a background", "GET", picture, 200) for _ in range(POOL)))


async def back(door: Door, before: Held, family: Sequence[int]) -> Held:
    """What is held once it is no more than before, or has not become so in time."""
    end_s = time.monotonic() + BACK_S
    while True:
        now = await held(door, family)
        if now.within(before) or time.monotonic() > end_s:
            return now
        await asyncio.sleep(LOOK_EVERY_S)


def ledger_keys(ledger: Ledger) -> dict[str, object]:
    """What the ledger publishes."""
    return {
        "requests": ledger.answers.total(),
        "bad_5xx": ledger.bad_5xx,
        "surprises": ledger.surprises,
        "refused_503": ledger.answers[503],
    }
