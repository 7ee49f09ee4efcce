"""Several speakers behind the one port `Voice`: who is called by which name."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from models.speech.catalogue import VoiceInfo
from models.speech.espeak import EspeakVoice
from realtime.core.errors import ConfigError
from realtime.core.values import SpeechChunk, VoiceSpec


class Speaker(Protocol):
    """One source of voices."""

    def voices(self) -> Sequence[VoiceInfo]:
        """Its voices."""
        ...

    def speak(self, text: str, spec: VoiceSpec) -> AsyncIterator[SpeechChunk]:
        """As the port `Voice` says; `spec.name` is one of its own."""
        ...

    async def aclose(self) -> None:
        """Release what it holds."""
        ...


class Chorus:
    """The embedded voice, and others by name. A name that nobody else has is the embedded voice's to judge."""

    def __init__(self, embedded: EspeakVoice, others: Sequence[Speaker] = ()) -> None:
        self._embedded = embedded
        self._others = tuple(others)
        self._by_name: dict[str, Speaker] = {}
        taken = {info.name for info in embedded.voices()}
        for speaker in self._others:
            for info in speaker.voices():
                if info.name in taken:
                    raise ConfigError(f"two voices are called {info.name!r}")
                taken.add(info.name)
                self._by_name[info.name] = speaker

    async def warm_up(self) -> None:
        """Start the embedded voice, which also times the others."""
        await self._embedded.warm_up()

    def voices(self) -> tuple[VoiceInfo, ...]:
        """Everybody's, the embedded ones first."""
        return (*self._embedded.voices(), *(info for speaker in self._others for info in speaker.voices()))

    def speak(self, text: str, spec: VoiceSpec) -> AsyncIterator[SpeechChunk]:
        """Stream one utterance by whoever has the name."""
        return self._by_name.get(spec.name, self._embedded).speak(text, spec)

    async def aclose(self) -> None:
        """Release everybody."""
        for speaker in self._others:
            await speaker.aclose()
        await self._embedded.aclose()
