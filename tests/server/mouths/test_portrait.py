"""A portrait that speaks with a tiny net of MuseTalk's shape, from the script to the frame: the mouth is the net's,
only there, in time with the sound; what is interrupted is gone; two sessions do not mix."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import pairwise
from typing import Any, Final

import numpy as np
import pytest

from models.avatar.portrait.avatar import PortraitAvatar
from models.diffusion.door.mouth import MouthNet
from models.diffusion.door.mouthpiece import Mouthpiece
from models.language.content import Library
from realtime.compute import ComputeThread
from realtime.conductor import Conductor
from realtime.core.breaker import Breaker
from realtime.core.budget import CostModel, Ladder
from realtime.core.composite import planes
from realtime.core.plan import Plan
from realtime.core.sound import SoundTimeline
from realtime.core.spoken import FADE_FRAMES, Spoken
from realtime.core.units import AUDIO_RATE_HZ, FRAME_S
from realtime.core.values import Frame, Phoneme, SpeechChunk, VoiceSpec, Word
from realtime.generator import Generator
from realtime.levels import Workshop
from realtime.mailbox import Mailbox
from realtime.speaking import Speaking
from realtime.stock import Stock
from server.config import Config
from server.metrics import Metrics
from server.mouths.compose import Mouths
from server.rtc.peer import PeerOptions
from server.sessions.figures import frame_report
from server.sessions.manager import SessionManager
from server.sessions.shared import Shared
from server.surfaces import SessionSpec
from tests.fakes import FixedAnswerer, InlineCompute
from tests.models.avatar.portrait.conftest import _quiet, assets, avatar, framed, photo, photo_path
from tests.models.diffusion.door.loud import BRIGHT, DARK, loud_mouth, noise
from tests.server.sessions.test_session import safety_of, until
from tests.virtual_time import now_s, run_virtual

__all__ = ["_quiet", "assets", "avatar", "framed", "photo", "photo_path"]

WORD_S: Final = 0.5
MIDDLE: Final = (BRIGHT + DARK) / 2
EDGE_S: Final = 0.12
"""What lies this near to the begin or the end of a sound has tokens of both."""


class Hisses:
    """A voice that says every word as half a second of noise, and then is silent for as long."""

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed

    async def speak(self, text: str, spec: VoiceSpec) -> AsyncIterator[SpeechChunk]:
        half = round(WORD_S * AUDIO_RATE_HZ)
        for index, word in enumerate(text.split()):
            start_s = 2 * WORD_S * index
            await asyncio.sleep(0.01)
            pcm = np.concatenate([noise(half, self._seed), np.zeros(half, np.int16)])
            begin = text.index(word)
            end_s = start_s + WORD_S
            phonemes = (Phoneme("ɑː", start_s, end_s, 2), Phoneme("", end_s, end_s + WORD_S))
            yield SpeechChunk(start_s, pcm, phonemes, (Word(start_s, begin, begin + len(word)),))

    async def warm_up(self) -> None:
        """Nothing to load."""

    async def aclose(self) -> None:
        """Nothing to release."""


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MouthNet]:
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield MouthNet(loud_mouth(tmp_path_factory.mktemp("mouth") / "loud"))
    torch.set_num_threads(threads)


def piece_of(net: MouthNet) -> Mouthpiece:
    """The net at work, on a device that is fast: what it takes here is no matter of virtual time."""
    piece = Mouthpiece(net)
    piece.guess_s = 0.001
    return piece


class Talk:
    """One session's frame path in virtual time, on a real portrait; work takes no time."""

    def __init__(self, avatar: PortraitAvatar, piece: Mouthpiece | None) -> None:
        self.plan, self.sound = Plan(seed=4), SoundTimeline()
        self.spoken = Spoken(self.sound)
        self.frames: list[Frame] = []
        self.heard: dict[int, np.ndarray[Any, np.dtype[np.int16]]] = {}
        inline: Any = InlineCompute()
        self.conductor = Conductor(
            plan=self.plan, sound=self.sound, voice=Hisses(), answerer=FixedAnswerer([]), clock=now_s,
            emit=lambda event: None, spec=VoiceSpec(),
        )  # fmt: skip
        costs, ladder = CostModel(), Ladder(best="refine1")
        shop = Workshop(self.plan, now_s, Stock(avatar), inline, costs, ladder)
        self.speaking = None if piece is None else Speaking(shop, self.spoken, inline, piece.of)
        self.generator = Generator(shop, Mailbox(), on_frame=self.frames.append, speaking=self.speaking)

    async def run(self, length_s: float, at: dict[float, Callable[[], object]]) -> "Talk":
        loop = asyncio.get_running_loop()
        for time_s, act in at.items():
            loop.call_at(time_s, act)

        async def listen() -> None:
            for tick in range(round(length_s / 0.02)):
                await asyncio.sleep(tick * 0.02 - now_s())
                self.heard[tick] = self.spoken.read(tick)

        tasks = [asyncio.create_task(self.generator.run()), asyncio.create_task(listen())]
        await asyncio.sleep(length_s)
        await self.conductor.aclose()
        for task in tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        return self

    def loud(self, media_s: float) -> bool | None:
        """Whether it is loud all around a moment, or silent (False); None near the begin or end of a sound."""
        ticks = [self.heard.get(tick) for tick in range(round((media_s - EDGE_S) * 50), round((media_s + EDGE_S) * 50))]
        found = {bool(one is not None and np.abs(one.astype(int)).max() > 1000) for one in ticks}
        return found.pop() if len(found) == 1 else None

    def mouth_grey(self, frame: Frame) -> float:
        """Of the middle of what the net paints."""
        roi = frame.trace.rois["mouth from sound"]
        x, y = roi.x + roi.width // 2, roi.y + roi.height // 2
        return float(frame.pixels[y - 15 : y + 15, x - 20 : x + 20].mean())


