"""A voice behind an OpenAI-compatible endpoint: `POST {base}/audio/speech`, its sound streamed as it comes."""

import asyncio
import logging
import re
import struct
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final, TypeVar

import aiohttp
import numpy as np

from models.speech.aligned import chunks_of, pitched_rate_hz, reference
from models.speech.alignment import Floats
from models.speech.catalogue import LANGUAGES, VoiceInfo
from models.speech.espeak import EspeakVoice
from realtime.core.breaker import Breaker
from realtime.core.errors import UpstreamError
from realtime.core.values import SpeechChunk, VoiceSpec

T = TypeVar("T")
log = logging.getLogger(__name__)

PCM_RATE_HZ: Final = 24_000
"""Of the format `pcm`: mono int16, little-endian (OpenAI API reference, Create speech)."""
_SPEEDS: Final = (0.25, 4.0)
_CAUSE_CHARS: Final = 200
_SECRET: Final = re.compile(r"\b(?:sk|pk|key|token)[-_][\w*.-]{6,}|(?i:bearer)\s+\S+")


@dataclass(frozen=True, slots=True)
class SpeakingSpec:
    """Where and how to ask."""

    base_url: str
    """Up to and including the version, such as `http://localhost:8880/v1`."""
    model: str
    voices: tuple[str, ...]
    """Names that the endpoint knows."""
    api_key: str = field(default="", repr=False)
    connect_timeout_s: float = 3.0
    first_sound_timeout_s: float = 8.0
    idle_timeout_s: float = 5.0
    """Between two pieces of the sound."""


