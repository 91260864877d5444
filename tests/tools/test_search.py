"""Tool 2, as the planner sees it."""

from typing import Any

import pytest

from beerforyou.blocks import BreweryList, QuickReplies
from beerforyou.errors import BadInput
from beerforyou.tools import TOOLS
from beerforyou.tools.tool import Result
from tests.tools.conftest import Make

search = TOOLS["search_breweries"]


def listed(outcome: Result) -> BreweryList:
    (block,) = outcome.blocks
    assert isinstance(block, BreweryList)
    return block


async def test_every_match_is_on_some_page_and_on_one(asker: Make) -> None:
    first = listed(await search(*asker(), {"state": "California"}))
    seen: list[str] = []
    page = 1
    while page:
        block = listed(await search(*asker(), {"state": "California", "page": page}))
        seen += [card.brewery_id for card in block.breweries]
        page = block.next_page
    assert len(seen) == len(set(seen)) == first.total > 5


async def test_a_recommendation_leaves_out_what_the_client_buys(asker: Make) -> None:
    me = asker()
    profile, _ = await me.hands.profile()
    assert profile is not None
    bought = {same for id in profile.brewery_ids for same in me.hands.catalogue.same_brewery(id)}
    new: set[str] = set()
    page = 1
    while page:
        block = listed(await search(*me, {"only_new": True, "state": "California", "page": page}))
        new |= {card.brewery_id for card in block.breweries}
        assert all(card.reasons for card in block.breweries)
        page = block.next_page
    assert new and not new & bought


async def test_an_ambiguous_place_is_asked_about(asker: Make) -> None:
    outcome = await search(*asker(home={"state": "Texas", "city": "Austin"}), {"city": "Portland"})
    assert outcome.asks and "Oregon" in outcome.content["ask"] and "Maine" in outcome.content["ask"]
    (replies,) = outcome.blocks
    assert isinstance(replies, QuickReplies)
    assert {choice.state for choice in outcome.context.choices} >= {"Oregon", "Maine"}


async def test_the_clients_own_state_decides_and_then_the_answer_is_theirs(asker: Make) -> None:
    outcome = await search(*asker(home={"state": "Maine", "city": "Bangor"}), {"city": "Portland"})
    assert {card.state for card in listed(outcome).breweries} == {"Maine"}
    assert "client:CLT-00001" in outcome.label.audience


async def test_a_plain_search_is_public(asker: Make) -> None:
    outcome = await search(*asker(), {"city": "Denver"})
    assert outcome.label.audience == {"public"}
    assert outcome.label.versions == {"catalogue": asker().hands.catalogue.version}


async def test_what_is_ordered_from_the_clients_home_is_theirs(asker: Make) -> None:
    outcome = await search(*asker(), {"city": "San Diego"})
    away = [card.distance_km for card in listed(outcome).breweries]
    assert away == sorted(away) and outcome.content["closest_to_you"]
    assert outcome.label.audience == {"public", "client:CLT-00001"}


async def test_near_me_is_around_the_clients_place(asker: Make) -> None:
    outcome = await search(*asker(), {"near_me": True})
    assert outcome.label.audience == {"public", "client:CLT-00001"}
    seen: list[float | None] = []
    page = 1
    while page:
        block = listed(await search(*asker(), {"near_me": True, "page": page}))
        seen += [card.distance_km for card in block.breweries]
        page = block.next_page
    known = [distance for distance in seen if distance is not None]
    assert known and max(known) <= 50


async def test_near_me_without_a_place_asks(asker: Make) -> None:
    outcome = await search(*asker(home={"city": "", "state": "", "country": ""}), {"near_me": True})
    assert outcome.asks


@pytest.mark.parametrize(("field", "value"), [("city", "Xyzzyville"), ("state", "Xyzzy"), ("type", "xyzzy")])
async def test_what_nobody_knows_is_said_so(asker: Make, field: str, value: str) -> None:
    outcome = await search(*asker(), {field: value})
    assert outcome.asks and value in outcome.content["ask"].title() + outcome.content["ask"]


async def test_nobody_closed_or_planned_is_recommended(asker: Make) -> None:
    for kind in ("closed", "planning"):
        outcome = await search(*asker(), {"type": kind, "only_new": True, "country": "United States"})
        assert outcome.content["total"] == 0
        assert not outcome.blocks


@pytest.mark.parametrize(("limit", "shown", "at_most"), [(None, 5, None), (3, 3, None), (12, 12, None), (40, 12, 12)])
async def test_as_many_as_were_asked_for(asker: Make, limit: int | None, shown: int, at_most: int | None) -> None:
    outcome = await search(*asker(), {"state": "California"} | ({"limit": limit} if limit else {}))
    assert len(listed(outcome).breweries) == len(outcome.context.shown) == shown
    assert outcome.content.get("at_most") == at_most


async def test_the_number_alone(asker: Make) -> None:
    every = await search(*asker(), {"state": "California"})
    outcome = await search(*asker(), {"state": "California", "count_only": True})
    assert outcome.content["total"] == every.content["total"] and not outcome.blocks
    assert not outcome.context.offered


async def test_more_of_them_are_numbered_on(asker: Make) -> None:
    first = listed(await search(*asker(), {"state": "California", "limit": 8}))
    more = listed(await search(*asker(), {"state": "California", "skip": 5, "limit": 3}))
    assert more.breweries == first.breweries[5:] and more.first == 6


async def test_distances_in_the_unit_asked_for(asker: Make) -> None:
    outcome = await search(*asker(), {"near_me": True, "within_km": 16.09, "miles": True})
    assert {card.unit for card in listed(outcome).breweries} == {"mi"}
    assert outcome.content["unit"] == "mi" and outcome.content["around_you"]


