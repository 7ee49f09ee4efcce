"""Runs every bench, one after another, and prints one table of figures against goals: `python -m bench`."""

import argparse
import ast
import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from bench.harness import HEAD, ROOT

QUICK: Final[Mapping[str, int]] = {
    "barge_in": 8,
    "chaos": 20,
    "deadlines": 10,
    "encoders": 75,
    "fanout": 7,
    "first_frame": 8,
    "follow": 40,
    "frame_cost": 100,
    "links": 2,
    "listening": 2,
    "marks": 12,
    "response": 10,
    "roi_denoiser": 24,
    "soak": 5,
    "startup": 1,
    "sync": 3,
}
"""Repetitions that show where things stand within minutes; benches that are not named take their own default."""
_TIMEOUT_S: Final = 1800.0
_TITLES: Final = ("bench", "figure", "value", "goal", "")


def benches(folder: Path = ROOT / "bench") -> list[str]:
    """The modules that hold figures against goals, by name."""
    return [path.stem for path in sorted(folder.glob("*.py")) if _has_goals(path)]


def _has_goals(path: Path) -> bool:
    for statement in ast.parse(path.read_text("utf-8")).body:
        targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == "GOALS" for target in targets):
            return True
    return False


def run(name: str, target: Path, n: int | None) -> str:
    """Run one bench in a process of its own; returns what went wrong, or nothing."""
    target.unlink(missing_ok=True)
    command = [sys.executable, "-m", f"bench.{name}", "--json", str(target)]
    command += [] if n is None else ["--n", str(n)]
    begun_s = time.monotonic()
    print(f"bench.{name} ...", file=sys.stderr, flush=True)
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        return f"not done within {_TIMEOUT_S:g} s"
    print(f"bench.{name}: {time.monotonic() - begun_s:.0f} s", file=sys.stderr, flush=True)
    if done.returncode != 0 or not target.exists():
        return (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
    return ""


def rows(results: Mapping[str, Mapping[str, Any]], failures: Mapping[str, str]) -> list[tuple[str, ...]]:
    """The lines of the table: every figure that has a goal, all figures of a bench without goals, and the benches that
    could not be run."""
    found: list[tuple[str, ...]] = []
    for name, result in results.items():
        if not result["goals"]:
            figures = [key for key, value in result.items() if key not in HEAD and isinstance(value, int | float)]
            found += [(name, key, _shown(result[key]), "", "") for key in figures]
        for goal in result["goals"]:
            met = goal["met"]
            verdict = "not measured" if met is None else "met" if met else "MISSED"
            found.append((name, goal["key"], _shown(result.get(goal["key"])), goal["goal"], verdict))
    return found + [(name, "", "", "", f"FAILED: {why}") for name, why in failures.items()]


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, int | float) else "–"


def table(lines: Sequence[tuple[str, ...]]) -> str:
    """The lines under a heading, in columns."""
    shown = [_TITLES, *lines]
    widths = [max(len(line[column]) for line in shown) for column in range(len(_TITLES) - 1)]
    return "\n".join(_line(line, widths) for line in shown)


def _line(line: tuple[str, ...], widths: Sequence[int]) -> str:
    name, figure, value, goal, verdict = line
    cells = (name.ljust(widths[0]), figure.ljust(widths[1]), value.rjust(widths[2]), goal.rjust(widths[3]), verdict)
    return "  ".join(cells).rstrip()


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; fails if a bench could not be run, not if a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench")
    known = benches()
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"benches to run (default: all of {', '.join(known)})")
    parser.add_argument("--full", action="store_true", help="as many repetitions as each bench takes by itself")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "bench", help="folder of the JSON files")
    arguments = parser.parse_args(argv)
    if unknown := sorted(set(arguments.names) - set(known)):
        parser.error(f"no such bench: {', '.join(unknown)}")
    arguments.out.mkdir(parents=True, exist_ok=True)
    results: dict[str, dict[str, Any]] = {}
    failures: dict[str, str] = {}
    for name in arguments.names or known:
        target = (arguments.out / f"{name}.json").resolve()
        if why := run(name, target, None if arguments.full else QUICK.get(name)):
            failures[name] = why
        else:
            results[name] = json.loads(target.read_text("utf-8"))
    if results:
        first = next(iter(results.values()))
        print(f"{first['device']}, Python {first['python']}, {first['git']}")
    print(table(rows(results, failures)))
    return int(bool(failures))


if __name__ == "__main__":
    sys.exit(main())
