"""What the HTTP application needs from the sessions behind it: small Protocols and the validated requests it hands on.

`server.app` and `server.routes` know only this module; `server.compose` builds the real side, tests build fakes."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

from realtime.core.backdrop import DEFAULT
from realtime.core.director_queue import Comment
from realtime.core.facs import Emotion
from realtime.core.painting import PaintOrder
from realtime.core.pressure import Priority
from realtime.core.primitives import Primitive
from realtime.core.prompting_look import Look
from realtime.core.values import Pcm
from realtime.programme import Programmes
from server.auth import ALL_SCOPES, Scope

if TYPE_CHECKING:
    import asyncio

    from server.metrics import Metrics
    from server.outputs.book import Outputs
    from server.portrait_tasks import PortraitTasks
    from server.rtc.resources import Opened, Restarted
    from server.rtc.sdpfrag import Fragment
    from server.sessions.easel import Paints

LOOK_SPLIT: Final = "@"
"""Between an avatar's name and that of the background it stands before."""
Progress = Callable[[str, int, int], None]
"""Called by long work as `(what, done, total)`."""


@dataclass(frozen=True, slots=True)
class SessionSpec:
    """A validated wish for a session; every name in it exists in the catalogue."""

    avatar: str
    language: str
    voice: str
    scene: str = "host"
    content: str | None = None
    """What the scene is about; None takes the scene's first."""
    max_response_time_ms: int | None = None
    """The caller's budget from text to sound; None leaves the scene's own."""
    partial_update: bool = True
    """Whether frames may be built from changed regions only; False draws every frame in full."""
    cache_hint: tuple[str, ...] = ()
    """Names of motion primitives whose base frames should be warm before the first viewer joins."""
    label: str = ""
    """The caller's own name for the session, given back in its state."""
    background: str = DEFAULT
    """What stands behind the host, as `realtime.core.backdrop` reads it."""
    rate: float = 1.0
    pitch: float = 1.0
    """Factors 0.5..2 on the voice's own."""
    priority: Priority = "normal"
    """Whether it gives way before others, or after them, where there is too little processor time."""
    public: bool = False
    """Whether a visitor without the key opened it: nothing is painted in it."""

    @property
    def look(self) -> str:
        """The avatar before its background, by the name that its pixels are kept under."""
        return self.avatar if self.background == DEFAULT else f"{self.avatar}{LOOK_SPLIT}{self.background}"


@dataclass(frozen=True, slots=True)
class Cue:
    """A direction to the avatar. At least one of its parts is set."""

    emotion: Emotion | None = None
    intensity: float = 1.0
    """0..1, of the emotion."""
    gesture: str | None = None
    """The name of a motion primitive of kind `gesture`."""
    gaze: tuple[float, float] | None = None
    """-1..1 each, positive to the picture's right and down; (0, 0) looks at the viewer."""
    look: Look | None = None
    """What a structured prompt sets: light, palette, camera, face, gesture, voice."""
    motion: str | None = None
    """A free description that finds its gesture, where `gesture` names none."""
    paint: PaintOrder | None = None
    """What is to be painted behind, on or before the avatar."""
    style: str | None = None
    """A style pack's name, for what is painted; empty takes it off."""
    style_strength: float = 1.0


@dataclass(frozen=True, slots=True)
class AvatarInfo:
    """One avatar of the catalogue."""

    name: str
    title: str
    width: int
    height: int
    kind: Literal["illustrated", "portrait"] = "illustrated"
    description: str = ""


@dataclass(frozen=True, slots=True)
class VoiceInfo:
    """One voice of the catalogue; `languages` are BCP 47 tags it speaks."""

    name: str
    title: str
    languages: tuple[str, ...]
    licence: str = ""


class Connections(Protocol):
    """A session's connections of one direction, as WHEP and WHIP see them (`server.rtc.resources` implements it)."""

    async def open(self, sdp: str, scopes: frozenset[Scope] = ALL_SCOPES) -> "Opened":
        """Answer an offer, whole or not at all, for a client with these scopes. Raises `RequestError`."""
        ...

    def etag(self, resource_id: str) -> str:
        """The running ICE session's entity tag. Raises `NotFound`."""
        ...

    def restarts(self, resource_id: str, fragment: "Fragment") -> bool:
        """Whether the fragment begins another ICE session than the running one."""
        ...

    async def trickle(self, resource_id: str, fragment: "Fragment") -> None:
        """Add candidates. Raises `RequestError`."""
        ...

    async def restart(self, resource_id: str, fragment: "Fragment") -> "Restarted":
        """Begin a new ICE session; the running one stays until the new one works. Raises `RequestError`."""
        ...

    async def hang_up(self, resource_id: str) -> None:
        """End one connection. Raises `NotFound`."""
        ...


class Directing(Protocol):
    """A session's director: viewers' comments, and the person at its desk."""

    def comments(self, items: Sequence[Comment]) -> Mapping[str, int]:
        """Take comments, gifts and orders in; what became of how many."""
        ...

    def act(self, action: str, target: str, text: str) -> None:
        """A person's intervention. Raises `InvalidField`, `Conflict` or `NotFound`."""
        ...

    def as_json(self) -> dict[str, Any]:
        """What the director's page shows: JSON values only."""
        ...

    def watched(self) -> "AbstractContextManager[asyncio.Event]":
        """While this is open, its event is set whenever `as_json` may have changed."""
        ...


