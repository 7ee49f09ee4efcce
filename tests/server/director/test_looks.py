"""Looks in a running conversation, and what is not said twice, in virtual time."""

from realtime.core import events
from realtime.core.facs import Emotion
from realtime.core.prompting import read_prompt
from realtime.core.prompting_look import look_of
from tests.server.director.test_direction import Stage, joined, performed


def test_the_contents_prompt_is_worn_from_the_start() -> None:
    stage = performed(lambda stage: joined(stage, 6.0), "tutor", "photosynthesis")
    about = stage.direction.about()
    assert about["look"]["voice"]["rate"] < 1 and about["brand"]["lighting"] == "neutral"
    assert all(spec.rate < 1 for spec in stage.voice.specs), "children are spoken to slowly"


def test_a_look_is_told_to_viewers_and_heard() -> None:
    look = look_of(read_prompt({"subject": "a sad host", "environment": "moonlight", "camera": "close-up, pan",
                                "action": "nods", "audience": "elderly people"}))  # fmt: skip

    async def act(stage: Stage) -> None:
        stage.direction.wardrobe.wear(look, stage.conductor)
        stage.conductor.say("So it goes.")
        await stage.play(2.0)

    stage = performed(act, "npc", "innkeeper")
    assert stage.reports("brand")[-1]["lighting"] == "cool"
    assert {"framing": "close", "camera": "drift"} in stage.reports("shot")
    felt = [event for _, event in stage.events if isinstance(event, events.EmotionChanged)]
    assert felt[-1].emotion is Emotion.SAD
    assert any(isinstance(event, events.GestureStarted) and event.name == "nod" for _, event in stage.events)
    assert stage.voice.specs[-1].rate < 0.85, "slow for the old, and slower in sadness"
    assert stage.direction.about()["look"]["emotion"] == "sad"


def test_what_an_answer_has_said_is_not_said_again_by_the_shot_it_cut() -> None:
    async def act(stage: Stage) -> None:
        await joined(stage, 0.0)
        while not any("And what does it cost" in line or "79 dollars" in line for line in stage.said()):
            await stage.play(0.5)
        stage.direction.chat("How much is it?")
        await stage.play(20.0)

    said = performed(act, "commerce", "earbuds").said()
    at = next(index for index, line in enumerate(said) if line.startswith("It is 79 dollars"))
    extra = [line for line in said[at:] if "silicone case" in line]
    assert len(extra) == 1, said[at:]
