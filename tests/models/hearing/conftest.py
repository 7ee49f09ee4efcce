"""A synthetic speaker."""

from collections.abc import AsyncIterator

import pytest

from tests.voices import Speaker, speaking


@pytest.fixture
async def speaker() -> AsyncIterator[Speaker]:
    async for made in speaking():
        yield made
