"""Fakes behind the real ports: an avatar of flat colours, a voice of tones, an answerer of fixed words."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import ParamSpec, TypeVar

import numpy as np

from realtime.core.facs import Controls
from realtime.core.units import AUDIO_RATE_HZ
from realtime.core.values import I420, BaseKey, Patch, Phoneme, Region, Roi, SpeechChunk, VoiceSpec, Word
from realtime.ports import AnswerPart, Turn

P = ParamSpec("P")
R = TypeVar("R")


class InlineCompute:
    """A compute thread without the thread, for virtual time; each piece of work may take virtual time."""

    def __init__(self, cost_s: float = 0.0) -> None:
        self.cost_s = cost_s
        self.runs = 0

    async def run(self, left_s: float, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        self.runs += 1
        if self.cost_s:
            await asyncio.sleep(self.cost_s)
        return work(*args, **kwargs)

    def close(self) -> None:
        """Nothing to join."""


class FlatAvatar:
    """64 x 64: the base frame's grey is its yaw, the mouth region's grey is the jaw. Counts what it draws."""

    name = "flat"
    width = 64
    height = 64
    MOUTH = Roi(16, 32, 32, 16)

    def __init__(self) -> None:
        self.bases_drawn = 0
        self.regions_drawn = 0

    def base_key(self, controls: Controls) -> BaseKey:
        return (round(controls["yaw"]),)

    def base(self, key: BaseKey) -> I420 | None:
        return None

    def render_base(self, key: BaseKey) -> I420:
        self.bases_drawn += 1
        return np.full((96, 64), 100 + key[0], np.uint8)

    def regions(self, key: BaseKey, controls: Controls) -> tuple[Region, ...]:
        jaw = round(controls["AU26"] * 20)
        return (Region("lower", self.MOUTH, ("lower", key, jaw)),) if jaw else ()

    def draw(self, base: I420, key: BaseKey, controls: Controls, region: Region) -> Patch:
        self.regions_drawn += 1
        grey = round(controls["AU26"] * 20)
        return Patch(region.roi, np.full((24, 32), grey, np.uint8))

    def displacement_px(self, region: str, before: Controls, after: Controls) -> float:
        return abs(before["AU26"] - after["AU26"]) * 20


class ToneVoice:
    """Speaks every word as 0.2 s of tone with an open vowel; each chunk is one word and takes `pace_s` to make."""

    WORD_S = 0.2

    def __init__(self, pace_s: float = 0.001) -> None:
        self.pace_s = pace_s
        self.spoken: list[str] = []
        self.specs: list[VoiceSpec] = []
        self.chunks_made = 0
        self.closed_early = 0

    async def speak(self, text: str, spec: VoiceSpec) -> AsyncIterator[SpeechChunk]:
        self.spoken.append(text)
        self.specs.append(spec)
        samples = round(self.WORD_S * AUDIO_RATE_HZ)
        words = text.split()
        at = 0
        try:
            for i, word in enumerate(words):
                await asyncio.sleep(self.pace_s)
                start_s = i * self.WORD_S
                begin = text.index(word, at)
                at = begin + len(word)
                self.chunks_made += 1
                tone = 8000 * np.sin(np.arange(samples) * 2 * np.pi * 220 / AUDIO_RATE_HZ)
                yield SpeechChunk(
                    start_s,
                    tone.astype(np.int16),
                    (Phoneme("ɑː", start_s, start_s + self.WORD_S, 2),),
                    (Word(start_s, begin, at),),
                    last=i == len(words) - 1,
                )
        except GeneratorExit:
            self.closed_early += 1
            raise

    async def aclose(self) -> None:
        """Nothing to release."""


class FixedAnswerer:
    """Answers everything with the same parts, each after `pace_s`."""

    def __init__(self, parts: Sequence[str], pace_s: float = 0.01) -> None:
        self.parts = parts
        self.pace_s = pace_s
        self.asked: list[tuple[str, tuple[Turn, ...]]] = []
        self.cancelled = 0

    async def answer(self, text: str, history: Sequence[Turn], language: str) -> AsyncIterator[AnswerPart]:
        self.asked.append((text, tuple(history)))
        try:
            for part in self.parts:
                await asyncio.sleep(self.pace_s)
                yield AnswerPart(part, "test")
        except (GeneratorExit, asyncio.CancelledError):
            self.cancelled += 1
            raise

    async def aclose(self) -> None:
        """Nothing to release."""
