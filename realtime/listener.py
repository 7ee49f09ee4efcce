"""Listens to one viewer's microphone: turns of speech become words, interruptions, attention and a mood.

The sound is worked on by the hearing thread (`realtime.ear`); this side runs on the event loop and acts. An answer is
prepared while the host still waits whether the turn is over: at the first pause the recogniser begins, and if the pause
turns out to be the end, its words are mostly there already.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

from realtime.core.errors import AnimaError, UpstreamError
from realtime.core.facs import Emotion
from realtime.core.units import AUDIO_RATE_HZ, AUDIO_TICK_S
from realtime.core.values import Pcm
from realtime.core.voice_mood import MoodReader, empathy
from realtime.ear import Ear, Heard, Played, PlayedTick
from realtime.ports import Clock, Transcriber

log = logging.getLogger(__name__)

WAITING_MAX_S: Final = 1.0
"""Sound that may wait for the hearing thread; older sound is dropped."""
SILENT_S: Final = 0.4
"""A microphone that sends nothing for so long is off: a turn under way is over."""
NOD_AFTER_S: Final = 2.0
"""A viewer who has spoken for this long gets a nod at the next pause."""
NOD_EVERY_S: Final = 5.0
KEPT_TIMES: Final = 100


class Room(Protocol):
    """The conversation a microphone belongs to. Called on the event loop."""

    @property
    def language(self) -> str: ...

    @property
    def host_speaks(self) -> bool:
        """Whether the host speaks or is about to."""
        ...

    def barge_in(self) -> None:
        """A viewer talks over the host."""
        ...

    def speech_started(self) -> None:
        """A viewer has begun to speak: attend."""
        ...

    def speech_goes_on(self) -> None:
        """A viewer still speaks."""
        ...

    def speech_stopped(self) -> None:
        """The viewer's turn is over."""
        ...

    def backchannel(self) -> None:
        """A good moment for a small nod."""
        ...

    def interim(self, text: str) -> None:
        """What the viewer has said so far, as far as it is understood."""
        ...

    def said(self, text: str) -> None:
        """The viewer's words, to be answered. Raises `RequestError` when they cannot be."""
        ...

    def not_understood(self) -> None:
        """The recogniser failed; the viewer should know."""
        ...

    def moved(self, emotion: Emotion, intensity: float) -> None:
        """How the viewer sounded puts the host in this mood."""
        ...


@dataclass(slots=True)
class ListenerCounters:
    """What one microphone brought so far."""

    turns: int = 0
    barge_ins: int = 0
    dismissed: int = 0
    failures: int = 0
    dropped: int = 0
    """Pieces of sound lost because the hearing thread was behind."""


