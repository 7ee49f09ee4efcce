"""The data channel's language, both ways."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.core import events, wire
from realtime.core.errors import CapacityError, InvalidField, Malformed, RequestError, TooLarge, TooMany
from realtime.core.facs import Emotion


def message(kind: str, data: Any = None, id: Any = "m1", **other: Any) -> str:
    return json.dumps({"label": "rtvi-ai", "id": id, "type": kind, "data": data} | other)


def request(t: str, d: Any = None) -> str:
    return message("client-message", {"t": t, "d": d})


def decode(line: str) -> Any:
    value = json.loads(line)
    assert set(value) == {"label", "id", "type", "data"} and value["label"] == "rtvi-ai"
    return value


# --- reading


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            message("client-ready", {"version": "2.1.0", "about": {"library": "@pipecat-ai/client-js"}}),
            wire.ClientReady("m1", "2.1.0", "@pipecat-ai/client-js"),
        ),
        (message("client-ready"), wire.ClientReady("m1", "")),
        (message("send-text", {"content": " Hi "}), wire.SendText("m1", "Hi")),
        (
            message("send-text", {"content": "Hi", "options": {"run_immediately": False, "audio_response": False}}),
            wire.SendText("m1", "Hi", run_immediately=False, audio_response=False),
        ),
        (message("disconnect-bot", {}), wire.DisconnectBot("m1")),
        (request("say", {"text": "[wave] Hi"}), wire.SayText("m1", "[wave] Hi")),
        (
            request("say", {"ssml": "<speak/>", "emotion": "joy", "intensity": 0.5, "interrupt": True}),
            wire.SayText("m1", "<speak/>", Emotion.HAPPY, 0.5, interrupt=True),
        ),
        (request("interrupt"), wire.Interrupt("m1")),
        (request("cue", {"emotion": "Sad", "intensity": 1}), wire.Cue("m1", emotion=Emotion.SAD)),
        (request("cue", {"gesture": "WAVE"}), wire.Cue("m1", gesture="wave")),
        (request("cue", {"gaze": {"x": -1, "y": 0.5}}), wire.Cue("m1", gaze=(-1.0, 0.5))),
        (request("camera", {"enabled": True}), wire.Camera("m1", enabled=True)),
        (request("stats", {"fps": 25, "rtt_ms": 1.5}), wire.Stats("m1", {"fps": 25.0, "rtt_ms": 1.5})),
        ("ping: 1234567890", wire.Ping()),
        (
            '{"type": "signalling", "message": {"type": "trackStatus", "receiver_index": 1, "enabled": false}}',
            wire.TrackStatus(1, enabled=False),
        ),
        (message("disconnect-bot", id=7), wire.DisconnectBot("7")),
        (message("disconnect-bot", id=None), wire.DisconnectBot("")),
    ],
)
def test_messages_are_read(text: str, expected: wire.ClientMessage) -> None:
    assert wire.parse(text) == expected


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (message("send-text", {}), "data.content"),
        (message("send-text", {"content": 5}), "data.content"),
        (message("send-text", {"content": "  "}), "data.content"),
        (message("send-text", {"content": "\u200b\ud800"}), "data.content"),
        (message("send-text", {"content": "x", "options": []}), "data.options"),
        (message("send-text", {"content": "x", "options": {"run_immediately": 1}}), "data.options.run_immediately"),
        (message("send-text", "x"), "data"),
        (message("dance"), "type"),
        (message(""), "type"),
        (message("t" * 100), "type"),
        (message("send-text", {"content": "x"}, label="other"), "label"),
        (message("send-text", {"content": "x"}, id=[]), "id"),
        (message("send-text", {"content": "x"}, id="i" * 200), "id"),
        (message("send-text", {"content": "x"}, id=True), "id"),
        (message("client-message", {}), "data.t"),
        (request("dance"), "data.t"),
        (request("say", {}), "data.d.text"),
        (request("say", {"text": "x", "ssml": "y"}), "data.d.ssml"),
        (request("say", {"text": "x", "emotion": "bored"}), "data.d.emotion"),
        (request("say", {"text": "x", "emotion": 3}), "data.d.emotion"),
        (request("say", {"text": "x", "intensity": 2}), "data.d.intensity"),
        (request("say", {"text": "x", "intensity": True}), "data.d.intensity"),
        (request("say", {"text": "x", "volume": 1}), "data.d.volume"),
        (request("say", []), "data.d"),
        (request("cue", {}), "data.d"),
        (request("cue", {"gaze": {"x": 0}}), "data.d.gaze.y"),
        (request("cue", {"gaze": {"x": 0, "y": -2}}), "data.d.gaze.y"),
        (request("cue", {"gesture": ""}), "data.d.gesture"),
        (request("camera"), "data.d.enabled"),
        (request("stats", {"a": "b"}), "data.d.a"),
        ('{"type": "signalling"}', "message"),
        ('{"type": "signalling", "message": {"type": "renegotiate"}}', "message.type"),
    ],
)
def test_a_bad_field_is_named_with_what_is_allowed(text: str, field: str) -> None:
    with pytest.raises(InvalidField) as caught:
        wire.parse(text)
    assert caught.value.field == field and caught.value.limit


@pytest.mark.parametrize(
    "text",
    ["", "x", "[]", "null", "3", '{"a":', "[" * 60_000, '{"a":' * 5_000, '{"label":"rtvi-ai","x":' + "9" * 5_000 + "}"]
    + ['{"a": NaN}', '{"a": 1e999}', '{"a": ' + "[" * 9 + "]" * 9 + "}", "ping" + "x" * 100],
)
def test_what_cannot_be_parsed_is_malformed(text: str) -> None:
    with pytest.raises(Malformed) as caught:
        wire.parse(text)
    assert caught.value.field == "message"


@pytest.mark.parametrize(
    ("text", "field", "limit"),
    [
        ("x" * 65_537, "message", "65536 bytes"),
        ("你" * 30_000, "message", "65536 bytes"),
        (message("send-text", {"content": "x" * 2_001}), "data.content", "2000 characters"),
        (request("say", {"text": "x" * 5_001}), "data.d.text", "5000 characters"),
        (request("stats", {str(i): i for i in range(65)}), "data.d", "64 figures"),
    ],
)
def test_too_large(text: str, field: str, limit: str) -> None:
    with pytest.raises(TooLarge) as caught:
        wire.parse(text)
    assert (caught.value.field, caught.value.limit) == (field, limit)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.sampled_from(
    [
        "t",
        "d",
        "content",
        "options",
        "run_immediately",
        "text",
        "ssml",
        "emotion",
        "intensity",
        "gesture",
        "gaze",
        "x",
        "y",
    ]
    + ["enabled", "version", "about", "library", "message", "receiver_index", "type"]
)
VALUES = st.recursive(
    JSON | st.sampled_from(["say", "cue", "camera", "stats", "interrupt", "happy", "trackStatus", 0.5, True]),
    lambda inner: st.dictionaries(FIELDS, inner, max_size=5),
    max_leaves=12,
)
ENVELOPES = st.fixed_dictionaries(
    {
        "label": st.just("rtvi-ai"),
        "type": st.sampled_from(["client-ready", "send-text", "client-message", "disconnect-bot", "signalling"]),
        "data": VALUES,
    },
    optional={"id": JSON, "message": VALUES},
).map(json.dumps)


@settings(max_examples=400, deadline=None)
@given(st.text(max_size=200) | JSON.map(json.dumps) | ENVELOPES)
def test_whatever_comes_only_request_errors_are_raised(text: str) -> None:
    wire.id_of(text)
    try:
        wire.parse(text)
    except RequestError as error:
        decode(wire.error_response(wire.id_of(text), error))


def test_the_id_of_a_bad_message_is_found_where_there_is_one() -> None:
    assert wire.id_of(message("dance", id="q")) == "q"
    for text in ("x", "[]", '{"id": []}', "x" * 70_000):
        assert wire.id_of(text) == ""


# --- writing


def test_replies() -> None:
    assert decode(wire.bot_ready("r1", {"library": "anima"})) == {
        "label": "rtvi-ai", "id": "r1", "type": "bot-ready",
        "data": {"version": "2.1.0", "about": {"library": "anima"}},
    }  # fmt: skip
    assert decode(wire.server_response("r2", "stats", {"fps": 25}))["data"] == {"t": "stats", "d": {"fps": 25}}
    error = decode(wire.error_response("r3", InvalidField("no", field="text", limit="1..5")))
    assert error["type"] == "error-response" and error["id"] == "r3"
    assert error["data"] == {"error": "no", "status": 422, "field": "text", "limit": "1..5"}
    late = decode(wire.error_response("", TooMany("slow down", retry_after_s=2.0)))["data"]
    assert late == {"error": "slow down", "status": 429, "retry_after_s": 2.0}
    assert decode(wire.error_response("", CapacityError("full", retry_after_s=5.0)))["data"]["status"] == 503


@pytest.mark.parametrize(
    ("event", "kind", "data"),
    [
        (
            events.UserSaid("hi"),
            "user-transcription",
            {"text": "hi", "final": True, "timestamp": "2026-01-01T00:00:00Z", "user_id": "viewer"},
        ),
        (events.AnswerText("Hello."), "bot-llm-text", {"text": "Hello."}),
        (events.AnswerText("Hello.", "faq"), "bot-llm-text", {"text": "Hello.", "source": "faq"}),
        (events.SpeakingStarted(1.00004, 2), "bot-started-speaking", {"media_s": 1.0, "epoch": 2}),
        (events.SpeakingStopped(2.5, 2), "bot-stopped-speaking", {"media_s": 2.5, "epoch": 2}),
        (events.Interrupted(3, 2.5), "bot-interrupted", {"media_s": 2.5, "epoch": 3}),
        (
            events.EmotionChanged(Emotion.HAPPY, 0.7),
            "server-message",
            {"t": "emotion", "d": {"emotion": "happy", "intensity": 0.7}},
        ),
        (events.GestureStarted("wave"), "server-message", {"t": "gesture", "d": {"name": "wave"}}),
        (events.Report("ladder", {"rung": "warp"}), "server-message", {"t": "ladder", "d": {"rung": "warp"}}),
        (
            events.Report("metrics", {"text_to_sound_ms": 41.5, "ttfb": {"voice": 0.02}}),
            "metrics",
            {
                "processing": [{"processor": "text_to_sound_ms", "value": 41.5}],
                "ttfb": [{"processor": "voice", "value": 0.02}],
            },
        ),
        (events.Failed("sorry"), "error", {"error": "sorry", "message": "sorry", "fatal": False}),
    ],
)
def test_events_become_messages(event: events.Event, kind: str, data: dict[str, Any]) -> None:
    (line,) = wire.Encoder().encode(event, "2026-01-01T00:00:00Z")
    assert (decode(line)["type"], decode(line)["data"]) == (kind, data)


def spoken(encoder: wire.Encoder, *conversation: events.Event) -> list[tuple[str, Any]]:
    lines = [decode(line) for event in conversation for line in encoder.encode(event)]
    assert len({line["id"] for line in lines}) == len(lines)
    return [(line["type"], line["data"]) for line in lines]


def test_a_sentence_is_reported_word_by_word() -> None:
    lines = spoken(
        wire.Encoder(),
        events.SentenceStarted("So it is so.", 1.0, 0),
        events.WordSpoken("So", 1.0, 0),
        events.WordSpoken("it", 1.2, 0),
        events.WordSpoken("so", 1.6, 0),
        events.SentenceStarted("Yes.", 2.0, 0),
        events.SpeakingStopped(2.4, 0),
    )
    assert lines[0] == ("bot-transcription", {"text": "So it is so.", "media_s": 1.0, "epoch": 0})
    assert (
        "server-message",
        {"t": "caption", "d": {"text": "Yes.", "segment_id": 2, "media_s": 2.0, "epoch": 0}},
    ) in lines
    outputs = [data for kind, data in lines if kind == "bot-output"]
    assert [(o["segment_id"], o["spoken_status"], o["spoken_progress"]["accumulated_text"]) for o in outputs] == [
        (1, "new", ""), (1, "in-progress", "So"), (1, "in-progress", "So it"), (1, "in-progress", "So it is so"),
        (1, "completed", "So it is so."), (2, "new", ""), (2, "completed", "Yes."),
    ]  # fmt: skip
    assert all("".join(o["spoken_progress"].values()) == o["text"] for o in outputs)
    assert lines[-1][0] == "bot-stopped-speaking"


def test_an_interrupted_sentence_stays_unfinished() -> None:
    lines = spoken(
        wire.Encoder(),
        events.SentenceStarted("One two three.", 1.0, 0),
        events.WordSpoken("One", 1.0, 0),
        events.Interrupted(1, 1.3),
        events.SpeakingStopped(1.3, 1),
    )
    assert [kind for kind, _ in lines[-3:]] == ["bot-output", "bot-interrupted", "bot-stopped-speaking"]
    assert lines[-3][1]["spoken_status"] == "in-progress"
    assert lines[-3][1]["spoken_progress"] == {"accumulated_text": "One", "remaining_text": " two three."}


def test_figures_that_json_does_not_know_become_null() -> None:
    (line,) = wire.Encoder().encode(events.Report("trace", {"a": float("nan"), "b": [float("inf"), 1]}))
    assert decode(line)["data"]["d"] == {"a": None, "b": [None, 1]}


def test_any_text_can_be_sent() -> None:
    (line,) = wire.Encoder().encode(events.AnswerText("你好 \ud800 😀"))
    assert line.isascii() and decode(line)["data"]["text"] == "你好 \ud800 😀"


def test_what_is_written_can_be_read() -> None:
    (line,) = wire.Encoder().encode(events.GestureStarted("nod"))
    assert wire.read_envelope(line) == wire.Envelope("server-message", {"t": "gesture", "d": {"name": "nod"}}, "s1")
