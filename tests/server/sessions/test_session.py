"""A session on fakes with real viewers: frames and sound arrive, messages are served, nothing is left behind."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from client.viewer.signalling import Answer
from client.viewer.viewer import HeadlessViewer
from models.language.content import Library
from models.safety.audit import AuditLog
from models.safety.filter import SafetyFilter
from models.safety.rules import load_packs
from realtime.compute import ComputeThread
from realtime.core.errors import InvalidField, TooMany
from realtime.core.facs import Emotion
from realtime.core.scenes import SCENES
from realtime.stock import Stock
from server.config import Config
from server.metrics import Metrics
from server.rtc.peer import PeerOptions
from server.sessions.manager import SessionManager
from server.sessions.session import Session
from server.sessions.shared import Shared
from server.surfaces import Cue, SessionSpec
from tests.fakes import FixedAnswerer, FlatAvatar, ToneVoice

SPEC = SessionSpec(avatar="flat", language="en", voice="default")


def safety_of(session: str, scene: str, language: str) -> SafetyFilter:
    return SafetyFilter(load_packs(["en", "zh"]), AuditLog(None), session=session, scene=scene, language=language)


class House:
    """A session manager on fakes and its viewers."""

    def __init__(self, config: Config) -> None:
        self.metrics = Metrics()
        self.avatar = FlatAvatar()
        self.answerer = FixedAnswerer(["Hello there my friend.", "[nod] How are you?"])
        self.compute = ComputeThread()
        library = Library(self.answerer)
        shared = Shared(
            config, {"flat": Stock(self.avatar)}, self.compute, ToneVoice(), library, safety_of, self.metrics
        )
        self.sessions = SessionManager(shared, PeerOptions())

    async def viewer(self, session: Session) -> "Watcher":
        watcher = Watcher(session)
        await watcher.viewer.connect()
        return watcher


class Watcher:
    """A viewer of a session that keeps what it gets."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.messages: list[dict[str, Any]] = []
        self.loud = 0
        self.frames = 0
        self.viewer = HeadlessViewer(signaller=self)
        self.viewer.on_message = lambda text: self.messages.append(json.loads(text))
        self.viewer.on_sound = lambda sound: self._heard(sound.pcm)
        self.viewer.on_frame = lambda frame: self._saw()

    async def offer(self, sdp: str) -> Answer:
        answer = await self.session.offer({"sdp": sdp, "type": "offer"})
        return Answer(answer["sdp"], answer["pc_id"])

    async def aclose(self) -> None:
        """Nothing to release: there is no HTTP in between."""

    def _heard(self, pcm: np.ndarray[tuple[int], np.dtype[np.int16]]) -> None:
        self.loud += int(np.abs(pcm.astype(int)).max() > 1000)

    def _saw(self) -> None:
        self.frames += 1

    def kinds(self) -> list[object]:
        return [message["type"] for message in self.messages]

    async def send(self, kind: str, data: dict[str, object], id: str = "1") -> None:
        await self.viewer.send(json.dumps({"label": "rtvi-ai", "id": id, "type": kind, "data": data}))


