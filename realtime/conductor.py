"""The conductor of one session: turns what is to be said into sound, lips, gestures and events on media time."""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from typing import Final

from realtime.core import events
from realtime.core.clips import GESTURES
from realtime.core.described import UNDESCRIBED, Described
from realtime.core.errors import TooMany, UpstreamError
from realtime.core.facs import Emotion
from realtime.core.plan import Plan
from realtime.core.recording import Recording
from realtime.core.script import Beat, Feel, Gesture, Pause, Say, parse_script, strip_tags
from realtime.core.sound import SoundTimeline
from realtime.core.trace import Responses
from realtime.core.values import VoiceSpec
from realtime.core.voice_colour import Colour
from realtime.delivery import Delivery, closing, each
from realtime.ports import Answerer, Clock, Gate, Turn, Voice

log = logging.getLogger(__name__)

HISTORY_TURNS: Final = 12
"""Turns of the conversation an answerer is shown."""
MAX_WAITING: Final = 32
"""Scripts that may wait to be spoken."""
GAZE_HOLD_S: Final = 3.0


@dataclass(slots=True)
class ConductorCounters:
    """What a session has said so far."""

    turns: int = 0
    interruptions: int = 0
    dropped_s: float = 0.0
    """Seconds of sound that interruptions kept from being played."""
    voice_failures: int = 0


