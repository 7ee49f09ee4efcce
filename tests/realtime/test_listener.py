"""One microphone's way into the conversation, with a detector that hears level and a recogniser of fixed words."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from realtime.core.errors import UpstreamError
from realtime.core.facs import Emotion
from realtime.core.listening import HEARING_RATE_HZ, level_db
from realtime.core.units import AUDIO_RATE_HZ, AUDIO_TICK_SAMPLES
from realtime.core.values import Pcm
from realtime.ear import Ear, Played
from realtime.listener import Listener

TICK_S = 0.02


class LoudIsSpeech:
    """A detector for tones."""

    def __init__(self) -> None:
        self.asked = 0
        self.resets = 0

    def __call__(self, window: Pcm) -> float:
        self.asked += 1
        return 1.0 if level_db(window) > -40 else 0.0

    def reset(self) -> None:
        self.resets += 1


class Words:
    """A recogniser whose answers say how much it was given."""

    def __init__(self) -> None:
        self.given_s: list[float] = []
        self.failing = False
        self.cancelled = 0
        self.gate: asyncio.Event | None = None

    def understands(self, language: str) -> bool:
        return True

    async def warm_up(self) -> None: ...

    async def transcribe(self, pcm: Pcm, language: str) -> str:
        self.given_s.append(len(pcm) / HEARING_RATE_HZ)
        if self.failing:
            raise UpstreamError("down")
        try:
            await (self.gate.wait() if self.gate else asyncio.sleep(0))
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return f"words of {language}"

    async def aclose(self) -> None: ...


class FakeRoom:
    """Notes everything."""

    language = "en"

    def __init__(self) -> None:
        self.host_speaks = False
        self.notes: list[str] = []
        self.moods: list[tuple[Emotion, float]] = []

    def barge_in(self) -> None:
        self.notes.append("barge in")
        self.host_speaks = False

    def speech_started(self) -> None:
        self.notes.append("started")

    def speech_goes_on(self) -> None:
        self.notes.append("on")

    def speech_stopped(self) -> None:
        self.notes.append("stopped")

    def backchannel(self) -> None:
        self.notes.append("nod")

    def interim(self, text: str) -> None:
        self.notes.append(f"interim {text}")

    def said(self, text: str) -> None:
        self.notes.append(f"said {text}")

    def not_understood(self) -> None:
        self.notes.append("not understood")

    def moved(self, emotion: Emotion, intensity: float) -> None:
        self.moods.append((emotion, intensity))


class Microphone:
    """Plays sound into a listener as fast as it is taken, on a clock of its own."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.room, self.words, self.detector = FakeRoom(), Words(), LoudIsSpeech()
        self.thread = ThreadPoolExecutor(1)
        self.played = Played(lambda tick: np.zeros(AUDIO_TICK_SAMPLES, np.int16))
        self.listener = Listener(
            self.room, lambda: Ear(self.detector, lambda payload: np.frombuffer(payload, np.int16)), self.thread,
            self.words, self.played, lambda: self.now_s,
        )  # fmt: skip
        self._phase = 0

    async def hear(self, seconds: float, amplitude: int = 0) -> None:
        for _ in range(round(seconds / TICK_S)):
            at = np.arange(self._phase, self._phase + AUDIO_TICK_SAMPLES) / AUDIO_RATE_HZ
            self._phase += AUDIO_TICK_SAMPLES
            pcm = (amplitude * np.sin(2 * np.pi * 180 * at)).astype(np.int16)
            self.now_s += TICK_S
            self.played.read(round(self.now_s / TICK_S))
            self.listener.sound(pcm, self.now_s)
            await self.settle()

    async def settle(self) -> None:
        while self.listener._working:  # noqa: ASYNC110  # the hearing thread reports to the loop, not to us
            await asyncio.sleep(0.0005)
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    def kinds(self) -> list[str]:
        return [note for note in self.room.notes if note != "on"]


@pytest.fixture
async def microphone() -> AsyncIterator[Microphone]:
    made = Microphone()
    yield made
    await made.listener.aclose()
    made.thread.shutdown()


