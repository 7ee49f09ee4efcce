"""How sentences reach the viewers: voice, lips, captions and begin and end of speaking, laid onto media time."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final, TypeVar

from realtime.core import events
from realtime.core.facs import Emotion
from realtime.core.plan import Plan
from realtime.core.recording import Recording
from realtime.core.script import Say
from realtime.core.sound import SoundTimeline
from realtime.core.trace import Responses
from realtime.core.units import AUDIO_RATE_HZ
from realtime.core.values import SpeechChunk, VoiceSpec
from realtime.core.voice_colour import Colour, coloured
from realtime.cues import CueSheet
from realtime.ports import Clock, Voice

T = TypeVar("T")

AHEAD_S: Final = 2.0
"""How far synthesis may run ahead of the sound: enough to never starve, little enough to lose on interruption."""

FACE_FOLLOWS_S: Final = 1.0
"""How long a face takes to show what was asked of it."""


class Delivery:
    """One session's. Everything is put after what was put before; work of an epoch that is over is given up.

    All methods are called on the session's event loop."""

    def __init__(
        self,
        *,
        plan: Plan,
        sound: SoundTimeline,
        voice: Voice,
        clock: Clock,
        emit: Callable[[events.Event], None],
        spec: VoiceSpec,
        responses: Responses | None = None,
    ) -> None:
        self._plan = plan
        self._sound = sound
        self._voice = voice
        self._clock = clock
        self._emit = emit
        self.spec = spec
        """The session's voice before anything is felt."""
        self.style = Colour()
        """What a direction to the host changed of it."""
        self.responses = responses or Responses()
        """Follows requests to their first frame."""
        self.cues = CueSheet(clock, emit)
        self.speaking = False
        self._felt = (Emotion.NEUTRAL, 0.0)
        self._felt_s = -FACE_FOLLOWS_S
        self._not_before_s = 0.0
        self._asked_s: float | None = None

    @property
    def pending_s(self) -> float:
        """Sound that waits to be heard."""
        return self._sound.pending_s(self._clock())

    @property
    def position_s(self) -> float:
        """Media time at which the next thing can happen: after the waiting sound and any pause."""
        now_s = self._clock()
        return max(now_s, now_s + self._sound.pending_s(now_s), self._not_before_s)

    def asked(self) -> None:
        """Somebody waits from now on to hear something."""
        if self._asked_s is None and not self.speaking:
            self._asked_s = self._clock()
            self.responses.asked(self._asked_s)

    def begin(self) -> None:
        """A turn begins: it sounds like the face looks, unless it follows on speech that is still to be heard, or the
        face is only on its way."""
        if self.pending_s <= 0 and self._clock() - self._felt_s > FACE_FOLLOWS_S:
            weights = self._plan.felt(self._clock())
            strongest = max((one for one in Emotion if one is not Emotion.NEUTRAL), key=lambda one: weights[one])
            self._felt = (strongest, weights[strongest])

    def feel(self, emotion: Emotion, intensity: float) -> None:
        """What is spoken from here on sounds like this."""
        self._felt, self._felt_s = (emotion, intensity), self._clock()

    def pause(self, duration_s: float) -> None:
        """Nothing for a while."""
        self._not_before_s = self.position_s + duration_s

    async def speak(self, say: Say, epoch: int) -> None:
        """Speak one sentence; returns when little of it is left to be heard. Raises `UpstreamError`."""
        # a script's own prosody is what its writer wants to hear: it comes last
        spec = Colour(say.rate, say.pitch).on(coloured(self.style.on(self.spec), *self._felt, say.emphasis))
        if say.language:
            spec = replace(spec, language=say.language)
        await self._put(say, self._voice.speak(say.text, spec), epoch)

    async def play(self, recording: Recording, epoch: int) -> None:
        """Play a recording with its lips."""
        await self._put(Say(""), each(recording.chunks), epoch)

    def cut(self) -> float:
        """Silence at once, and nothing that was to come; seconds of sound that were dropped."""
        self.cues.drop()
        self._not_before_s = 0.0
        self._asked_s = None
        self.responses.dropped()
        return self._sound.cut(self._clock())

    def stop_when_silent(self, busy: Callable[[], bool]) -> None:
        """Report the end of speaking when the last sample has sounded, unless more was said meanwhile."""

        def check() -> None:
            if busy():
                return
            if self.pending_s > 0:
                self.stop_when_silent(busy)
            else:
                self.stopped()

        self.cues.call_at(self._clock() + self.pending_s, check)

    def stopped(self) -> None:
        """Nothing is heard any more."""
        if self.speaking:
            self.speaking = False
            self._emit(events.SpeakingStopped(self._clock(), self._plan.epoch))

    # --- inside

    async def _put(self, say: Say, stream: AsyncIterator[SpeechChunk], epoch: int) -> None:
        first = True
        async with closing(stream) as chunks:
            async for chunk in chunks:
                if epoch != self._plan.epoch:
                    return
                if len(chunk.pcm) == 0 and not chunk.phonemes:
                    continue
                self._place(say, chunk, first=first)
                first = False
                await self._keep_pace()

    def _place(self, say: Say, chunk: SpeechChunk, *, first: bool) -> None:
        """Put one chunk of an utterance on the timeline: sound, lips, captions."""
        begin_s = self._sound.append(chunk.pcm, self.position_s)
        zero_s = begin_s - chunk.start_s
        self.responses.voiced(self._clock(), begin_s)
        self._plan.speak(chunk.phonemes, zero_s, begin_s + len(chunk.pcm) / AUDIO_RATE_HZ)
        epoch = self._plan.epoch
        if first:
            self._started(begin_s)
            if say.text:
                self.cues.at(zero_s, events.SentenceStarted(say.text, zero_s, epoch))
        for word in chunk.words:
            at_s = zero_s + word.start_s
            self.cues.at(at_s, events.WordSpoken(say.text[word.begin : word.end], at_s, epoch))

    async def _keep_pace(self) -> None:
        ahead_s = self.pending_s - AHEAD_S
        if ahead_s > 0:
            await asyncio.sleep(ahead_s)

    def _started(self, begin_s: float) -> None:
        if self._asked_s is not None:
            delay_ms = round((begin_s - self._asked_s) * 1000, 1)
            self.cues.at(begin_s, events.Report("metrics", {"text_to_sound_ms": delay_ms}))
            self._asked_s = None
        if not self.speaking:
            self.speaking = True
            self.cues.at(begin_s, events.SpeakingStarted(begin_s, self._plan.epoch))


@asynccontextmanager
async def closing(stream: AsyncIterator[T]) -> AsyncIterator[AsyncIterator[T]]:
    """The stream, closed at the end however that comes, if it is one that can be closed."""
    try:
        yield stream
    finally:
        close = getattr(stream, "aclose", None)
        if close is not None:
            await close()


async def each(items: tuple[T, ...]) -> AsyncIterator[T]:
    """A stream of what is there already."""
    for item in items:
        yield item
