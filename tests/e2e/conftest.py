"""One real server for all end-to-end tests, with packs of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.server_process import ServerProcess


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """`anima serve` on a free port."""
    place: Path = tmp_path_factory.mktemp("server")
    settings = {"rejoin_timeout_s": "3"}
    with ServerProcess(log=place / "server.log", packs_dir=place / "packs", settings=settings) as running:
        yield running
    assert "Traceback" not in running.output(), running.output()[-4000:]


@pytest.fixture(scope="session")
def patient(tmp_path_factory: pytest.TempPathFactory, server: ServerProcess) -> Iterator[ServerProcess]:
    """A server that waits for viewers as long as it does by itself; its packs are those of `server`."""
    place: Path = tmp_path_factory.mktemp("patient")
    packs_dir = server.packs_dir
    with ServerProcess(log=place / "server.log", packs_dir=packs_dir) as running:
        yield running
    assert "Traceback" not in running.output(), running.output()[-4000:]
