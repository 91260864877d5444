"""Tools over the demo's real rows, with every answer checked against the rows themselves."""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from beerforyou import clock
from beerforyou.catalogue.brewery import Place
from beerforyou.house import House
from beerforyou.tools.caller import Caller, Hands


class Asker(NamedTuple):
    """`await tool(*asker, arguments)`."""

    caller: Caller
    hands: Hands


Make = Callable[..., Asker]


@pytest.fixture
def asker(house: House) -> Make:
    def made(client_id: str = "CLT-00001", **more: Any) -> Asker:
        place = {"city": "San Diego", "state": "California", "country": "United States"} | more.pop("home", {})
        database, catalogue = house.database, house.catalogue.now
        caller = Caller(
            client_id=client_id,
            name="Bar",
            home=Place(**place),
            language=more.pop("language", "en"),
            today=clock.today(house.settings.time_zone),
            versions=more.pop("versions", {"catalogue": catalogue.version}),
            **more,
        )
        return Asker(caller, Hands(database.for_tools(client_id), database.fence, database.statistics, catalogue))

    return made
