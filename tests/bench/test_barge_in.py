"""What the barge-in bench makes of what came after an interruption, and the endpoint that it interrupts."""

import asyncio
import math

import aiohttp

from bench.barge_in import after_limit, ended_ms
from bench.llm_stub import LlmStub


def test_the_end_is_the_unit_after_the_last_open_one() -> None:
    units = [(-20.0, True), (20.0, True), (60.0, False), (100.0, True), (140.0, False), (180.0, False)]
    assert ended_ms(units) == 140.0
    assert ended_ms([(-20.0, True), (15.0, False)]) == 15.0
    assert ended_ms([(20.0, True)]) == math.inf


def test_what_is_open_after_the_limit_is_stale() -> None:
    assert after_limit([(20.0, True), (119.0, True), (121.0, True), (160.0, False), (200.0, True)]) == 2


async def test_the_endpoint_streams_words_and_notes_who_leaves() -> None:
    async with LlmStub(tokens_per_s=1000.0, tokens=50) as stub, aiohttp.ClientSession() as http:
        async with http.post(f"{stub.base_url}/chat/completions", json={}) as whole:
            text = await whole.text()
        assert text.count('"content"') == 50 and text.endswith("data: [DONE]\n\n")
        assert stub.finished == 1 and not stub.dropped_s

    async with LlmStub(tokens_per_s=100.0) as stub, aiohttp.ClientSession() as http:
        async with http.post(f"{stub.base_url}/chat/completions", json={}) as partial:
            await partial.content.readany()
            partial.close()
        async with asyncio.timeout(5.0):
            await stub.dropped.wait()
        assert stub.finished == 0 and len(stub.dropped_s) == 1
