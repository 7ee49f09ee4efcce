"""Recognition by an endpoint: what is sent, what comes back, and every way it can fail."""

import asyncio
import io
import wave
from collections.abc import AsyncIterator, Awaitable, Callable

import numpy as np
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from models.hearing.endpoint import EndpointTranscriber, HearingSpec
from realtime.core.errors import UpstreamError

SECOND = np.arange(16_000, dtype=np.int16)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Endpoint:
    """A real server whose answer tests set."""

    def __init__(self) -> None:
        self.answer: Handler = self.words
        self.forms: list[dict[str, object]] = []
        self.keys: list[str | None] = []
        self.over = asyncio.Event()
        self.now_s = 0.0

    async def words(self, request: web.Request) -> web.Response:
        return web.json_response({"text": " Where is\n the station? "})

    async def stalls(self, request: web.Request) -> web.Response:
        await self.over.wait()
        return web.Response()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        self.keys.append(request.headers.get("Authorization"))
        form: dict[str, object] = {}
        for name, value in (await request.post()).items():
            form[name] = value
            if isinstance(value, web.FileField):
                with value.file:
                    form[name] = value.file.read()
        self.forms.append(form)
        return await self.answer(request)


@pytest.fixture
async def endpoint() -> AsyncIterator[tuple[Endpoint, EndpointTranscriber]]:
    made = Endpoint()
    app = web.Application()
    app.router.add_post("/v1/audio/transcriptions", made.serve)
    server = TestServer(app)
    await server.start_server()
    spec = HearingSpec(str(server.make_url("/v1")), "whisper-1", "sk-very-secret", timeout_s=1.0)
    transcriber = EndpointTranscriber(spec, lambda: made.now_s)
    yield made, transcriber
    await transcriber.aclose()
    made.over.set()
    await server.close()


async def test_a_turn_is_sent_as_wav_with_language_and_key(endpoint: tuple[Endpoint, EndpointTranscriber]) -> None:
    server, transcriber = endpoint
    assert await transcriber.transcribe(SECOND, "en-GB") == "Where is the station?"
    await transcriber.transcribe(SECOND, "cmn-Hans")
    assert [form["language"] for form in server.forms] == ["en", "zh"]
    assert server.forms[0]["model"] == "whisper-1" and server.keys[0] == "Bearer sk-very-secret"
    sound = server.forms[0]["file"]
    assert isinstance(sound, bytes)
    with wave.open(io.BytesIO(sound)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getnframes()) == (16_000, 1, 16_000)


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [(500, "key sk-very-secret is bad", "HTTP 500"), (200, "{not json", "JSON"), (200, "[]", "without a text"),
     (200, '{"text": 3}', "without a text"), (302, "", "HTTP 302"), (200, '{"text": "' + "x" * 300_000, "more than")],
)  # fmt: skip
async def test_a_bad_answer_is_an_error_without_the_key(
    endpoint: tuple[Endpoint, EndpointTranscriber], status: int, body: str, said: str
) -> None:
    server, transcriber = endpoint

    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status, text=body)

    server.answer = answer
    with pytest.raises(UpstreamError, match=said) as caught:
        await transcriber.transcribe(SECOND, "en")
    assert "very-secret" not in str(caught.value)


async def test_a_stalled_endpoint_is_left_alone_after_three_turns(
    endpoint: tuple[Endpoint, EndpointTranscriber],
) -> None:
    server, transcriber = endpoint
    server.answer = server.stalls
    for _ in range(3):
        with pytest.raises(UpstreamError, match="within 1 s"):
            await transcriber.transcribe(SECOND, "en")
    with pytest.raises(UpstreamError, match="left alone"):
        await transcriber.transcribe(SECOND, "en")
    assert len(server.forms) == 3
    server.answer, server.now_s = server.words, 11.0
    assert await transcriber.transcribe(SECOND, "en")


async def test_cancelling_closes_the_request(endpoint: tuple[Endpoint, EndpointTranscriber]) -> None:
    server, transcriber = endpoint
    server.answer = server.stalls
    job = asyncio.create_task(transcriber.transcribe(SECOND, "en"))
    async with asyncio.timeout(5):
        while not server.forms:  # noqa: ASYNC110  # the server's list is what shows that the request arrived
            await asyncio.sleep(0.01)
    job.cancel()
    await asyncio.gather(job, return_exceptions=True)
    server.answer = server.words
    assert await transcriber.transcribe(SECOND, "en")
