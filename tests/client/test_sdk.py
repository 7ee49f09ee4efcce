"""The SDK against the real application on fake sessions."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from client.sdk import AnimaClient, ApiError, Busy, InvalidRequest, NotAllowed, NotFound, ServerFailed, Unreachable
from realtime.core.facs import Emotion
from realtime.core.painting import PaintOrder
from server.app import create_app
from server.config import Config
from server.surfaces import Cue
from tests.server.fakes import FakeServices

KEY = "a-key-of-enough-length"
Start = Callable[..., Awaitable[tuple[str, FakeServices]]]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Starts servers, and stops them after the test."""
    running: list[TestServer] = []

    async def begin(**settings: Any) -> tuple[str, FakeServices]:
        services = FakeServices()
        server = TestServer(create_app(services, Config(**settings)))
        await server.start_server()
        running.append(server)
        return str(server.make_url("")), services

    yield begin
    for server in running:
        await server.close()


async def test_a_whole_conversation(start: Start) -> None:
    url, services = await start(api_keys=(KEY,))
    async with AnimaClient(url, KEY) as client:
        assert [one["name"] for one in await client.avatars()] == ["mira", "juno"]
        assert [one["name"] for one in await client.voices()] == ["british", "mandarin"]
        async with await client.create_session(language="zh", label="desk") as session:
            inside = services.sessions.running[session.id]
            assert inside.spec.voice == "mandarin" and (await session.state())["label"] == "desk"
            await session.say("Hi", emotion="happy", intensity=0.5, interrupt=True)
            await session.say(ssml="<speak>Hi</speak>")
            await session.chat("Price?")
            assert await session.interrupt() == 1
            await session.cue(gesture="nod", gaze=(0.5, 0.0))
            await session.cue(emotion="sad")
            await session.cue(paint={"region": "product", "prompt": "a lamp"}, style="ink", style_strength=0.5)
            assert await client.styles() == []
        assert session.id not in services.sessions.running
    assert inside.calls == [
        ("say", ("Hi", False, Emotion.HAPPY, 0.5, True)),
        ("say", ("<speak>Hi</speak>", True, None, 1.0, False)),
        ("chat", "Price?"),
        ("interrupt", 1),
        ("cue", Cue(None, 1.0, "nod", (0.5, 0.0))),
        ("cue", Cue(Emotion.SAD, 1.0, None, None)),
        ("cue", Cue(paint=PaintOrder("product", "a lamp", strength=1.0), style="ink", style_strength=0.5)),
    ]


async def test_a_token_is_enough_for_its_session(start: Start) -> None:
    url, services = await start(api_keys=(KEY,))
    async with AnimaClient(url, KEY) as client:
        made = await client.create_session()
    assert made.credentials.token is not None and made.credentials.token not in repr(made.credentials)
    async with AnimaClient(url) as guest:
        await guest.session(made.id, made.credentials.token).chat("hi")
        with pytest.raises(NotAllowed):
            await guest.create_session()
        with pytest.raises(NotAllowed):
            await guest.session(made.id).chat("hi")
    assert services.sessions.running[made.id].calls == [("chat", "hi")]


async def test_failures_are_typed_and_say_what_is_wrong(start: Start) -> None:
    url, services = await start(max_sessions=1)
    async with AnimaClient(url) as client:
        with pytest.raises(InvalidRequest, match=r"no such avatar.*allowed: mira, juno") as wrong:
            await client.create_session(avatar="nobody")
        assert (wrong.value.status, wrong.value.kind, wrong.value.field) == (422, "invalid_field", "avatar")
        session = await client.create_session()
        with pytest.raises(InvalidRequest) as long:
            await session.say("x" * 5001)
        assert (long.value.status, long.value.limit) == (413, "5000 characters")
        with pytest.raises(Busy) as busy:
            await client.create_session()
        assert busy.value.retry_after_s is not None and busy.value.retry_after_s >= 1
        services.sessions.running[session.id].failure = RuntimeError("boom")
        with pytest.raises(ServerFailed) as failed:
            await session.chat("x")
        assert failed.value.status == 500 and "boom" not in str(failed.value)
        with pytest.raises(NotFound):
            await client.session("none").state()


async def test_a_session_that_is_gone_may_be_left(start: Start) -> None:
    url, services = await start()
    async with AnimaClient(url) as client, await client.create_session() as session:
        await services.sessions.close(session.id, "elsewhere")


async def test_no_server_and_a_foreign_server() -> None:
    async with AnimaClient("http://127.0.0.1:9") as client:
        with pytest.raises(Unreachable, match="does not answer"):
            await client.avatars()

    async def broken(request: web.Request) -> web.Response:
        return web.Response(status=int(request.query_string or 502), text="<html>bad gateway</html>")

    app = web.Application()
    app.router.add_get("/v1/avatars", broken)
    server = TestServer(app)
    await server.start_server()
    async with AnimaClient(str(server.make_url(""))) as client:
        with pytest.raises(ServerFailed, match="502 Bad Gateway"):
            await client.avatars()
    await server.close()


async def test_a_closed_client_says_so() -> None:
    with pytest.raises(RuntimeError, match="async with"):
        await AnimaClient("http://x").avatars()


def test_an_error_reads_well() -> None:
    assert str(ApiError("no", field="text", limit="5")) == "no (text, allowed: 5)"
    assert str(ApiError("no")) == "no"


async def test_a_viewer_is_aimed_at_the_sessions_offers(start: Start) -> None:
    url, _ = await start()
    async with AnimaClient(url) as client:
        session = await client.create_session()
        viewer = session.viewer(sound=False)
        assert type(viewer).__name__ == "HeadlessViewer"
        await viewer.close()


async def test_who_queues_gets_the_place_that_becomes_free(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    url, _ = await start(max_sessions=1)
    waits_s: list[float] = []
    async with AnimaClient(url) as client:
        first = await client.create_session()

        async def leave_meanwhile(wait_s: float) -> None:
            waits_s.append(wait_s)
            if len(waits_s) == 2:
                await first.delete()

        monkeypatch.setattr("client.sdk.sleep", leave_meanwhile)
        with pytest.raises(Busy):
            await client.create_session(queue_s=5.0)
        assert waits_s == [], "the server asks for more patience than there is"
        second = await client.create_session(queue_s=60.0)
        assert waits_s == [10.0, 10.0] and second.id != first.id
