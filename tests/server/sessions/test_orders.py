"""Orders over the data channel: one at a time, the newest wins, refusals are answered, nothing outlives a session."""

import asyncio
import json
from types import SimpleNamespace
from typing import Any, cast

import pytest

from realtime.core.errors import AnimaError, Conflict, InvalidField
from realtime.core.facs import Emotion
from realtime.core.painting import PaintOrder, Place
from server.metrics import Metrics
from server.sessions.inbox import Directed, Inbox
from server.sessions.orders import PaintOrders
from server.surfaces import Cue


class Studio:
    """Carries orders out when it is told to, and keeps what was begun and what was finished."""

    def __init__(self) -> None:
        self.begun: list[Cue] = []
        self.done: list[Cue] = []
        self.cancelled = 0
        self.go = asyncio.Event()
        self.failure: Exception | None = None

    async def carry_out(self, cue: Cue) -> None:
        self.begun.append(cue)
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.failure is not None:
            raise self.failure
        self.done.append(cue)


class Answers:
    """What became of each order, in the order of the answers."""

    def __init__(self, orders: PaintOrders) -> None:
        self.orders = orders
        self.given: list[tuple[str, AnimaError | None]] = []

    def take(self, cue: Cue, name: str) -> None:
        self.orders.take(cue, lambda error: self.given.append((name, error)))


def paint(region: Place, prompt: str) -> Cue:
    return Cue(paint=PaintOrder(region, prompt))


async def settled(turns: int = 20) -> None:
    for _ in range(turns):
        await asyncio.sleep(0)


async def test_the_newest_order_takes_the_place_of_the_one_that_is_checked_and_of_the_one_that_waits() -> None:
    studio = Studio()
    answers = Answers(PaintOrders(studio.carry_out))
    answers.take(paint("background", "one"), "one")
    await settled()
    for name in ("two", "three"):
        answers.take(paint("background", name), name)
    await settled()
    assert [name for name, _ in answers.given] == ["two", "one"], "both are told, and the newest is at work"
    assert all(isinstance(error, Conflict) and error.field == "paint.region" for _, error in answers.given)
    assert studio.cancelled == 1
    studio.go.set()
    await settled()
    assert [cue.paint.prompt for cue in studio.done if cue.paint] == ["three"] and answers.given[-1] == ("three", None)
    await answers.orders.aclose()


async def test_orders_for_different_things_are_carried_out_one_after_another() -> None:
    studio = Studio()
    answers = Answers(PaintOrders(studio.carry_out))
    answers.take(Cue(style="ink"), "style")
    answers.take(paint("background", "a wood"), "background")
    answers.take(paint("product", "a lamp"), "product")
    await settled()
    assert len(studio.begun) == 1, "one at a time"
    studio.go.set()
    await settled()
    assert answers.given == [("style", None), ("background", None), ("product", None)]
    answers.take(paint("background", "a lake"), "later")
    await settled()
    assert answers.given[-1] == ("later", None)
    await answers.orders.aclose()


async def test_a_refusal_is_answered_and_the_next_order_is_taken() -> None:
    studio = Studio()
    studio.go.set()
    answers = Answers(PaintOrders(studio.carry_out))
    for failure, kind in ((InvalidField("no", field="style"), InvalidField), (ValueError("secret"), AnimaError)):
        studio.failure = failure
        answers.take(Cue(style="ink"), "refused")
        await settled()
        assert isinstance(answers.given[-1][1], kind) and "secret" not in str(answers.given[-1][1])
    studio.failure = None
    answers.take(Cue(style=""), "taken")
    await settled()
    assert answers.given[-1] == ("taken", None)
    await answers.orders.aclose()


async def test_nothing_is_carried_out_or_answered_after_the_end() -> None:
    studio = Studio()
    answers = Answers(PaintOrders(studio.carry_out))
    answers.take(paint("background", "one"), "one")
    answers.take(paint("product", "two"), "two")
    await settled()
    before = asyncio.all_tasks()
    await answers.orders.aclose()
    await settled()
    assert studio.cancelled == 1 and studio.done == [] and answers.given == []
    assert len(asyncio.all_tasks()) < len(before)
    with pytest.raises(Conflict):
        answers.take(paint("background", "late"), "late")
    await PaintOrders(studio.carry_out).aclose()


# --- as a viewer's message


class Conversation:
    """An inbox on a session whose cues are kept."""

    def __init__(self) -> None:
        self.studio = Studio()
        self.orders = PaintOrders(self.studio.carry_out)
        self.felt: list[Any] = []
        found = SimpleNamespace(require=self._require)
        conductor = SimpleNamespace(described=found, feel=lambda *how: self.felt.append(how), gesture=self.felt.append)
        session = SimpleNamespace(conductor=conductor, orders=self.orders)
        self.sent: list[dict[str, Any]] = []
        self.inbox = Inbox(
            cast(Directed, session), lambda text: self.sent.append(json.loads(text)), clock=lambda: 0.0,
            metrics=Metrics(), messages_per_s=50.0, text_limit_chars=100, about=dict,
        )  # fmt: skip

    @staticmethod
    def _require(motion: str, field: str) -> str:
        if motion != "greets everybody":
            raise InvalidField("no motion fits", field=field, limit="similarity of at least 0.88")
        return "wave"

    async def cue(self, id: str, **d: Any) -> None:
        data = {"t": "cue", "d": d}
        self.inbox.receive(json.dumps({"label": "rtvi-ai", "type": "client-message", "id": id, "data": data}))
        await settled()


FOREST = {"region": "background", "prompt": "a forest"}


async def test_a_painting_cue_is_answered_when_it_is_taken_with_its_own_id() -> None:
    talk = Conversation()
    await talk.cue("p", paint=FOREST, style="ink", style_strength=0.5, emotion="happy")
    assert talk.sent == [] and talk.felt == [], "it is being checked; what belongs to it waits"
    await talk.cue("e", emotion="sad")
    assert [one["id"] for one in talk.sent] == ["e"], "nothing else waits"
    talk.studio.go.set()
    await settled()
    assert (talk.sent[-1]["id"], talk.sent[-1]["type"], talk.sent[-1]["data"]["t"]) == ("p", "server-response", "cue")
    (cue,) = talk.studio.done
    assert cue.paint == PaintOrder("background", "a forest") and (cue.style, cue.style_strength) == ("ink", 0.5)
    assert cue.emotion is Emotion.HAPPY
    await talk.orders.aclose()


async def test_a_refused_painting_cue_names_the_field_of_its_message() -> None:
    talk = Conversation()
    talk.studio.go.set()
    talk.studio.failure = InvalidField("the safety rules do not allow this prompt", field="paint.prompt", limit="rules")
    await talk.cue("p", paint=FOREST)
    assert talk.sent[-1]["type"] == "error-response" and talk.sent[-1]["id"] == "p"
    assert talk.sent[-1]["data"]["field"] == "data.d.paint.prompt" and talk.sent[-1]["data"]["status"] == 422
    await talk.cue("g", paint=FOREST, gesture="somersault")
    assert talk.sent[-1]["data"]["field"] == "data.d.gesture" and len(talk.studio.begun) == 1, "not even begun"
    await talk.orders.aclose()


async def test_a_description_is_answered_with_the_gesture_it_found() -> None:
    talk = Conversation()
    await talk.cue("m", motion="greets everybody")
    assert talk.sent[-1]["data"] == {"t": "cue", "d": {"gesture": "wave"}} and talk.felt == ["wave"]
    await talk.cue("n", motion="plays chess")
    assert talk.sent[-1]["data"]["field"] == "data.d.motion"
    await talk.orders.aclose()