class LiveSession(Protocol):
    """One running conversation with its avatar. Text is checked (length, emptiness) before it gets here."""

    @property
    def id(self) -> str: ...

    @property
    def viewers(self) -> int:
        """Peers connected now."""
        ...

    async def say(
        self,
        text: str,
        *,
        ssml: bool = False,
        emotion: Emotion | None = None,
        intensity: float = 1.0,
        interrupt: bool = False,
    ) -> None:
        """Queue this to be spoken; returns when it is accepted, not when it was spoken. Raises `Malformed` or
        `InvalidField(field="ssml" | "text")` for markup that cannot be read."""
        ...

    async def chat(self, text: str) -> None:
        """Answer this; returns when the answer was begun."""
        ...

    async def play(self, pcm: Pcm) -> None:
        """Queue a recording to be spoken, mono at 48 kHz. Raises `TooMany` when too much waits already."""
        ...

    @property
    def busy(self) -> bool:
        """Whether something is being spoken or waits to be."""
        ...

    async def interrupt(self) -> int:
        """Silence at once; returns the new epoch."""
        ...

    @property
    def directed(self) -> Directing:
        """The session's director."""
        ...

    @property
    def outputs(self) -> "Outputs":
        """The session's recordings and publications."""
        ...

    async def cue(self, cue: Cue) -> None:
        """Direct the avatar."""
        ...

    def has_peer(self, pc_id: str) -> bool:
        """Whether this peer connection is one of the session's."""
        ...

    async def offer(self, body: Mapping[str, Any], scopes: frozenset[Scope] = ALL_SCOPES) -> dict[str, Any]:
        """SmallWebRTC `{sdp, type, pc_id?, restart_pc?}` to `{sdp, type, pc_id}`. The viewer may
        do what `scopes` say. Broken SDP raises `RequestError`."""
        ...

    def permit(self, pc_id: str, scopes: frozenset[Scope]) -> None:
        """Let a viewer do this from now on, on this connection, and tell it. Raises `NotFound`."""
        ...

    async def trickle(self, body: Mapping[str, Any]) -> None:
        """SmallWebRTC `{pc_id, candidates[]}`. Raises `NotFound` for a foreign `pc_id`, `Malformed` for candidates."""
        ...

    def connections(self, direction: Literal["play", "publish"]) -> Connections:
        """The session's connections of one direction."""
        ...

    def state(self) -> dict[str, Any]:
        """What `GET /v1/sessions/{id}` shows beside id, token expiry and offer address: JSON values only."""
        ...


class Sessions(Protocol):
    """The running sessions (`server.sessions` implements it). Admission is decided before `create` is called."""

    async def create(self, spec: SessionSpec) -> LiveSession: ...

    def get(self, session_id: str) -> LiveSession | None: ...

    def all(self) -> Sequence[LiveSession]: ...

    @property
    def pressed_s(self) -> float:
        """For how long the running sessions have been under much pressure; 0 if they are not."""
        ...

    async def close(self, session_id: str, reason: str) -> None:
        """End one session; ending one that is gone already does nothing."""
        ...

    async def aclose(self) -> None:
        """End all sessions; their viewers are told first."""
        ...


class Backgrounds(Protocol):
    """Background pictures by name. Methods block: they read and write files."""

    def names(self) -> Mapping[str, str]:
        """Titles by name, those that come with Anima first."""
        ...

    def add(self, data: bytes) -> str:
        """Keep an uploaded picture; returns its name. Raises `TooLarge` or `InvalidField`."""
        ...

    def thumbnail(self, name: str) -> bytes:
        """A small JPEG. Raises `NotFound`."""
        ...


class Services(Protocol):
    """Everything behind the HTTP application; `server.compose.build(config, progress)` returns one, not started yet.

    `build` is synchronous, runs before the event loop and does the long work (baking); `start` runs on the loop and
    warms what answers the first viewer (voice worker, compute thread)."""

    @property
    def sessions(self) -> Sessions: ...

    @property
    def metrics(self) -> "Metrics":
        """Where the frame path counts; the application serves it at `/metrics`."""
        ...

    def avatars(self) -> Sequence[AvatarInfo]: ...

    @property
    def portraits(self) -> "PortraitTasks":
        """Portraits that are being baked."""
        ...

    def poster(self, avatar: str) -> bytes | None:
        """A still JPEG picture of an avatar, for the moment before it streams; None for an unknown avatar."""
        ...

    @property
    def backgrounds(self) -> Backgrounds:
        """The pictures that can stand behind a host."""
        ...

    @property
    def paints(self) -> "Paints":
        """What paints regions, and its style packs."""
        ...

    def voices(self) -> Sequence[VoiceInfo]: ...

    def primitives(self) -> Mapping[str, Primitive]:
        """The motion library by name; those of kind `gesture` may be cued."""
        ...

    @property
    def programmes(self) -> Programmes:
        """The scenes and what they can be about."""
        ...

    def readiness(self) -> Mapping[str, bool]:
        """Each part a session needs and whether it is up, for `/readyz`."""
        ...

    def notices(self) -> Mapping[str, str]:
        """Parts that a session can do without, and what is wrong with them, for `/readyz`."""
        ...

    async def start(self) -> None: ...

    async def aclose(self) -> None:
        """Release everything: sessions first, then workers and connections."""
        ...
