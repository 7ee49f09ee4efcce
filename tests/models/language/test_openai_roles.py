"""Roles on one chat endpoint: the breaker they share, what answers in the endpoint's place, and what models invent."""

from typing import Any

import pytest
from aiohttp import web

from models.language.openai_chat import MAX_ANSWER_CHARS
from realtime.core.breaker import FAILURES
from realtime.core.prompting import read_prompt
from realtime.core.script import strip_tags
from tests.fakes import FixedAnswerer
from tests.models.language.test_openai_chat import SORRY, endpoint, event, failing, streaming, texts


async def test_after_failures_in_a_row_the_endpoint_is_left_alone() -> None:
    calls = 0

    async def handle(request: web.Request) -> web.StreamResponse:
        nonlocal calls
        calls += 1
        return web.json_response({"error": "overloaded"}, status=503)

    async with endpoint(handle) as answerer:
        said = [await texts(answerer) for _ in range(FAILURES + 3)]
        role = answerer.in_role("You are Bob.")
        said.append(await texts(role))
        await role.aclose()
        assert calls == FAILURES, "a role on the same endpoint knows that it is down"
    assert all(strip_tags(one) == SORRY for (one,) in said), "and every question got a spoken answer"


async def test_a_success_closes_the_breaker() -> None:
    fails = iter([True] * (FAILURES - 1) + [False] + [True] * (FAILURES - 1) + [False])

    async def handle(request: web.Request) -> web.StreamResponse:
        return await (failing(500, {}) if next(fails) else streaming(event("Ok.", "stop")))(request)

    async with endpoint(handle) as answerer:
        said = [(await texts(answerer))[0] for _ in range(2 * FAILURES)]
    assert [one == "Ok." for one in said] == ([False] * (FAILURES - 1) + [True]) * 2


async def test_cancelled_answers_are_no_failures() -> None:
    async with endpoint(streaming(event("One. "), pause_s=60.0)) as answerer:
        for _ in range(FAILURES + 1):
            parts = answerer.answer("Hi", (), "en")
            assert (await anext(parts)).text == "One."
            await parts.aclose()  # type: ignore[attr-defined]  # the port promises an iterator; this is a generator


async def test_a_role_falls_back_on_what_the_scene_knows() -> None:
    knows = FixedAnswerer(["It is 79 dollars."])
    async with endpoint(failing(500, {})) as answerer:
        role = answerer.in_role("You sell.", None, knows)
        for _ in range(FAILURES + 1):
            assert await texts(role, "How much?") == ["It is 79 dollars."]
    assert len(knows.asked) == FAILURES + 1


async def test_an_answer_that_breaks_off_does_not_begin_anew() -> None:
    knows = FixedAnswerer(["It is 79 dollars."])
    async with endpoint(streaming(event("We have tea. And"))) as answerer:
        said = await texts(answerer.in_role("You sell.", None, knows))
    assert strip_tags(said[-1]) == "Sorry, I lost the thread." and knows.asked == []


async def test_a_prompt_sets_the_sampling() -> None:
    seen: list[dict[str, Any]] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        seen.append(await request.json())
        return await streaming(event("Ok.", "stop"))(request)

    prompt = read_prompt({"subject": "x", "parameters": {"temperature": 0.2, "top_p": 0.5}})
    async with endpoint(handle) as answerer:
        await texts(answerer)
        await texts(answerer.in_role("You are Bob.", prompt))
    assert "top_p" not in seen[0] and (seen[1]["temperature"], seen[1]["top_p"]) == (0.2, 0.5)
    assert seen[1]["messages"][0]["content"].startswith("You are Bob.")


@pytest.mark.parametrize(
    "piece", ["[dance] [juggle:9] ", "[happy:99] ", "[[[[", "<b onclick=x>", "[wave:0.5] ", "[" * 3_000, "🔥" * 500]
)
async def test_what_a_model_invents_is_not_spoken(piece: str) -> None:
    async with endpoint(streaming(event(piece + "We have tea."), event(None, "stop"))) as answerer:
        said = " ".join(strip_tags(text) for text in await texts(answerer))
    assert "We have tea." in said or ("Sorry" in said and len(piece) > MAX_ANSWER_CHARS)
    for word in ("dance", "juggle", "happy", "onclick", "🔥"):
        assert word not in said


async def test_a_flood_without_an_end_of_clause_is_cut_off() -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        with pytest.raises(ConnectionResetError):
            while True:
                await response.write(event("blah" * 100).encode())
        return response

    async with endpoint(handle) as answerer:
        said = await texts(answerer)
    assert sum(len(text) for text in said) < MAX_ANSWER_CHARS + 2_000