async def test_a_turn_becomes_words_once(microphone: Microphone) -> None:
    await microphone.hear(0.5)
    await microphone.hear(0.6, 6000)
    await microphone.hear(1.0)
    assert microphone.kinds() == ["started", "stopped", "said words of en"]
    # recognised once, from the first pause on; with the lead but without the wait for the end
    assert len(microphone.words.given_s) == 1 and 0.9 < microphone.words.given_s[0] < 1.4
    assert microphone.listener.counters.turns == 1 and microphone.listener.text_ms[0] < 800


async def test_talking_over_the_host_silences_her_at_once(microphone: Microphone) -> None:
    microphone.room.host_speaks = True
    await microphone.hear(0.4)
    await microphone.hear(0.16, 6000)
    assert microphone.kinds() == ["started", "barge in"]
    await microphone.hear(0.3, 6000)
    assert microphone.listener.counters.barge_ins == 1


async def test_a_click_is_no_speech(microphone: Microphone) -> None:
    microphone.room.host_speaks = True
    for _ in range(5):
        await microphone.hear(0.06, 20000)
        await microphone.hear(0.4)
    assert microphone.kinds() == [] and not microphone.words.given_s


async def test_a_long_turn_gives_interim_words_and_a_nod_at_a_pause(microphone: Microphone) -> None:
    await microphone.hear(2.6, 6000)
    await microphone.hear(0.36)
    await microphone.hear(0.5, 6000)
    await microphone.hear(1.2)
    kinds = microphone.kinds()
    assert kinds.count("nod") == 1 and kinds.index("nod") < kinds.index("stopped")
    assert any(kind.startswith("interim") for kind in kinds[: kinds.index("nod")])
    assert kinds[-1].startswith("said") and kinds.count("started") == 1


async def test_going_on_after_a_pause_gives_the_guess_up(microphone: Microphone) -> None:
    microphone.words.gate = asyncio.Event()
    await microphone.hear(0.5, 6000)
    await microphone.hear(0.36)
    assert len(microphone.words.given_s) == 1
    await microphone.hear(0.4, 6000)
    assert microphone.words.cancelled == 1
    await microphone.hear(1.2)
    microphone.words.gate.set()
    await asyncio.sleep(0.01)
    assert microphone.kinds().count("said words of en") == 1 and max(microphone.words.given_s) > 1.2


async def test_a_failing_recogniser_is_told_and_forgotten(microphone: Microphone) -> None:
    microphone.words.failing = True
    await microphone.hear(0.5, 6000)
    await microphone.hear(1.0)
    assert microphone.kinds()[-1] == "not understood" and microphone.listener.counters.failures == 1
    microphone.words.failing = False
    await microphone.hear(0.5, 6000)
    await microphone.hear(1.0)
    assert microphone.kinds()[-1] == "said words of en"


async def test_a_microphone_that_goes_off_in_a_word_ends_the_turn(microphone: Microphone) -> None:
    await microphone.hear(0.6, 6000)
    microphone.now_s += 1.0
    async with asyncio.timeout(5):
        while "stopped" not in microphone.room.notes:  # noqa: ASYNC110  # the watch runs on the loop's own time
            await asyncio.sleep(0.05)
    await asyncio.sleep(0.01)
    assert microphone.kinds()[-1] == "said words of en" and microphone.detector.resets == 1


async def test_a_silent_microphone_asks_no_network(microphone: Microphone) -> None:
    await microphone.hear(1.0)
    assert microphone.detector.asked == 0


async def test_sound_that_runs_ahead_of_time_is_dropped(microphone: Microphone) -> None:
    loud = np.full(AUDIO_RATE_HZ, 5000, np.int16)
    for _ in range(20):
        microphone.listener.sound(loud, 0.0)
    await microphone.settle()
    assert microphone.detector.asked < 3 * HEARING_RATE_HZ / 512
    microphone.listener.sound(np.zeros(3 * AUDIO_RATE_HZ, np.int16), 0.0)
    await microphone.settle()


async def test_closing_gives_everything_up(microphone: Microphone) -> None:
    microphone.words.gate = asyncio.Event()
    await microphone.hear(0.5, 6000)
    await microphone.hear(0.9)
    await microphone.listener.aclose()
    assert microphone.words.cancelled == 1 and microphone.kinds()[-1] == "stopped"
    microphone.listener.packet(b"\0\0")
    assert not microphone.listener._working
