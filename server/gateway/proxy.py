"""The gateway's HTTP side: finds the worker a request belongs to, and passes request and answer through."""

import asyncio
import contextlib
import json
import logging
import re
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from prometheus_client.parser import text_string_to_metric_families

from realtime.core.errors import RequestError
from server.admission import ELSEWHERE
from server.auth import bearer
from server.faults import answer_for
from server.gateway.affinity import Affinity, choose
from server.gateway.figures import merged
from server.gateway.workers import WorkerPool
from server.routes.reading import whole

log = logging.getLogger(__name__)

HOP_BY_HOP: Final = frozenset(
    "connection keep-alive proxy-authenticate proxy-authorization te trailer transfer-encoding upgrade".split()
)
"""RFC 9110 section 7.6.1: these concern one connection only."""
UNPACKED: Final = frozenset({"gzip", "deflate", "br", "zstd"})
"""Bodies in these are passed on unpacked, as aiohttp reads them."""
_FORM_SESSION: Final = re.compile(rb'name="?sessionid"?\r\n(?:[^\r\n]+\r\n)*\r\n([!-~]{1,64})\r\n')
RETRY_AFTER_S: Final = 2
RETRY_AFTER_MOST_S: Final = 3600
"""Taken for an answer that does not say when to ask again."""
FULL: Final = 503
COUNT_EVERY_S: Final = 2.0
METRICS_MOST_S: Final = 2.0
"""A worker that has not told its metrics by then is busy with something else."""


class Gateway:
    """One address for several workers. A request that carries a name goes to the worker that gave the name out, any
    other to the worker with the fewest sessions; a worker that is full is passed over while another is not."""

    def __init__(self, pool: WorkerPool, affinity: Affinity, body_limit_bytes: int) -> None:
        self._pool = pool
        self._affinity = affinity
        self._body_limit_bytes = body_limit_bytes
        self._client: aiohttp.ClientSession | None = None

    def application(self) -> web.Application:
        """The aiohttp application of the gateway."""
        app = web.Application(client_max_size=self._body_limit_bytes)
        app.router.add_get("/metrics", self._metrics)
        app.router.add_get("/v1/sessions", self._sessions)
        app.router.add_route("*", "/{path:.*}", self._pass)
        app.cleanup_ctx.append(self._life)
        return app

    async def _life(self, app: web.Application) -> AsyncIterator[None]:
        async with aiohttp.ClientSession(auto_decompress=False, timeout=aiohttp.ClientTimeout(total=None)) as client:
            self._client = client
            counting = asyncio.create_task(self._count_sessions(), name="count-sessions")
            yield
            counting.cancel()
            await asyncio.gather(counting, return_exceptions=True)
        self._client = None

    async def _metrics(self, request: web.Request) -> web.Response:
        return web.Response(text=merged(await self._expositions()), content_type="text/plain", charset="utf-8")

    async def _sessions(self, request: web.Request) -> web.StreamResponse:
        """The sessions of all workers; those of one that does not answer just now are left out."""
        found: list[Any] = []
        answer: web.StreamResponse | None = None
        for worker in self._pool.workers:
            told = await self._ask(request, worker.index, b"")
            if told.status == FULL:
                continue
            if told.status != 200 or not isinstance(told, web.Response) or not isinstance(told.body, bytes):
                return told
            found += json.loads(told.body)["sessions"]
            answer = told
        if answer is None:
            return _unavailable()
        return web.Response(text=json.dumps({"sessions": found}), headers=answer.headers)

    async def _expositions(self) -> dict[int, str]:
        """Each ready worker's metrics."""
        texts: dict[int, str] = {}
        assert self._client is not None
        for worker in self._pool.workers:
            if worker.url is not None:
                # one that does not answer keeps nobody from those of the others
                with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                    async with asyncio.timeout(METRICS_MOST_S), self._client.get(f"{worker.url}/metrics") as answer:
                        texts[worker.index] = await answer.text()
        return texts

    async def _count_sessions(self) -> None:
        """Sessions also end without a request: ask the workers how many they have."""
        while True:
            await asyncio.sleep(COUNT_EVERY_S)
            for index, text in (await self._expositions()).items():
                try:
                    self._pool.workers[index].sessions = _sessions_in(text)
                except ValueError:
                    log.warning("worker %d does not tell how many sessions it has", index)

    async def _pass(self, request: web.Request) -> web.StreamResponse:
        try:
            body = await whole(request, self._body_limit_bytes)
        except RequestError as error:
            refused_body = answer_for(error, "the gateway")
            # what is left of it would be read as the next request
            refused_body.force_close()
            return refused_body
        fields = _fields(request.content_type, body)
        owner = self._affinity.find(request.path, request.query, bearer(request.headers.get("Authorization")), fields)
        if owner is not None:
            return await self._ask(request, owner, body)
        if self._affinity.is_lost(request.path, request.query, bearer(request.headers.get("Authorization")), fields):
            return _lost()
        refused: frozenset[int] = frozenset()
        answers: list[web.StreamResponse] = []
        while True:
            ready = {w.index: w.sessions for w in self._pool.workers if w.url is not None}
            chosen = choose(ready, refused)
            if chosen is None:
                return min(answers, key=_retry_after_s, default=None) or _unavailable()
            answer = await self._ask(request, chosen, body, last=ready.keys() <= refused | {chosen})
            if answer.status != FULL or request.method != "POST":
                return answer
            answers.append(answer)
            refused |= {chosen}

    async def _ask(self, request: web.Request, index: int, body: bytes, *, last: bool = True) -> web.StreamResponse:
        """One worker's answer. A stream of events is passed on piece by piece, everything else whole. If this worker is
        not the `last` one, another is asked where it has no room."""
        worker = self._pool.workers[index]
        if worker.url is None or self._client is None:
            return _unavailable()
        headers = _onward(request)
        if not last and request.method == "POST":
            headers[ELSEWHERE] = "yes"
        try:
            async with self._client.request(
                request.method, f"{worker.url}{request.rel_url}", headers=headers, data=body, allow_redirects=False
            ) as answer:
                kept = CIMultiDict((k, v) for k, v in answer.headers.items() if k.lower() not in HOP_BY_HOP)
                if answer.content_type == "text/event-stream":
                    return await _stream(request, answer, kept)
                data = await answer.read()
                self._note(request, index, answer.status, kept, data)
                kept.popall("Content-Length", None)
                return web.Response(status=answer.status, headers=kept, body=data)
        except aiohttp.ClientError as error:
            log.warning("worker %d did not answer: %s", index, type(error).__name__)
            return _unavailable()

    def _note(self, request: web.Request, index: int, status: int, headers: Mapping[str, str], data: bytes) -> None:
        """Learn from an answer: the names it gives out, of a task too, and that there may be one session more."""
        if request.method == "POST" and (status in (200, 201) or (status == 202 and "Location" in headers)):
            self._affinity.learn(index, headers.get("Location"), _fields("application/json", data))
            self._pool.workers[index].sessions += status == 201


