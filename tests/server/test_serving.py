"""A served application in a process of its own: it says where it listens, and drains on a signal."""

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from realtime.core.errors import ConfigError
from server.config import Config
from server.serving import ProgressBar, address_url, run
from server.surfaces import Progress
from tests.server.fakes import FakeServices

pytestmark = pytest.mark.usefixtures("root")
SCRIPT = """
import sys, time
from server.config import Config
from server.serving import run
from tests.server.fakes import FakeServices

class Services(FakeServices):
    async def aclose(self):
        print("closed", self.sessions.closed, flush=True)

def build(config, progress):
    for i in range(3):
        progress("drawing", i + 1, 3)
    return Services()

run(Config(port=int(sys.argv[1])), build, time.monotonic())
"""


@contextmanager
def served(port: int = 0) -> Iterator[tuple[subprocess.Popen[str], str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(port)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("Anima is ready at http://127.0.0.1:"), process.communicate()
        yield process, line.split()[4]
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_and_drains_on_a_signal(number: signal.Signals) -> None:
    with served() as (process, url):
        request = urllib.request.Request(f"{url}/v1/sessions", b"{}", {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as response:
            assert json.load(response)["id"] == "s1"
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
        assert process.returncode == 0, err
        assert "closed [('s1', 'shutdown')]" in out
        assert "drawing: 3 steps" in err and "shutting down" in err and "Traceback" not in err


def test_a_taken_port_is_told_before_any_long_work() -> None:
    def build(config: Config, progress: Progress) -> FakeServices:
        raise AssertionError("the long work began")

    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        config = Config(port=other.getsockname()[1], log_level="error")
        with pytest.raises(ConfigError, match=rf"port = {config.port} \(default|given.* is in use"):
            run(config, build, time.monotonic())


def test_a_foreign_address_is_told() -> None:
    config = Config(host="192.0.2.1", port=0, api_keys=("a-key-of-enough-length",), log_level="error")
    with pytest.raises(ConfigError, match=r"host = '192\.0\.2\.1' .* is no address of this machine"):
        run(config, lambda *_: FakeServices(), time.monotonic())


def test_addresses_to_open() -> None:
    assert address_url("0.0.0.0", 80) == "http://127.0.0.1:80"
    assert address_url("::1", 80) == "http://[::1]:80"
    assert address_url("localhost", 8080) == "http://localhost:8080"


def test_progress_without_a_terminal_is_one_line_per_kind(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"), ProgressBar() as progress:
        for i in range(5):
            progress("drawing", i + 1, 5)
        progress("packing", 1, 1)
    assert [record.getMessage() for record in caplog.records] == ["drawing: 5 steps", "packing: 1 steps"]
