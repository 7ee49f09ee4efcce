"""Answers from an OpenAI-compatible chat endpoint, streamed clause by clause.

Spoken to directly over aiohttp, which the server runs on anyway: one POST and its event stream. The `openai` package
would add 690 modules, 0.35 s and 26 MB to the serving process for the same request, retries that a conversation cannot
wait for, and a second HTTP stack (httpx)."""

import asyncio
import json
import logging
import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar

import aiohttp

from models.language.mood import with_emotion
from models.language.prompt import SYSTEM_PROMPT, messages
from models.language.sse import EventReader, ThoughtFilter
from realtime.core.breaker import Breaker
from realtime.core.errors import UpstreamError
from realtime.core.facs import Emotion
from realtime.core.prompting import StructuredPrompt
from realtime.core.script import ClauseSplitter, guess_language
from realtime.core.script_clean import has_speech
from realtime.ports import Answerer, AnswerPart, Turn

T = TypeVar("T")

log = logging.getLogger(__name__)

MAX_ANSWER_CHARS: Final = 2_000
"""A longer answer is cut off: a minute and a half of speech is more than anybody listens to."""
MAX_STREAM_BYTES: Final = 4 * 1024 * 1024
MAX_REFUSAL_BYTES: Final = 4_096
MAX_CAUSE_CHARS: Final = 200

_SORRY: Final = {
    "en": (
        "[sad:0.4] Sorry, I lost my train of thought. Please ask me again in a moment.",
        "[sad:0.4] Sorry, I lost the thread.",
    ),
    "zh": ("[sad:0.4] 抱歉，我走神了。请过一会儿再问我一次。", "[sad:0.4] 抱歉，我说到一半忘了。"),
}
"""What is said when nothing could be answered, and when an answer breaks off."""
_SECRET: Final = re.compile(r"\b(?:sk|pk|key|token)[-_][\w*.-]{6,}|(?i:bearer)\s+\S+")


@dataclass(frozen=True, slots=True)
class ChatSpec:
    """Where and how to ask."""

    base_url: str
    """Up to and including the version, such as `http://localhost:11434/v1`."""
    model: str
    api_key: str = field(default="", repr=False)
    """Sent as a bearer token; none is sent if empty."""
    system_prompt: str = SYSTEM_PROMPT
    temperature: float = 0.7
    top_p: float = 1.0
    """Sent only if it is below 1: some endpoints take either this or the temperature."""
    max_tokens: int = 400
    history_turns: int = 12
    connect_timeout_s: float = 5.0
    first_token_timeout_s: float = 15.0
    """From the request to the first words that can be said."""
    idle_timeout_s: float = 10.0
    """Between two pieces of the stream."""
    total_timeout_s: float = 60.0
    """Spent waiting for the endpoint, all in all; time that speech takes does not count."""


