"""What is known of breweries, for nothing: one, or several side by side; and whether the caller buys from them, if that may be told."""

import pytest

from beerforyou.blocks import BreweryCard, Table
from beerforyou.catalogue.phones import readable
from beerforyou.labels import SCOPES
from beerforyou.reading.reading import Context, Ref
from beerforyou.tools import TOOLS
from tests.tools.conftest import Asker, Make

search = TOOLS["search_breweries"]


async def bought(me: Asker) -> tuple[str, int]:
    profile, _ = await me.hands.profile()
    assert profile is not None
    return next((b.brewery_id, b.quantity) for b in profile.history if b.brewery_id)


async def test_one_is_a_card_with_its_distance_and_what_was_bought(asker: Make) -> None:
    id, units = await bought(asker())
    brewery = asker().hands.catalogue.brewery(id)
    assert brewery is not None
    result = await search(*asker(), {"breweries": [id]})
    (fact,), (card,) = result.content["facts"], result.blocks
    assert isinstance(card, BreweryCard) and card.brewery_id == id
    assert fact["bought"]["units"] >= units and fact["website"] == brewery.website
    assert result.context == Context(told=(Ref(id=id, name=brewery.name, city=brewery.city, state=brewery.state),))


async def test_of_what_was_never_bought_it_is_said(asker: Make) -> None:
    profile, _ = await asker().hands.profile()
    assert profile is not None
    other = next(b for b in asker().hands.catalogue.breweries if b.is_open and b.id not in profile.brewery_ids)
    result = await search(*asker(), {"breweries": [other.id]})
    assert result.content["facts"][0]["bought"] == {}


async def test_without_the_right_to_purchases_nothing_is_said_of_them(asker: Make) -> None:
    id, _ = await bought(asker())
    narrow = {"scopes": SCOPES - {"purchases"}, "versions": {"catalogue": "c", "home": "h", "profile": "p"}}
    result = await search(*asker(**narrow), {"breweries": [id]})
    assert "bought" not in result.content["facts"][0] and "profile" not in result.label.versions


async def test_several_stand_side_by_side(asker: Make) -> None:
    some = [b for b in asker().hands.catalogue.breweries if b.is_open][:3]
    result = await search(*asker(), {"breweries": [b.id for b in some]})
    (table,) = result.blocks
    assert isinstance(table, Table)
    assert [row[0] for row in table.rows] == [b.name for b in some]
    assert all(any(row[i] is not None for row in table.rows) for i in range(len(table.columns)))
    assert [ref.id for ref in result.context.told] == [b.id for b in some]


@pytest.mark.parametrize("name", ["Xq", "no such brewery at all"])
async def test_a_name_that_nobody_has_is_asked_about(asker: Make, name: str) -> None:
    result = await search(*asker(), {"breweries": [name]})
    assert result.asks and not result.blocks and name in result.content["ask"]


@pytest.mark.parametrize(
    ("phone", "country", "written"),
    [
        ("7047706605", "United States", "(704) 770-6605"), ("17047706605", "United States", "(704) 770-6605"),
        ("704-770-6605", "Canada", "(704) 770-6605"), ("7047706605", "Ireland", "7047706605"), ("", "United States", ""),
        ("353 1 234 5678", "Ireland", "353 1 234 5678"), ("555-BEER", "United States", "555-BEER"),
    ],
)  # fmt: skip
def test_telephone_numbers_are_written_as_people_do(phone: str, country: str, written: str) -> None:
    assert readable(phone, country) == written
