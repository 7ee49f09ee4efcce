"""Schemathesis on our own specification against a running application: no 5xx, and answers are what it promises."""

import asyncio
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from aiohttp import web
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from server.app import OPERATIONS, create_app
from server.config import Config
from tests.server.conftest import AUTH, KEY
from tests.server.fakes import FakeServices

pytestmark = pytest.mark.slow

EXAMPLES = 12
"""Of each operation: the whole takes about half a minute."""
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
FULL = frozenset({429, 503})
"""What a machine says that has enough to do; it is no failure of an operation that does not name it."""


@schemathesis.serializer("application/sdp", "application/trickle-ice-sdpfrag")
def as_text(ctx: schemathesis.SerializationContext, value: object) -> bytes:
    """SDP is sent as it is."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


class Running:
    """The application on a real port, its event loop in a thread of its own."""

    def __init__(self) -> None:
        self.url = ""
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fuzzed", daemon=True)

    def __enter__(self) -> "Running":
        self._thread.start()
        assert self._ready.wait(30.0)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        config = Config(api_keys=(KEY,), requests_per_s=10_000.0, sessions_per_min=10_000.0)
        runner = web.AppRunner(create_app(FakeServices(), config))
        self._loop.run_until_complete(runner.setup())
        site = web.TCPSite(runner, "127.0.0.1", 0)
        self._loop.run_until_complete(site.start())
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        self._ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(runner.cleanup())
        self._loop.close()


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    """One application for all operations: what one request leaves behind is there for the next."""
    with Running() as one:
        yield one


@pytest.mark.parametrize("index", range(len(OPERATIONS)), ids=lambda i: f"{OPERATIONS[i].method} {OPERATIONS[i].path}")
def test_no_request_breaks_the_promises(running: Running, index: int) -> None:
    wanted = OPERATIONS[index]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        schema = schemathesis.openapi.from_url(f"{running.url}/openapi.json")
        # an operation that the specification does not describe rightly is a failure of its own here
        known: list[Any] = [result.ok() for result in schema.get_all_operations()]  # type: ignore[union-attr]
        found = [one for one in known if (one.method.upper(), one.path) == (wanted.method, wanted.path)]
    if not found:
        pytest.skip("not in the specification")
    if any(str(answer).startswith("text/event-stream") for answer in _content_types(found[0])):
        pytest.skip("an endless answer")

    @settings(
        max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=found[0].as_strategy())
    def holds(case: Any) -> None:
        answer = case.call(headers=AUTH, timeout=10.0)
        if answer.status_code in FULL:
            return
        case.validate_response(answer, checks=CHECKS)

    holds()


def _content_types(operation: Any) -> list[str]:
    responses = operation.definition.raw.get("responses", {})
    return [name for answer in responses.values() for name in answer.get("content", {})]
