"""How the host hears: interruption by voice, her own echo, words and their delay.

A real server and a headless viewer on loopback that speaks with our own voices.

- `to_silence_ms`: from the packet with the first audible sample of the viewer's voice leaving the viewer, to the last
  audible packet of the host's arriving there.
- `echo_barge_ins`: how often the host interrupts herself while what the viewer hears goes back into the microphone,
  attenuated (-6 to -30 dB), late (50 to 300 ms) and smeared by a small room; `echo_minutes` of it. No browser's echo
  canceller helps.
- `speech_to_words_ms`: from the last audible packet of a question leaving, to the final `user-transcription`;
  `speech_to_sound_ms`: to the first audible packet of the answer. Both hold the wait for the turn's end.
- `word_error_rate`: of those questions, by voice in `word_errors`; a question that was not heard at all counts with all
  its words and in `unheard`. Synthetic voices are harder to recognise than people.
"""

import asyncio
import re
import sys
import tempfile
import time
from collections import Counter, deque
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import numpy as np
from aiortc import MediaStreamTrack
from av.audio.frame import AudioFrame

from bench.harness import Goal, Result, command, percentiles
from bench.server_process import ServerProcess
from bench.watching import AUDIBLE_RMS, Kept, Watch, audible
from client.sdk import AnimaClient
from client.viewer.viewer import HeardSound
from models.speech.espeak import EspeakVoice
from realtime.core.units import AUDIO_RATE_HZ, AUDIO_TICK_S, AUDIO_TICK_SAMPLES
from realtime.core.values import Pcm, VoiceSpec

GOALS: Final = (
    Goal("to_silence_ms_p95", most=300.0),
    Goal("echo_barge_ins", most=0),
    Goal("speech_to_words_ms_p95", most=1000.0),
    Goal("word_error_rate", most=0.2),
)
STORY: Final = (
    "This is a rather long story about a little shop at the end of the street, where a baker and a painter met every "
    "morning, talked about bread and about colours, and never once agreed on anything that mattered to either of them. "
) * 3
INTERRUPTIONS: Final = ("Stop, please.", "Wait a moment.", "Excuse me, I have a question.", "No, not that one.")
QUESTIONS: Final = (
    "What does the large one cost?", "Who are you?", "Can you show me the blue jacket again please?",
    "How long does the battery last?", "I do not understand the second step.",
    "Do you ship to Germany and how long does it take?", "Tell me a story about the old lighthouse.",
    "Where is the train station?", "What is the weather like today?", "Thank you very much, that was helpful.",
)  # fmt: skip
VOICES: Final = ("martin", "paul", "nora", "vera")
ECHOES: Final = ((-6.0, 0.05, 0.0), (-6.0, 0.15, 0.35), (-12.0, 0.3, 0.2), (-20.0, 0.1, 0.35), (-30.0, 0.2, 0.35))
"""Gain in dB, delay in seconds, smear: 0.35 has 2.5 dB less energy in 40 ms of tail than in the direct way."""
ECHO_S: Final = 12.0
_LEAD_S: Final = (0.9, 1.7)
_QUIET_S: Final = 0.25
_PATIENCE_S: Final = 5.0


class Microphone(MediaStreamTrack):
    """What the viewer says: queued sentences, and the echo of what the viewer hears."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self.said: deque[tuple[float, bool]] = deque(maxlen=6000)
        """When each packet's sound was handed over, and whether a sentence can be heard in it."""
        self.echo: Echo | None = None
        self._queue: deque[Pcm] = deque()
        self._tick = 0
        self._begun_s = 0.0

    @property
    def idle(self) -> bool:
        """Whether everything was said."""
        return not self._queue

    def say(self, pcm: Pcm) -> None:
        """Say this after what is being said."""
        whole = np.concatenate([pcm, np.zeros(-len(pcm) % AUDIO_TICK_SAMPLES, np.int16)])
        self._queue.extend(whole.reshape(-1, AUDIO_TICK_SAMPLES))

    async def recv(self) -> AudioFrame:
        """The next 20 ms, when they are due."""
        self._begun_s = self._begun_s or time.monotonic()
        await asyncio.sleep(max(0.0, self._begun_s + self._tick * AUDIO_TICK_S - time.monotonic()))
        voice = self._queue.popleft() if self._queue else np.zeros(AUDIO_TICK_SAMPLES, np.int16)
        loud = float(np.sqrt(np.mean(np.square(voice / 32768.0)))) >= AUDIBLE_RMS
        self.said.append((time.monotonic(), loud))
        mixed = voice.astype(np.float64)
        if self.echo is not None:
            mixed += self.echo.next()
        frame = AudioFrame.from_ndarray(np.clip(mixed, -32768, 32767).astype(np.int16)[None], "s16", "mono")
        frame.sample_rate, frame.pts, frame.time_base = AUDIO_RATE_HZ, self._tick * AUDIO_TICK_SAMPLES, _TIME_BASE
        self._tick += 1
        return frame


