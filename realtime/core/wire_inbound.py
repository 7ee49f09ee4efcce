"""What a viewer's client says over the data channel: typed messages, read strictly."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from realtime.core.described import MAX_MOTION_CHARS
from realtime.core.errors import InvalidField, TooLarge
from realtime.core.facs import Emotion
from realtime.core.paint_orders import read_order, read_style
from realtime.core.painting import PaintOrder
from realtime.core.script_beats import MAX_SCRIPT_CHARS
from realtime.core.script_clean import strip_controls
from realtime.core.wire_envelope import Envelope, as_envelope, read_object
from realtime.core.wire_fields import bool_in, emotion_in, gaze_in, known, number_in, object_in, string_in, text_in
from realtime.core.wire_frames import FramesShown, frames_shown

MAX_QUESTION_CHARS: Final = 2_000
MAX_COMMENT_CHARS: Final = 500
MAX_VIEWER_CHARS: Final = 64
MAX_GESTURE_CHARS: Final = 64
MAX_STATS: Final = 64
_PING: Final = "ping"
_DIRECTIONS: Final = ("emotion", "gesture", "motion", "gaze", "paint", "style")


@dataclass(frozen=True, slots=True)
class ClientReady:
    """The client can receive; `bot-ready` with the same id answers it."""

    id: str
    version: str
    library: str = ""


@dataclass(frozen=True, slots=True)
class SendText:
    """The viewer's words to be answered. `run_immediately` interrupts what is being said; without `audio_response` the
    answer is only written."""

    id: str
    content: str
    run_immediately: bool = True
    audio_response: bool = True


@dataclass(frozen=True, slots=True)
class SayText:
    """Speak exactly this script."""

    id: str
    text: str
    emotion: Emotion | None = None
    intensity: float = 1.0
    interrupt: bool = False


@dataclass(frozen=True, slots=True)
class CommentText:
    """A remark or a question to the room, answered when its turn comes; `viewer` is the name it is said with."""

    id: str
    text: str
    viewer: str = ""


@dataclass(frozen=True, slots=True)
class Interrupt:
    """Be silent at once."""

    id: str


@dataclass(frozen=True, slots=True)
class Cue:
    """Direct the avatar: at least one of emotion, gesture, motion, gaze (x, y in -1..1, right and down), paint and
    style. `motion` is a gesture in free words; an empty style takes off the one that is on."""

    id: str
    emotion: Emotion | None = None
    intensity: float = 1.0
    gesture: str | None = None
    gaze: tuple[float, float] | None = None
    motion: str | None = None
    paint: PaintOrder | None = None
    style: str | None = None
    style_strength: float = 1.0


@dataclass(frozen=True, slots=True)
class Camera:
    """The viewer's camera was switched on or off."""

    id: str
    enabled: bool


@dataclass(frozen=True, slots=True)
class Stats:
    """The viewer's own figures (from getStats); the server's are the answer."""

    id: str
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class DisconnectBot:
    """The viewer wants the host to leave."""

    id: str


@dataclass(frozen=True, slots=True)
class TrackStatus:
    """SmallWebRTC's own signalling: the viewer muted or unmuted what it sends."""

    receiver_index: int
    enabled: bool


@dataclass(frozen=True, slots=True)
class Ping:
    """A keep-alive; it is not answered."""


ClientMessage = (
    ClientReady
    | SendText
    | SayText
    | CommentText
    | Interrupt
    | Cue
    | Camera
    | Stats
    | FramesShown
    | DisconnectBot
    | TrackStatus
    | Ping
)
T = TypeVar("T")


def parse(text: str) -> ClientMessage:
    """One message of a client. Raises a `RequestError` that names the field; nothing else, whatever the text."""
    if text.startswith(_PING) and len(text) <= MAX_GESTURE_CHARS:
        return Ping()
    value = read_object(text)
    if value.get("type") == "signalling":
        return _signalling(object_in(value, "message", "message"))
    envelope = as_envelope(value)
    read = _MESSAGES.get(envelope.type)
    if read is None:
        raise InvalidField(
            f"messages of type {envelope.type!r} are not understood", field="type", limit=", ".join(_MESSAGES)
        )
    return read(envelope)


def _client_ready(envelope: Envelope) -> ClientReady:
    about = envelope.data.get("about")
    library = about.get("library") if isinstance(about, dict) else None
    version = string_in(envelope.data, "version", "data.version", 32, default="")
    return ClientReady(envelope.id, version, library[:64] if isinstance(library, str) else "")


