"""Synthetic speakers for tests of hearing: our own voices at 16 kHz, noise at a chosen ratio, echoes."""

from collections.abc import AsyncIterator

import numpy as np

from models.speech.espeak import EspeakVoice
from realtime.core.listening import HEARING_RATE_HZ, Decimator
from realtime.core.values import Pcm, VoiceSpec


class Speaker:
    """Says sentences; each is synthesised once."""

    def __init__(self) -> None:
        self._voice = EspeakVoice()
        self._said: dict[tuple[str, str, float], Pcm] = {}

    async def say_48k(self, text: str, voice: str = "eileen", rate: float = 1.0) -> Pcm:
        """A sentence at 48 kHz."""
        key = (text, voice, rate)
        if key not in self._said:
            spec = VoiceSpec(name=voice, rate=rate)
            self._said[key] = np.concatenate([chunk.pcm async for chunk in self._voice.speak(text, spec)])
        return self._said[key]

    async def say(self, text: str, voice: str = "eileen", rate: float = 1.0) -> Pcm:
        """A sentence at 16 kHz."""
        return Decimator().push(await self.say_48k(text, voice, rate))

    async def aclose(self) -> None:
        """End the synthesiser."""
        await self._voice.aclose()


async def speaking() -> AsyncIterator[Speaker]:
    """A speaker for the length of a fixture."""
    made = Speaker()
    yield made
    await made.aclose()


def silence(seconds: float) -> Pcm:
    """Digital silence at 16 kHz."""
    return np.zeros(round(seconds * HEARING_RATE_HZ), np.int16)


def power(sound: Pcm) -> float:
    """Mean square of the parts that are not silent."""
    loud = sound[np.abs(sound.astype(np.int32)) > 200].astype(np.float64)
    return float(np.mean(np.square(loud))) if len(loud) else 0.0


def with_noise(sound: Pcm, speech_power: float, snr_db: float, seed: int = 0) -> Pcm:
    """With pink-like noise so much below the speech."""
    rng = np.random.default_rng(seed)
    white = np.fft.rfft(rng.normal(size=len(sound)))
    shaped = np.fft.irfft(white / np.sqrt(np.maximum(1.0, np.arange(len(white)))), len(sound))
    scale = np.sqrt(speech_power / 10 ** (snr_db / 10)) / shaped.std()
    noisy: Pcm = np.clip(sound + shaped * scale, -32768, 32767).astype(np.int16)
    return noisy


def echo_of(sound: Pcm, gain_db: float, delay_s: float, smear: float = 0.0, seed: int = 0) -> Pcm:
    """What comes back of played sound: attenuated, late and smeared by a small room (`smear` 0.35: as much energy in
    40 ms of tail as 2.5 dB below the direct way)."""
    rng = np.random.default_rng(seed)
    room = np.zeros(round(0.2 * HEARING_RATE_HZ))
    at_s = np.arange(len(room)) / HEARING_RATE_HZ
    room += 0.12 * smear * rng.normal(size=len(room)) * np.exp(-at_s / 0.04)
    room[0] += 1.0
    room /= np.sqrt(np.sum(np.square(room)))
    late = np.concatenate([silence(delay_s), sound])[: len(sound)].astype(np.float64)
    size = len(late) + len(room)
    back = np.fft.irfft(np.fft.rfft(late, size) * np.fft.rfft(room, size), size)[: len(late)]
    return np.clip(back * 10 ** (gain_db / 20), -32768, 32767).astype(np.int16)
