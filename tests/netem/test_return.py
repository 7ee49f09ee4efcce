"""A viewer's page goes on in the session it was in: after half a minute without any network, and with a new path over
TCP where no UDP passes."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.netem.link import LinkSpec
from tests.netem.namespaces import NEAR, ROOT, Wire, possible, wire

pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.skipif(not possible() or shutil.which("chromium") is None, reason="needs root, TUN and chromium"),
]
KEY = "a-server-key-of-the-test"
PORT, TCP_PORT = 18080, 18443
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

    def until(
        self, seen: Callable[[dict[str, Any]], bool], what: str, within_s: float = 90.0, question: str = "look"
    ) -> dict[str, Any]:
        """Look until it is so; what was seen then."""
        end_s = time.monotonic() + within_s
        while time.monotonic() < end_s:
            found = self(question)
            if seen(found):
                return found
        raise AssertionError(f"did not happen: {what}: {found}")

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the viewer has ended"
        found: dict[str, Any] = json.loads(line)
        return found


def is_taken(known: Container[str | None], seen: dict[str, Any]) -> bool:
    """Whether the path in use is a new one."""
    return bool(seen["settled"] and seen["state"] == "connected" and seen["remote_ufrag"] not in known)


def wait_for(log: Path, words: str, process: "subprocess.Popen[bytes]") -> None:
    while words not in log.read_text("utf-8", "replace"):
        assert process.poll() is None, log.read_text("utf-8", "replace")[-4000:]
        time.sleep(0.05)


@contextmanager
def watching(folder: Path, link: LinkSpec, **settings: str) -> Iterator[tuple[Wire, Viewer]]:
    """A server and a viewer of it over such a link."""
    url, log = f"http://{NEAR}:{PORT}", folder / "server.log"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ANIMA_")}
    environment |= {"ANIMA_HOST": NEAR, "ANIMA_PORT": str(PORT), "ANIMA_API_KEYS": KEY, "ANIMA_CPU_SHARE": "1.0"}
    environment |= settings
    with wire(link) as ends, log.open("wb") as out:
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
            yield ends, Viewer(far)
        finally:
            for process in (far, server):
                if process is not None:
                    process.kill()
                    process.communicate()
    assert "Traceback" not in log.read_text("utf-8", "replace")


def test_after_half_a_minute_the_conversation_goes_on(tmp_path: Path) -> None:
    with watching(tmp_path, LinkSpec(delay_s=0.02)) as (ends, viewer):
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


def test_an_ice_restart_over_tcp_goes_on_under_the_same_connection(tmp_path: Path) -> None:
    link = LinkSpec(delay_s=0.02, udp=False)
    with watching(tmp_path, link, ANIMA_ICE_TCP_PORT=str(TCP_PORT)) as (_, viewer):
        viewer.until(lambda seen: seen["moving"], "the picture comes")
        before, state = viewer("path"), viewer("state")
        assert before["protocol"] == "tcp" and before["same_connection"]
        for _ in range(2):
            viewer("restart")
            known = (None, before["remote_ufrag"])
            taken = partial(is_taken, known)
            after = viewer.until(taken, "another path of the same kind is taken", question="path")
            assert after["protocol"] == "tcp" and after["same_connection"]
            assert after["local_ufrag"] != before["local_ufrag"], "both sides have new credentials"
            before = after
        seen = viewer.until(lambda seen: seen["moving"] and seen["state"] == "connected", "the picture goes on")
        again = viewer("state")
        assert seen["session"] == viewer.session == again["id"] and again["clock_s"] > state["clock_s"]
        viewer(f"ask {WORDS}")
        viewer.until(lambda seen: WORDS in seen["log"], "the data channel goes on")