def _send_text(envelope: Envelope) -> SendText:
    content = text_in(envelope.data, "content", "data.content", MAX_QUESTION_CHARS)
    options = object_in(envelope.data, "options", "data.options", default={})
    return SendText(
        envelope.id,
        content,
        bool_in(options, "run_immediately", "data.options.run_immediately", True),
        bool_in(options, "audio_response", "data.options.audio_response", True),
    )


def _client_message(envelope: Envelope) -> ClientMessage:
    kind = string_in(envelope.data, "t", "data.t", 64)
    read = _REQUESTS.get(kind)
    if read is None:
        raise InvalidField(f"requests of type {kind!r} are not understood", field="data.t", limit=", ".join(_REQUESTS))
    return read(envelope.id, object_in(envelope.data, "d", "data.d", default={}))


def _say(id: str, d: Mapping[str, Any]) -> SayText:
    known(d, "text", "ssml", "emotion", "intensity", "interrupt")
    if "text" in d and "ssml" in d:
        raise InvalidField("either text or ssml, not both", field="data.d.ssml", limit="one of text, ssml")
    name = "ssml" if "ssml" in d else "text"
    return SayText(
        id,
        text_in(d, name, f"data.d.{name}", MAX_SCRIPT_CHARS),
        emotion_in(d),
        number_in(d, "intensity", "data.d.intensity", 0.0, 1.0, default=1.0),
        bool_in(d, "interrupt", "data.d.interrupt", False),
    )


def _comment(id: str, d: Mapping[str, Any]) -> CommentText:
    known(d, "text", "viewer")
    viewer = strip_controls(string_in(d, "viewer", "data.d.viewer", MAX_VIEWER_CHARS, default="")).strip()
    return CommentText(id, text_in(d, "text", "data.d.text", MAX_COMMENT_CHARS), viewer)


def _cue(id: str, d: Mapping[str, Any]) -> Cue:
    known(d, *_DIRECTIONS, "intensity", "style_strength")
    if all(d.get(name) is None for name in _DIRECTIONS):
        raise InvalidField("the cue directs nothing", field="data.d", limit=f"at least one of {', '.join(_DIRECTIONS)}")
    gesture = string_in(d, "gesture", "data.d.gesture", MAX_GESTURE_CHARS) if d.get("gesture") is not None else None
    motion = None if d.get("motion") is None else text_in(d, "motion", "data.d.motion", MAX_MOTION_CHARS)
    if gesture is not None and motion is not None:
        raise InvalidField("either gesture or motion, not both", field="data.d.motion", limit="one of gesture, motion")
    style, style_strength = read_style(d, "data.d")
    return Cue(
        id,
        emotion=emotion_in(d),
        intensity=number_in(d, "intensity", "data.d.intensity", 0.0, 1.0, default=1.0),
        gesture=None if gesture is None else gesture.lower(),
        gaze=gaze_in(d),
        motion=motion,
        paint=None if d.get("paint") is None else read_order(d["paint"], "data.d.paint"),
        style=style,
        style_strength=style_strength,
    )


def _camera(id: str, d: Mapping[str, Any]) -> Camera:
    known(d, "enabled")
    if "enabled" not in d:
        raise InvalidField("enabled is missing", field="data.d.enabled", limit="true or false")
    return Camera(id, bool_in(d, "enabled", "data.d.enabled", False))


def _stats(id: str, d: Mapping[str, Any]) -> Stats:
    if len(d) > MAX_STATS:
        raise TooLarge("there are too many figures", field="data.d", limit=f"{MAX_STATS} figures")
    bound = float(2**63)
    return Stats(id, {name[:64]: number_in(d, name, f"data.d.{name[:64]}", -bound, bound) for name in d})


def _signalling(message: Mapping[str, Any]) -> ClientMessage:
    if message.get("type") != "trackStatus":
        raise InvalidField("this signalling is not understood", field="message.type", limit="trackStatus")
    index = number_in(message, "receiver_index", "message.receiver_index", 0, 15)
    return TrackStatus(int(index), bool_in(message, "enabled", "message.enabled", False))


_MESSAGES: Final[Mapping[str, Callable[[Envelope], ClientMessage]]] = {
    "client-ready": _client_ready,
    "send-text": _send_text,
    "client-message": _client_message,
    "disconnect-bot": lambda envelope: DisconnectBot(envelope.id),
}
_REQUESTS: Final[Mapping[str, Callable[[str, Mapping[str, Any]], ClientMessage]]] = {
    "say": _say,
    "comment": _comment,
    "interrupt": lambda id, d: Interrupt(id),
    "cue": _cue,
    "camera": _camera,
    "stats": _stats,
    "frames": frames_shown,
}
