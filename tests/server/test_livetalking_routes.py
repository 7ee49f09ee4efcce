"""LiveTalking's routes: its bodies work as they are, failures have failing statuses, what is not offered says so."""

import io
from typing import Any

import pytest
from aiohttp import FormData

from server.numbers import SessionNumbers
from server.outputs.book import OutputWish
from server.routes.livetalking import FILE_LIMIT_BYTES
from server.surfaces import Cue
from tests.server.conftest import AUTH, KEY, Bench, Start
from tests.server.test_recordings import sound_file

BIG = b"big"
SDP = {"sdp": "v=0\r\n", "type": "offer"}


async def joined(bench: Bench) -> int:
    status, answer = await bench.call("POST", "/offer", json=SDP)
    assert status == 200 and answer["type"] == "answer", answer
    number = answer["sessionid"]
    assert isinstance(number, int) and number < 2**53, "its page reads the number with parseInt"
    return number


async def test_its_conversation(bench: Bench) -> None:
    number = await joined(bench)
    session = bench.services.sessions.running["s1"]
    for sent in (number, str(number)):
        body = {"sessionid": sent, "text": "hello", "type": "echo", "interrupt": True}
        assert await bench.call("POST", "/human", json=body) == (200, {"code": 0, "msg": "ok"})
    assert session.calls[-1] == ("say", ("hello", False, None, 1.0, True))
    asked = {"sessionid": number, "text": "who?", "type": "chat", "interrupt": True, "tts": {"ref": "x"}}
    assert (await bench.call("POST", "/human", json=asked))[0] == 200
    assert session.calls[-2:] == [("interrupt", 1), ("chat", "who?")] and session.epoch == 1
    assert await bench.call("POST", "/is_speaking", json={"sessionid": number}) == (
        200, {"code": 0, "msg": "ok", "data": True},
    )  # fmt: skip
    assert (await bench.call("POST", "/interrupt_talk", json={"sessionid": number}))[0] == 200
    assert session.epoch == 2


async def test_an_uploaded_voice_is_spoken(bench: Bench) -> None:
    number = await joined(bench)
    form = FormData()
    form.add_field("file", sound_file("wav", "pcm_s16le", 0.5), filename="a.wav", content_type="audio/wav")
    form.add_field("sessionid", str(number))
    form.add_field("other", "let be")
    assert await bench.call("POST", "/humanaudio", data=form) == (200, {"code": 0, "msg": "ok"})
    name, samples = bench.services.sessions.running["s1"].calls[-1]
    assert name == "play" and abs(samples - 24_000) < 1000


@pytest.mark.parametrize(
    ("fields", "expected", "field"),
    [
        ({}, 422, "sessionid"),
        ({"sessionid": "NUMBER"}, 422, "file"),
        ({"file": b"x"}, 422, "sessionid"),
        ({"sessionid": "5", "file": b"x"}, 404, "sessionid"),
        ({"sessionid": "NUMBER", "file": b"not a sound"}, 400, "file"),
        ({"sessionid": "NUMBER", "file": BIG}, 413, "file"),
        ({"sessionid": "x" * 300, "file": b"x"}, 413, "sessionid"),
    ],
)
async def test_bad_uploads(bench: Bench, fields: dict[str, Any], expected: int, field: str) -> None:
    number = await joined(bench)
    form = FormData(default_to_multipart=True)
    form.add_field("begin", "x")
    for name, value in fields.items():
        if name == "file":
            form.add_field(name, io.BytesIO(value * FILE_LIMIT_BYTES if value == BIG else value), filename="f")
        else:
            form.add_field(name, str(number) if value == "NUMBER" else value)
    status, answer = await bench.call("POST", "/humanaudio", data=form)
    assert status == expected and answer["error"]["field"] == field and answer["code"] == -1, answer
    assert (await bench.call("POST", "/humanaudio", json={}))[0] == 415


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("/offer", {"sdp": "garbage", "type": "offer"}, 400),
        ("/offer", {"sdp": "v=0", "type": "answer"}, 422),
        ("/human", {"text": "x"}, 422),
        ("/human", {"sessionid": 1, "text": "x"}, 404),
        ("/human", {"sessionid": "../1", "text": "x"}, 404),
        ("/human", {"sessionid": "NUMBER", "text": ""}, 422),
        ("/human", {"sessionid": "NUMBER", "text": "x" * 6000}, 413),
        ("/human", {"sessionid": "NUMBER", "text": "x", "type": "sing"}, 422),
        ("/interrupt_talk", {"sessionid": None}, 422),
        ("/is_speaking", {}, 422),
        ("/record", {"sessionid": "NUMBER", "type": "end_record"}, 409),
        ("/record", {"sessionid": "NUMBER", "type": "pause_record"}, 422),
        ("/set_audiotype", {"sessionid": "NUMBER", "audiotype": 4, "reinit": True}, 422),
        ("/set_audiotype", {"sessionid": "NUMBER", "audiotype": -1}, 422),
        ("/record", {"sessionid": 1, "type": "start_record"}, 404),
    ],
)
async def test_failures(bench: Bench, path: str, body: dict[str, Any], expected: int) -> None:
    number = await joined(bench)
    sent = {key: number if value == "NUMBER" else value for key, value in body.items()}
    status, answer = await bench.call("POST", path, json=sent)
    assert status == expected and answer["code"] == -1 and answer["msg"] == answer["error"]["message"], answer
    assert list(bench.services.sessions.running) == ["s1"], "nobody else is disturbed"


