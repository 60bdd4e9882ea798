from collections.abc import AsyncIterator

import pytest

from tests.money.rail import Rail, open_rail


@pytest.fixture
async def rail() -> AsyncIterator[Rail]:
    """A payment rail of the test's own, well behaved until told otherwise."""
    async with open_rail() as rail:
        yield rail