_TIME_BASE: Final = Fraction(1, AUDIO_RATE_HZ)


class Echo:
    """A loudspeaker, a small room and the way back: what is heard returns quieter, later and smeared."""

    def __init__(self, gain_db: float, delay_s: float, smear: float) -> None:
        rng = np.random.default_rng(1)
        at_s = np.arange(round(0.15 * AUDIO_RATE_HZ)) / AUDIO_RATE_HZ
        room = 0.12 / np.sqrt(3.0) * smear * rng.normal(size=len(at_s)) * np.exp(-at_s / 0.04)
        room[0] += 1.0
        self._room = room / np.sqrt(np.sum(np.square(room))) * 10 ** (gain_db / 20)
        self._coming: deque[float] = deque([0.0] * round(delay_s * AUDIO_RATE_HZ))
        self._past = np.zeros(len(room) - 1)

    def heard(self, pcm: Pcm) -> None:
        """Sound leaves the loudspeaker."""
        size = len(self._past) + len(pcm)
        whole = np.concatenate([self._past, pcm.astype(np.float64)])
        length = size + len(self._room)
        back = np.fft.irfft(np.fft.rfft(whole, length) * np.fft.rfft(self._room, length), length)
        self._past = whole[len(pcm) :]
        self._coming.extend(back[size - len(pcm) : size])

    def next(self) -> Any:
        """What the microphone gets of it in the next 20 ms, shape (AUDIO_TICK_SAMPLES,)."""
        count = min(AUDIO_TICK_SAMPLES, len(self._coming))
        found = [self._coming.popleft() for _ in range(count)]
        return np.array(found + [0.0] * (AUDIO_TICK_SAMPLES - count))


