"""A real `anima serve` in a process of its own, for benches and end-to-end tests."""

import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from bench.harness import ROOT

_READY: Final = re.compile(r"ready at (http://\S+)")
_ROOMY: Final = {
    "requests_per_s": "10000",
    "sessions_per_min": "10000",
    "cpu_share": "1.0",
    "max_sessions": "64",
}
"""Settings that keep the guards against strangers from limiting a measurement."""


class ServerFailed(Exception):
    """The server did not come up; the text holds what it said."""


class ServerProcess:
    """Starts `anima serve` on a free port and stops it when left.

    `packs_dir` keeps baked avatars between starts; None uses the user's own cache. `settings` are the server's."""

    def __init__(
        self,
        *,
        log: Path,
        packs_dir: Path | None = None,
        settings: Mapping[str, str] | None = None,
        timeout_s: float = 120.0,
    ) -> None:
        self.url = ""
        self.started_s = 0.0
        self.ready_s = 0.0
        self.log = log
        self.packs_dir = packs_dir
        self._settings = {**_ROOMY, "port": "0", **(settings or {})}
        if packs_dir is not None:
            self._settings["packs_dir"] = str(packs_dir)
        self._timeout_s = timeout_s
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The server's process id."""
        assert self._process is not None, "the server has not been started"
        return self._process.pid

    @property
    def startup_s(self) -> float:
        """From starting the process to its ready line."""
        return self.ready_s - self.started_s

    def start(self) -> Self:
        """Start and wait for the ready line. Raises `ServerFailed`."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("ANIMA_")}
        environment |= {f"ANIMA_{name.upper()}": value for name, value in self._settings.items()}
        self.started_s = time.monotonic()
        with self.log.open("wb") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "server.cli", "serve"],
                stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, env=environment, cwd=ROOT,
            )  # fmt: skip
        while not (found := _READY.search(self.output())):
            if self._process.poll() is not None or time.monotonic() - self.started_s > self._timeout_s:
                self.stop()
                raise ServerFailed(f"the server did not start:\n{self.output()[-4000:]}")
            time.sleep(0.005)
        self.ready_s = time.monotonic()
        self.url = found[1]
        return self

    def stop(self) -> int:
        """Ask it to end, and wait until it has; returns its exit status."""
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(20.0)
            except subprocess.TimeoutExpired:
                self._process.kill()
        return self._process.wait()

    def output(self) -> str:
        """Everything it has written so far."""
        return self.log.read_text("utf-8", "replace")

    def cpu_s(self) -> float:
        """Processor time of the server and its worker processes since their start."""
        ticks = sum(_cpu_ticks(pid) for pid in self.family())
        return ticks / os.sysconf("SC_CLK_TCK")

    def resident_mb(self) -> float:
        """Resident memory of the server and its worker processes, in MB of 10^6 bytes."""
        pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in self.family())
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def private_mb(self) -> float:
        """The same without mapped files: what the processes themselves have allocated (Linux)."""
        found = (re.search(r"RssAnon:\s+(\d+) kB", _status(pid)) for pid in self.family())
        return sum(int(one[1]) for one in found if one is not None) * 1024 / 1e6

    def open_files(self) -> Counter[str]:
        """What the server itself holds open: `socket`, `pipe`, `anon_inode` or a file's path, and how often (Linux)."""
        found: Counter[str] = Counter()
        for entry in Path(f"/proc/{self.pid}/fd").iterdir():
            try:
                found[os.readlink(entry).partition(":")[0]] += 1
            except OSError:
                continue  # closed meanwhile
        return found

    def threads(self) -> int:
        """How many threads the server itself runs (Linux)."""
        return len(list(Path(f"/proc/{self.pid}/task").iterdir()))

    def kill_worker(self, which: int) -> int:
        """End one of the worker processes at once, as the kernel does where memory runs out; its process id."""
        workers = [pid for pid in _children(self.pid) if b"server.cli" in Path(f"/proc/{pid}/cmdline").read_bytes()]
        chosen = workers[which % len(workers)]
        os.kill(chosen, signal.SIGKILL)
        return chosen

    def family(self) -> list[int]:
        """The server, its workers and theirs."""
        found = [self.pid]
        for pid in found:
            found += _children(pid)
        return found

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _children(pid: int) -> list[int]:
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(child) for thread in threads for child in (thread / "children").read_text().split()]
    except OSError:
        return []  # it has ended meanwhile


def _status(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return ""  # it has ended meanwhile


def _cpu_ticks(pid: int) -> int:
    # the name, in parentheses, may hold spaces: fields are counted after it (proc(5), utime and stime)
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])
