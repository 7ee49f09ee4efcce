"""Does the server bear whatever its clients do? A seeded random walk against a real one, and what must hold after it.

`n` seconds long six users open sessions, join, speak, interrupt, direct, record, reload, vanish without a goodbye, come
back, send what no client should, and end sessions in the middle of a sentence, through the SDK, HTTP, the data channel
and WHEP, against a server with two workers. With `--kills` workers are killed meanwhile (SIGKILL). What is done when is
a plan drawn from `--seed` before anything runs (`--show 1` prints it and does nothing else): the same seed does the
same again, as far as the server's answers come in the same order.

- `bad_5xx`: answers of 500 and above other than a 503 that says when to ask again; `surprises`: answers that this
  request should not get, and answers that did not come.
- `log_errors`: errors and tracebacks in the server's log, dead workers aside if they were killed.
- `sessions_mute`: of the `sessions_alive` after the walk, those that cannot be joined, show no pictures or sound, or do
  not tell their state.
- `sessions_left`, `viewers_left`, `outputs_left`: what the metrics tell of once every session was ended.
- `fd_growth`, `thread_growth`, `task_growth`: what all processes of the server hold then, against before the walk. A
  few threads begin when they are first needed, and stay.
- `shutdown_s`: from SIGTERM in the middle of two speaking sessions to the end; `exit_status`, `children_left`.
- `late_steps`: steps that came later than planned by a second or more: where there are many, the machine is too slow
  for this walk. `digest` names the plan.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from bench import chaos_checks as checks
from bench.chaos_door import Door
from bench.chaos_ledger import Ledger
from bench.chaos_plan import HOSTS, SCENES, SERVER, USERS, Step, digest, plan
from bench.chaos_users import User
from bench.harness import Goal, Option, Result, command
from bench.server_process import ServerProcess
from client.sdk import RemoteSession

WORKERS: Final = 2
THREADS_ONCE: Final = 3
"""That a worker starts when they are first needed, and keeps: what files frames, hears, and recognises."""
CLOSING: Final = 3
"""Sockets that may be on their way to be closed at any time, of the bench's own questions among them."""
GOALS: Final = (
    *(
        Goal(key, most=0)
        for key in (
            "bad_5xx", "surprises", "log_errors", "sessions_mute", "sessions_left", "viewers_left", "outputs_left",
            "task_growth", "children_left", "exit_status",
        )
    ),
    Goal("fd_growth", most=CLOSING),
    Goal("thread_growth", most=THREADS_ONCE * WORKERS),
    Goal("shutdown_s", most=15.0),
)  # fmt: skip
KEY: Final = "chaos-has-the-server-key"
SESSIONS: Final = 8
LATE_S: Final = 1.0
START_S: Final = 400.0
SETTINGS: Final = {
    "workers": str(WORKERS), "max_sessions": str(SESSIONS), "api_keys": KEY,
    "join_timeout_s": "8", "rejoin_timeout_s": "20", "session_idle_timeout_s": "20",
}  # fmt: skip
"""Small, so that the walk meets these limits."""


class Walk:
    """One walk and what came of it."""

    def __init__(self, server: ServerProcess, door: Door, steps: Sequence[Step]) -> None:
        self._server, self._door, self._steps = server, door, steps
        self.users: list[User] = []
        self.users += [User(index, door, self.users) for index in range(USERS)]
        self.late = 0
        self.killed: list[int] = []

    async def go(self) -> None:
        """All steps of all users."""
        begun_s = time.monotonic()
        await asyncio.gather(*(self._follow(user, begun_s) for user in (SERVER, *range(USERS))))

    async def _follow(self, user: int, begun_s: float) -> None:
        for step in self._steps:
            if step.user != user:
                continue
            early_s = begun_s + step.at_s - time.monotonic()
            self.late += early_s < -LATE_S
            await asyncio.sleep(max(0.0, early_s))
            if user == SERVER:
                self.killed.append(self._server.kill_worker(int(step.how)))
            else:
                await self.users[user].do(step)

    async def leave(self) -> list[RemoteSession]:
        """Everybody leaves; the sessions that are still there."""
        await asyncio.gather(*(user.aclose() for user in self.users))
        found = [user.session for user in self.users if user.session is not None]
        there = await asyncio.gather(*(self._door.ask("state", one.state()) for one in found))
        return [one for one, state in zip(found, there, strict=True) if state is not None]