async def test_recording(bench: Bench) -> None:
    number = await joined(bench)
    begin, end = ({"sessionid": number, "type": f"{what}_record"} for what in ("start", "end"))
    status, answer = await bench.call("POST", "/record", json=begin)
    assert status == 200 and answer["data"] == {"file": "o0.mp4"}
    assert (await bench.call("POST", "/record", json=begin))[0] == 409, "it is being recorded already"
    status, answer = await bench.call("POST", "/record", json=end)
    assert status == 200 and answer["data"] == {"file": "o0.mp4"}
    assert (await bench.call("POST", "/record", json=end))[0] == 409
    outputs = bench.services.sessions.running["s1"].outputs
    assert [one["state"] for one in outputs.all()] == ["ended"] and outputs.wishes == [OutputWish("mp4")]


async def test_clips_are_gestures(bench: Bench) -> None:
    number = await joined(bench)
    for audiotype in (0, 1, 3):
        body = {"sessionid": number, "audiotype": audiotype, "reinit": False}
        assert (await bench.call("POST", "/set_audiotype", json=body))[0] == 200
    calls = bench.services.sessions.running["s1"].calls
    assert [what for name, what in calls if name == "cue"] == [Cue(gesture="wave")], "0 and 1 show by themselves"


async def test_with_keys_it_takes_the_sessions_token(start: Start) -> None:
    bench = await start(api_keys=(KEY,))
    assert (await bench.call("POST", "/offer", json=SDP))[0] == 401
    assert (await bench.call("POST", "/offer", json=SDP, headers=AUTH))[0] == 401, "whose session would it be?"
    _, one = await bench.call("POST", "/v1/sessions", json={}, headers=AUTH)
    _, other = await bench.call("POST", "/v1/sessions", json={}, headers=AUTH)
    status, answer = await bench.call("POST", f"/offer?token={one['token']}", json=SDP)
    assert status == 200
    body = {"sessionid": answer["sessionid"], "text": "hi"}
    assert (await bench.call("POST", "/human", json=body))[0] == 401
    assert (await bench.call("POST", f"/human?token={other['token']}", json=body))[0] == 403
    assert (await bench.call("POST", f"/human?token={one['token']}", json=body))[0] == 200
    assert (await bench.call("POST", "/human", json=body | {"sessionid": 7}))[0] == 401, "nothing is learnt"


def test_numbers() -> None:
    numbers = SessionNumbers()
    one, other = numbers.of("a"), numbers.of("b")
    assert one != other and numbers.of("a") == one and numbers.find(str(one)) == numbers.find(one) == "a"
    assert numbers.find("x") is numbers.find("²") is numbers.find("9" * 5000) is numbers.find(0) is None
    numbers.keep(["b"])
    assert numbers.find(one) is None and numbers.find(other) == "b"
