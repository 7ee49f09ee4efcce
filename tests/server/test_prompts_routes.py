"""Structured prompts over HTTP: what they set, suggestions, versions, cues, and every kind of bad body."""

from pathlib import Path
from typing import Any

import pytest

from realtime.core.facs import Emotion
from server.prompt_book import MAX_VERSIONS, PromptBook
from tests.server.conftest import AUTH, KEY, Bench, Start

PROMPT = {"subject": "a cheerful host", "action": "waves", "camera": "close-up", "environment": "a campfire"}


async def test_a_prompt_is_resolved_and_advised_on(bench: Bench) -> None:
    status, answer = await bench.call("POST", "/v1/prompts", json={"prompt": PROMPT | {"style": "very beautiful"}})
    assert status == 200 and answer["version"] is None
    assert answer["look"]["lighting"] == "warm" and answer["look"]["framing"] == "close"
    assert answer["look"]["gesture"] == "wave" and answer["look"]["emotion"] == "happy"
    assert {one["word"] for one in answer["suggestions"]} == {"very", "beautiful"}
    assert len(answer["prompt_sha256"]) == 64
    assert answer["prompt"]["parameters"]["frame_rate"] == 25


async def test_versions_remember_what_came_out(start: Start, tmp_path: Path) -> None:
    bench = await start(prompts_dir=tmp_path / "kept")
    first = await bench.call("POST", "/v1/prompts", json={"prompt": PROMPT, "name": "fire", "note": "first"})
    changed = {"prompt": PROMPT | {"camera": "wide"}, "name": "fire", "output_sha256": "ab" * 32}
    second = await bench.call("POST", "/v1/prompts", json=changed)
    again = await bench.call("POST", "/v1/prompts", json=changed)
    assert [(s, a["version"]["version"]) for s, a in (first, second, again)] == [(201, 1), (201, 2), (201, 2)]
    status, history = await bench.call("GET", "/v1/prompts/fire")
    assert status == 200
    one, two = history["versions"]
    assert len(one["output_sha256"]) == 64 and one["note"] == "first"
    assert two["output_sha256"] == "ab" * 32 and two["changed"] == {"camera": ["close-up", "wide"]}
    assert (await bench.call("GET", "/v1/prompts"))[1] == {"prompts": ["fire"], "count": 1}
    other = await start(prompts_dir=tmp_path / "kept")
    assert (await other.call("GET", "/v1/prompts/fire"))[1] == history, "they outlast the server"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "prompt"),
        ({"prompt": "a lamp"}, "prompt"),
        ({"prompt": {}}, "prompt.subject"),
        ({"prompt": {"subject": "x" * 301}}, "prompt.subject"),
        ({"prompt": {"subject": "x", "mood": "y"}}, "prompt.mood"),
        ({"prompt": {"subject": "x", "parameters": {"duration": 61}}}, "prompt.parameters.duration"),
        ({"prompt": {"subject": "x", "parameters": {"resolution": "63x64"}}}, "prompt.parameters.resolution"),
        ({"prompt": {"subject": "x", "parameters": {"top_p": 1.1}}}, "prompt.parameters.top_p"),
        ({"prompt": {"subject": "x", "negative_prompt": ["y"] * 33}}, "prompt.negative_prompt"),
        ({"prompt": PROMPT, "name": "../etc/passwd"}, "name"),
        ({"prompt": PROMPT, "name": ""}, "name"),
        ({"prompt": PROMPT, "output_sha256": "ab" * 32}, "name"),
        ({"prompt": PROMPT, "name": "a", "output_sha256": "xyz"}, "output_sha256"),
        ({"prompt": PROMPT, "name": "a", "note": "n" * 301}, "note"),
    ],
)
async def test_bad_prompts_are_refused_by_field(start: Start, tmp_path: Path, body: object, field: str) -> None:
    bench = await start(prompts_dir=tmp_path / "kept")
    status, answer = await bench.call("POST", "/v1/prompts", json=body)
    assert status == 422 and answer["error"]["field"] == field
    assert not (tmp_path / "kept").exists(), "nothing is kept of a bad prompt"


async def test_prompts_take_the_server_key_and_unknown_names_are_not_found(start: Start, tmp_path: Path) -> None:
    bench = await start(api_keys=(KEY,), prompts_dir=tmp_path)
    assert (await bench.call("POST", "/v1/prompts", json={"prompt": PROMPT}))[0] == 401
    assert (await bench.call("GET", "/v1/prompts/none"))[0] == 401
    status, answer = await bench.call("GET", "/v1/prompts/none", headers=AUTH)
    assert status == 404 and answer["error"]["field"] == "name"


def test_a_book_passes_over_broken_lines_and_has_limits(tmp_path: Path) -> None:
    book = PromptBook(tmp_path)
    from realtime.core.prompting import read_prompt

    book.add("a", read_prompt({"subject": "x"}), "0" * 64, "")
    with (tmp_path / "a.jsonl").open("a") as out:
        out.write('{"prompt": {"subj\n[]\n')
    assert len(book.history("a")) == 1
    for seed in range(MAX_VERSIONS - 1):
        book.add("a", read_prompt({"subject": "x", "parameters": {"seed": seed + 1}}), "0" * 64, "")
    with pytest.raises(Exception, match="all the versions"):
        book.add("a", read_prompt({"subject": "one more"}), "0" * 64, "")


async def test_a_cue_with_a_prompt_sets_a_look(bench: Bench) -> None:
    session = await bench.session()
    path = f"/v1/sessions/{session.id}/cue"
    assert (await bench.call("POST", path, json={"prompt": PROMPT}))[0] == 202
    cue: Any = session.calls[-1][1]
    assert cue.look.emotion is Emotion.HAPPY and cue.look.lighting == "warm"
    status, answer = await bench.call("POST", path, json={"prompt": {"subject": ""}})
    assert status == 422 and answer["error"]["field"] == "prompt.subject"


async def test_a_session_may_have_its_own_rate_and_pitch(bench: Bench) -> None:
    session = await bench.session(rate=1.25, pitch=0.8)
    assert (session.spec.rate, session.spec.pitch) == (1.25, 0.8)
    for field, value in (("rate", 2.1), ("pitch", 0.4)):
        status, answer = await bench.call("POST", "/v1/sessions", json={field: value})
        assert status == 422 and answer["error"]["field"] == field
