"""Turns found in synthetic speech with noise and with the host's echo, by the real detector: counted."""

from collections.abc import AsyncIterator

import numpy as np
import pytest

from models.hearing.detector import SileroDetector
from realtime.core.units import AUDIO_RATE_HZ, AUDIO_TICK_S, AUDIO_TICK_SAMPLES
from realtime.core.values import Pcm
from realtime.ear import Ear, Heard
from tests.voices import Speaker, power, speaking, with_noise

SENTENCES = ("How long does the battery last?", "Who are you?", "I would like two of them, please.")
GAP_S = 1.5


@pytest.fixture
async def speaker() -> AsyncIterator[Speaker]:
    async for made in speaking():
        yield made


def never_decoded(payload: bytes) -> Pcm:
    raise AssertionError("PCM is fed")


def listen(sound: Pcm, played: Pcm | None = None) -> list[Heard]:
    """Everything an ear reports about a recording at 48 kHz, with what was played meanwhile."""
    ear = Ear(SileroDetector(), never_decoded)
    found = []
    for tick in range(len(sound) // AUDIO_TICK_SAMPLES):
        piece = slice(tick * AUDIO_TICK_SAMPLES, (tick + 1) * AUDIO_TICK_SAMPLES)
        host = () if played is None else ((tick, played[piece]),)
        found += ear.hear(sound[piece], (tick + 1) * AUDIO_TICK_S, host)
    return found


@pytest.mark.parametrize("voice", ["eileen", "martin"])
@pytest.mark.parametrize("snr_db", [40.0, 10.0, 0.0])
async def test_every_turn_is_found_and_no_other(speaker: Speaker, voice: str, snr_db: float) -> None:
    gap = np.zeros(round(GAP_S * AUDIO_RATE_HZ), np.int16)
    parts, spans, at_s = [gap], [], GAP_S
    for text in SENTENCES:
        clip = await speaker.say_48k(text, voice)
        loud = np.flatnonzero(np.abs(clip.astype(int)) > 1000)
        spans.append((at_s + loud[0] / AUDIO_RATE_HZ, at_s + loud[-1] / AUDIO_RATE_HZ))
        parts += [clip, gap]
        at_s += len(clip) / AUDIO_RATE_HZ + GAP_S
    sound = np.concatenate(parts)
    found = listen(with_noise(sound, power(sound), snr_db))
    started = [heard for heard in found if heard.kind == "started"]
    ended = [heard for heard in found if heard.kind == "ended"]
    assert len(started) == len(ended) == len(SENTENCES)
    for (begin_s, end_s), first, last in zip(spans, started, ended, strict=True):
        assert first.at_s - begin_s < 0.3 and abs(last.until_s - end_s) < 0.3
        assert last.at_s - end_s < 0.95 and last.windows and len(last.pcm) > 0


@pytest.mark.slow
@pytest.mark.parametrize(("gain_db", "delay_s"), [(-12.0, 0.1), (-18.0, 0.3), (-30.0, 0.15)])
async def test_her_own_echo_is_no_turn_but_a_viewer_over_it_is(
    speaker: Speaker, gain_db: float, delay_s: float
) -> None:
    host = np.concatenate([
        await speaker.say_48k("This is a rather long story about a little shop at the end of the street.", "eileen"),
        await speaker.say_48k("A baker and a painter met there every morning and talked about bread.", "eileen"),
    ])  # fmt: skip
    echo = np.zeros_like(host)
    late = round(delay_s * AUDIO_RATE_HZ)
    echo[late:] = host[: len(host) - late] * 10 ** (gain_db / 20)
    assert [heard.kind for heard in listen(echo, host) if heard.kind == "started"] == []

    viewer = await speaker.say_48k("Please stop and wait a moment.", "martin")
    for begin_s in (3.0, 4.0, 5.0):
        begin = round(begin_s * AUDIO_RATE_HZ)
        both = echo.astype(int)
        both[begin : begin + len(viewer)] += viewer[: len(both) - begin]
        found = listen(np.clip(both, -32768, 32767).astype(np.int16), host)
        started = [heard for heard in found if heard.kind == "started"]
        assert started and 0 <= started[0].at_s - begin_s < 0.6, f"a viewer who speaks at {begin_s} s"