class Listener:
    """One microphone. `packet` or `sound` as it comes, `aclose` at the end."""

    def __init__(
        self, room: Room, make_ear: Callable[[], Ear], thread: Executor, transcriber: Transcriber, played: Played,
        clock: Clock,
    ) -> None:
        self.counters = ListenerCounters()
        self.text_ms: deque[float] = deque(maxlen=KEPT_TIMES)
        """From the last voice of a turn to its words."""
        self._room = room
        self._make_ear = make_ear
        self._ear: Ear | None = None
        self._thread = thread
        self._transcriber = transcriber
        self._played = played
        self._clock = clock
        self._mood = MoodReader()
        self._waiting: deque[tuple[bytes | Pcm, float]] = deque(maxlen=round(WAITING_MAX_S / AUDIO_TICK_S))
        self._working = False
        self._played_tick = -1
        self._arrived_s = 0.0
        self._watch: asyncio.TimerHandle | None = None
        self._guess: asyncio.Task[str] | None = None
        self._guess_until_s = -1.0
        self._tasks: set[asyncio.Task[None]] = set()
        self._nodded_s = float("-inf")
        self._closed = False

    # --- sound in

    def packet(self, payload: bytes) -> None:
        """An encoded packet, in order; an empty one stands for a lost one."""
        self._take(payload)

    def sound(self, pcm: Pcm, at_s: float) -> None:
        """PCM at 48 kHz; its arrival counts, `at_s` is the publisher's own clock."""
        if len(pcm) <= AUDIO_RATE_HZ:
            self._take(pcm)

    @property
    def echo_lag_s(self) -> float | None:
        """How long the host's own sound takes to come back, once that was found."""
        return self._ear.echo_lag_s if self._ear is not None else None

    async def aclose(self) -> None:
        """Stop listening; what is being recognised is given up."""
        self._closed = True
        self._waiting.clear()
        if self._watch is not None:
            self._watch.cancel()
        self._drop_guess()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _take(self, piece: bytes | Pcm) -> None:
        if self._closed:
            return
        self._arrived_s = self._clock()
        self.counters.dropped += len(self._waiting) == self._waiting.maxlen
        self._waiting.append((piece, self._arrived_s))
        self._work()

    def _work(self) -> None:
        """Have the hearing thread take in what waits, one batch at a time so that the order is kept."""
        if self._working or self._closed or not self._waiting:
            return
        batch = tuple(self._waiting)
        self._waiting.clear()
        played = self._played.since(self._played_tick)
        if played:
            self._played_tick = played[-1][0]
        self._run(partial(_hear, self._opened(), batch, played))

    def _opened(self) -> Callable[[], Ear]:
        """The ear, made on the hearing thread when sound comes first: its network takes a moment to load."""

        def opened() -> Ear:
            if self._ear is None:
                self._ear = self._make_ear()
            return self._ear

        return opened

    def _run(self, work: Callable[[], list[Heard]]) -> None:
        self._working = True
        future = asyncio.get_running_loop().run_in_executor(self._thread, work)
        future.add_done_callback(self._worked)

    def _worked(self, future: "asyncio.Future[list[Heard]]") -> None:
        self._working = False
        if future.cancelled() or self._closed:
            return
        error = future.exception()
        if error is not None:
            self.counters.failures += 1
            log.error("hearing failed", exc_info=error)
        else:
            for heard in future.result():
                self._act(heard)
        self._work()

    # --- what it means

    def _act(self, heard: Heard) -> None:
        match heard.kind:
            case "started":
                self._started()
            case "ongoing":
                self._room.speech_goes_on()
                self._start(self._interim(heard.pcm))
            case "paused":
                self._drop_guess()
                self._guess = asyncio.create_task(self._transcriber.transcribe(heard.pcm, self._room.language))
                self._guess.add_done_callback(_seen)
                self._guess_until_s = heard.until_s
                self._nod(heard)
            case "resumed":
                self._drop_guess()
            case "ended":
                self._room.speech_stopped()
                self._start(self._finish(heard))
            case "dismissed":
                self.counters.dismissed += 1
                self._drop_guess()
                self._room.speech_stopped()

    def _started(self) -> None:
        self._room.speech_started()
        if self._room.host_speaks:
            self.counters.barge_ins += 1
            self._room.barge_in()
        self._watch_for_silence()

    def _nod(self, heard: Heard) -> None:
        long_enough = heard.until_s - heard.from_s >= NOD_AFTER_S
        if long_enough and heard.at_s - self._nodded_s >= NOD_EVERY_S and not self._room.host_speaks:
            self._nodded_s = heard.at_s
            self._room.backchannel()

    async def _interim(self, pcm: Pcm) -> None:
        """Words so far, if the recogniser has nothing better to do."""
        if len(self._tasks) > 1 or self._guess is not None:
            return
        try:
            text = await self._transcriber.transcribe(pcm, self._room.language)
        except UpstreamError:
            # the turn's end tries again, and tells the viewer
            return
        if text and self._ear is not None and self._ear.speaking:
            self._room.interim(text)

    async def _finish(self, heard: Heard) -> None:
        """The turn's words into the conversation."""
        self.counters.turns += 1
        guess, self._guess = self._guess, None
        try:
            if guess is not None and self._guess_until_s >= heard.until_s:
                text = await guess
            else:
                if guess is not None:
                    guess.cancel()
                text = await self._transcriber.transcribe(heard.pcm, self._room.language)
        except UpstreamError as error:
            self.counters.failures += 1
            log.warning("a turn was not recognised: %s", error)
            self._room.not_understood()
            return
        self.text_ms.append(round((self._clock() - heard.until_s) * 1000, 1))
        felt = self._mood.read(heard.windows)
        if felt is not None:
            self._room.moved(*empathy(felt))
        if text:
            try:
                self._room.said(text)
            except AnimaError as error:
                log.info("a spoken turn was not taken: %s", error)

    def _drop_guess(self) -> None:
        guess, self._guess = self._guess, None
        if guess is not None:
            guess.cancel()

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work, name="listening")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- a microphone that goes off in the middle of a word

    def _watch_for_silence(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
        self._watch = asyncio.get_running_loop().call_later(SILENT_S, self._check)

    def _check(self) -> None:
        self._watch = None
        if self._clock() - self._arrived_s >= SILENT_S:
            self._silent()
        elif self._ear is not None and self._ear.speaking:
            self._watch_for_silence()

    def _silent(self) -> None:
        if self._ear is None or self._closed:
            return
        if self._working:
            self._watch_for_silence()
        else:
            self._run(partial(self._ear.close, self._clock()))


def _hear(
    opened: Callable[[], Ear], batch: Sequence[tuple[bytes | Pcm, float]], played: Sequence[PlayedTick]
) -> list[Heard]:
    """On the hearing thread."""
    ear = opened()
    found: list[Heard] = []
    for index, (piece, arrived_s) in enumerate(batch):
        found += ear.hear(piece, arrived_s, () if index else played)
    return found


def _seen(task: "asyncio.Task[str]") -> None:
    """An attempt that nobody waits for any more may fail in peace."""
    if not task.cancelled():
        task.exception()
