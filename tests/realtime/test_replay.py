"""A session's frames come out of its event log bit by bit: speech, gestures, emotion, an interruption, overload."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import numpy as np
import pytest

from models.avatar.host import IllustratedHost
from models.avatar.layers import paint_layers
from models.avatar.spec import MEI
from models.speech.espeak import EspeakVoice
from realtime.conductor import Conductor
from realtime.core.budget import CostModel, Ladder
from realtime.core.errors import Malformed
from realtime.core.facs import Emotion
from realtime.core.plan import Plan
from realtime.core.replaying import Record, RecordedPlan, RecordedSound, digest, frame_record, perform, redrawn_record
from realtime.core.sound import SoundTimeline
from realtime.core.values import Frame, FrameTrace, SpeechChunk, VoiceSpec
from realtime.generator import Generator
from realtime.guarding import Guarding
from realtime.levels import Workshop
from realtime.mailbox import Mailbox
from realtime.ports import Avatar, Voice
from realtime.replay import Player
from realtime.stock import Stock
from tests.fakes import FixedAnswerer, FlatAvatar, InlineCompute, ToneVoice
from tests.virtual_time import now_s, run_virtual

SEED = 11
LINES = ("Hello and welcome to my little shop!", "This is a lovely blue bag, and you may have it today.")


class Known:
    """A real voice's sentences, synthesised before; they come in virtual time."""

    def __init__(self, said: Mapping[tuple[str, VoiceSpec], tuple[SpeechChunk, ...]]) -> None:
        self.said = said
        self.asked: list[tuple[str, VoiceSpec]] = []

    async def speak(self, text: str, spec: VoiceSpec) -> AsyncIterator[SpeechChunk]:
        self.asked.append((text, spec))
        for chunk in self.said.get((text, spec), ()):
            await asyncio.sleep(0.003)
            yield chunk

    async def aclose(self) -> None:
        """Nothing to release."""


async def _spoken(wanted: list[tuple[str, VoiceSpec]]) -> dict[tuple[str, VoiceSpec], tuple[SpeechChunk, ...]]:
    voice = EspeakVoice()
    found = {(text, spec): tuple([chunk async for chunk in voice.speak(text, spec)]) for text, spec in wanted}
    await voice.aclose()
    return found


async def _session(avatar: Avatar, voice: Voice, length_s: float, cost_s: float = 0.0) -> list[Record]:
    """A scripted session; its log, as it would come back from disk."""
    log: list[Record] = []
    plan, sound = RecordedPlan(SEED, log.append), RecordedSound(log.append)

    def framed(frame: Frame) -> None:
        log.append(frame_record(frame, digest(frame.pixels)))

    def redrawn(trace: FrameTrace) -> None:
        log.append(redrawn_record(trace))

    compute: Any = InlineCompute(cost_s)
    guard = Guarding(avatar.displacement_px)
    shop = Workshop(plan, now_s, Stock(avatar), compute, CostModel(), Ladder(), guard=guard)
    task = asyncio.create_task(Generator(shop, Mailbox(), on_frame=framed, on_redrawn=redrawn).run())
    conductor = Conductor(
        plan=plan, sound=sound, voice=voice, answerer=FixedAnswerer([f"[happy] {LINES[1]}"]), clock=now_s,
        emit=lambda event: None, spec=VoiceSpec(),
    )  # fmt: skip
    loop = asyncio.get_running_loop()
    for index in range(round(length_s / 0.02)):
        loop.call_at(0.02 * index, sound.read, index)
    loop.call_at(0.31, conductor.say, f"[wave] {LINES[0]}")
    loop.call_at(1.93, conductor.interrupt)
    loop.call_at(2.02, conductor.chat, "Tell me more.")
    loop.call_at(3.1, conductor.feel, Emotion.SURPRISE, 0.8)
    loop.call_at(3.7, conductor.gesture, "nod")
    loop.call_at(4.4, conductor.look, 0.5, -0.2)
    await asyncio.sleep(length_s)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    await conductor.aclose()
    return [json.loads(json.dumps(record)) for record in log]


