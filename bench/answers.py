"""How soon viewers are answered: comments in a scene, and questions that a language model answers.

- `comment_to_sound_ms`: from the request with a comment to the first audible packet of the answer, the host being free:
  while she speaks, a comment waits for the end of the sentence or shot, by the scene's policy. The run-down is skipped.
- `clause_to_sound_ms`: from the moment an endpoint has written the last word of its answer's first clause to the first
  audible packet. `question_to_sound_ms` counts from the question, and so holds the endpoint's own time.
"""

import asyncio
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from bench.llm_stub import LlmStub
from bench.server_process import ServerProcess
from bench.watching import Kept, Watch, audible
from client.sdk import AnimaClient, RemoteSession

QUESTIONS: Final[Mapping[str, Sequence[str]]] = {
    "commerce": (
        "How much is it?", "Is it waterproof?", "What colours are there?", "How long is shipping?", "How heavy is it?",
        "What do others say?", "Is there a warranty?", "How long does the battery last?", "What is in the box?",
        "Does it work with Android?", "Can I return it?", "Who makes it?",
    ),
    "tutor": (
        "What is mass?", "What is a newton?", "Who was Newton?", "What is acceleration?", "Why does the trolley stop?",
        "What is force?", "What is friction?", "Give me an example", "What is the formula?", "Is weight the same?",
        "What is a kilogram?", "Who found the law?",
    ),
    "npc": (
        "Who are you?", "Where are we?", "What can I eat?", "Do you have a room?", "Tell me a joke", "Thank you!",
        "You are great", "I am looking for a sword", "Goodbye", "What happened here?", "My name is Anna", "Hello!",
    ),
    "meeting": (
        "Who are you?", "What can you do?", "Can you hear us?", "What is this project?", "How are you made?",
        "Which languages do you speak?", "How fast do you answer?", "Where do you run?", "Who is in the meeting?",
        "Can you wave?", "What is on the agenda?", "Are you real?",
    ),
    "ar": (
        "Who are you?", "What is this?", "Where are you standing?", "Can you see me?", "What can you do?",
        "How fast do you answer?", "Are you real?", "How are you made?", "Can you wave?", "What do you like?",
        "Which languages do you speak?", "Where do you run?",
    ),
}  # fmt: skip
"""No two of a scene are alike: an answer is not given twice within a while."""
SCENES: Final = tuple(QUESTIONS)
_IDLE_S: Final = (0.3, 0.9)
_SETTLE_S: Final = 2.5
_ASKED: Final = "Tell me about the cup, please."


async def comments(url: str, scene: str, n: int, rng: random.Random) -> tuple[list[float], dict[str, Any]]:
    """`n` comments, in fresh sessions after every round of questions: milliseconds, and what the last session says."""
    found: list[float] = []
    state: dict[str, Any] = {}
    async with AnimaClient(url) as client:
        while len(found) < n:
            async with await client.create_session(scene=scene) as session:
                await _skip_rundown(client, session)
                async with Watch(session, pictures=False) as watch:
                    await asyncio.sleep(_SETTLE_S)
                    for text in QUESTIONS[scene][: n - len(found)]:
                        found.append(await _commented(client, session, watch, text, rng.uniform(*_IDLE_S)))
                    state = await session.state()
    return found, state["response"]


async def _skip_rundown(client: AnimaClient, session: RemoteSession) -> None:
    path = f"/v1/sessions/{session.id}/director"
    for shot in (await client.request("GET", path))["director"]["upcoming"]:
        await client.request("POST", path, body={"action": "skip_shot", "id": shot["id"]})


async def _commented(client: AnimaClient, session: RemoteSession, watch: Watch, text: str, idle_s: float) -> float:
    await _silent(session)
    await asyncio.sleep(idle_s)
    watch.kept = kept = Kept()
    loop_s = asyncio.get_running_loop().time()
    await client.request("POST", f"/v1/sessions/{session.id}/comments", body={"items": [{"text": text}]})
    first = await watch.until(lambda: next((one for one in kept.sounds if audible(one)), None))
    return 1e3 * (first.arrived_s - loop_s)


async def _silent(session: RemoteSession) -> None:
    """Wait until the host is free."""
    while (await session.state())["busy"]:  # noqa: ASYNC110 — the state is on the other side of HTTP
        await asyncio.sleep(0.05)


async def prompted(scratch: Path, n: int) -> tuple[list[float], list[float]]:
    """`n` questions to a host whose answers stream in at 30 tokens a second: after the first clause, and in all."""
    after_clause: list[float] = []
    in_all: list[float] = []
    async with LlmStub(tokens=30) as llm:
        settings = {"llm_base_url": llm.base_url, "llm_model": "stub"}
        server = ServerProcess(log=scratch / "server.log", settings=settings)
        await asyncio.to_thread(server.start)
        try:
            async with AnimaClient(server.url) as client, await client.create_session() as session:
                async with Watch(session, pictures=False) as watch:
                    await asyncio.sleep(_SETTLE_S)
                    for _ in range(n):
                        sent_s, sound_s = await _asked(watch, session)
                        in_all.append(1e3 * (sound_s - sent_s))
                        after_clause.append(1e3 * (sound_s - llm.clause_s[-1]))
        finally:
            await asyncio.to_thread(server.stop)
    return after_clause, in_all


async def _asked(watch: Watch, session: RemoteSession) -> tuple[float, float]:
    await _silent(session)
    watch.kept = kept = Kept()
    sent_s = await watch.send("send-text", {"content": _ASKED})
    first = await watch.until(lambda: next((one for one in kept.sounds if audible(one)), None))
    await asyncio.sleep(0.5)
    await watch.tell("interrupt")
    await asyncio.sleep(0.5)
    return sent_s, first.arrived_s
