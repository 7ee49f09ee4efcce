"""The host's own sound coming back is told from a viewer's voice, at the delays and strengths it comes with."""

import numpy as np
import pytest

from realtime.core.echo import EchoGuard
from realtime.core.listening import HEARING_RATE_HZ, WINDOW_SAMPLES
from realtime.core.turns import UNEXPLAINED
from realtime.core.values import Pcm
from tests.voices import echo_of

DELAYS_S = (0.05, 0.15, 0.3)


def babble(seconds: float, seed: int) -> Pcm:
    """Sound with speech's spectrum and rhythm: pulses through wandering resonances, in syllables."""
    rng = np.random.default_rng(seed)
    count = round(seconds * HEARING_RATE_HZ)
    at_s = np.arange(count) / HEARING_RATE_HZ
    pitch_hz = 130 + 40 * seed % 90 + 25 * np.sin(2 * np.pi * (0.6 + 0.1 * seed) * at_s)
    source = np.diff(np.floor(np.cumsum(pitch_hz) / HEARING_RATE_HZ), prepend=0.0) + 0.02 * rng.normal(size=count)
    sound = np.zeros(count)
    for formant_hz, width_s in ((500, 0.004), (1500, 0.003), (2500, 0.002)):
        wander = formant_hz * (1 + 0.25 * np.sin(2 * np.pi * rng.uniform(2, 4) * at_s + seed))
        ring = np.exp(-np.arange(256) / HEARING_RATE_HZ / width_s)
        sound += np.convolve(source, ring)[:count] * np.cos(2 * np.pi * np.cumsum(wander) / HEARING_RATE_HZ)
    sound *= np.clip(np.sin(2 * np.pi * 4.2 * at_s + seed), 0.0, 1.0)
    scaled: Pcm = (sound / np.abs(sound).max() * 9000).astype(np.int16)
    return scaled


def shares(guard: EchoGuard, host: Pcm, heard: Pcm) -> list[float]:
    """Unexplained share of each loud window."""
    found = []
    for at in range(0, len(heard) - WINDOW_SAMPLES, WINDOW_SAMPLES):
        until = at + WINDOW_SAMPLES
        guard.played(host[at:until], until)
        window = heard[at:until]
        share = guard.hear(window, until)
        if np.abs(window.astype(int)).max() > 60:
            found.append(1.0 if share is None else share)
    return found


@pytest.mark.parametrize("delay_s", DELAYS_S)
@pytest.mark.parametrize("gain_db", [-6.0, -18.0, -30.0])
def test_an_echo_explains_itself(gain_db: float, delay_s: float) -> None:
    host = babble(4.0, 1)
    guard = EchoGuard()
    found = shares(guard, host, echo_of(host, gain_db, delay_s))
    assert np.mean(np.array(found) >= UNEXPLAINED) < 0.05
    assert guard.lag_s is not None and abs(guard.lag_s - delay_s) < 0.002 and guard.sure


def test_a_small_room_smears_it_and_is_learnt() -> None:
    host = babble(5.0, 2)
    found = shares(EchoGuard(), host, echo_of(host, -10.0, 0.12, smear=0.35))
    assert np.mean(np.array(found[len(found) // 3 :]) >= UNEXPLAINED) < 0.05


@pytest.mark.parametrize("gain_db", [-12.0, -30.0])
def test_a_viewer_over_the_echo_is_heard(gain_db: float) -> None:
    host, viewer = babble(6.0, 1), babble(3.0, 5)
    heard = echo_of(host, gain_db, 0.15, smear=0.2)
    begin = 3 * HEARING_RATE_HZ
    heard[begin : begin + len(viewer)] += viewer[: len(heard) - begin]
    guard = EchoGuard()
    before = shares(guard, host[:begin], heard[:begin])
    assert np.mean(np.array(before) >= UNEXPLAINED) < 0.1
    after = []
    for at in range(begin, begin + HEARING_RATE_HZ, WINDOW_SAMPLES):
        until = at + WINDOW_SAMPLES
        guard.played(host[at:until], until)
        share = guard.hear(heard[at:until], until)
        if np.abs(viewer[at - begin : until - begin].astype(int)).max() > 1500:
            after.append(share)
    assert np.mean([share is None or share >= UNEXPLAINED for share in after]) > 0.7


def test_with_nothing_played_nothing_is_explained() -> None:
    guard = EchoGuard()
    window = babble(0.032, 3)
    assert guard.hear(window[:WINDOW_SAMPLES], WINDOW_SAMPLES) is None and guard.lag_s is None


def test_an_unrelated_voice_is_not_taken_for_an_echo() -> None:
    host, viewer = babble(4.0, 1), babble(4.0, 7)
    found = shares(EchoGuard(), host, viewer)
    assert np.mean(np.array(found) >= UNEXPLAINED) > 0.8


def test_silence_while_the_host_speaks_proves_that_nothing_comes_back() -> None:
    host = babble(2.0, 1)
    guard = EchoGuard()
    quiet = np.zeros(WINDOW_SAMPLES, np.int16)
    assert not guard.sure
    for at in range(0, len(host) - WINDOW_SAMPLES, WINDOW_SAMPLES):
        guard.played(host[at : at + WINDOW_SAMPLES], at + WINDOW_SAMPLES)
        guard.hear(quiet, at + WINDOW_SAMPLES, quiet=True)
    assert guard.sure


def test_gaps_and_repeats_in_what_was_played_do_no_harm() -> None:
    guard = EchoGuard()
    host = babble(1.0, 1)
    guard.played(host[:320], 320)
    guard.played(host[:320], 320)
    guard.played(host, 400_000)
    guard.played(host[:10], 5)
    assert guard.hear(host[:WINDOW_SAMPLES], 400_000) is not None
    assert guard.hear(host[:WINDOW_SAMPLES], 800_000) is None
