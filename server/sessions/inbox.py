"""One viewer's messages over the data channel: read, limited, carried out, answered."""

import logging
import math
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from realtime.conductor import Conductor
from realtime.core import wire
from realtime.core.clips import GESTURES
from realtime.core.director_queue import Comment
from realtime.core.errors import AnimaError, Forbidden, InvalidField, RequestError, TooLarge, TooMany
from realtime.core.facs import Emotion
from realtime.ports import Clock
from server.auth import ALL_SCOPES, Scope
from server.director.direction import Direction
from server.limits import Rate, TokenBucket
from server.metrics import Metrics
from server.sessions.orders import PaintOrders
from server.surfaces import Cue

log = logging.getLogger(__name__)

BURST: Final = 2.0
"""Messages at once, as a multiple of the rate per second."""
REFUSALS_ANSWERED_PER_S: Final = 5.0
"""Refusals beyond this are counted but not answered, so that a flood is not answered by a flood."""


SCOPE_OF: Final[Mapping[type, Scope]] = {
    wire.SendText: "talk", wire.CommentText: "talk", wire.Interrupt: "talk", wire.DisconnectBot: "talk",
    wire.SayText: "direct", wire.Cue: "direct",
}  # fmt: skip
"""What a message takes; one that is not named here takes `view`."""


class Directed(Protocol):
    """What a viewer's messages can do to a session."""

    @property
    def conductor(self) -> Conductor: ...

    @property
    def directed(self) -> Direction: ...

    @property
    def orders(self) -> PaintOrders: ...

    def figures(self) -> dict[str, Any]:
        """The session's own figures, in answer to the viewer's."""
        ...

    def viewer_figures(self, values: dict[str, float]) -> None:
        """Note what a viewer measured."""
        ...

    def leave(self) -> None:
        """The viewer asks the host to leave."""
        ...


