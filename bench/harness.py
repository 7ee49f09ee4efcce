"""What every bench shares: percentiles under their published keys, goals, the machine's name, JSON and the table."""

import argparse
import json
import os
import platform
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

ROOT: Final = Path(__file__).resolve().parent.parent
PERCENTILES: Final = (50, 95, 99)
HEAD: Final = frozenset({"bench", "device", "python", "git", "n", "load_before"})
"""Keys of a result that say where and how it was taken."""

Result = dict[str, Any]
Measure = Callable[..., Result]
"""Takes how many repetitions are wanted, and its own options by name; returns the published keys and any detail."""


@dataclass(frozen=True, slots=True)
class Option:
    """A further command-line option of one bench, handed to its measure by name; its type is that of the default."""

    name: str
    default: int | float | str
    help: str


@dataclass(frozen=True, slots=True)
class Goal:
    """What a published key is held against: at most `most`, or at least `least`."""

    key: str
    most: float | None = None
    least: float | None = None

    def met(self, result: Mapping[str, Any]) -> bool | None:
        """Whether the result reaches it; None if the key was not measured."""
        value = result.get(self.key)
        if not isinstance(value, int | float):
            return None
        return (self.most is None or value <= self.most) and (self.least is None or value >= self.least)

    def __str__(self) -> str:
        return f"≤ {self.most:g}" if self.most is not None else f"≥ {self.least:g}"


def percentiles(values: Sequence[float], key: str) -> dict[str, float]:
    """`{key_p50: …, key_p95: …, key_p99: …}`; empty if nothing was measured."""
    if not values:
        return {}
    return {f"{key}_p{p}": round(float(np.percentile(values, p)), 3) for p in PERCENTILES}


def describe_run(n: int) -> Result:
    """Where and on what a figure was taken, and how busy the machine was with other things before."""
    load = round(os.getloadavg()[0], 2)
    return {"device": device(), "python": platform.python_version(), "git": revision(), "n": n, "load_before": load}


def device() -> str:
    """The processor and how many of its cores this process may use."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [
            line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")
        ]
        model = names[0] if names else model
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{model}, {cores} cores"


def machine_busy_s() -> float:
    """Processor time that everything on this machine has used since it started; 0 where Linux does not tell."""
    stat = Path("/proc/stat")
    if not stat.exists():
        return 0.0
    # user, nice, system, idle, iowait, irq, softirq, steal (proc(5))
    ticks = [int(value) for value in stat.read_text().split("\n", 1)[0].split()[1:9]]
    return (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")


def revision() -> str:
    """The commit that was measured, with a plus sign if files differ from it; empty outside a checkout."""
    try:
        found = subprocess.run(
            ["git", "describe", "--always", "--dirty=+"], cwd=ROOT, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return found.stdout.strip()


def command(
    name: str,
    measure: Measure,
    goals: Sequence[Goal],
    *,
    n: int,
    options: Sequence[Option] = (),
    argv: Sequence[str] | None = None,
) -> int:
    """The command line of one bench: measure, print the table, write the JSON. Returns the exit status."""
    parser = argparse.ArgumentParser(prog=f"python -m bench.{name}")
    parser.add_argument("--json", type=Path, metavar="PATH", help="write the figures as one JSON object")
    parser.add_argument("--n", type=int, default=n, help="repetitions (default: %(default)s)")
    for option in options:
        parser.add_argument(
            f"--{option.name}", type=type(option.default), default=option.default,
            help=f"{option.help} (default: {option.default or 'none'})",
        )  # fmt: skip
    arguments = parser.parse_args(argv)
    chosen = {option.name: getattr(arguments, option.name) for option in options}
    result = {"bench": name, **describe_run(arguments.n), **chosen, **measure(arguments.n, **chosen)}
    result["goals"] = [{"key": g.key, "goal": str(g), "met": g.met(result)} for g in goals]
    load = f"load before {result['load_before']}"
    print(f"{result['device']}, Python {result['python']}, {result['git']}, n = {result['n']}, {load}")
    print(table(result))
    if arguments.json is not None:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", "utf-8")
    return 0


def table(result: Mapping[str, Any]) -> str:
    """The figures of one result, each with its goal where it has one."""
    goals = {goal["key"]: goal for goal in result["goals"]}
    lines = []
    for key, value in result.items():
        if key in HEAD or value == "" or not isinstance(value, int | float | str):
            continue
        goal = goals.get(key)
        verdict = "" if goal is None else f"  {goal['goal']:>8}  {'met' if goal['met'] else 'MISSED'}"
        lines.append(f"  {key:<32} {value!s:>12}{verdict}")
    return "\n".join(lines)
