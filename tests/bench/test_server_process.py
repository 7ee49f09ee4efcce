"""The server under measurement: a real one, whose whole family of processes is counted, and which leaves nothing."""

import urllib.request
from pathlib import Path

import pytest

from bench.server_process import ServerFailed, ServerProcess


@pytest.mark.slow
def test_it_starts_is_counted_with_its_workers_and_stops(tmp_path: Path) -> None:
    with ServerProcess(log=tmp_path / "log", settings={"workers": "2"}) as server:
        with urllib.request.urlopen(f"{server.url}/healthz") as answer:
            assert answer.status == 200
        assert server.startup_s > 0.0 and server.cpu_s() > 0.0
        gateway = ServerProcess(log=tmp_path / "other", settings={"workers": "1"})
        with gateway:
            assert server.resident_mb() > 1.5 * gateway.resident_mb()
        pid = server.pid
    assert not Path(f"/proc/{pid}").exists()


def test_what_it_said_is_told_when_it_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(ServerFailed, match="fps"):
        ServerProcess(log=tmp_path / "log", settings={"fps": "1000"}).start()
