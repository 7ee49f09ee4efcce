"""The director's page in Chromium: it lists the session, holds a line, lets it go, and speaks Chinese."""

import pytest

from bench.browser import open_page
from bench.server_process import ServerProcess
from client.sdk import AnimaClient

pytestmark = [pytest.mark.slow, pytest.mark.browser]


async def test_a_line_is_held_and_let_go_in_chinese(server: ServerProcess) -> None:
    async with AnimaClient(server.url) as client, await client.create_session(scene="commerce") as session:
        async with open_page(f"{server.url}/director?lang=zh&session={session.id}") as watched:
            page = watched.page
            await page.wait_for_selector("[data-part=shots] li")
            assert await page.title() == "Anima · 导播台"
            assert await page.inner_text("h1") == "导播台"
            assert await page.inner_text("[data-part=status]") == "实时"

            await page.click("[data-part=hold]")
            await page.wait_for_selector("[data-part=hold][aria-pressed=true]")
            await page.fill("[data-part=say]", "This line waits for a person.")
            await page.click("[data-part=say-form] button:not([type=button])")
            await page.wait_for_selector("[data-part=held] textarea")
            assert await page.input_value("[data-part=held] textarea") == "This line waits for a person."

            await page.click("[data-part=held] button >> text=说出来")
            await page.wait_for_selector("[data-part=past] li[data-status=said]")
            assert "This line waits for a person." in await page.inner_text("[data-part=past]")
            assert watched.complaints == []
