"""Which drawn base frames are worth keeping on disk: rules compared on what real sessions asked for.

The sessions' event logs are played through their plans, without a pixel: each frame's pose is a base frame that is
wanted. Those of the pack are ready; the others are in memory, on disk, or have to be drawn. `--logs DIR` takes logs of
a server with `event_log_dir`; without it one is driven for `n` minutes (`bench.shelf_sessions`). Half-way the server
starts anew: what was in memory is gone. Less than ten minutes show little: a disk that is not full yet keeps everything
that was written, and then the control draws less.

- `drawn_ratio`: of all frames, those whose base frame has to be drawn, by the rule in use (`realtime/stock.py`,
  `realtime/shelf.py`) with the default budget; `once_ratio` what has to be drawn at least, for it was never met before.
- `written_per_min`: files written a minute. `fifo_drawn_ratio` and `fifo_written_per_min` are those of the control,
  which writes all that is drawn and lets go of the oldest.
- `drawn_to_fifo`, `written_to_fifo`: the rule in use against the control.
- `rules`: the same for each rule and budget. `again` keeps what is wanted a second time, `bounded` writes no more than
  a disk bears.
"""

import asyncio
import sys
import tempfile
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final, Protocol

from bench.harness import Goal, Option, Result, command
from bench.server_process import ServerProcess
from bench.shelf_sessions import drive
from models.avatar.presets import presets
from models.avatar.projection import base_key
from realtime.core.clips import BAKED
from realtime.core.keeping import Allowance, Sieve, Wanted
from realtime.core.plan import Plan
from realtime.core.primitives import clip_controls
from realtime.core.replaying import SAMPLE, perform
from realtime.core.values import BaseKey
from realtime.shelf import WRITTEN_PER_H
from realtime.stock import BASE_BUDGET_BYTES
from server.config import Config
from server.event_log import read_log

GOALS: Final = (Goal("drawn_to_fifo", most=1.0), Goal("written_to_fifo", most=0.25))
BUDGETS_MB: Final = (64, 128, 256, 512)
FRAME_BYTES: Final = 512 * 512 * 3 // 2
SEATS: Final = 2
START_S: Final = 400.0
"""The server paints its hosts first."""
_MIB: Final = 2**20

Want = tuple[float, BaseKey]
"""When a base frame was wanted, in seconds, and which."""


class Order(Protocol):
    """Which of the files makes room."""

    def __contains__(self, key: BaseKey) -> bool: ...

    def __len__(self) -> int: ...

    def add(self, key: BaseKey) -> None:
        """A file is written."""
        ...

    def use(self, key: BaseKey) -> None:
        """It is wanted."""
        ...

    def evict(self) -> BaseKey:
        """One makes room."""
        ...


class Fifo(OrderedDict[BaseKey, None]):
    """The oldest."""

    def add(self, key: BaseKey) -> None:
        """See `Order`."""
        self[key] = None

    def use(self, key: BaseKey) -> None:
        """See `Order`."""

    def evict(self) -> BaseKey:
        """See `Order`."""
        return self.popitem(last=False)[0]


class Lru(Fifo):
    """The one that was not used for longest."""

    def use(self, key: BaseKey) -> None:
        """See `Order`."""
        self.move_to_end(key)


@dataclass(frozen=True, slots=True)
class Rule:
    """What is written, and what makes room for it."""

    order: Callable[[], Order]
    again: bool = False
    bounded: bool = False


RULES: Final[Mapping[str, Rule]] = {
    "fifo": Rule(Fifo),
    "lru": Rule(Lru),
    "sieve": Rule(Sieve),
    "again fifo": Rule(Fifo, again=True),
    "again lru": Rule(Lru, again=True),
    "again sieve": Rule(Sieve, again=True),
    "again sieve bounded": Rule(Sieve, again=True, bounded=True),
}
CONTROL: Final = "fifo"
IN_USE: Final = "again sieve bounded"


@dataclass(slots=True)
class Found:
    """What came of a rule."""

    frames: int = 0
    drawn: int = 0
    written: int = 0
    minutes: float = 0.0

    def add(self, other: "Found") -> None:
        """Another host's."""
        self.frames += other.frames
        self.drawn += other.drawn
        self.written += other.written
        self.minutes = max(self.minutes, other.minutes)

    def figures(self) -> dict[str, float]:
        """Published keys."""
        return {
            "drawn_ratio": round(self.drawn / max(1, self.frames), 4),
            "written": self.written,
            "written_per_min": round(self.written / max(1e-9, self.minutes), 1),
        }


