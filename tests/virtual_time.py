"""An event loop whose clock jumps to the next timer: a minute of conversation takes milliseconds and is repeatable."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

R = TypeVar("R")


class _JumpingSelector(selectors.DefaultSelector):
    """Instead of waiting for a timer, moves the loop's clock to it."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout is None:
            raise RuntimeError("deadlock in virtual time: nothing is ready and no timer is set")
        if not ready and timeout:
            self.now_s += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """Runs on virtual time; `time()` starts at 0. Threads and sockets do not belong on it."""

    def __init__(self) -> None:
        self._virtual = _JumpingSelector()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.now_s

    def pass_s(self, length_s: float) -> None:
        """Time passes while a piece of work holds up the loop."""
        self._virtual.now_s += length_s


def run_virtual(main: Coroutine[Any, Any, R]) -> R:
    """Run a coroutine to its end in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)


def now_s() -> float:
    """The running loop's clock, as the session clock of a test."""
    return asyncio.get_running_loop().time()
