"""The conductor in virtual time: order, sound, events, interruption, failure."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import numpy as np
import pytest

from realtime.conductor import MAX_WAITING, Conductor
from realtime.core import events
from realtime.core.errors import InvalidField, TooMany, UpstreamError
from realtime.core.facs import Emotion
from realtime.core.plan import Plan
from realtime.core.recording import recording_of
from realtime.core.sound import SoundTimeline
from realtime.core.units import AUDIO_RATE_HZ, AUDIO_TICK_S
from realtime.core.values import SpeechChunk, VoiceSpec
from realtime.ports import Answerer, Voice
from tests.fakes import FixedAnswerer, ToneVoice
from tests.virtual_time import now_s, run_virtual


class Stage:
    """A conductor on fakes; its sound is read tick by tick as the sender would."""

    def __init__(self, voice: Voice | None = None, answerer: Answerer | None = None) -> None:
        self.tone = ToneVoice()
        self.answerer = FixedAnswerer(["[happy] Hello there.", "This is an answer. [nod]"])
        self.plan = Plan()
        self.sound = SoundTimeline()
        self.events: list[tuple[float, events.Event]] = []
        self.loud: list[bool] = []
        self.conductor = Conductor(
            plan=self.plan,
            sound=self.sound,
            voice=voice or self.tone,
            answerer=answerer or self.answerer,
            clock=now_s,
            emit=lambda event: self.events.append((now_s(), event)),
            spec=VoiceSpec(),
        )

    async def play(self, duration_s: float) -> None:
        """Let time pass, reading sound."""
        end_s = now_s() + duration_s
        tick = round(now_s() / AUDIO_TICK_S)
        while now_s() < end_s - 1e-9:
            await asyncio.sleep(max(0.0, tick * AUDIO_TICK_S - now_s()))
            self.loud.append(bool(np.abs(self.sound.read(tick)).max() > 500))
            tick += 1

    def kinds(self) -> list[str]:
        return [type(event).__name__ for _, event in self.events]

    def times(self, kind: type[events.Event]) -> list[float]:
        return [at_s for at_s, event in self.events if isinstance(event, kind)]


def performed(act: Callable[[Stage], Awaitable[None]], stage: Stage | None = None) -> Stage:
    made = stage or Stage()

    async def main() -> None:
        await act(made)
        await made.conductor.aclose()

    run_virtual(main())
    return made


def test_text_becomes_sound_within_a_tick_or_two() -> None:
    async def act(stage: Stage) -> None:
        await stage.play(1.0)
        stage.conductor.say("one two three")
        await stage.play(1.0)

    stage = performed(act)
    first = stage.loud.index(True)
    assert first * AUDIO_TICK_S - 1.0 <= 0.045
    assert sum(stage.loud) == pytest.approx(0.6 / AUDIO_TICK_S, abs=2)
    assert stage.kinds()[-1] == "SpeakingStopped"
    assert set(stage.kinds()[:3]) == {"SentenceStarted", "SpeakingStarted", "Report"}
    assert stage.kinds().count("WordSpoken") == 3


def test_words_are_reported_when_they_sound() -> None:
    async def act(stage: Stage) -> None:
        stage.conductor.say("one two three")
        await stage.play(1.0)

    stage = performed(act)
    words = [(at_s, e) for at_s, e in stage.events if isinstance(e, events.WordSpoken)]
    assert [e.text for _, e in words] == ["one", "two", "three"]
    assert all(at_s == pytest.approx(e.media_s, abs=1e-6) for at_s, e in words)
    gaps = np.diff([at_s for at_s, _ in words])
    assert gaps == pytest.approx(ToneVoice.WORD_S, abs=0.001)


def test_scripts_are_spoken_one_after_another_without_a_gap() -> None:
    async def act(stage: Stage) -> None:
        stage.conductor.say("one two")
        stage.conductor.say("three four")
        await stage.play(1.2)

    stage = performed(act)
    loud = np.flatnonzero(stage.loud)
    assert len(loud) == loud[-1] - loud[0] + 1
    assert stage.kinds().count("SpeakingStarted") == 1 and stage.kinds().count("SpeakingStopped") == 1


def test_synthesis_does_not_run_far_ahead() -> None:
    async def act(stage: Stage) -> None:
        stage.conductor.say(" ".join(["word"] * 100))
        await stage.play(1.0)
        assert stage.tone.chunks_made * ToneVoice.WORD_S < 4.0

    performed(act)


def test_interruption_silences_at_once_and_drops_the_rest() -> None:
    async def act(stage: Stage) -> None:
        stage.conductor.say(" ".join(["word"] * 50))
        stage.conductor.say("never said")
        await stage.play(1.0)
        assert stage.conductor.interrupt() == 1
        await stage.play(1.0)

    stage = performed(act)
    last = int(np.flatnonzero(stage.loud)[-1])
    assert last * AUDIO_TICK_S <= 1.04
    assert "never said" not in stage.tone.spoken
    assert stage.tone.closed_early == 1, "the synthesis was stopped"
    assert stage.kinds()[-2:] == ["Interrupted", "SpeakingStopped"]
    assert stage.plan.mouth.openness(1.2) < 0.05
    assert stage.conductor.counters.dropped_s > 0.5


def test_speaking_after_an_interruption_starts_at_once() -> None:
    async def act(stage: Stage) -> None:
        stage.conductor.say(" ".join(["word"] * 50))
        await stage.play(1.0)
        stage.conductor.say("new words", interrupt=True)
        await stage.play(1.0)

    stage = performed(act)
    started = stage.times(events.SpeakingStarted)
    assert len(started) == 2 and started[1] - 1.0 < 0.05


def test_chat_answers_with_emotion_gesture_and_history() -> None:
    async def act(stage: Stage) -> None:
        stage.conductor.chat("Who are you?")
        await stage.play(3.0)
        stage.conductor.chat("And now?")
        await stage.play(3.0)

    stage = performed(act)
    kinds = stage.kinds()
    assert kinds.index("UserSaid") < kinds.index("AnswerText") < kinds.index("SpeakingStarted")
    assert "GestureStarted" in kinds
    felt = [e for _, e in stage.events if isinstance(e, events.EmotionChanged)]
    assert felt[0].emotion is Emotion.HAPPY
    (_, first), (_, second) = stage.answerer.asked
    assert first == () and [t.role for t in second] == ["user", "assistant"]


def test_a_new_question_cancels_the_answer_before_it() -> None:
    slow = FixedAnswerer(["One two three four."] * 20, pace_s=0.3)

    async def act(stage: Stage) -> None:
        stage.conductor.chat("first")
        await stage.play(0.5)
        stage.conductor.chat("second")
        await stage.play(0.5)

    stage = performed(act, Stage(answerer=slow))
    assert slow.cancelled >= 1
    assert [text for text, _ in slow.asked] == ["first", "second"]
    assert "Interrupted" in stage.kinds()


def test_a_bad_script_changes_nothing() -> None:
    async def act(stage: Stage) -> None:
        stage.conductor.say("one two three four five")
        await stage.play(0.3)
        with pytest.raises(InvalidField):
            stage.conductor.say("[no-such-tag-exists] x", interrupt=True)
        await stage.play(1.0)

    stage = performed(act)
    assert "Interrupted" not in stage.kinds()
    assert sum(stage.loud) == pytest.approx(1.0 / AUDIO_TICK_S, abs=2)


def test_the_queue_has_a_limit() -> None:
    async def act(stage: Stage) -> None:
        for _ in range(MAX_WAITING):
            stage.conductor.say("word")
        with pytest.raises(TooMany):
            stage.conductor.say("word")

    performed(act)


def test_a_pause_is_silent_and_tags_take_effect_in_their_place() -> None:
    async def act(stage: Stage) -> None:
        stage.conductor.say("one [pause:0.5] two [wave] three")
        await stage.play(2.0)

    stage = performed(act)
    assert sum(stage.loud) == pytest.approx(0.6 / AUDIO_TICK_S, abs=3)
    loud = np.flatnonzero(stage.loud)
    assert loud[-1] - loud[0] == pytest.approx(1.1 / AUDIO_TICK_S, abs=3)
    (wave_s,) = stage.times(events.GestureStarted)
    words = [e.media_s for _, e in stage.events if isinstance(e, events.WordSpoken)]
    assert words[1] < wave_s <= words[2] + 0.01


def test_a_recording_is_played_with_its_own_lips_and_can_be_interrupted() -> None:
    at = np.arange(5 * AUDIO_RATE_HZ)
    hum = np.asarray(9000 * np.sin(at / 40), np.int16)

    async def act(stage: Stage) -> None:
        stage.conductor.perform((recording_of(hum),))
        await stage.play(2.0)
        assert stage.conductor.busy and stage.plan.mouth.sample(1.0)
        stage.conductor.interrupt()
        await stage.play(1.0)

    stage = performed(act)
    assert all(stage.loud[5:95]) and not any(stage.loud[110:])
    assert stage.kinds().count("SpeakingStarted") == 1 and "SentenceStarted" not in stage.kinds()


class BrokenVoice(ToneVoice):
    """Fails on every second utterance."""

    async def speak(self, text: str, spec: VoiceSpec) -> AsyncIterator[SpeechChunk]:
        if "break" in text:
            self.spoken.append(text)
            raise UpstreamError("the worker died")
        async for chunk in super().speak(text, spec):
            yield chunk


def test_a_failing_voice_is_reported_and_the_next_script_is_spoken() -> None:
    async def act(stage: Stage) -> None:
        stage.conductor.say("break please")
        await stage.play(0.5)
        stage.conductor.say("one two")
        await stage.play(1.0)

    stage = performed(act, Stage(voice=BrokenVoice()))
    assert stage.kinds()[0] == "Failed"
    assert any(stage.loud) and stage.conductor.counters.voice_failures == 1


def test_closing_leaves_no_task() -> None:
    async def main() -> int:
        stage = Stage()
        stage.conductor.say(" ".join(["word"] * 50))
        await stage.play(0.5)
        await stage.conductor.aclose()
        return len(asyncio.all_tasks())

    assert run_virtual(main()) == 1


def test_the_voice_is_coloured_by_what_is_felt_and_stressed() -> None:
    async def act(stage: Stage) -> None:
        stage.conductor.say("[sad] oh no. [neutral] well then.")
        strong = "<emphasis level='strong'>very</emphasis>"
        stage.conductor.say(f"<speak>so {strong} <prosody rate='slow'>slow</prosody></speak>")
        await stage.play(4.0)

    sad, calm, so, very, slow = performed(act).tone.specs
    assert sad.rate < calm.rate == 1.0 and sad.energy < calm.energy == 1.0
    assert so == calm
    assert very.rate < 1.0 < very.energy
    assert slow.rate == 0.75


def test_a_mood_set_from_outside_is_heard_and_wears_off() -> None:
    async def act(stage: Stage) -> None:
        stage.conductor.feel(Emotion.HAPPY, 1.0)
        stage.conductor.say("one.")
        await stage.play(20.0)
        stage.plan.sample(now_s())
        stage.conductor.say("two.")
        await stage.play(1.0)

    first, later = performed(act).tone.specs
    assert first.pitch > 1.05
    assert later.pitch == pytest.approx(1.0, abs=0.005)


def test_a_direction_changes_the_voice_from_the_next_sentence_on() -> None:
    async def act(stage: Stage) -> None:
        stage.conductor.say("one.")
        await stage.play(1.0)
        stage.conductor.sound_like(0.8, 1.1, 1.0)
        stage.conductor.say("two.")
        await stage.play(1.0)

    first, second = performed(act).tone.specs
    assert first == VoiceSpec()
    assert (second.rate, second.pitch) == (0.8, 1.1)