async def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for something that has to happen; fail with its name if it does not within 20 s."""
    try:
        async with asyncio.timeout(20):
            while not condition():  # noqa: ASYNC110  # what is waited for has no event of its own
                await asyncio.sleep(0.01)
    except TimeoutError:
        pytest.fail(f"did not happen: {what}")


@pytest.fixture
async def house() -> AsyncIterator[House]:
    made = House(replace(Config(), messages_per_s=10.0))
    yield made
    await made.sessions.aclose()
    made.compute.close()


async def test_a_viewer_sees_hears_and_is_told(house: House) -> None:
    session = await house.sessions.create(SPEC)
    watcher = await house.viewer(session)
    await watcher.send("client-ready", {"version": "2.1.0"})
    await session.say("one two three")
    await until(lambda: watcher.frames > 10 and watcher.loud > 10, "frames and sound")
    await until(lambda: "bot-stopped-speaking" in watcher.kinds(), "the end of speaking")
    kinds = watcher.kinds()
    assert "bot-ready" in kinds
    for kind in ("bot-started-speaking", "bot-transcription", "bot-tts-text", "metrics"):
        assert kind in kinds
    assert house.avatar.regions_drawn > 0
    state = session.state()
    assert state["viewers"] == 1 and state["frames"] > 0 and len(state["text_to_sound_ms"]) == 1
    json.dumps(state)
    await watcher.viewer.close()


async def test_messages_are_carried_out_and_answered(house: House) -> None:
    session = await house.sessions.create(SPEC)
    watcher = await house.viewer(session)
    await watcher.send("send-text", {"content": "Who are you?"})
    await until(lambda: "bot-llm-text" in watcher.kinds(), "an answer")
    await watcher.send("client-message", {"t": "interrupt"}, id="7")
    await until(lambda: "bot-interrupted" in watcher.kinds(), "the interruption")
    await watcher.send("client-message", {"t": "cue", "d": {"emotion": "happy", "gesture": "wave"}}, id="8")
    await watcher.send("client-message", {"t": "stats", "d": {"fps": 25}}, id="9")
    await until(lambda: kinds_of(watcher, "server-response") >= {"7", "8", "9"}, "responses")
    assert house.answerer.asked[0][0] == "Who are you?"
    assert session.state()["viewer"] == {"fps": 25}
    await watcher.viewer.close()


def kinds_of(watcher: Watcher, kind: str) -> set[object]:
    return {message["id"] for message in watcher.messages if message["type"] == kind}


async def test_bad_messages_are_answered_and_a_flood_is_limited(house: House) -> None:
    session = await house.sessions.create(SPEC)
    watcher = await house.viewer(session)
    await watcher.viewer.send("{not json")
    await watcher.send("client-message", {"t": "cue", "d": {"gesture": "juggle"}}, id="2")
    await watcher.send("client-message", {"t": "say", "d": {"text": "x" * 6000}}, id="3")
    await until(lambda: watcher.kinds().count("error-response") >= 3, "three refusals")
    answers = {m["id"]: m["data"] for m in watcher.messages if m["type"] == "error-response"}
    assert "wave" in str(answers["2"]) and "5000" in str(answers["3"])
    for i in range(60):
        await watcher.send("client-message", {"t": "stats", "d": {}}, id=f"f{i}")
    await until(lambda: house.metrics.value("anima_messages_refused_total", reason="TooMany") > 10, "the limit")
    frames = watcher.frames
    await until(lambda: watcher.frames > frames + 5, "frames go on")
    await watcher.viewer.close()


async def test_frames_are_made_only_while_somebody_watches(house: House) -> None:
    session = await house.sessions.create(SPEC)
    assert session.state()["frames"] == 0
    watcher = await house.viewer(session)
    await until(lambda: session.state()["frames"] > 3, "frames")
    await watcher.viewer.close()
    await until(lambda: session.viewers == 0, "the viewer left")
    made = session.state()["frames"]
    await asyncio.sleep(0.2)
    assert session.state()["frames"] <= made + 1


async def test_closing_a_session_leaves_no_task_and_no_thread() -> None:
    tasks, threads = len(asyncio.all_tasks()), threading.active_count()
    house = House(Config())
    session = await house.sessions.create(SPEC)
    await house.viewer(session)
    await session.say("one two three four five six seven eight nine ten")
    await asyncio.sleep(0.2)
    await house.sessions.close(session.id, "test")
    await house.sessions.close(session.id, "again")
    house.compute.close()
    await until(lambda: len(asyncio.all_tasks()) <= tasks, "tasks are gone")
    assert threading.active_count() <= threads
    assert house.sessions.get(session.id) is None


async def test_cues_and_scripts_are_checked_before_anything_happens(house: House) -> None:
    session = await house.sessions.create(SPEC)
    with pytest.raises(InvalidField, match="juggle"):
        await session.cue(Cue(emotion=Emotion.SAD, gesture="juggle"))
    with pytest.raises(InvalidField):
        await session.say("[juggle] hello")
    with pytest.raises(InvalidField) as raised:
        await session.cue(Cue(emotion=Emotion.SAD, motion="plays the violin"))
    assert raised.value.field == "motion"
    await session.cue(Cue(emotion=Emotion.SAD, gaze=(0.5, 0.0)))
    for _ in range(60):
        try:
            await session.say("word")
        except TooMany as error:
            assert error.retry_after_s >= 1.0
            break
    else:
        pytest.fail("the queue has no limit")
    assert await session.interrupt() == 1


async def test_frames_that_a_viewer_saw_are_joined_and_lies_are_counted(house: House) -> None:
    session = await house.sessions.create(SPEC)
    watcher = await house.viewer(session)
    await watcher.send("client-ready", {"version": "2.1.0"}, id="r")
    await until(lambda: watcher.frames > 5 and "bot-ready" in watcher.kinds(), "frames")
    about: Any = next(m["data"] for m in watcher.messages if m["type"] == "bot-ready")
    origin = about["about"]["video_rtp_origin"]
    state = session.state()
    last = int(state["clock_s"] * 25)
    at_ms = [1e3 * (index / 25 + 0.01) for index in range(last)]
    rows = [[(origin + 3600 * index) % (1 << 32), at, at + 20, at + 30, 2] for index, at in enumerate(at_ms)][-20:]
    await watcher.send("client-message", {"t": "frames", "d": {"rows": [[0, 0, 0, 0, 0], *rows]}}, id="g")
    await until(lambda: "g" in kinds_of(watcher, "server-response"), "the answer")
    glass = session.state()["glass"]
    assert glass["joined"] + glass["refused"] + glass["inconsistent"] == len(rows) + 1 and glass["refused"] >= 1
    assert house.metrics.value("anima_viewer_frames_total", result="refused") == glass["refused"]
    assert house.metrics.value("anima_viewer_frames_total", result="joined") == glass["joined"] > 0
    assert house.metrics.value("anima_glass_seconds_count", stage="total") == glass["joined"]
    await watcher.send("client-message", {"t": "frames", "d": {"rows": []}}, id="p")
    await until(lambda: "p" in kinds_of(watcher, "server-response"), "the clock")
    clock: Any = next(m["data"]["d"] for m in watcher.messages if m["id"] == "p")
    assert set(clock) == {"came_s", "clock_s"} and 0 < clock["came_s"] <= clock["clock_s"]
    await watcher.viewer.close()


@pytest.mark.parametrize("name", SCENES)
async def test_a_session_tells_how_it_stands_against_its_scenes_budget(house: House, name: str) -> None:
    session = await house.sessions.create(replace(SPEC, scene=name))
    response = session.state()["response"]
    assert response["budget_ms"] == SCENES[name].budget_ms and {"p50_ms", "p95_ms", "within_budget"} <= response.keys()
