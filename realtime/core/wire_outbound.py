"""What the server says over the data channel: events of a conversation as RTVI messages, and replies to requests."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from realtime.core import events
from realtime.core.errors import AnimaError, RequestError
from realtime.core.wire_envelope import PROTOCOL_VERSION, Envelope

_METRIC_GROUPS: Final = ("processing", "ttfb", "characters")


def bot_ready(id: str, about: Mapping[str, Any] | None = None) -> str:
    """The answer to `client-ready`, carrying its id."""
    return Envelope("bot-ready", {"version": PROTOCOL_VERSION, "about": dict(about or {})}, id).text()


def server_response(id: str, kind: str, d: Mapping[str, Any] | None = None) -> str:
    """The answer to a `client-message` of this kind (its `t`), carrying its id."""
    return Envelope("server-response", {"t": kind, "d": dict(d or {})}, id).text()


def error_response(id: str, error: AnimaError) -> str:
    """Why a message could not be served, carrying its id; the field and the limit where they are known."""
    data: dict[str, Any] = {"error": str(error), "status": error.status}
    if isinstance(error, RequestError):
        data |= {name: value for name in ("field", "limit") if (value := getattr(error, name)) is not None}
    retry_after_s = getattr(error, "retry_after_s", None)
    if retry_after_s is not None:
        data["retry_after_s"] = retry_after_s
    return Envelope("error-response", data, id).text()


def permitted(scopes: Iterable[str]) -> str:
    """What this viewer may do from now on: some of `view`, `talk`, `direct`."""
    return Envelope("server-message", {"t": "scopes", "d": {"scopes": sorted(scopes)}}, "scopes").text()


def farewell(reason: str, *, returns: bool) -> str:
    """The last message on a connection that the server ends, and whether coming back makes sense."""
    return Envelope("server-message", {"t": "farewell", "d": {"reason": reason, "returns": returns}}, "farewell").text()


class Encoder:
    """Turns events into messages for one viewer; numbers them and the sentences."""

    def __init__(self, user: str = "viewer") -> None:
        self._user = user
        self._serial = 0
        self._segment = 0
        self._sentence = ""
        self._spoken = ""

    def encode(self, event: events.Event, timestamp: str = "") -> list[str]:
        """The messages for one event, in order. `timestamp` is the wall time in ISO 8601, which RTVI wants with a
        transcription."""
        match event:
            case events.UserSaid(text, final):
                data = {"text": text, "final": final, "timestamp": timestamp, "user_id": self._user}
                return [self._message("user-transcription", data)]
            case events.UserStartedSpeaking():
                return [self._message("user-started-speaking", {})]
            case events.UserStoppedSpeaking():
                return [self._message("user-stopped-speaking", {})]
            case events.AnswerText(text, source):
                return [self._message("bot-llm-text", {"text": text} | ({"source": source} if source else {}))]
            case events.SentenceStarted(text, media_s, epoch):
                return self._sentence_started(text, _at(media_s, epoch))
            case events.WordSpoken(text, media_s, epoch):
                return self._word_spoken(text, _at(media_s, epoch))
            case events.SpeakingStarted(media_s, epoch):
                return [self._message("bot-started-speaking", _at(media_s, epoch))]
            case events.SpeakingStopped(media_s, epoch):
                return [*self._completed(), self._message("bot-stopped-speaking", _at(media_s, epoch))]
            case events.Interrupted(epoch, media_s):
                cut = [self._message("bot-output", self._output("in-progress"))] if self._sentence else []
                self._sentence = self._spoken = ""
                return [*cut, self._message("bot-interrupted", _at(media_s, epoch))]
            case events.EmotionChanged(emotion, intensity):
                return [self._server("emotion", {"emotion": emotion.name.lower(), "intensity": round(intensity, 3)})]
            case events.GestureStarted(name):
                return [self._server("gesture", {"name": name})]
            case events.Report("metrics", values):
                return [self._message("metrics", _metrics(values))]
            case events.Report(kind, values):
                return [self._server(kind, values)]
            case events.Failed(message):
                return [self._message("error", {"error": message, "message": message, "fatal": False})]

    def _sentence_started(self, text: str, at: dict[str, Any]) -> list[str]:
        before = self._completed()
        self._segment += 1
        self._sentence = text
        return [
            *before,
            self._message("bot-transcription", {"text": text} | at),
            self._message("bot-output", self._output("new") | at),
            self._server("caption", {"text": text, "segment_id": self._segment} | at),
        ]

    def _word_spoken(self, text: str, at: dict[str, Any]) -> list[str]:
        found = self._sentence.find(text, len(self._spoken))
        if found >= 0:
            self._spoken = self._sentence[: found + len(text)]
        words = [self._message("bot-tts-text", {"text": text, "segment_id": self._segment} | at)]
        return [*words, self._message("bot-output", self._output("in-progress") | at)] if self._sentence else words

    def _completed(self) -> list[str]:
        """The end of the sentence that was being spoken, if there was one."""
        if not self._sentence:
            return []
        self._spoken = self._sentence
        message = self._message("bot-output", self._output("completed"))
        self._sentence = self._spoken = ""
        return [message]

    def _output(self, status: str) -> dict[str, Any]:
        return {
            "text": self._sentence,
            "aggregated_by": "sentence",
            "segment_id": self._segment,
            "will_be_spoken": True,
            "spoken_status": status,
            "spoken_progress": {
                "accumulated_text": self._spoken,
                "remaining_text": self._sentence[len(self._spoken) :],
            },
        }

    def _server(self, kind: str, d: Mapping[str, Any]) -> str:
        return self._message("server-message", {"t": kind, "d": dict(d)})

    def _message(self, kind: str, data: Mapping[str, Any]) -> str:
        self._serial += 1
        return Envelope(kind, data, f"s{self._serial}").text()


def _at(media_s: float, epoch: int) -> dict[str, Any]:
    return {"media_s": round(media_s, 4), "epoch": epoch}


def _metrics(values: Mapping[str, Any]) -> dict[str, Any]:
    """RTVI's lists of `{processor, value}` by group. A bare number is a processing figure of its name."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for name, value in values.items():
        if name in _METRIC_GROUPS and isinstance(value, Mapping):
            groups.setdefault(name, []).extend({"processor": p, "value": v} for p, v in value.items())
        else:
            groups.setdefault("processing", []).append({"processor": name, "value": value})
    return dict(groups)
