"""A stranger at the page of a server with a key: one gets in, the next is told when to try again and waits."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import ClientSession

from bench.browser import open_page, start_talking
from bench.server_process import ServerProcess

pytestmark = [pytest.mark.browser, pytest.mark.slow]
KEY = "k" * 32


@pytest.fixture
def public(tmp_path: Path) -> Iterator[ServerProcess]:
    """One place for visitors."""
    settings = {"api_keys": KEY, "public_sessions": "1"}
    with ServerProcess(log=tmp_path / "log", settings=settings) as running:
        yield running
    assert "Traceback" not in running.output(), running.output()[-4000:]


async def test_a_stranger_talks_and_the_next_is_refused_politely(public: ServerProcess) -> None:
    async with open_page(public.url) as first:
        await first.page.wait_for_selector("[data-avatar]", state="attached")
        assert await first.page.locator("[data-own]").count() == 0, "portraits are the operator's to make"
        await start_talking(first.page)
        async with ClientSession() as http:
            async with http.post(f"{public.url}/v1/sessions", json={}) as second:
                assert second.status == 503 and int(second.headers["Retry-After"]) >= 1
            for path in ("/v1/sessions", "/v1/prompts"):
                async with http.get(public.url + path) as closed:
                    assert closed.status == 401
            async with http.get(f"{public.url}/v1/sessions", headers={"Authorization": f"Bearer {KEY}"}) as listed:
                assert len((await listed.json())["sessions"]) == 1


async def test_a_visitor_without_a_place_waits_and_gets_the_next_one(public: ServerProcess) -> None:
    async with open_page(public.url) as first, open_page(public.url) as second:
        await start_talking(first.page)
        await second.page.click("#start")
        await second.page.wait_for_selector("body[data-state=connecting][data-queued]")
        assert "Trying again" in str(await second.page.text_content("#waking-words"))
        assert await second.page.is_visible("#leave"), "who waits may give up"
        await first.page.click("#leave")
        await second.page.wait_for_selector("body[data-state=connected]")
        assert await second.page.get_attribute("body", "data-queued") is None
