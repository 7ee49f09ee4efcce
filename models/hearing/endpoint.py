"""Recognition by an OpenAI-compatible endpoint: `POST {base}/audio/transcriptions` with a WAV of the turn."""

import asyncio
import io
import json
import logging
import re
import wave
from dataclasses import dataclass, field
from typing import Final

import aiohttp

from realtime.core.breaker import Breaker
from realtime.core.errors import UpstreamError
from realtime.core.listening import HEARING_RATE_HZ
from realtime.core.values import Pcm
from realtime.ports import Clock

log = logging.getLogger(__name__)

MAX_ANSWER_BYTES: Final = 256 * 1024
MAX_TEXT_CHARS: Final = 2_000
_CAUSE_CHARS: Final = 200
_SECRET: Final = re.compile(r"\b(?:sk|pk|key|token)[-_][\w*.-]{6,}|(?i:bearer)\s+\S+")


@dataclass(frozen=True, slots=True)
class HearingSpec:
    """Where and how to ask."""

    base_url: str
    """Up to and including the version, such as `http://localhost:8000/v1`."""
    model: str
    api_key: str = field(default="", repr=False)
    connect_timeout_s: float = 3.0
    timeout_s: float = 8.0
    """For the whole of one request: a conversation does not wait longer."""


class EndpointTranscriber:
    """The port `Transcriber` on an endpoint. One connection pool for all sessions; three failures in a row and it is
    left alone for a while, so that a dead endpoint costs viewers an apology and not a wait."""

    def __init__(self, spec: HearingSpec, clock: Clock) -> None:
        self._spec = spec
        self._clock = clock
        self._breaker = Breaker()
        self._session: aiohttp.ClientSession | None = None

    def understands(self, language: str) -> bool:
        """What the endpoint knows is its own affair; everything is tried."""
        return True

    async def warm_up(self) -> None:
        """Nothing to load."""

    async def transcribe(self, pcm: Pcm, language: str) -> str:
        """The words in sound at 16 kHz. Raises `UpstreamError`; cancelling closes the request's connection."""
        wait_s = self._breaker.wait_s(self._clock())
        if wait_s > 0:
            raise UpstreamError(f"the recogniser's endpoint failed and is left alone for {wait_s:.0f} s more")
        try:
            async with asyncio.timeout(self._spec.timeout_s):
                text = await self._ask(pcm, language)
        except (UpstreamError, aiohttp.ClientError, OSError, ValueError) as error:
            self._breaker.failed(self._clock())
            raise UpstreamError(f"the recogniser's endpoint failed: {self._cause(error)}") from error
        self._breaker.succeeded()
        return text

    async def aclose(self) -> None:
        """Close the connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _ask(self, pcm: Pcm, language: str) -> str:
        spec = self._spec
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=None, sock_connect=spec.connect_timeout_s)
            self._session = aiohttp.ClientSession(timeout=timeout)
        form = aiohttp.FormData()
        form.add_field("file", wav(pcm), filename="turn.wav", content_type="audio/wav")
        form.add_field("model", spec.model)
        form.add_field("language", "zh" if language.startswith(("zh", "cmn")) else language.split("-")[0])
        form.add_field("response_format", "json")
        headers = {"Authorization": f"Bearer {spec.api_key}"} if spec.api_key else {}
        url = f"{spec.base_url.rstrip('/')}/audio/transcriptions"
        async with self._session.post(url, data=form, headers=headers, allow_redirects=False) as response:
            body = await response.content.read(MAX_ANSWER_BYTES + 1)
            while len(body) <= MAX_ANSWER_BYTES and (more := await response.content.read(MAX_ANSWER_BYTES)):
                body += more
            if response.status != 200:
                raise UpstreamError(f"HTTP {response.status}: {body[:_CAUSE_CHARS].decode('utf-8', 'replace')}")
            if len(body) > MAX_ANSWER_BYTES:
                raise UpstreamError(f"an answer of more than {MAX_ANSWER_BYTES} bytes")
        answer = json.loads(body)
        text = answer.get("text") if isinstance(answer, dict) else None
        if not isinstance(text, str):
            raise UpstreamError("an answer without a text")
        return " ".join(text.split())[:MAX_TEXT_CHARS]

    def _cause(self, error: BaseException) -> str:
        """What happened, in one line, with neither this key nor anything that looks like one."""
        if isinstance(error, TimeoutError):
            return f"no answer within {self._spec.timeout_s:g} s"
        cause = f"{type(error).__name__}: {' '.join(str(error).split())}"
        if self._spec.api_key:
            cause = cause.replace(self._spec.api_key, "***")
        return _SECRET.sub("***", cause)[:_CAUSE_CHARS]


def wav(pcm: Pcm) -> bytes:
    """Sound at 16 kHz as a WAV file."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(HEARING_RATE_HZ)
        file.writeframes(pcm.tobytes())
    return out.getvalue()
