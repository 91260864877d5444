"""Tool 3 in its first form: what the catalogue knows of one brewery, identified, never guessed."""

from collections import Counter

from beerforyou.blocks import BreweryCard, Notice
from beerforyou.reading.reading import Ref
from beerforyou.tools import TOOLS
from tests.tools.conftest import Make

tell = TOOLS["get_website_summary"]


def test_it_costs_money() -> None:
    assert [tool.name for tool in TOOLS.values() if tool.paid] == ["get_website_summary"]


async def test_by_id_and_it_says_that_the_web_is_off(asker: Make) -> None:
    brewery = next(b for b in asker().hands.catalogue.breweries if b.is_open)
    outcome = await tell(*asker(), {"brewery": brewery.id})
    card, notice = outcome.blocks
    assert isinstance(card, BreweryCard) and card.brewery_id == brewery.id
    assert isinstance(notice, Notice) and notice.key == "web_off"


async def test_a_name_that_was_shown_means_that_one(asker: Make) -> None:
    breweries = asker().hands.catalogue.breweries
    name = next(name for name, n in Counter(b.name for b in breweries).items() if n > 1)
    meant = [b for b in breweries if b.name == name][-1]
    shown = (Ref(id=meant.id, name=meant.name, city=meant.city, state=meant.state),)
    outcome = await tell(*asker(shown=shown), {"brewery": name})
    card = outcome.blocks[0]
    assert isinstance(card, BreweryCard) and card.brewery_id == meant.id


async def test_a_name_of_several_is_asked_about(asker: Make) -> None:
    open_ones = [b for b in asker().hands.catalogue.breweries if b.is_open]
    cities: dict[str, set[str]] = {}
    for brewery in open_ones:
        cities.setdefault(brewery.name, set()).add(brewery.city)
    name = next(name for name, found in cities.items() if len(found) > 1)
    outcome = await tell(*asker(home={"city": "", "state": "", "country": ""}), {"brewery": name})
    assert outcome.asks and len(outcome.context.shown) > 1
    assert all(city in outcome.content["ask"] for city in {ref.city for ref in outcome.context.shown})


async def test_a_name_that_nobody_has_is_not_matched_by_a_part_of_it(asker: Make) -> None:
    outcome = await tell(*asker(), {"brewery": "Xq"})
    assert outcome.asks and not outcome.blocks