def _host() -> IllustratedHost:
    return IllustratedHost(MEI, paint_layers(MEI))


@pytest.mark.slow
def test_the_default_hosts_frames_come_again_bit_by_bit() -> None:
    silent = Known({})
    run_virtual(_session(FlatAvatar(), silent, 6.0))
    first = Known(asyncio.run(_spoken(silent.asked)))
    log = run_virtual(_session(_host(), first, 6.0))
    assert first.asked == silent.asked and len(first.asked) >= 2
    done = {record["do"] for record in log}
    assert done >= {"speak", "feel", "gesture", "interrupt", "look", "felt", "sample", "frame", "sound"}
    frames = list(Player(SEED, Stock(_host())).frames(log))
    assert len(frames) > 145 and all(frame.same for frame in frames)
    assert len({digest(frame.pixels) for frame in frames}) > 60, "it moves"
    assert [record["index"] for record in log if record["do"] == "frame"] == [frame.index for frame in frames]


@pytest.mark.slow
def test_a_second_synthesis_is_the_first() -> None:
    wanted = [(LINES[0], VoiceSpec())]
    first, second = (asyncio.run(_spoken(wanted))[wanted[0]] for _ in range(2))
    assert [one.phonemes for one in first] == [one.phonemes for one in second]
    assert np.array_equal(np.concatenate([c.pcm for c in first]), np.concatenate([c.pcm for c in second]))


@pytest.mark.parametrize("cost_s", [0.0, 0.03, 0.06])
def test_what_was_left_out_for_want_of_time_is_left_out_again(cost_s: float) -> None:
    log = run_virtual(_session(FlatAvatar(), ToneVoice(), 8.0, cost_s))
    frames = list(Player(SEED, Stock(FlatAvatar())).frames(log))
    assert len(frames) > 80
    assert all(frame.same for frame in frames)


def test_other_pixels_are_told_apart() -> None:
    class Darker(FlatAvatar):
        def render_base(self, key: tuple[int, ...]) -> np.ndarray[Any, np.dtype[np.uint8]]:
            return super().render_base(key) - np.uint8(1)

    log = run_virtual(_session(FlatAvatar(), ToneVoice(), 2.0))
    assert not any(frame.same for frame in Player(SEED, Stock(Darker())).frames(log))


def test_refined_and_restaged_frames_are_not_compared() -> None:
    log = run_virtual(_session(FlatAvatar(), ToneVoice(), 1.0))
    at = [i for i, record in enumerate(log) if record["do"] == "frame"]
    log[at[3]]["rung"] = "refine1"
    log.insert(at[10], {"do": "restaged"})
    same = [frame.same for frame in Player(SEED, Stock(FlatAvatar())).frames(log)]
    assert same[:3] == [True] * 3 and same[3] is None and set(same[4:10]) == {True} and set(same[10:]) == {None}


@pytest.mark.parametrize("record", [
    {"do": "speak"}, {"do": "speak", "phonemes": [["a"]], "start_s": 0, "end_s": 1}, {"do": "sample"},
    {"do": "feel", "emotion": 99, "intensity": 1, "at_s": 0}, {"do": "look", "x": 0, "other": 1}, {},
])  # fmt: skip
def test_a_record_that_makes_no_sense_is_an_error(record: Record) -> None:
    with pytest.raises(Malformed):
        perform(Plan(1), record)


def test_records_of_other_things_do_nothing() -> None:
    assert perform(Plan(1), {"do": "event", "kind": "UserSaid"}) is None
    with pytest.raises(Malformed):
        list(Player(1, Stock(FlatAvatar())).frames([{"do": "frame", "index": 0, "digest": ""}]))


def test_recorded_sound_is_sound() -> None:
    notes: list[Record] = []
    recorded, plain = RecordedSound(notes.append), SoundTimeline()
    pcm = np.arange(2000, dtype=np.int16)
    assert recorded.append(pcm, 0.5) == plain.append(pcm, 0.5)
    assert np.array_equal(recorded.read(25), plain.read(25))
    assert notes == [{"do": "sound", "at_s": 0.5, "samples": 2000, "digest": notes[0]["digest"]}]
