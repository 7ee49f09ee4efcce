"""Programs that compute and do nothing else, beside what is measured: how a bench overloads its machine."""

import subprocess
import sys
from types import TracebackType
from typing import Final, Self

_BUSY: Final = """
import os
if hasattr(os, "SCHED_OTHER"):
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
while True:
    pass
"""
"""Of ordinary priority whatever the bench's own."""


class Hog:
    """Keeps `count` cores busy, or as many as there are, from entering until leaving."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._programs: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        self._programs = [subprocess.Popen([sys.executable, "-S", "-c", _BUSY]) for _ in range(self._count)]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for program in self._programs:
            program.kill()
        for program in self._programs:
            program.wait()