class _Endpoint:
    """The connections to one endpoint and whether it works, shared by all roles that are played on it."""

    def __init__(self, connect_timeout_s: float) -> None:
        self._connect_timeout_s = connect_timeout_s
        self._session: aiohttp.ClientSession | None = None
        self.breaker = Breaker()

    @property
    def session(self) -> aiohttp.ClientSession:
        """Made on the first request, on its event loop."""
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=None, sock_connect=self._connect_timeout_s)
            self._session = aiohttp.ClientSession(timeout=timeout)
        return self._session

    async def aclose(self) -> None:
        """Close the connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()


class OpenAIAnswerer:
    """The port `Answerer` on a chat endpoint. A failure becomes a logged cause and an answer of `fallback`, or an
    apology where there is none or words were spoken already. After failures in a row the endpoint is left alone for a
    while and the fallback answers at once."""

    def __init__(self, spec: ChatSpec, fallback: Answerer | None = None) -> None:
        self._spec = spec
        self._fallback = fallback
        self._endpoint = _Endpoint(spec.connect_timeout_s)
        self._owns = True

    @property
    def model(self) -> str:
        """The model that answers, which its parts name as their source."""
        return self._spec.model

    def in_role(
        self, system_prompt: str, prompt: StructuredPrompt | None = None, fallback: Answerer | None = None
    ) -> "OpenAIAnswerer":
        """Another role on the same endpoint, with the sampling of a structured prompt. Closing it leaves the
        endpoint open."""
        spec = replace(self._spec, system_prompt=system_prompt)
        if prompt is not None:
            spec = replace(spec, temperature=prompt.parameters.temperature, top_p=prompt.parameters.top_p)
        role = OpenAIAnswerer(spec, fallback)
        role._endpoint, role._owns = self._endpoint, False
        return role

    async def answer(self, text: str, history: Sequence[Turn], language: str) -> AsyncIterator[AnswerPart]:
        """The answer clause by clause. Closing the iterator closes the request's connection."""
        language = guess_language(text, language)
        now_s, breaker = asyncio.get_running_loop().time, self._endpoint.breaker
        if breaker.wait_s(now_s()) > 0.0:
            async for part in self._instead(text, history, language, begun=False):
                yield part
            return
        splitter = ClauseSplitter()
        emotion: Emotion | None = None
        taken, heard, failed = 0, False, False
        try:
            async with aclosing(self._deltas(text, history, language)) as deltas:
                async for delta in deltas:
                    for clause in splitter.feed(delta):
                        taken += len(clause)
                        heard |= has_speech(clause)
                        clause, emotion = with_emotion(clause, language, emotion)
                        yield AnswerPart(clause, self._spec.model)
                    if taken > MAX_ANSWER_CHARS:
                        splitter = ClauseSplitter()
                        break
            breaker.succeeded()
        except (UpstreamError, aiohttp.ClientError, OSError, ValueError) as error:
            log.warning("the language model failed: %s", self._cause(error))
            breaker.failed(now_s())
            failed = True
        for clause in splitter.flush():
            heard |= has_speech(clause)
            clause, emotion = with_emotion(clause, language, emotion)
            yield AnswerPart(clause, self._spec.model)
        if failed or not heard:
            async for part in self._instead(text, history, language, begun=heard):
                yield part

    async def aclose(self) -> None:
        """Close the connections, and the fallback."""
        if self._owns:
            await self._endpoint.aclose()
        if self._fallback is not None:
            await self._fallback.aclose()

    async def _instead(
        self, text: str, history: Sequence[Turn], language: str, *, begun: bool
    ) -> AsyncGenerator[AnswerPart, None]:
        """What is said where the endpoint does not answer, or breaks off."""
        if self._fallback is None or begun:
            yield AnswerPart(_SORRY.get(language, _SORRY["en"])[1 if begun else 0])
            return
        async for part in self._fallback.answer(text, history, language):
            yield part

    async def _deltas(self, text: str, history: Sequence[Turn], language: str) -> AsyncGenerator[str, None]:
        """The pieces of the model's text, without its thoughts."""
        patience = _Patience(self._spec)
        response = await patience.wait(self._post(text, history, language))
        thoughts = ThoughtFilter()
        try:
            if response.status != 200:
                raise UpstreamError(await patience.wait(_refusal(response)))
            if response.content_type == "application/json":
                yield thoughts.feed(_whole(await patience.wait(_body(response)))) + thoughts.flush()
                return
            async with aclosing(_pieces(response, patience)) as pieces:
                async for piece in pieces:
                    if said := thoughts.feed(piece):
                        patience.started = True
                        yield said
            yield thoughts.flush()
        finally:
            # closed, not returned to the pool: an answer that is no longer wanted must stop being generated
            response.close()

    async def _post(self, text: str, history: Sequence[Turn], language: str) -> aiohttp.ClientResponse:
        spec = self._spec
        body = {
            "model": spec.model,
            "messages": messages(spec.system_prompt, text, history[-spec.history_turns :], language),
            "temperature": spec.temperature,
            "max_tokens": spec.max_tokens,
            "stream": True,
        }
        if spec.top_p < 1.0:
            body["top_p"] = spec.top_p
        headers = {"Accept": "text/event-stream"}
        if spec.api_key:
            headers["Authorization"] = f"Bearer {spec.api_key}"
        url = spec.base_url.rstrip("/") + "/chat/completions"
        # a redirect is not followed: it would carry the key elsewhere
        return await self._endpoint.session.post(url, json=body, headers=headers, allow_redirects=False)

    def _cause(self, error: BaseException) -> str:
        """What happened, in one line, with neither this key nor anything that looks like one."""
        cause = f"{type(error).__name__}: {' '.join(str(error).split())}"
        if self._spec.api_key:
            cause = cause.replace(self._spec.api_key, "***")
        return _SECRET.sub("***", cause)[:MAX_CAUSE_CHARS]


