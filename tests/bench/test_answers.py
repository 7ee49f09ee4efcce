"""What the answering benches go by: questions, goals, the stub's clause, a short flood, a small index."""

import asyncio
import json

import aiohttp

from bench import answers, comments, retrieval
from bench.llm_stub import LlmStub
from bench.response import _goals
from realtime.core.scenes import SCENES
from realtime.core.script import ClauseSplitter

BUDGETS_MS = {"commerce": 400.0, "tutor": 500.0, "npc": 300.0, "meeting": 200.0, "ar": 150.0}


def test_every_scene_has_its_budget_as_goal() -> None:
    for scene, limit_ms in BUDGETS_MS.items():
        assert scene in answers.QUESTIONS
        (goal,) = _goals(["--scene", scene])
        assert (goal.key, goal.most) == ("comment_to_sound_ms_p95", limit_ms) and SCENES[scene].budget_ms == limit_ms
    assert _goals(["--llm", "1"])[0].key == "clause_to_sound_ms_p95"
    assert len(_goals([])) == 5


def test_questions_of_a_scene_are_all_answered() -> None:
    for questions in answers.QUESTIONS.values():
        assert len({question.casefold() for question in questions}) == len(questions)


async def test_the_stub_knows_when_its_first_clause_was_complete() -> None:
    async with LlmStub(tokens_per_s=2000.0, tokens=30) as llm, aiohttp.ClientSession() as http:
        splitter, clauses_before = ClauseSplitter(), 0
        async with http.post(f"{llm.base_url}/chat/completions", json={}) as response:
            async for line in response.content:
                if not line.startswith(b"data: {"):
                    continue
                delta = json.loads(line[6:])["choices"][0]["delta"].get("content", "")
                if splitter.feed(delta):
                    break
                clauses_before += 1
        await asyncio.wait_for(llm.dropped.wait(), 5.0)
    assert len(llm.clause_s) == 1 and llm.asked_s[0] < llm.clause_s[0]
    assert clauses_before > 4


def test_a_short_flood_does_not_fall_behind() -> None:
    result = comments.measure(1, rate=50, seconds=20)
    assert result["waiting_max"] <= 64 and result["growth_s"] < 3.0
    assert sum(result["outcomes"].values()) >= 50 * 20


def test_a_small_index_finds_something_for_every_question() -> None:
    result = retrieval.measure(20, passages=300)
    assert result["found"] == 20 and result["passages"] == 300
