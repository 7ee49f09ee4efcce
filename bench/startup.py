"""How long the server takes to be ready, and how much memory it holds while a session speaks.

- `cold_s`: the first start, which bakes the avatar pack into an empty directory; `warm_s`: the median of later starts.
  Both from starting the process to its ready line.
- `rss_mb`: resident memory of the server, in MB of 10^6 bytes, after ten seconds of a session with one viewer.
"""

import asyncio
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Final

from bench.harness import Goal, Result, command
from bench.server_process import ServerProcess
from bench.watching import Watch
from client.sdk import AnimaClient

GOALS: Final[Sequence[Goal]] = ()
_TEXT: Final = "Good evening, and welcome. I have three things to show you tonight, and here is the first of them. "
_WATCHED_S: Final = 10.0
_BAKE_TIMEOUT_S: Final = 600.0


async def talk(url: str) -> None:
    """A session that speaks to one viewer."""
    async with AnimaClient(url) as client, await client.create_session() as session:
        async with Watch(session, pictures=False) as watch:
            await watch.tell("say", text=_TEXT * 2)
            await asyncio.sleep(_WATCHED_S)


def measure(n: int) -> Result:
    """The published keys, with `n` warm starts."""
    warm_s = []
    with tempfile.TemporaryDirectory() as scratch:
        directory = Path(scratch)
        packs, log = directory / "packs", directory / "server.log"
        with ServerProcess(log=log, packs_dir=packs, timeout_s=_BAKE_TIMEOUT_S) as server:
            cold_s = server.startup_s
        pack_mb = sum(file.stat().st_size for file in packs.rglob("*") if file.is_file()) / 1e6
        for _ in range(n):
            with ServerProcess(log=log, packs_dir=packs) as server:
                warm_s.append(server.startup_s)
                idle_mb = server.resident_mb()
                if len(warm_s) == n:
                    asyncio.run(talk(server.url))
                    rss_mb = server.resident_mb()
    return {
        "cold_s": round(cold_s, 3),
        "warm_s": round(median(warm_s), 3),
        "rss_mb": round(rss_mb, 1),
        "rss_idle_mb": round(idle_mb, 1),
        "packs_mb": round(pack_mb, 1),
    }


def main(argv: Sequence[str] | None = None) -> int:
    """`python -m bench.startup`."""
    return command("startup", measure, GOALS, n=3, argv=argv)


if __name__ == "__main__":
    sys.exit(main())