class _Patience:
    """How long the endpoint may still take. Only the time spent waiting for it counts, not that of the speech."""

    def __init__(self, spec: ChatSpec) -> None:
        self._spec = spec
        self._waited_s = 0.0
        self.started = False
        """Whether the first words have come."""

    async def wait(self, work: Awaitable[T]) -> T:
        """The result of a step, or `UpstreamError` when it takes too long."""
        spec = self._spec
        left_s = spec.total_timeout_s - self._waited_s
        patience_s = spec.idle_timeout_s if self.started else spec.first_token_timeout_s - self._waited_s
        now = asyncio.get_running_loop().time
        began_s = now()
        try:
            async with asyncio.timeout(max(0.0, min(left_s, patience_s))):
                return await work
        except TimeoutError as error:
            what = "it went silent" if self.started else "no answer began"
            raise UpstreamError(f"{what}; waited {self._waited_s + now() - began_s:.1f} s in all") from error
        finally:
            self._waited_s += now() - began_s


async def _pieces(response: aiohttp.ClientResponse, patience: _Patience) -> AsyncGenerator[str, None]:
    """The text deltas of an event stream, to its proper end."""
    reader = EventReader()
    size = 0
    finished = False
    while chunk := await patience.wait(response.content.readany()):
        size += len(chunk)
        if size > MAX_STREAM_BYTES:
            raise UpstreamError(f"the stream is longer than {MAX_STREAM_BYTES} bytes")
        for data in reader.feed(chunk):
            if data == "[DONE]":
                return
            piece, last = _delta(data)
            finished |= last
            if piece:
                yield piece
    if not finished:
        raise UpstreamError("the stream ended before the answer did")


async def _refusal(response: aiohttp.ClientResponse) -> str:
    """Status and message of an answer that is no answer."""
    text = (await response.content.read(MAX_REFUSAL_BYTES)).decode("utf-8", "replace")
    try:
        error = json.loads(text)["error"]
        text = str(error["message"] if isinstance(error, dict) else error)
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    return f"HTTP {response.status}: {text}"


async def _body(response: aiohttp.ClientResponse) -> Any:
    """The JSON of an endpoint that does not stream."""
    body = await response.content.read(MAX_STREAM_BYTES)
    return _json(body.decode("utf-8", "replace"))


def _whole(answer: Any) -> str:
    choice = _first_choice(answer)
    message = choice.get("message")
    content = message.get("content") if isinstance(message, dict) else None
    return content if isinstance(content, str) else ""


def _delta(data: str) -> tuple[str, bool]:
    """The text of one event and whether it is the answer's last."""
    choice = _first_choice(_json(data))
    delta = choice.get("delta")
    content = delta.get("content") if isinstance(delta, dict) else None
    return content if isinstance(content, str) else "", choice.get("finish_reason") is not None


def _first_choice(answer: Any) -> dict[str, Any]:
    if not isinstance(answer, dict):
        raise UpstreamError("an event is not a JSON object")
    if answer.get("error"):
        error = answer["error"]
        raise UpstreamError(str(error.get("message", error) if isinstance(error, dict) else error))
    choices = answer.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    return choice if isinstance(choice, dict) else {}


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise UpstreamError("an event is not JSON") from None
