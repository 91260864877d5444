"""Tools over the demo's real rows, with every answer checked against the rows themselves."""

from collections.abc import Callable
from typing import Any

import pytest

from beerforyou.catalogue.brewery import Place
from beerforyou.tools.tool import Caller


@pytest.fixture
def caller(service: Any) -> Callable[..., Caller]:
    def made(client_id: str = "CLT-00001", **more: Any) -> Caller:
        place = {"city": "San Diego", "state": "California", "country": "United States"} | more.pop("home", {})
        return Caller(
            client_id=client_id,
            name="Bar",
            home=Place(**place),
            language=more.pop("language", "en"),
            rows=service.database.for_tools(client_id),
            fence=service.database.fence,
            statistics=service.database.statistics,
            catalogue=service.catalogue.now,
            **more,
        )

    return made