class Studio:
    """The voices of the viewers."""

    def __init__(self) -> None:
        self._voice = EspeakVoice()

    async def speak(self, text: str, voice: str) -> Pcm:
        """A sentence, from its first to its last audible sample, and half a second of silence."""
        pcm = np.concatenate([chunk.pcm async for chunk in self._voice.speak(text, VoiceSpec(name=voice))])
        loud = np.flatnonzero(np.abs(pcm.astype(np.int32)) > 33 * AUDIBLE_RMS * 1000)
        return np.concatenate([pcm[loud[0] : loud[-1] + 1], np.zeros(AUDIO_RATE_HZ // 2, np.int16)])

    async def aclose(self) -> None:
        """End the synthesiser."""
        await self._voice.aclose()


async def barge_ins(watch: Watch, microphone: Microphone, studio: Studio, n: int) -> list[float]:
    """`n` times: the host tells a story, somebody speaks; milliseconds from voice to silence."""
    rng = np.random.default_rng(0)
    times_ms = []
    for index in range(n):
        clip = await studio.speak(INTERRUPTIONS[index % len(INTERRUPTIONS)], VOICES[index % len(VOICES)])
        watch.kept = Kept()
        await watch.tell("say", text=STORY, interrupt=True)
        await watch.until(lambda: next((one for one in watch.kept.sounds if audible(one)), None))
        await asyncio.sleep(rng.uniform(*_LEAD_S))
        microphone.said.clear()
        microphone.say(clip)
        silent_s = await watch.until(lambda: _silence(watch.kept.sounds), 10.0)
        begun_s = next(at_s for at_s, loud in microphone.said if loud)
        times_ms.append(round(1000 * (silent_s - begun_s), 1))
        # the words that were said are answered; that is not what is measured here
        await asyncio.sleep(len(clip) / AUDIO_RATE_HZ + 1.5)
        await watch.tell("interrupt")
        await asyncio.sleep(0.5)
    return times_ms


def _silence(sounds: list[HeardSound]) -> float | None:
    """Arrival of the last audible packet, once enough silent ones have followed it."""
    quiet = 0
    for sound in reversed(sounds):
        if audible(sound):
            return sound.arrived_s + AUDIO_TICK_S if quiet * AUDIO_TICK_S >= _QUIET_S else None
        quiet += 1
    return None


async def echoes(watch: "Listening", microphone: Microphone) -> tuple[int, list[dict[str, Any]]]:
    """The host speaks into every echo; how often she took it for a viewer."""
    found = []
    for gain_db, delay_s, smear in ECHOES:
        echo = Echo(gain_db, delay_s, smear)
        microphone.echo, watch.echo = echo, echo
        watch.kept = Kept()
        await watch.tell("say", text=STORY, interrupt=True)
        await asyncio.sleep(ECHO_S)
        kinds = Counter(message["type"] for _, message in watch.kept.messages)
        found.append({"gain_db": gain_db, "delay_s": delay_s, "smear": smear,
                      "barge_ins": kinds["user-started-speaking"]})  # fmt: skip
        microphone.echo = watch.echo = None
        await watch.tell("interrupt")
        await asyncio.sleep(0.6)
    return sum(int(one["barge_ins"]) for one in found), found


async def questions(watch: Watch, microphone: Microphone, studio: Studio, n: int) -> Result:
    """`n` spoken questions: delays and errors."""
    words_ms: list[float] = []
    sound_ms: list[float] = []
    errors = {voice: [0, 0] for voice in VOICES}
    heard: list[str | None] = []
    for index in range(n):
        text, voice = QUESTIONS[index % len(QUESTIONS)], VOICES[index % len(VOICES)]
        clip = await studio.speak(text, voice)
        watch.kept = Kept()
        microphone.said.clear()
        microphone.say(clip)
        errors[voice][1] += len(words(text))
        try:
            told_s, said = await watch.until(lambda: _final(watch.kept), len(clip) / AUDIO_RATE_HZ + _PATIENCE_S)
        except TimeoutError:
            heard.append(None)
            errors[voice][0] += len(words(text))
            continue
        heard.append(said)
        spoken_s = max(at_s for at_s, loud in microphone.said if loud) + AUDIO_TICK_S
        words_ms.append(round(1000 * (told_s - spoken_s), 1))
        answer = await watch.until(lambda: next((one for one in watch.kept.sounds if audible(one)), None))
        sound_ms.append(round(1000 * (answer.arrived_s - spoken_s), 1))
        errors[voice][0] += edits(words(text), words(said))
        await watch.tell("interrupt")
        await asyncio.sleep(0.6)
    rate = sum(wrong for wrong, _ in errors.values()) / max(1, sum(all_ for _, all_ in errors.values()))
    return {
        **percentiles(words_ms, "speech_to_words_ms"),
        **percentiles(sound_ms, "speech_to_sound_ms"),
        "word_error_rate": round(rate, 3),
        "word_errors": {voice: round(wrong / max(1, all_), 3) for voice, (wrong, all_) in errors.items()},
        "unheard": heard.count(None),
        "heard": heard,
    }


def _final(kept: Kept) -> tuple[float, str] | None:
    for at_s, message in kept.messages:
        if message["type"] == "user-transcription" and message["data"]["final"]:
            return at_s, str(message["data"]["text"])
    return None


def words(text: str) -> list[str]:
    """Words as they are compared: without case and punctuation."""
    return re.findall(r"[a-z0-9']+", text.lower())


def edits(said: list[str], heard: list[str]) -> int:
    """Words changed, missing and added (Levenshtein, 1966)."""
    row = list(range(len(heard) + 1))
    for i, one in enumerate(said, 1):
        above, row[0] = row[0], i
        for j, other in enumerate(heard, 1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (one != other))
    return row[-1]


class Listening(Watch):
    """A watch whose sound goes into the echo."""

    echo: Echo | None = None

    def _heard(self, sound: HeardSound) -> None:
        super()._heard(sound)
        if self.echo is not None:
            self.echo.heard(sound.pcm)


async def _measure(url: str, n: int) -> Result:
    studio = Studio()
    try:
        async with AnimaClient(url) as client, await client.create_session() as session:
            microphone = Microphone()
            async with Listening(session, pictures=False, voice=microphone) as watch:
                await asyncio.sleep(2.0)
                silence_ms = await barge_ins(watch, microphone, studio, n)
                mistaken, by_echo = await echoes(watch, microphone)
                spoken = await questions(watch, microphone, studio, max(n, len(QUESTIONS)))
                hearing = (await session.state())["hearing"]
    finally:
        await studio.aclose()
    return {
        **percentiles(silence_ms, "to_silence_ms"),
        "echo_barge_ins": mistaken,
        "echo_minutes": round(len(ECHOES) * ECHO_S / 60, 2),
        **spoken,
        "echoes": by_echo,
        "hearing": hearing,
    }


def measure(n: int) -> Result:
    """Everything on one server."""
    with tempfile.TemporaryDirectory() as place, ServerProcess(log=Path(place) / "server.log") as server:
        return asyncio.run(_measure(server.url, n))


if __name__ == "__main__":
    sys.exit(command("listening", measure, GOALS, n=8))