async def test_without_a_place_around_the_clients(asker: Make) -> None:
    outcome = await search(*asker(), {})
    assert outcome.content["within_km"] and outcome.content["place"] == ["San Diego, California"]
    assert "client:CLT-00001" in outcome.label.audience
    assert (await search(*asker(home={"city": "", "state": "", "country": ""}), {})).asks


async def test_similar_ones_are_of_its_type_and_not_itself(asker: Make) -> None:
    me = asker()
    brewery = next(b for b in me.hands.catalogue.breweries if b.brewery_type == "micro" and b.state == "California")
    outcome = await search(*me, {"like": brewery.name, "limit": 12})
    same = me.hands.catalogue.same_brewery(brewery.id)
    cards = listed(outcome).breweries
    assert {card.brewery_type for card in cards} == {brewery.brewery_type}
    assert not {card.brewery_id for card in cards} & same
    by_id = await search(*me, {"like": brewery.id, "limit": 12})
    assert by_id.content == outcome.content
    assert (await search(*me, {"like": "Xyzzy Nobody Brewing"})).asks


async def test_a_place_that_is_not_there_is_offered_where_it_is(asker: Make) -> None:
    outcome = await search(*asker(), {"city": "Austin", "state": "Maine", "type": "brewpub"})
    assert outcome.asks and "Maine" in outcome.content["ask"] and "Texas" in outcome.content["ask"]
    (choice, *_) = outcome.context.choices
    assert (choice.city, choice.state, choice.type) == ("Austin", "Texas", "brewpub")


async def test_one_of_several_places_may_be_asked_about(asker: Make) -> None:
    me = asker(home={"city": "Lisboa", "state": "", "country": "Portugal"})
    outcome = await search(*me, {"country": "Germany", "also_in": ["Portland"]})
    assert outcome.asks
    (choice, *_) = outcome.context.choices
    assert choice.country == "Germany" and choice.also_in == ("Portland, Oregon",)


async def test_a_name_that_only_looks_alike_is_another(asker: Make) -> None:
    name = max((b.name for b in asker().hands.catalogue.breweries if b.is_open), key=len)
    misspelt = await search(*asker(), {"name": name[:4] + name[5:]})
    assert misspelt.content["alike"] and name in {card.name for card in listed(misspelt).breweries}
    assert "alike" not in (await search(*asker(), {"name": name})).content


ELSEWHERE: list[tuple[dict[str, Any], str]] = [
    ({"city": "Denver"}, "Denver, Colorado"),
    ({"state": "Texas"}, "Texas"),
    ({"city": "Portland", "state": "Oregon", "within_km": 30}, "Portland, Oregon"),
    ({"also_in": ["Denver"], "city": "Austin"}, "Austin, Texas"),
]


@pytest.mark.parametrize(("place", "searched"), ELSEWHERE)
async def test_a_place_that_is_named_wins_over_near_me(asker: Make, place: dict[str, Any], searched: str) -> None:
    plain = await search(*asker(), place)
    both = await search(*asker(), {"near_me": True} | place)
    assert both.content.pop("near_me").startswith("the place that was named")
    assert both.content == plain.content and both.content["place"][0] == searched


@pytest.mark.parametrize("own", [{"city": "San Diego"}, {"state": "California"}, {"city": "san diego", "state": "California"}, {"country": "United States"}])  # fmt: skip
async def test_around_home_is_no_contradiction_to_where_home_is(asker: Make, own: dict[str, Any]) -> None:
    near = await search(*asker(), {"near_me": True})
    assert (await search(*asker(), {"near_me": True} | own)).content == near.content


@pytest.mark.parametrize("absent", [{"limit": 0}, {"within_km": 0, "page": 0}, {"type": "", "has": []}, {"also_in": None, "name": ""},
                                    {"only_new": None, "near_me": False, "breweries": []}])  # fmt: skip
async def test_null_nought_and_an_empty_word_mean_absent(asker: Make, absent: dict[str, Any]) -> None:
    plain = await search(*asker(), {"city": "Denver"})
    assert (await search(*asker(), {"city": "Denver"} | absent)).content == plain.content


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"has": ["beer"]}, "it is one of phone, website"),
        ({"within_km": 10**9}, "within_km"),
        ({"within_km": -3}, "within_km"),
        ({"city": "Den\0ver"}, "characters that are none"),
        ({"also_in": [f"City {n}" for n in range(10_000)]}, "50 at most"),
        ({"breweries": ["x"] * 10_000}, "50 at most"),
        ({"radius": 10}, "no argument is called 'radius'"),
    ],
)
async def test_wrong_arguments_come_back_in_words(asker: Make, wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(BadInput) as error:
        await search(*asker(), wrong)
    assert says in f"{error.value.message}; {error.value.hint}"


@pytest.mark.parametrize("slot", ["type", "also_types", "not_types"])
async def test_a_type_that_there_is_none_of_comes_back_with_those_that_there_are(asker: Make, slot: str) -> None:
    outcome = await search(*asker(), {"city": "Denver", slot: "pirate"})
    assert outcome.asks and {"micro", "brewpub", "taproom"} <= set(outcome.content["types"])


async def test_around_home_and_elsewhere_are_both(asker: Make) -> None:
    """A further place beside it is no contradiction."""
    both = await search(*asker(), {"near_me": True, "also_in": ["Denver"]})
    assert "near_me" not in both.content and both.content["place"] == ["San Diego, California", "Denver, Colorado"]
