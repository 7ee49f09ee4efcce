"""A few threads beside the compute thread, for work that waits on a device more than it computes."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

THREADS: Final = 8
"""As many sessions' work can be gathered into one batch."""


class Aside:
    """Runs pieces of work in the order they came. Drive it with `await run(...)`; `close` joins its threads."""

    def __init__(self, threads: int = THREADS, name: str = "aside") -> None:
        self._pool = ThreadPoolExecutor(threads, name)

    async def run(self, left_s: float, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a function; its exception, if any, is raised here. All begin at once, whatever `left_s` is."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, lambda: work(*args, **kwargs))

    def close(self) -> None:
        """Finish what runs, drop what waits, join the threads."""
        self._pool.shutdown(cancel_futures=True)
