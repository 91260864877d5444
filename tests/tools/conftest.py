"""Tools over the demo's real rows, with every answer checked against the rows themselves."""

from collections.abc import Callable
from typing import Any

import pytest

from beerforyou.catalogue.brewery import Place
from beerforyou.tools.tool import Caller


@pytest.fixture
def caller(house: Any) -> Callable[..., Caller]:
    def made(client_id: str = "CLT-00001", **more: Any) -> Caller:
        place = {"city": "San Diego", "state": "California", "country": "United States"} | more.pop("home", {})
        return Caller(
            client_id=client_id,
            name="Bar",
            home=Place(**place),
            language=more.pop("language", "en"),
            rows=house.database.for_tools(client_id),
            fence=house.database.fence,
            statistics=house.database.statistics,
            catalogue=house.catalogue.now,
            **more,
        )

    return made