class Inbox:
    """Serves one viewer's messages. Every bad one is answered with its field and limit and disturbs nobody."""

    def __init__(
        self,
        session: Directed,
        send: Callable[[str], None],
        *,
        clock: Clock,
        metrics: Metrics,
        messages_per_s: float,
        text_limit_chars: int,
        about: Callable[[], dict[str, Any]],
        scopes: Callable[[], frozenset[Scope]] = lambda: ALL_SCOPES,
        seen: Callable[[wire.FramesShown], dict[str, Any]] = lambda told: {},
    ) -> None:
        self._session = session
        self._scopes = scopes
        self._seen = seen
        self._send = send
        self._clock = clock
        self._metrics = metrics
        self._rate = Rate(messages_per_s, BURST * messages_per_s)
        self._bucket = TokenBucket(self._rate, clock())
        self._refusals = TokenBucket(Rate(REFUSALS_ANSWERED_PER_S, REFUSALS_ANSWERED_PER_S), clock())
        self._text_limit_chars = text_limit_chars
        self._about = about

    def receive(self, text: str) -> None:
        """Serve one message."""
        now_s = self._clock()
        wait_s = self._bucket.take(now_s)
        try:
            if wait_s:
                raise TooMany("too many messages", retry_after_s=math.ceil(wait_s * 1000) / 1000, limit=str(self._rate))
            message = wire.parse(text)
            self._require(SCOPE_OF.get(type(message), "view"))
            self._carry_out(message)
        except AnimaError as error:
            self._refuse(wire.id_of(text), error)

    def _refuse(self, id: str, error: AnimaError) -> None:
        self._metrics.message_refused(type(error).__name__)
        if not self._refusals.take(self._clock()):
            self._send(wire.error_response(id, error))

    def _carry_out(self, message: wire.ClientMessage) -> None:
        conductor = self._session.conductor
        if isinstance(message, wire.SendText | wire.SayText):
            conductor.responses.received(self._clock())
        match message:
            case wire.ClientReady(id):
                self._send(wire.bot_ready(id, self._about()))
            case wire.SendText(_, content, at_once, aloud):
                self._limit(content, "data.content")
                self._session.directed.chat(content, at_once=at_once, aloud=aloud)
            case wire.CommentText(id, content, viewer):
                self._limit(content, "data.d.text")
                became = self._session.directed.comments([Comment("comment", content, viewer)])
                self._send(wire.server_response(id, "comment", became))
            case wire.SayText(id, content, emotion, intensity, interrupt):
                self._limit(content, "data.d.text")
                try:
                    conductor.say(content, emotion=emotion, intensity=intensity, interrupt=interrupt)
                except RequestError as error:
                    raise _in_message(error) from None
                self._send(wire.server_response(id, "say"))
            case wire.Interrupt(id):
                epoch = conductor.interrupt()
                self._session.directed.silenced()
                self._metrics.interrupted()
                self._send(wire.server_response(id, "interrupt", {"epoch": epoch}))
            case wire.Cue():
                self._cue(message)
            case wire.Stats(id, values):
                self._session.viewer_figures(dict(values))
                self._send(wire.server_response(id, "stats", self._session.figures()))
            case wire.FramesShown(id):
                self._send(wire.server_response(id, "frames", self._seen(message)))
            case wire.DisconnectBot():
                self._session.leave()
            case wire.Camera():
                limit = "say, interrupt, cue, comment, stats"
                raise InvalidField("this host does not look at cameras", field="data.t", limit=limit)
            case wire.TrackStatus() | wire.Ping():
                pass

    def _cue(self, cue: wire.Cue) -> None:
        """Direct at once; what is painted is checked on other threads first, and the rest of its cue waits for that."""
        conductor = self._session.conductor
        gesture = cue.gesture
        if cue.motion is not None:
            gesture = conductor.described.require(cue.motion, "data.d.motion")
        found = {} if cue.motion is None else {"gesture": gesture}
        if cue.paint is None and cue.style is None:
            direct(conductor, cue.emotion, cue.intensity, gesture, cue.gaze, field="data.d.gesture")
            self._send(wire.server_response(cue.id, "cue", found))
            return
        require_gesture(gesture, "data.d.gesture")

        def answer(error: AnimaError | None) -> None:
            if error is None:
                self._send(wire.server_response(cue.id, "cue", found))
            else:
                self._refuse(cue.id, _in_message(error))

        wish = Cue(
            emotion=cue.emotion, intensity=cue.intensity, gesture=gesture, gaze=cue.gaze,
            paint=cue.paint, style=cue.style, style_strength=cue.style_strength,
        )  # fmt: skip
        self._session.orders.take(wish, answer)

    def _require(self, scope: Scope) -> None:
        if scope not in self._scopes():
            raise Forbidden("this viewer's token does not allow this", field="type", limit=f"scope {scope}")

    def _limit(self, text: str, field: str) -> None:
        if len(text) > self._text_limit_chars:
            raise TooLarge("the text is too long", field=field, limit=f"{self._text_limit_chars} characters")


def direct(
    conductor: Conductor,
    emotion: Emotion | None,
    intensity: float,
    gesture: str | None,
    gaze: tuple[float, float] | None,
    *,
    field: str,
) -> None:
    """Carry out a cue; an unknown gesture is refused before anything is changed."""
    require_gesture(gesture, field)
    if emotion is not None:
        conductor.feel(emotion, intensity)
    if gesture is not None:
        conductor.gesture(gesture)
    if gaze is not None:
        conductor.look(*gaze)


def require_gesture(gesture: str | None, field: str) -> None:
    """Raises `InvalidField` for a gesture that there is not."""
    if gesture is not None and gesture not in GESTURES:
        raise InvalidField(f"no gesture {gesture!r}", field=field, limit=", ".join(GESTURES))


def _in_message(error: AnimaError) -> AnimaError:
    """The error of something that knows nothing of the message it came in, its field named within that."""
    if isinstance(error, RequestError) and error.field is not None:
        error.field = f"data.d.{error.field}"
    return error