class EndpointVoice:
    """The port `Voice` on an endpoint. Where it fails before any sound, or has failed in a row and is left alone for a
    while, the embedded voice speaks instead: a host that falls silent is worse than one who sounds different."""

    def __init__(self, spec: SpeakingSpec, embedded: EspeakVoice) -> None:
        self._spec = spec
        self._embedded = embedded
        self._breaker = Breaker()
        self._session: aiohttp.ClientSession | None = None

    def voices(self) -> tuple[VoiceInfo, ...]:
        """The names that were configured; what they speak is the endpoint's affair."""
        about = f"{self._spec.model}, from an endpoint."
        return tuple(VoiceInfo(name, LANGUAGES, "", about) for name in self._spec.voices)

    async def speak(self, text: str, spec: VoiceSpec) -> AsyncIterator[SpeechChunk]:
        """Stream one utterance; closing it closes the request. Raises `UpstreamError` if it breaks off."""
        now_s = asyncio.get_running_loop().time
        if self._breaker.wait_s(now_s()) <= 0.0:
            begun = False
            try:
                async with aclosing(self._spoken(text, spec)) as chunks:
                    async for chunk in chunks:
                        begun = True
                        yield chunk
                self._breaker.succeeded()
                return
            except (UpstreamError, aiohttp.ClientError, OSError, ValueError) as error:
                self._breaker.failed(now_s())
                cause = self._cause(error)
                if begun:
                    raise UpstreamError(f"the voice's endpoint broke off: {cause}") from error
                log.warning("the voice's endpoint failed, the embedded voice speaks: %s", cause)
        async for chunk in self._embedded.speak(text, _as_embedded(spec)):
            yield chunk

    async def aclose(self) -> None:
        """Close the connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _spoken(self, text: str, spec: VoiceSpec) -> AsyncGenerator[SpeechChunk, None]:
        known = asyncio.create_task(reference(self._embedded, text, spec.language))
        try:
            response = await _patient(self._ask(text, spec), self._spec.first_sound_timeout_s, "it does not answer")
            try:
                sound = _Sound(response, self._spec)
                await sound.begin()
                rate_hz = pitched_rate_hz(sound.rate_hz, spec.pitch)
                async for chunk in chunks_of(sound.pieces(), await known, rate_hz, spec.energy):
                    yield chunk
            finally:
                response.close()
        finally:
            known.cancel()

    async def _ask(self, text: str, spec: VoiceSpec) -> aiohttp.ClientResponse:
        own = self._spec
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=None, sock_connect=own.connect_timeout_s)
            self._session = aiohttp.ClientSession(timeout=timeout)
        pitch = pitched_rate_hz(PCM_RATE_HZ, spec.pitch) / PCM_RATE_HZ
        speed = min(_SPEEDS[1], max(_SPEEDS[0], spec.rate / pitch))
        body = {"model": own.model, "voice": spec.name, "input": text, "response_format": "pcm",
                "speed": round(speed, 3)}  # fmt: skip
        headers = {"Authorization": f"Bearer {own.api_key}"} if own.api_key else {}
        url = own.base_url.rstrip("/") + "/audio/speech"
        # a redirect is not followed: it would carry the key elsewhere
        return await self._session.post(url, json=body, headers=headers, allow_redirects=False)

    def _cause(self, error: BaseException) -> str:
        """What happened, in one line, with neither this key nor anything that looks like one."""
        cause = f"{type(error).__name__}: {' '.join(str(error).split())}"
        if self._spec.api_key:
            cause = cause.replace(self._spec.api_key, "***")
        return _SECRET.sub("***", cause)[:_CAUSE_CHARS]


def _as_embedded(spec: VoiceSpec) -> VoiceSpec:
    return VoiceSpec("default", spec.language, spec.rate, spec.pitch, spec.energy)


class _Sound:
    """The sound of one answer: raw samples, or a WAV file from an endpoint that knows no `pcm`."""

    def __init__(self, response: aiohttp.ClientResponse, spec: SpeakingSpec) -> None:
        self._response = response
        self._spec = spec
        self._head = b""
        self.rate_hz = PCM_RATE_HZ

    async def begin(self) -> None:
        """Read as far as the sound's rate is known. Raises `UpstreamError` for what is no sound."""
        if self._response.status != 200:
            body = await _patient(self._response.content.read(2_000), self._spec.idle_timeout_s, "it went silent")
            raise UpstreamError(f"HTTP {self._response.status}: {body.decode('utf-8', 'replace')}")
        if self._response.content_type.startswith(("application/json", "text/")):
            raise UpstreamError(f"it answered with {self._response.content_type}, which is no sound")
        self._head = await self._read(44, self._spec.first_sound_timeout_s)
        if self._head[:4] == b"RIFF" and self._head[8:12] == b"WAVE":
            while b"data" not in self._head and len(self._head) < 4_096:
                more = await self._read(1, self._spec.idle_timeout_s)
                if not more:
                    break
                self._head += more
            self.rate_hz, self._head = wav_head(self._head)

    async def pieces(self) -> AsyncIterator[Floats]:
        """The samples as they come."""
        held = self._head
        while True:
            whole = len(held) // 2 * 2
            if whole:
                yield np.frombuffer(held[:whole], "<i2").astype(np.float32) / 32768.0
            more = await _patient(self._response.content.readany(), self._spec.idle_timeout_s, "it went silent")
            if not more:
                return
            held = held[whole:] + more

    async def _read(self, size: int, timeout_s: float) -> bytes:
        """At least so many bytes, fewer only at the end."""
        head = b""
        while len(head) < size:
            more = await _patient(self._response.content.readany(), timeout_s, "no sound came")
            if not more:
                break
            head += more
        return head


def wav_head(data: bytes) -> tuple[int, bytes]:
    """Sample rate of a WAV file's beginning, and the samples after its header. Raises `UpstreamError` for other than
    mono int16."""
    at = 12
    rate_hz = 0
    while at + 8 <= len(data):
        name, size = data[at : at + 4], struct.unpack_from("<I", data, at + 4)[0]
        if name == b"fmt " and at + 24 <= len(data):
            kind, channels, rate_hz, _, _, bits = struct.unpack_from("<HHIIHH", data, at + 8)
            if kind not in (1, 0xFFFE) or channels != 1 or bits != 16 or not 8_000 <= rate_hz <= 96_000:
                raise UpstreamError(f"its WAV has {channels} channels of {bits} bits at {rate_hz} Hz, not mono int16")
        if name == b"data" and rate_hz:
            return rate_hz, data[at + 8 :]
        at += 8 + size + size % 2
    raise UpstreamError("its WAV has no sound")


async def _patient(work: Awaitable[T], timeout_s: float, what: str) -> T:
    """The result, or `UpstreamError` when it takes too long."""
    try:
        async with asyncio.timeout(timeout_s):
            return await work
    except TimeoutError as error:
        raise UpstreamError(f"{what} within {timeout_s:g} s") from error
