"""Sessions and services that remember what they were asked, for tests of the HTTP application."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

from realtime.core.director_queue import Comment
from realtime.core.errors import InvalidField, Malformed, NotFound
from realtime.core.facs import Emotion
from realtime.core.primitives import Primitive
from realtime.core.scenes import SCENES, Scene
from realtime.core.values import Pcm
from realtime.programme import ContentInfo, Programme
from server.auth import ALL_SCOPES, Scope
from server.metrics import Metrics
from server.outputs.book import OutputWish
from server.portrait_tasks import PortraitTasks
from server.rtc.resources import Opened, Restarted
from server.rtc.sdpfrag import Fragment
from server.surfaces import AvatarInfo, Cue, SessionSpec, VoiceInfo
from tests.fakes import FixedAnswerer


@dataclass
class FakeConnections:
    """WHEP or WHIP resources; one has the user fragment `old1` until it is restarted."""

    tags: dict[str, str] = field(default_factory=dict)
    ufrags: dict[str, str] = field(default_factory=dict)
    trickled: list[Fragment] = field(default_factory=list)

    async def open(self, sdp: str, scopes: frozenset[Scope] = ALL_SCOPES) -> Opened:
        if not sdp.startswith("v=0"):
            raise Malformed("the SDP cannot be parsed", field="sdp")
        name = f"r{len(self.tags)}"
        self.tags[name], self.ufrags[name] = f'"{name}-1"', "old1"
        return Opened(name, "v=0\r\n", self.tags[name])

    def etag(self, resource_id: str) -> str:
        if resource_id not in self.tags:
            raise NotFound("there is no such connection", field="resource")
        return self.tags[resource_id]

    def restarts(self, resource_id: str, fragment: Fragment) -> bool:
        return fragment.credentials is not None and fragment.credentials.ufrag != self.ufrags[resource_id]

    async def trickle(self, resource_id: str, fragment: Fragment) -> None:
        self.trickled.append(fragment)

    async def restart(self, resource_id: str, fragment: Fragment) -> Restarted:
        assert fragment.credentials is not None
        self.ufrags[resource_id] = fragment.credentials.ufrag
        self.tags[resource_id] = f'"{resource_id}-2"'
        return Restarted("a=ice-ufrag:ours\r\n", self.tags[resource_id])

    async def hang_up(self, resource_id: str) -> None:
        self.etag(resource_id)
        del self.tags[resource_id]


@dataclass
class FakeDirecting:
    """Notes comments and actions."""

    items: list[Comment] = field(default_factory=list)
    acts: list[tuple[str, str, str]] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def comments(self, items: Sequence[Comment]) -> Mapping[str, int]:
        self.items += items
        return {"new": len(items)}

    def act(self, action: str, target: str, text: str) -> None:
        if action == "juggle":
            raise InvalidField("there is no action 'juggle'", field="action", limit="hold")
        self.acts.append((action, target, text))
        self.changed.set()

    def as_json(self) -> dict[str, Any]:
        return {"acts": len(self.acts)}

    def watched(self) -> AbstractContextManager[asyncio.Event]:
        return nullcontext(self.changed)


class FakeProgrammes:
    """The real scenes, and no content but one product."""

    def scenes(self) -> Sequence[Scene]:
        return [SCENES["host"], SCENES["commerce"]]

    def contents(self, scene: str) -> Sequence[ContentInfo]:
        return [ContentInfo("lamp", scene, {"en": "A lamp"})] if scene == "commerce" else []

    def open(self, scene: str, content: str | None, language: str) -> Programme:
        return Programme(SCENES[scene], content or "", language, scene, FixedAnswerer(["Hello there my friend."]))


@dataclass
class FakeOutputs:
    """Outputs that are live at once."""

    made: dict[str, dict[str, Any]] = field(default_factory=dict)
    wishes: list[OutputWish] = field(default_factory=list)

    @property
    def running(self) -> int:
        return sum(one["state"] == "live" for one in self.made.values())

    async def open(self, wish: OutputWish) -> dict[str, Any]:
        self.wishes.append(wish)
        name = f"o{len(self.made)}"
        self.made[name] = {"id": name, "kind": wish.kind, "target": f"{name}.mp4", "state": "live", "error": None}
        return self.made[name]

    def all(self) -> list[dict[str, Any]]:
        return list(self.made.values())

    def one(self, output_id: str) -> dict[str, Any]:
        if output_id not in self.made:
            raise NotFound("there is no such output", field="output")
        return self.made[output_id]

    async def close(self, output_id: str) -> dict[str, Any]:
        self.one(output_id)["state"] = "ended"
        return self.made[output_id]

    async def aclose(self) -> None:
        for one in self.made.values():
            one["state"] = "ended"


@dataclass
class FakeSession:
    """A session that notes its calls; `failure` is raised by the next one."""

    id: str
    spec: SessionSpec
    viewers: int = 0
    epoch: int = 0
    calls: list[tuple[str, Any]] = field(default_factory=list)
    peers: set[str] = field(default_factory=set)
    failure: Exception | None = None
    directed: FakeDirecting = field(default_factory=FakeDirecting)
    outputs: Any = field(default_factory=FakeOutputs)
    resources: dict[str, FakeConnections] = field(
        default_factory=lambda: {"play": FakeConnections(), "publish": FakeConnections()}
    )

    def _note(self, name: str, what: Any) -> None:
        if self.failure is not None:
            raise self.failure
        self.calls.append((name, what))

    async def say(
        self,
        text: str,
        *,
        ssml: bool = False,
        emotion: Emotion | None = None,
        intensity: float = 1.0,
        interrupt: bool = False,
    ) -> None:
        self._note("say", (text, ssml, emotion, intensity, interrupt))

    async def chat(self, text: str) -> None:
        self._note("chat", text)

    async def play(self, pcm: Pcm) -> None:
        self._note("play", len(pcm))

    @property
    def busy(self) -> bool:
        return bool(self.calls)

    async def interrupt(self) -> int:
        self.epoch += 1
        self._note("interrupt", self.epoch)
        return self.epoch

    async def cue(self, cue: Cue) -> None:
        self._note("cue", cue)

    def has_peer(self, pc_id: str) -> bool:
        return pc_id in self.peers

    async def offer(self, body: Mapping[str, Any], scopes: frozenset[Scope] = ALL_SCOPES) -> dict[str, Any]:
        self._note("offer", dict(body))
        if not body["sdp"].startswith("v=0"):
            raise Malformed("the SDP cannot be parsed", field="sdp")
        pc_id = body["pc_id"] or f"{self.id}-peer-{len(self.peers)}"
        self.peers.add(pc_id)
        return {"sdp": "v=0\r\n", "type": "answer", "pc_id": pc_id}

    def permit(self, pc_id: str, scopes: frozenset[Scope]) -> None:
        if pc_id not in self.peers:
            raise NotFound("there is no such connection", field="pc_id")
        self._note("permit", (pc_id, scopes))

    async def trickle(self, body: Mapping[str, Any]) -> None:
        if body["pc_id"] not in self.peers:
            raise NotFound("there is no such connection", field="pc_id")
        self._note("trickle", dict(body))

    def connections(self, direction: Literal["play", "publish"]) -> FakeConnections:
        return self.resources[direction]

    def state(self) -> dict[str, Any]:
        return {"activity": "idle", "label": self.spec.label, "avatar": self.spec.avatar}


class FakeSessions:
    """A session book."""

    def __init__(self) -> None:
        self.running: dict[str, FakeSession] = {}
        self.closed: list[tuple[str, str]] = []
        self.opened = 0
        self.pressed_s = 0.0

    async def create(self, spec: SessionSpec) -> FakeSession:
        self.opened += 1
        session = FakeSession(f"s{self.opened}", spec)
        self.running[session.id] = session
        return session

    def get(self, session_id: str) -> FakeSession | None:
        return self.running.get(session_id)

    def all(self) -> Sequence[FakeSession]:
        return list(self.running.values())

    async def close(self, session_id: str, reason: str) -> None:
        if self.running.pop(session_id, None):
            self.closed.append((session_id, reason))

    async def aclose(self) -> None:
        for session_id in list(self.running):
            await self.close(session_id, "shutdown")


class FakeBackgrounds:
    """Two pictures, and what is uploaded."""

    def __init__(self) -> None:
        self.known = {"studio": "Studio", "loft": "Loft"}

    def names(self) -> Mapping[str, str]:
        return self.known

    def add(self, data: bytes) -> str:
        if not data.startswith(b"\x89PNG"):
            raise InvalidField("this is not a picture that can be read", field="body", limit="JPEG, PNG or WebP")
        self.known["own-0123456789ab"] = "Own picture 0123"
        return "own-0123456789ab"

    def thumbnail(self, name: str) -> bytes:
        if name not in self.known:
            raise NotFound("there is no such background", field="background")
        return b"\xff\xd8" + name.encode()


class FakeServices:
    """Two avatars, two voices, three primitives."""

    def __init__(self) -> None:
        self.sessions = FakeSessions()
        self.metrics = Metrics()
        self.parts = {"voice": True, "avatar": True}
        self.life: list[str] = []
        self.backgrounds = FakeBackgrounds()
        self.paints: Any = SimpleNamespace(painter=None)
        self.portraits = PortraitTasks(Path(), lambda: ("mira", "juno"))

    def avatars(self) -> Sequence[AvatarInfo]:
        return [AvatarInfo("mira", "Mira", 512, 512), AvatarInfo("juno", "Juno", 512, 512)]

    def poster(self, avatar: str) -> bytes | None:
        return b"\xff\xd8a picture of " + avatar.encode() if avatar in ("mira", "juno") else None

    def voices(self) -> Sequence[VoiceInfo]:
        return [VoiceInfo("british", "British", ("en-GB",)), VoiceInfo("mandarin", "Mandarin", ("zh", "cmn"))]

    def primitives(self) -> Mapping[str, Primitive]:
        flat = {"yaw": ((0.0, 0.0), (1.0, 0.0))}
        return {
            "idle": Primitive("idle", "loop", 1.0, flat, "Stands."),
            "nod": Primitive("nod", "gesture", 1.0, flat, "Nods."),
            "wave": Primitive("wave", "gesture", 1.0, flat, "Waves."),
        }

    @property
    def programmes(self) -> FakeProgrammes:
        return FakeProgrammes()

    def notices(self) -> Mapping[str, str]:
        return {}

    def readiness(self) -> Mapping[str, bool]:
        return self.parts

    async def start(self) -> None:
        self.life.append("start")

    async def aclose(self) -> None:
        self.life.append("close")
