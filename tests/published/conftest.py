from collections.abc import AsyncIterator

import pytest

from beerforyou.catalogue import demo
from beerforyou.catalogue.brewery import Place
from beerforyou.catalogue.index import Catalogue
from beerforyou.db.database import Database
from beerforyou.settings import Settings
from beerforyou.tools.tool import Caller
from tests.published.market import Market


@pytest.fixture
async def market(settings: Settings) -> AsyncIterator[Market]:
    market = await Market.open(settings)
    yield market
    await market.admin.close()


@pytest.fixture
def caller(database: Database) -> Caller:
    return Caller(
        client_id="nobody", name="", home=Place(country="Brazil"), language="en", rows=database.for_tools("nobody"),
        fence=database.fence, statistics=database.statistics, catalogue=Catalogue(demo.breweries()),
    )  # fmt: skip