def talked(
    avatar: PortraitAvatar, piece: Mouthpiece | None, length_s: float, at: Callable[[Talk], dict[float, Any]]
) -> Talk:
    async def main() -> Talk:
        talk = Talk(avatar, piece)
        return await talk.run(length_s, at(talk))

    return run_virtual(main())


def test_the_mouth_is_the_nets_in_time_with_the_sound_and_only_the_mouth(avatar: PortraitAvatar, net: MouthNet) -> None:
    def at(talk: Talk) -> dict[float, Any]:
        return {0.1: lambda: talk.conductor.say("one two three")}

    made, drawn = talked(avatar, piece_of(net), 3.6, at), talked(avatar, None, 3.6, at)
    assert made.speaking is not None and made.speaking.missed == 0
    # the fade takes a few frames at each begin; what is whole there is the net's alone
    whole, run = [], 0
    for frame in made.frames:
        run = run + 1 if frame.trace.mouth else 0
        if run >= FADE_FRAMES and made.loud(frame.media_s):
            whole.append(frame)
    assert len(whole) > 20
    assert all(frame.trace.mouth == "loud" and made.mouth_grey(frame) > MIDDLE for frame in whole)
    silent = [frame for frame in made.frames if made.loud(frame.media_s) is False]
    assert len(silent) > 15
    for frame in silent:
        # giving back takes `FADE_FRAMES`, with what the net makes of silence
        assert not frame.trace.mouth or made.mouth_grey(frame) < MIDDLE
    starts = [after.media_s for before, after in pairwise(made.frames) if after.trace.mouth and not before.trace.mouth]
    ticks = sorted(made.heard)
    sounds = [0.02 * b for a, b in pairwise(ticks) if made.heard[b].any() and not made.heard[a].any()]
    assert len(starts) == len(sounds) == 3
    for start_s, sound_s in zip(starts, sounds, strict=True):
        assert -0.12 - FRAME_S <= start_s - sound_s <= FRAME_S, "a mouth opens a little before it is heard"
    for one, two in zip(made.frames, drawn.frames, strict=True):
        if not one.trace.mouth:
            assert np.array_equal(one.pixels, two.pixels)
            continue
        roi = one.trace.rois["mouth from sound"]
        changed = planes(one.pixels)[0] != planes(two.pixels)[0]
        rows, columns = np.nonzero(changed)
        assert len(rows), "the net's mouth is another one"
        assert roi.y < rows.min() and rows.max() < roi.y + roi.height - 1
        assert roi.x < columns.min() and columns.max() < roi.x + roi.width - 1


