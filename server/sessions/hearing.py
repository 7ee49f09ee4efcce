"""A session's ears: a listener per open microphone, and what viewers' speech does to the conversation."""

import asyncio
import logging
from collections.abc import Callable, Hashable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, Final

from realtime.conductor import Conductor
from realtime.core import events
from realtime.core.facs import Emotion
from realtime.core.plan import Plan
from realtime.ear import Ear, Played
from realtime.listener import Listener
from realtime.ports import Clock, SpeechDetector, Transcriber
from server.director.direction import Direction
from server.metrics import Metrics
from server.rtc.microphone import OpusDecoder

log = logging.getLogger(__name__)

Tell = Callable[[events.Event], None]

MOOD_S: Final = 20.0
"""How long a viewer's tone of voice colours the host's face, unless the next turn changes it."""
BACKCHANNEL: Final = "nod"


@dataclass(frozen=True, slots=True)
class HearingParts:
    """What all microphones of a process share. Built by `server.compose`."""

    transcriber: Transcriber
    make_detector: Callable[[], SpeechDetector]
    """Called on the hearing thread."""
    thread: Executor
    """One thread: voices are detected in turn."""
    max_microphones: int
    """Per session."""


class Hearing:
    """One session's. Without parts, or for a language that cannot be recognised, nobody is heard."""

    def __init__(
        self,
        parts: HearingParts | None,
        *,
        language: str,
        conductor: Conductor,
        directed: Direction,
        plan: Plan,
        played: Played,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        understood = parts is not None and parts.transcriber.understands(language)
        self._parts = parts if understood else None
        self.language = language
        self.conductor = conductor
        self.directed = directed
        self.plan = plan
        self.metrics = metrics
        self.clock = clock
        self._played = played
        self._open: dict[Hashable, Listener] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._warming: asyncio.Task[None] | None = None
        self._past: dict[str, int] = {}

    @property
    def available(self) -> bool:
        """Whether viewers may speak to the host."""
        return self._parts is not None

    def opener(self, key: Hashable, tell: Tell, may_talk: Callable[[], bool]) -> Callable[[], Listener | None] | None:
        """What a viewer's connection calls when its first packet comes; None if nobody is heard here."""
        return (lambda: self.open(key, tell) if may_talk() else None) if self.available else None

    def open(self, key: Hashable, tell: Tell) -> Listener | None:
        """A listener for one more microphone; None when there are as many as may be."""
        parts = self._parts
        if parts is None or len(self._open) >= parts.max_microphones:
            return None
        if self._warming is None:
            self._warming = asyncio.create_task(parts.transcriber.warm_up(), name="warm-recogniser")
            self._warming.add_done_callback(_warmed)
        listener = Listener(
            SpokenTo(self, tell),
            lambda: Ear(parts.make_detector(), OpusDecoder()),
            parts.thread,
            parts.transcriber,
            self._played,
            self.clock,
        )
        self._open[key] = listener
        return listener

    def close(self, key: Hashable) -> None:
        """The viewer has left."""
        listener = self._open.pop(key, None)
        if listener is None:
            return
        for name, count in _counts(listener).items():
            self._past[name] = self._past.get(name, 0) + count
        task = asyncio.create_task(listener.aclose(), name="close-listener")
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    def figures(self) -> dict[str, Any]:
        """What was heard so far."""
        listeners = self._open.values()
        figures: dict[str, Any] = dict(self._past)
        for listener in listeners:
            for name, count in _counts(listener).items():
                figures[name] = figures.get(name, 0) + count
        texts = [text_ms for listener in listeners for text_ms in listener.text_ms]
        lags = [round(1000 * lag_s) for listener in listeners if (lag_s := listener.echo_lag_s) is not None]
        return {"microphones": len(self._open), "speech_to_text_ms": texts[-20:], "echo_lag_ms": lags} | figures

    async def aclose(self) -> None:
        """Stop listening to everybody."""
        for key in list(self._open):
            self.close(key)
        if self._warming is not None:
            self._warming.cancel()
        await asyncio.gather(*self._closing, return_exceptions=True)


class SpokenTo:
    """The room of `realtime.listener` for one viewer: `tell` reaches this viewer alone."""

    def __init__(self, hearing: Hearing, tell: Tell) -> None:
        self._hearing = hearing
        self._tell = tell

    @property
    def language(self) -> str:
        """The session's language."""
        return self._hearing.language

    @property
    def host_speaks(self) -> bool:
        """Whether there is something to interrupt, and the scene lets viewers do so."""
        hearing = self._hearing
        return hearing.conductor.busy and hearing.directed.director.policy.chat_cuts_in

    def barge_in(self) -> None:
        """Silence at once."""
        hearing = self._hearing
        hearing.metrics.interrupted()
        hearing.conductor.interrupt()
        hearing.directed.silenced()

    def speech_started(self) -> None:
        """Attend, and tell the viewer that the host hears."""
        self.speech_goes_on()
        self._tell(events.UserStartedSpeaking())

    def speech_goes_on(self) -> None:
        """Attend."""
        self._hearing.plan.attend(self._hearing.clock())

    def speech_stopped(self) -> None:
        """Tell the viewer that the turn is the host's."""
        self.speech_goes_on()
        self._tell(events.UserStoppedSpeaking())

    def backchannel(self) -> None:
        """A nod."""
        self._hearing.plan.gesture(BACKCHANNEL, self._hearing.clock())

    def interim(self, text: str) -> None:
        """Shown to the speaker only: it has passed no filter yet."""
        self._tell(events.UserSaid(text, final=False))

    def said(self, text: str) -> None:
        """Into the conversation, through the same filter as typed words."""
        self._hearing.directed.chat(text)

    def not_understood(self) -> None:
        """Tell the viewer."""
        self._tell(events.Failed("Your words could not be recognised; please say that again, or type it."))

    def moved(self, emotion: Emotion, intensity: float) -> None:
        """Let the face come to rest in another mood for a while."""
        plan, now_s = self._hearing.plan, self._hearing.clock()
        plan.rest_at(emotion, intensity, now_s)
        plan.rest_at(Emotion.NEUTRAL, 0.0, now_s + MOOD_S)


class PublishedSound:
    """The ingest port for a publisher (WHIP): its sound is heard like a viewer's, its pictures are not looked at."""

    def __init__(self, hearing: Hearing, tell: Tell) -> None:
        self._hearing = hearing
        self._tell = tell
        self._listener: Listener | None = None

    def sound(self, pcm: Any, at_s: float) -> None:
        """Mono PCM at 48 kHz."""
        if self._listener is None:
            self._listener = self._hearing.open(self, self._tell)
        if self._listener is not None:
            self._listener.sound(pcm, at_s)

    def picture(self, pixels: Any, at_s: float) -> None:
        """Nobody looks."""

    def ended(self) -> None:
        """The publisher has gone."""
        self._listener = None
        self._hearing.close(self)


def _counts(listener: Listener) -> dict[str, int]:
    counters = listener.counters
    return {
        "spoken_turns": counters.turns,
        "barge_ins": counters.barge_ins,
        "dismissed": counters.dismissed,
        "hearing_failures": counters.failures,
        "sound_dropped": counters.dropped,
    }


def _warmed(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.warning("the recogniser could not be warmed: %s", error)
