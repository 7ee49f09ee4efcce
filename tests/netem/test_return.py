"""Half a minute without any network: a viewer's page comes back with its token to the session it was in, as it was."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.netem.link import LinkSpec
from tests.netem.namespaces import NEAR, ROOT, possible, wire

pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.skipif(not possible() or shutil.which("chromium") is None, reason="needs root, TUN and chromium"),
]
KEY = "a-server-key-of-the-test"
PORT = 18080
OUTAGE_S = 30.0
WORDS = "The teapot is blue."


class Viewer:
    """Asks the far side."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.session = self._answer()["session"]

    def __call__(self, question: str) -> dict[str, Any]:
        assert self._process.stdin is not None
        print(question, file=self._process.stdin, flush=True)
        return self._answer()

    def until(self, seen: Callable[[dict[str, Any]], bool], what: str, within_s: float = 90.0) -> dict[str, Any]:
        """Look until it is so; what was seen then."""
        end_s = time.monotonic() + within_s
        while time.monotonic() < end_s:
            found = self("look")
            if seen(found):
                return found
        raise AssertionError(f"did not happen: {what}: {found}")

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the viewer has ended"
        found: dict[str, Any] = json.loads(line)
        return found


def wait_for(log: Path, words: str, process: "subprocess.Popen[bytes]") -> None:
    while words not in log.read_text("utf-8", "replace"):
        assert process.poll() is None, log.read_text("utf-8", "replace")[-4000:]
        time.sleep(0.05)


def test_after_half_a_minute_the_conversation_goes_on(tmp_path: Path) -> None:
    url, log = f"http://{NEAR}:{PORT}", tmp_path / "server.log"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ANIMA_")}
    environment |= {"ANIMA_HOST": NEAR, "ANIMA_PORT": str(PORT), "ANIMA_API_KEYS": KEY, "ANIMA_CPU_SHARE": "1.0"}
    with wire(LinkSpec(delay_s=0.02)) as ends, log.open("wb") as out:
        server = subprocess.Popen(
            ends.at_near(sys.executable, "-m", "server.cli", "serve"),
            stdout=out, stderr=subprocess.STDOUT, env=environment, cwd=ROOT,
        )  # fmt: skip
        far = None
        try:
            wait_for(log, "ready at", server)
            far = subprocess.Popen(
                ends.at_far(sys.executable, "-m", "tests.netem.returning_viewer", url, KEY),
                cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
            viewer = Viewer(far)
            viewer(f"ask {WORDS}")
            before = viewer.until(lambda seen: seen["moving"] and WORDS in seen["log"], "the host speaks")
            state = viewer("state")
            ends.cut()
            time.sleep(OUTAGE_S)
            gone = viewer("look")
            assert not gone["moving"] and gone["state"] != "connected"
            ends.mend()
            after = viewer.until(lambda seen: seen["moving"] and seen["state"] == "connected", "the picture is back")
            again = viewer("state")
            assert after["session"] == before["session"] == viewer.session == again["id"]
            assert after["turns"] == before["turns"] and after["log"].count(WORDS) == 1
            assert again["avatar"] == state["avatar"] and again["turns"] == state["turns"]
            # motion is a function of the session's own clock: that went on, and did not begin anew
            assert again["frames"] >= state["frames"] and again["clock_s"] - state["clock_s"] >= OUTAGE_S
            viewer("ask It still is.")
            viewer.until(lambda seen: "It still is." in seen["log"], "the conversation goes on")
        finally:
            for process in (far, server):
                if process is not None:
                    process.kill()
                    process.communicate()
    assert "Traceback" not in log.read_text("utf-8", "replace")