async def warm_up(door: Door, hosts: Sequence[str]) -> None:
    """Every scene and host once, in all workers: what is loaded once is not taken for a leak."""
    opened: list[RemoteSession] = []
    for index in range(SESSIONS):
        scene, host = SCENES[index % len(SCENES)], hosts[(index // WORKERS) % len(hosts)]
        opened.append(await door.sdk.create_session(scene=scene, avatar=host, queue_s=START_S))
    mute = [why for why in await asyncio.gather(*(checks.speaks(one, door) for one in opened)) if why]
    assert not mute, f"a session did not speak before anything was done to it: {mute}"
    await asyncio.gather(*(checks.fill_pool(one, door) for one in opened))
    await asyncio.gather(*(one.delete() for one in opened))
    await checks.empty(door)


async def run(server: ServerProcess, steps: Sequence[Step], hosts: Sequence[str]) -> Result:
    """The published keys of one walk, but for the server's end."""
    ledger = Ledger()
    async with Door(server.url, KEY, ledger) as door:
        await warm_up(door, hosts)
    # each time with the connections closed that were used before
    async with Door(server.url, KEY, ledger) as door:
        before = await checks.held(door, server.family())
        walk = Walk(server, door, steps)
        await walk.go()
        there = await walk.leave()
        # all at once: those that waited for their turn would end for want of a viewer
        mute = [why for why in await asyncio.gather(*(checks.speaks(one, door) for one in there)) if why]
        await asyncio.gather(*(door.ask("end", one.delete()) for one in there))
    async with Door(server.url, KEY, ledger) as door:
        left = await checks.empty(door)
        after = await checks.back(door, before, server.family())
    return {
        **checks.ledger_keys(ledger),
        "sessions_alive": len(there),
        "sessions_mute": len(mute),
        **{f"{name}_left": value for name, value in left.items()},
        "fd_growth": after.fds.total() - before.fds.total(),
        "thread_growth": after.threads - before.threads,
        "task_growth": after.tasks - before.tasks,
        "late_steps": walk.late,
        "killed": len(walk.killed),
        "detail": {
            "faults": ledger.faults, "mute": mute, "answers": {str(k): v for k, v in sorted(ledger.answers.items())},
            "fds_more": dict(after.fds - before.fds), "fds_fewer": dict(before.fds - after.fds),
        },
    }  # fmt: skip


async def end(server: ServerProcess) -> Result:
    """SIGTERM while two hosts speak to somebody."""
    async with Door(server.url, KEY, Ledger()) as door:
        users = [User(index, door, []) for index in range(2)]
        for user in users:
            for what, how in (("create", "host/mei/en"), ("join", "H264"), ("say", "0")):
                await user.do(Step(0.0, user.index, what, how))
        family = server.family()
        begun_s = time.monotonic()
        status = await asyncio.to_thread(server.stop)
        took_s = time.monotonic() - begun_s
        await asyncio.gather(*(user.aclose() for user in users))
    left = checks.alive(family)
    return {"shutdown_s": round(took_s, 2), "exit_status": status, "children_left": len(left)}


def measure(n: int, seed: int = 1, kills: int = 0, hosts: int = len(HOSTS), show: int = 0) -> Result:
    """The published keys of a walk of `n` seconds."""
    steps = plan(seed, float(n), kills=kills, hosts=HOSTS[:hosts])
    about = {"digest": digest(steps), "steps": len(steps)}
    if show:
        print("\n".join(map(str, steps)))
        return about
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        folders = {f"{name}_dir": str(place / name) for name in ("recordings", "prompts")}
        files = {name: str(place / f"{name}.jsonl") for name in ("provenance_log", "audit_log")}
        settings = {**SETTINGS, **folders, **files}
        with ServerProcess(log=place / "server.log", settings=settings, timeout_s=START_S) as server:
            found = asyncio.run(run(server, steps, HOSTS[:hosts]))
            found |= asyncio.run(end(server))
            severe = checks.severe(server.output(), found["killed"])
    detail: dict[str, Any] = found.pop("detail")
    return {**about, **found, "log_errors": len(severe), "detail": {**detail, "log": severe[: checks.SHOWN]}}


def main(argv: Sequence[str] | None = None) -> int:
    """`python -m bench.chaos`."""
    options = (
        Option("seed", 1, "of the plan"),
        Option("kills", 0, "workers that are killed meanwhile"),
        Option("hosts", len(HOSTS), "how many hosts are shown"),
        Option("show", 0, "1 prints the plan and does nothing else"),
    )
    return command("chaos", measure, GOALS, n=60, options=options, argv=argv)


if __name__ == "__main__":
    sys.exit(main())