class Disk:
    """One host's files by one rule, and what this process holds in memory."""

    def __init__(self, rule: Rule, budget_bytes: int, now_s: float) -> None:
        self._rule = rule
        self._most = budget_bytes // FRAME_BYTES
        self._files = rule.order()
        self._held: OrderedDict[BaseKey, None] = OrderedDict()
        self.found = Found()
        self.start_anew(now_s)

    def start_anew(self, now_s: float) -> None:
        """As a new process does: files stay."""
        self._held.clear()
        self._wanted: Wanted[BaseKey] = Wanted()
        self._allowance = Allowance(self._most - len(self._files), WRITTEN_PER_H * self._most, now_s)

    def want(self, key: BaseKey, at_s: float) -> None:
        """A base frame that is not in the pack is wanted."""
        if key in self._files:
            self._files.use(key)
            self._held.pop(key, None)
            return
        again = self._wanted.again(key)
        drawn = key not in self._held
        self._held[key] = None
        self._held.move_to_end(key)
        if len(self._held) > BASE_BUDGET_BYTES // FRAME_BYTES:
            self._held.popitem(last=False)
        self.found.drawn += drawn
        worth = again if self._rule.again else drawn
        if worth and (not self._rule.bounded or self._allowance.take(at_s)):
            self.found.written += 1
            while len(self._files) >= self._most:
                self._files.evict()
            self._files.add(key)


def wants_of(log: Path) -> tuple[str, list[Want]]:
    """The host of an event log, and the base frames that its frames asked for beyond those of the pack. Raises
    `Malformed`."""
    header, records = read_log(log)
    plan, wants = Plan(header["seed"]), []
    for record in records:
        pose = perform(plan, record)
        if pose is not None and record["do"] == SAMPLE:
            wants.append((pose.media_s, base_key(pose.controls)))
    # a log says when a frame was due on the session's clock; when that began, its file tells
    begun_s = log.stat().st_mtime - (wants[-1][0] if wants else 0.0)
    return str(header["avatar"]), [(begun_s + media_s, key) for media_s, key in wants]


def traces(logs: Iterable[Path]) -> dict[str, list[Want]]:
    """What each illustrated host's sessions wanted, in the order of time."""
    found: dict[str, list[Want]] = defaultdict(list)
    known = presets()
    for log in logs:
        host, wants = wants_of(log)
        if host in known:
            found[host] += wants
    return {host: sorted(wants) for host, wants in found.items() if wants}


def follow(wants: Sequence[Want], rule: Rule, budget_bytes: int, packed: frozenset[BaseKey]) -> Found:
    """What a rule makes of one host's trace, with a new start half-way."""
    disk = Disk(rule, budget_bytes, wants[0][0])
    for number, (at_s, key) in enumerate(wants):
        if number == len(wants) // 2:
            disk.start_anew(at_s)
        if key not in packed:
            disk.want(key, at_s)
    disk.found.frames = len(wants)
    disk.found.minutes = (wants[-1][0] - wants[0][0]) / 60.0
    return disk.found


def compared(hosts: Mapping[str, Sequence[Want]]) -> Result:
    """All rules at all budgets, which are each host's."""
    packed = frozenset(base_key(controls) for clip in BAKED for controls in clip_controls(clip))
    rules: dict[str, dict[str, Any]] = {}
    for name, rule in RULES.items():
        for budget_mb in BUDGETS_MB:
            found = Found()
            for wants in hosts.values():
                found.add(follow(wants, rule, budget_mb * _MIB, packed))
            rules.setdefault(name, {})[str(budget_mb)] = found.figures()
    budget = str(next(one.default for one in fields(Config) if one.name == "motion_cache_mb"))
    used, control = rules[IN_USE][budget], rules[CONTROL][budget]
    frames = sum(map(len, hosts.values()))
    once = sum(len({key for _, key in wants} - packed) for wants in hosts.values())
    return {
        "frames": frames,
        "hosts": ", ".join(hosts),
        "budget_mb": int(budget),
        "once_ratio": round(once / frames, 4),
        "drawn_ratio": used["drawn_ratio"],
        "written_per_min": used["written_per_min"],
        "fifo_drawn_ratio": control["drawn_ratio"],
        "fifo_written_per_min": control["written_per_min"],
        "drawn_to_fifo": round(used["drawn_ratio"] / max(1e-9, control["drawn_ratio"]), 3),
        "written_to_fifo": round(used["written"] / max(1, control["written"]), 3),
        "rules": rules,
    }


def measure(minutes: int, logs: str) -> Result:
    """Compare on logs that are there, or on those of a server that is driven."""
    if logs:
        return compared(traces(sorted(Path(logs).glob("*.jsonl"))))
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        settings = {"event_log_dir": str(place / "logs")}
        with ServerProcess(
            log=place / "server.log", packs_dir=place / "packs", settings=settings, timeout_s=START_S
        ) as server:
            asyncio.run(drive(server, minutes, SEATS))
        return compared(traces(sorted((place / "logs").glob("*.jsonl"))))


def main() -> int:
    """The command line; `--n` is for how many minutes a server is driven."""
    return command("shelf", measure, GOALS, n=10, options=(Option("logs", "", "folder of event logs"),))


if __name__ == "__main__":
    sys.exit(main())
