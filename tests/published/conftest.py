from collections.abc import AsyncIterator
from datetime import date
from typing import NamedTuple

import pytest

from beerforyou.catalogue import demo
from beerforyou.catalogue.brewery import Place
from beerforyou.catalogue.index import Catalogue
from beerforyou.db.database import Database
from beerforyou.settings import Settings
from beerforyou.tools.caller import Caller, Hands
from tests.published.market import Market


@pytest.fixture
async def market(settings: Settings) -> AsyncIterator[Market]:
    market = await Market.open(settings)
    yield market
    await market.admin.close()


class Asker(NamedTuple):
    """`await published(*asker, what)`."""

    caller: Caller
    hands: Hands


@pytest.fixture
def asker(database: Database) -> Asker:
    hands = Hands(database.for_tools("nobody"), database.fence, database.statistics, Catalogue(demo.breweries()))
    home = Place(country="Brazil")
    return Asker(Caller(client_id="nobody", name="", home=home, language="en", today=date(2026, 3, 31)), hands)
