"""Mouths made from sound, in virtual time: in time with it, only where they belong, and never at a frame's expense."""

import asyncio
import contextlib
import json
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from realtime.core.budget import CostModel, Ladder
from realtime.core.replaying import Record, RecordedPlan, digest, frame_record
from realtime.core.sound import SoundTimeline
from realtime.core.spoken import REST_S, Hears, Spoken, Stretch
from realtime.core.units import AUDIO_RATE_HZ, FRAME_S
from realtime.core.values import I420, BaseKey, Frame, Patch, Phoneme, Roi
from realtime.generator import Generator
from realtime.levels import Workshop
from realtime.mailbox import Mailbox
from realtime.replay import Player
from realtime.speaking import MADE, Speaking
from realtime.stock import Stock
from tests.fakes import FlatAvatar, InlineCompute
from tests.realtime.test_faults import Device
from tests.virtual_time import now_s, run_virtual

WHERE: Final = Roi(20, 36, 8, 4)
SAMPLE_S: Final = 1.0 / AUDIO_RATE_HZ


class Teller:
    """Makes mouths whose grey is the hundredth of the sample that sounds at their moment."""

    name, kind, area_px, guess_s, hears = "teller", "mouth net on nothing", 64, 0.001, Hears()

    def __init__(self) -> None:
        self.asked: list[float] = []
        self.heard: list[Stretch] = []
        self.fails = False

    def speak(self, picture: I420, key: BaseKey, sound: Stretch, media_s: float, share: float) -> Patch | None:
        self.asked.append(media_s)
        self.heard.append(sound)
        if self.fails:
            return None
        grey = int(sound.pcm[round(media_s * AUDIO_RATE_HZ) - sound.begin]) // 100
        pixels = np.full((WHERE.height * 3 // 2, WHERE.width), grey, np.uint8)
        return Patch(WHERE, pixels, np.full((WHERE.height, WHERE.width), round(255 * share), np.uint8))


class Talk:
    """One session on fakes whose sound is read as an egress reads it."""

    def __init__(self, cost_s: float = 0.0, best: Any = "refine1", guess_s: float = 0.001) -> None:
        self.log: list[Record] = []
        self.plan, self.sound = RecordedPlan(2, self.log.append), SoundTimeline()
        self.spoken = Spoken(self.sound)
        self.maker = Teller()
        self.maker.guess_s = guess_s
        self.avatar, self.costs, self.ladder = FlatAvatar(), CostModel(), Ladder(best=best)
        self.frames: list[Frame] = []
        compute: Any = InlineCompute()
        self.cost_s = cost_s
        nets: Any = Device(lambda work: self.cost_s)
        shop = Workshop(self.plan, now_s, Stock(self.avatar), compute, self.costs, self.ladder)
        self.speaking = Speaking(shop, self.spoken, nets, lambda avatar: self.maker if avatar is self.avatar else None)
        self.shop = shop
        self.generator = Generator(shop, Mailbox(), on_frame=self.framed, speaking=self.speaking)

    def framed(self, frame: Frame) -> None:
        self.frames.append(frame)
        self.log.append(frame_record(frame, digest(frame.pixels)))

    def say(self, start_s: float, length_s: float, level: int) -> None:
        self.sound.append(np.full(round(length_s * AUDIO_RATE_HZ), level, np.int16), start_s)
        self.plan.speak([Phoneme("ɑː", 0.0, length_s, 2)], start_s, start_s + length_s)

    def interrupt(self) -> None:
        self.plan.interrupt(now_s())
        self.sound.cut(now_s())

    async def run(self, length_s: float, at: dict[float, Callable[[], object]] | None = None) -> "Talk":
        loop = asyncio.get_running_loop()
        begun_s = now_s()
        for time_s, act in (at or {}).items():
            loop.call_at(begun_s + time_s, act)

        async def listen() -> None:
            for tick in range(round(length_s / 0.02)):
                await asyncio.sleep(begun_s + tick * 0.02 - now_s())
                self.spoken.read(tick)

        tasks = [asyncio.create_task(self.generator.run()), asyncio.create_task(listen())]
        await asyncio.sleep(length_s)
        for task in tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        return self

    def greys(self) -> dict[int, int]:
        """The mouth's grey by frame."""
        return {frame.index: int(frame.pixels[WHERE.y, WHERE.x]) for frame in self.frames}

    def made(self) -> list[int]:
        return [frame.index for frame in self.frames if frame.trace.mouth]


def talked(length_s: float, at: Callable[["Talk"], dict[float, Callable[[], object]]], **options: Any) -> Talk:
    async def main() -> Talk:
        talk = Talk(**options)
        return await talk.run(length_s, at(talk))

    return run_virtual(main())


def test_frames_show_the_mouth_of_the_sound_that_is_heard_with_them() -> None:
    def at(talk: Talk) -> dict[float, Callable[[], object]]:
        def say() -> None:
            for step in range(4):
                talk.say(0.4 + 0.4 * step, 0.4, 5000 + 2500 * step)

        return {0.1: say}

    talk = talked(2.6, at)
    greys = talk.greys()
    for step in range(4):
        first, last = round((0.4 + 0.4 * step) / FRAME_S), round((0.8 + 0.4 * step) / FRAME_S)
        whole = range(first + 3, last) if step == 0 else range(first, last)
        assert {greys[index] for index in whole} == {50 + 25 * step}, "to the frame"
    assert talk.made()[0] >= round((0.4 - 0.12) / FRAME_S) and talk.made()[-1] <= round((2.0 + 0.12) / FRAME_S) + 3
    assert talk.speaking.missed == 0 and talk.speaking.made == len(talk.maker.asked)
    assert talk.generator.counters.late == 0


def test_nothing_else_changes() -> None:
    def at(talk: Talk) -> dict[float, Callable[[], object]]:
        return {0.1: lambda: talk.say(0.4, 1.0, 9000)}

    talk, plain = talked(1.6, at), talked(1.6, at, best="warp")
    assert talk.made() and not plain.made()
    for made, drawn in zip(talk.frames, plain.frames, strict=True):
        outside = np.ones(made.pixels.shape, np.bool_)
        outside[WHERE.y : WHERE.y + WHERE.height, WHERE.x : WHERE.x + WHERE.width] = False
        outside[64:] = False
        assert np.array_equal(made.pixels[outside], drawn.pixels[outside])
        if not made.trace.mouth:
            assert np.array_equal(made.pixels, drawn.pixels), "what is drawn is what would have been drawn without"


def test_a_trace_tells_which_net_and_where() -> None:
    talk = talked(1.0, lambda talk: {0.1: lambda: talk.say(0.3, 0.5, 9000)})
    made = next(frame for frame in talk.frames if frame.trace.mouth)
    assert made.trace.mouth == "teller" and MADE in made.trace.drawn and made.trace.rois[MADE] == WHERE
    assert made.trace.stamps_s["spoken"] >= made.trace.stamps_s["drawn"]
    still = talk.frames[0].trace
    assert still.mouth == "" and MADE not in still.rois and "spoken" not in still.stamps_s


def test_silence_asks_for_nothing() -> None:
    talk = talked(4.0, lambda talk: {0.1: lambda: talk.plan.speak([Phoneme("ɑː", 0.0, 1.0, 2)], 0.4, 1.4)})
    assert not talk.maker.asked, "lips without sound are drawn lips"


def test_an_interruption_drops_the_sound_at_once_and_the_next_speech_has_nothing_of_it() -> None:
    def at(talk: Talk) -> dict[float, Callable[[], object]]:
        return {0.1: lambda: talk.say(0.3, 5.0, 5000), 1.0: talk.interrupt, 1.2: lambda: talk.say(2.0, 1.0, 20_000)}

    talk = talked(3.2, at)
    greys = talk.greys()
    gone = [frame for frame in talk.frames if 1.0 + 0.13 + 3 * FRAME_S < frame.media_s < 2.0 - 0.13]
    assert len(gone) > 10 and not any(frame.trace.mouth for frame in gone)
    assert {greys[round(media_s / FRAME_S)] for media_s in (2.2, 2.4, 2.6, 2.8)} == {200}
    cut = round(1.02 * AUDIO_RATE_HZ)
    assert any((sound.pcm == 5000).any() for sound in talk.maker.heard)
    for media_s, sound in zip(talk.maker.asked, talk.maker.heard, strict=True):
        if media_s > 1.0 + FRAME_S:
            assert not (sound.pcm[max(0, cut - sound.begin) :] == 5000).any(), "nothing that nobody will hear"


def test_two_sessions_hear_themselves() -> None:
    async def main() -> tuple[Talk, Talk]:
        one, two = Talk(), Talk()
        two.speaking.device = one.speaking.device
        await asyncio.gather(
            one.run(2.0, {0.1: lambda: one.say(0.3, 1.5, 4000)}),
            two.run(2.0, {0.1: lambda: two.say(0.3, 1.5, 24_000)}),
        )
        return one, two

    for talk, level in zip(run_virtual(main()), (4000, 24_000), strict=True):
        assert len(talk.made()) > 30
        assert all(set(np.unique(one.pcm)) <= {0, level} for one in talk.maker.heard)
        steady = [talk.greys()[index] for index in talk.made() if 0.45 < index * FRAME_S < 1.75]
        assert set(steady) == {level // 100}


def test_a_net_that_is_late_costs_no_frame_and_rests() -> None:
    def at(talk: Talk) -> dict[float, Callable[[], object]]:
        def slow() -> None:
            talk.cost_s = 1.0

        return {0.1: lambda: talk.say(0.3, 9.0, 9000), 1.0: slow}

    talk = talked(9.0, at)
    assert talk.generator.counters.skipped <= 8 and len(talk.frames) >= 25 * 9 - 10
    made = talk.made()
    assert made and made[-1] <= 26, "none after it became slow"
    assert 1 <= talk.speaking.missed <= 3, "asked again after 2 s and after 4 more"
    drawn = [frame for frame in talk.frames if frame.index > 30]
    assert all(frame.trace.mouth == "" for frame in drawn)


def test_a_net_that_fails_leaves_the_drawn_mouth_and_comes_back() -> None:
    def at(talk: Talk) -> dict[float, Callable[[], object]]:
        def broken() -> None:
            talk.maker.fails = True

        def repaired() -> None:
            talk.maker.fails = False

        return {0.1: lambda: talk.say(0.3, 7.0, 9000), 1.0: broken, 1.5: repaired}

    talk = talked(7.0, at)
    made = talk.made()
    gap = [index for index in range(made[0], made[-1]) if index not in set(made)]
    assert gap and (gap[-1] - gap[0]) * FRAME_S >= REST_S - 2 * FRAME_S
    assert talk.speaking.missed == 1 and talk.generator.counters.late == 0


def test_a_net_that_can_never_be_in_time_is_never_asked() -> None:
    talk = talked(5.0, lambda talk: {0.1: lambda: talk.say(0.3, 4.5, 9000)}, guess_s=3.0, cost_s=3.0)
    assert not talk.maker.asked and not talk.made()
    assert talk.generator.counters.steps_down == 0, "the ladder has nothing to give up"


def test_a_net_that_was_slow_for_a_moment_is_not_given_up() -> None:
    def stall(talk: Talk) -> dict[float, Callable[[], object]]:
        def slow() -> None:
            for _ in range(30):
                talk.costs.observe(talk.maker.kind, talk.maker.area_px, 0.5)

        return {0.1: lambda: talk.say(0.3, 8.0, 9000), 1.0: slow}

    talk = talked(8.0, stall)
    made = [index * FRAME_S for index in talk.made()]
    after = [media_s for media_s in made if media_s > 1.1]
    assert after[0] <= 1.0 + REST_S + 3 * FRAME_S, "one rest"
    assert len(after) >= (8.0 - after[0]) / FRAME_S - 2 and talk.speaking.missed == 0, "and then on and on"


def test_a_machine_that_is_pressed_drops_the_mouth_first() -> None:
    async def main() -> Talk:
        talk = Talk()
        talk.ladder._place += 1
        return await talk.run(0.8, {0.1: lambda: talk.say(0.3, 0.5, 9000)})

    talk = run_virtual(main())
    assert talk.ladder.rung == "warp" and not talk.maker.asked


def test_another_avatar_is_not_given_this_ones_mouth() -> None:
    def at(talk: Talk) -> dict[float, Callable[[], object]]:
        own, other = talk.shop.stock, Stock(FlatAvatar())

        def change(stock: Stock) -> None:
            talk.shop.stock = stock

        return {0.1: lambda: talk.say(0.3, 2.6, 9000), 1.0: lambda: change(other), 2.0: lambda: change(own)}

    talk = talked(3.0, at)
    made = talk.made()
    assert not [index for index in made if 1.05 < index * FRAME_S < 1.95]
    assert [index for index in made if index * FRAME_S < 1.0] and [index for index in made if index * FRAME_S > 2.1]
    assert talk.speaking.missed == 0, "no fault of the net"


def test_the_cost_is_learned_under_its_own_kind() -> None:
    talk = talked(2.0, lambda talk: {0.1: lambda: talk.say(0.3, 1.5, 9000)}, guess_s=0.02)
    assert 0.0 < talk.costs.predict_s(talk.maker.kind, talk.maker.area_px) < 0.02, "it took no time"
    assert talk.costs.predict_s("refine1", WHERE.width * WHERE.height) == 0.0


def test_a_replay_makes_all_other_frames_again_and_says_which_it_cannot() -> None:
    talk = talked(1.6, lambda talk: {0.1: lambda: talk.say(0.4, 0.6, 9000)})
    log = json.loads(json.dumps(talk.log))
    again = list(Player(2, Stock(FlatAvatar())).frames(log))
    assert [one.index for one in again if one.lacks] == talk.made()
    assert {one.lacks for one in again} == {"", "mouth net"}
    assert all(one.same is (None if one.lacks else True) for one in again)