def test_an_interruption_ends_the_mouth_with_the_sound(avatar: PortraitAvatar, net: MouthNet) -> None:
    def at(talk: Talk) -> dict[float, Any]:
        return {0.1: lambda: talk.conductor.say("one two three four"), 1.35: talk.conductor.interrupt}

    talk = talked(avatar, piece_of(net), 3.0, at)
    assert any(frame.trace.mouth for frame in talk.frames if 1.2 < frame.media_s < 1.36), "the second word began"
    gone = [frame for frame in talk.frames if frame.media_s > 1.36 + EDGE_S + FADE_FRAMES * FRAME_S]
    assert gone and not any(frame.trace.mouth for frame in gone)
    assert {frame.epoch for frame in gone} == {1}


def test_two_sessions_share_the_net_and_not_their_sound(avatar: PortraitAvatar, net: MouthNet) -> None:
    async def main() -> tuple[Talk, Talk]:
        piece = piece_of(net)
        one, two = Talk(avatar, piece), Talk(avatar, piece)
        await asyncio.gather(
            one.run(2.4, {0.1: lambda: one.conductor.say("one two")}),
            two.run(2.4, {0.6: lambda: two.conductor.say("one two")}),
        )
        return one, two

    for talk in run_virtual(main()):
        seen = {True: 0, False: 0}
        for frame in talk.frames:
            loud = talk.loud(frame.media_s)
            if loud is None:
                continue
            seen[loud] += 1
            if frame.trace.mouth:
                assert (talk.mouth_grey(frame) > MIDDLE) == loud, "never the other one's"
        assert min(seen.values()) > 8


class Steady(Ladder):
    """A ladder that no load moves: what the machine does meanwhile is no matter of these tests."""

    def observe(self, *args: Any, **kwargs: Any) -> None:
        """Nothing."""

    def press(self, *args: Any, **kwargs: Any) -> None:
        """Nothing."""


@pytest.mark.slow
async def test_a_live_session_shows_the_nets_mouth(avatar: PortraitAvatar, net: MouthNet) -> None:
    compute, mouths = ComputeThread(), Mouths(piece_of(net))
    config = Config(fps=5, denoiser="off")
    shared = Shared(
        config, {"eileen": Stock(avatar)}, compute, Hisses(), Library(FixedAnswerer(["Yes."])), safety_of, Metrics(),
        mouths=mouths,
    )  # fmt: skip
    sessions = SessionManager(shared, PeerOptions())
    frames: list[Frame] = []
    try:
        session = await sessions.create(SessionSpec("eileen", "en", "default"))
        production = session._production
        speaking, framed = production._speaking, production._generator._on_frame
        assert speaking is not None and production._ladder.best == "refine1"
        production._shop.ladder = Steady(best="refine1")
        speaking.turn.trust = Breaker(failures=1_000_000)

        def seen(frame: Frame) -> None:
            frames.append(frame)
            framed(frame)

        production._generator._on_frame = seen
        production.hold("test")
        await session.say(" ".join(["hiss"] * 30))
        await until(lambda: any(frame.trace.mouth for frame in frames), "a mouth from sound")
        made = next(frame for frame in frames if frame.trace.mouth)
        assert frame_report(made, 512, 512)["mouth"] == "loud"
        assert session.figures()["mouths"]["made"] >= 1
        await session.interrupt()
        begun = frames[-1].media_s
        await until(lambda: frames[-1].media_s > begun + 1.5, "frames after the interruption")
        assert not frames[-1].trace.mouth
    finally:
        await sessions.aclose()
        mouths.close()
        compute.close()