def _sessions_in(exposition: str) -> int:
    """How many sessions a worker's metrics tell of. Raises `ValueError`."""
    for family in text_string_to_metric_families(exposition):
        if family.name == "anima_sessions" and family.samples:
            return int(family.samples[0].value)
    raise ValueError("no anima_sessions")


async def _stream(
    request: web.Request, answer: aiohttp.ClientResponse, headers: "CIMultiDict[str]"
) -> web.StreamResponse:
    response = web.StreamResponse(status=answer.status, headers=headers)
    await response.prepare(request)
    # the headers are out: where the worker goes, the stream ends, and whoever reads it asks anew
    try:
        async for piece in answer.content.iter_any():
            await response.write(piece)
    except aiohttp.ClientError:
        response.force_close()
    return response


def _onward(request: web.Request) -> "CIMultiDict[str]":
    """The request's headers for a worker, with the viewer's address added as a proxy does."""
    headers = CIMultiDict((k, v) for k, v in request.headers.items() if k.lower() not in HOP_BY_HOP)
    headers.popall(ELSEWHERE, None)
    headers.popall("Content-Length", None)
    if headers.get("Content-Encoding", "").lower() in UNPACKED:
        del headers["Content-Encoding"]
    before = headers.get("X-Forwarded-For")
    headers["X-Forwarded-For"] = f"{before}, {request.remote}" if before else str(request.remote)
    return headers


def _retry_after_s(answer: web.StreamResponse) -> int:
    """How long to wait before asking again."""
    told = answer.headers.get("Retry-After", "")
    return int(told) if told.isdecimal() else RETRY_AFTER_MOST_S


def _fields(content_type: str, body: bytes) -> Any:
    """A JSON body as a value, the session of a form; None for anything else."""
    if content_type == "multipart/form-data":
        found = _FORM_SESSION.search(body)
        return {"sessionid": found[1].decode()} if found else None
    if content_type != "application/json" or not body.startswith((b"{", b" ", b"\n")):
        return None
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _lost() -> web.Response:
    words = "the session is lost: the process that held it ended unexpectedly; open a new one"
    error = {"type": "NotFound", "message": words, "field": "session", "limit": None}
    return web.json_response({"error": error}, status=404)


def _unavailable() -> web.Response:
    error = {"type": "CapacityError", "message": "the worker is starting; try again", "field": None, "limit": None}
    return web.json_response({"error": error}, status=FULL, headers={"Retry-After": str(RETRY_AFTER_S)})