class Conductor:
    """Speaks scripts and answers one after another. All methods are called on the session's event loop.

    Every piece of work remembers the epoch it was begun in and stops as soon as that is over."""

    def __init__(
        self,
        *,
        plan: Plan,
        sound: SoundTimeline,
        voice: Voice,
        answerer: Answerer,
        clock: Clock,
        emit: Callable[[events.Event], None],
        spec: VoiceSpec,
        gate: Gate | None = None,
        described: Described = UNDESCRIBED,
        responses: Responses | None = None,
    ) -> None:
        self._plan = plan
        self.described = described
        """Finds gestures by free descriptions."""
        self._answerer = answerer
        self._clock = clock
        self._emit = emit
        self._gate = gate
        self._delivery = Delivery(
            plan=plan, sound=sound, voice=voice, clock=clock, emit=emit, spec=spec, responses=responses
        )
        self.responses = self._delivery.responses
        self._waiting: deque[AsyncIterator[Beat | Recording]] = deque()
        self._task: asyncio.Task[None] | None = None
        self._history: deque[Turn] = deque(maxlen=HISTORY_TURNS)
        self.counters = ConductorCounters()

    @property
    def busy(self) -> bool:
        """Whether something is being spoken or waits to be."""
        return self._task is not None or self._delivery.speaking or self._delivery.pending_s > 0

    @property
    def waiting(self) -> int:
        """Scripts and answers that wait their turn."""
        return len(self._waiting)

    # --- what can be asked of it

    def say(
        self,
        text: str,
        *,
        emotion: Emotion | None = None,
        intensity: float = 1.0,
        interrupt: bool = False,
    ) -> None:
        """Speak a script after what is being spoken, or instead of it. Raises `RequestError` for a bad script or
        when too many wait already, and then nothing changes."""
        language = self._delivery.spec.language
        script = parse_script(text, gestures=GESTURES, language=language, strict=True, described=self.described)
        beats: tuple[Beat, ...] = script.beats
        if emotion is not None:
            beats = (Feel(emotion, intensity), *beats)
        if interrupt:
            self.interrupt()
        self._make_room()
        self._enqueue(each(beats))

    def perform(self, beats: tuple[Beat | Recording, ...]) -> None:
        """Play beats nobody asked for, such as a run-down's or a recording. Raises `TooMany` when too much waits."""
        self._make_room()
        self._enqueue(each(beats), asked=False)

    def chat(self, text: str, *, at_once: bool = True, aloud: bool = True, preface: str = "") -> None:
        """Answer the viewer: at once, in the place of an answer that is still being given, or after it. An answer that
        is not aloud is only reported; `preface` is a script said before it. Raises `TooMany` when too much waits
        already."""
        if at_once and self.busy:
            self.interrupt()
        self._make_room()
        now_s = self._clock()
        self._emit(events.UserSaid(text))
        self._plan.attend(now_s)
        self._plan.think(now_s)
        self._enqueue(self._answer(text, aloud, preface))

    def interrupt(self) -> int:
        """Silence and a closed mouth at once; what was not spoken is dropped. Returns the new epoch."""
        now_s = self._clock()
        epoch = self._plan.interrupt(now_s)
        self.counters.dropped_s += self._delivery.cut()
        self.counters.interruptions += 1
        self._waiting.clear()
        if self._task is not None:
            self._task.cancel()
            self._task = None
        self._emit(events.Interrupted(epoch, now_s))
        self._delivery.stopped()
        return epoch

    def feel(self, emotion: Emotion, intensity: float) -> None:
        """Change the emotion now."""
        self._plan.feel(emotion, intensity, self._clock())
        self._delivery.feel(emotion, intensity)
        self._emit(events.EmotionChanged(emotion, intensity))

    def gesture(self, name: str) -> None:
        """Make a gesture now."""
        for made in self._plan.gesture(name, self._clock()):
            self._emit(events.GestureStarted(made))

    def sound_like(self, rate: float, pitch: float, energy: float) -> None:
        """From the next sentence on, speak with these factors on the voice's own; each is kept in its range."""
        self._delivery.style = Colour(rate, pitch, energy)

    def look(self, x: float, y: float) -> None:
        """Look somewhere for a few seconds."""
        self._plan.look(x, y, self._clock(), GAZE_HOLD_S)

    async def aclose(self) -> None:
        """Stop everything and wait until it has stopped."""
        task, self._task = self._task, None
        self._waiting.clear()
        self._delivery.cues.drop()
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    # --- performing

    def _make_room(self) -> None:
        if len(self._waiting) >= MAX_WAITING:
            retry_s = max(1.0, self._delivery.pending_s)
            raise TooMany("too much waits to be spoken", retry_after_s=retry_s, limit=f"{MAX_WAITING} scripts")

    def _enqueue(self, beats: AsyncIterator[Beat | Recording], *, asked: bool = True) -> None:
        self._waiting.append(beats)
        if asked:
            self._delivery.asked()
        if self._task is None:
            self._task = asyncio.create_task(self._perform(self._plan.epoch), name="conductor")

    async def _perform(self, epoch: int) -> None:
        """Speak what waits until nothing is left."""
        try:
            while self._waiting and epoch == self._plan.epoch:
                self.counters.turns += 1
                self._delivery.begin()
                async with closing(self._waiting.popleft()) as beats:
                    async for beat in beats:
                        await self._play(beat, epoch)
        except UpstreamError as error:
            self.counters.voice_failures += 1
            log.warning("speech failed: %s", error)
            self._emit(events.Failed("The voice failed; please try again."))
        except Exception:
            log.exception("a turn failed")
            self._emit(events.Failed("Something went wrong with this answer; please try again."))
        finally:
            if epoch == self._plan.epoch:
                self._task = None
                self._plan.settle()
                self._delivery.stop_when_silent(lambda: self._task is not None)

    async def _play(self, beat: Beat | Recording, epoch: int) -> None:
        """Put one beat on the timeline, after everything before it."""
        delivery, at_s = self._delivery, self._delivery.position_s
        match beat:
            case Say():
                if self._gate is not None:
                    beat = replace(beat, text=strip_tags(await self._gate.release(beat.text)))
                if beat.text and epoch == self._plan.epoch:
                    await delivery.speak(beat, epoch)
            case Recording():
                await delivery.play(beat, epoch)
            case Feel(emotion, intensity):
                self._plan.feel(emotion, intensity, at_s)
                delivery.feel(emotion, intensity)
                delivery.cues.at(at_s, events.EmotionChanged(emotion, intensity))
            case Gesture(name):
                for made in self._plan.gesture(name, at_s):
                    delivery.cues.at(at_s, events.GestureStarted(made))
            case Pause(duration_s):
                delivery.pause(duration_s)
            case _:
                delivery.cues.at(at_s, events.Report("mark", {"name": beat.name}))

    async def _answer(self, text: str, aloud: bool, preface: str) -> AsyncIterator[Beat]:
        """The beats of an answer as they are decided."""
        said: list[str] = []
        language = self._delivery.spec.language
        history = tuple(self._history)
        self._history.append(Turn("user", text))
        if preface and aloud:
            for beat in parse_script(preface, gestures=GESTURES, language=language, strict=False).beats:
                yield beat
        try:
            async with closing(self._answerer.answer(text, history, language)) as parts:
                async for part in parts:
                    self.responses.answered(self._clock())
                    cleaned = part.text if self._gate is None else self._gate.clean(part.text)
                    script = parse_script(
                        cleaned, gestures=GESTURES, language=language, strict=False, described=self.described
                    )
                    if script.unknown:
                        self._emit(events.Report("dropped", {"tags": list(script.unknown)}))
                    if not script.beats:
                        continue
                    self._emit(events.AnswerText(script.text, part.source))
                    said.append(script.text)
                    for beat in script.beats:
                        if aloud or not isinstance(beat, Say):
                            yield beat
        finally:
            if said:
                self._history.append(Turn("assistant", " ".join(said)))
