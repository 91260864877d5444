from collections.abc import AsyncIterator

import pytest

from beerforyou.settings import Settings
from tests.published.market import Market


@pytest.fixture
async def market(settings: Settings) -> AsyncIterator[Market]:
    market = await Market.open(settings)
    yield market
    await market.admin.close()
