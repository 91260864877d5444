"""Conversations about what was shown, through the corridor and without a model: picked, asked about, compared, and paid for
only after a yes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest

from beerforyou.blocks import BreweryCard, BreweryList, Offer, Table
from beerforyou.sentences.rendering import plain
from tests.conftest import Walk

Talk = Callable[..., Awaitable[list[dict[str, Any]]]]
PAID = "get_website_summary"


@pytest.fixture
def talk(walk: Walk) -> Talk:
    """Each message in one conversation; the runs with their steps."""

    async def said(*messages: str) -> list[dict[str, Any]]:
        runs: list[dict[str, Any]] = []
        more: dict[str, UUID] = {}
        for message in messages:
            runs.append(await walk(message, **more))
            more = {"conversation_id": runs[0]["conversation_id"]}
        return runs

    return said


def shown(run: dict[str, Any]) -> list[BreweryCard]:
    return [card for block in run["blocks"] if isinstance(block, BreweryList) for card in block.breweries]


def told(run: dict[str, Any]) -> list[str]:
    """Names of the cards below an answer about single breweries."""
    return [block.name for block in run["blocks"] if isinstance(block, BreweryCard)]


def text(run: dict[str, Any]) -> str:
    return plain(run["blocks"], "en")


def tools(run: dict[str, Any]) -> list[str]:
    return [step["name"] for step in run["steps"] if step["kind"] == "tool"]


LISTS = ("new breweries in San Diego", "cervejarias novas em San Diego")
PICKS: list[tuple[str, list[int]]] = [
    ("a segunda", [1]), ("the first two", [0, 1]), ("as duas últimas", [3, 4]), ("1 e 3", [0, 2]), ("a penúltima", [3]),
    ("second to last", [3]), ("the one in the middle", [2]), ("a do meio", [2]), ("the last one", [4]), ("number 4", [3]),
    ("na verdade a primeira", [0]), ("vou querer essa última", [4]),
]  # fmt: skip


@pytest.mark.parametrize(("pick", "positions"), PICKS)
async def test_whoever_is_picked_is_told_of_and_nobody_else(talk: Talk, pick: str, positions: list[int]) -> None:
    found, picked = await talk(LISTS[0], pick)
    names = [card.name for card in shown(found)]
    assert len(names) == 5
    assert tools(picked) == [PAID] * len(positions)
    assert sorted(told(picked)) == sorted(names[i] for i in positions)


async def test_the_numbers_are_those_on_the_screen(talk: Talk) -> None:
    _, second, eighth, two, middle = await talk(LISTS[1], "mais", "a número 8", "a 2", "a do meio")
    names = [card.name for card in shown(second)]
    assert told(eighth) == [names[2]] == told(middle)
    assert tools(two) == [] and "6" in text(two) and "10" in text(two)


async def test_past_the_last_page_the_list_stays(talk: Talk) -> None:
    runs = await talk("cervejarias novas em San Diego do tipo nano", *["mais"] * 3, "a primeira")
    last = next(shown(run) for run in reversed(runs) if shown(run))
    assert told(runs[-1]) == [last[0].name]


async def test_the_nearest_of_them(talk: Talk) -> None:
    """From the place that the list was around; of two that are as near, or where one's distance is not known, all are shown side by side."""
    found, nearest = await talk("breweries within 30 km of Austin, Texas", "the closest one")
    away = [card.distance_km for card in shown(found)]
    known = [km for km in away if km is not None]
    certain = len(known) == len(away) and away.count(min(known)) == 1
    assert not certain or told(nearest) == [shown(found)[away.index(min(known))].name]
    assert certain == (PAID in tools(nearest))


@pytest.mark.parametrize(
    ("question", "field"),
    [("qual o telefone?", "phone"), ("tem site?", "website"), ("o endereço?", "address"), ("phone number?", "phone"),
     ("manda o telefone dela", "phone"), ("whats their website", "website"), ("where is it?", "address")],
)  # fmt: skip
async def test_what_the_catalogue_knows_costs_nothing(talk: Talk, question: str, field: str) -> None:
    found, _, asked = await talk(LISTS[0], "the second one", question)
    card = shown(found)[1]
    assert tools(asked) == ["search_breweries"]
    assert card.name in text(asked) and getattr(card, field) in text(asked)


@pytest.mark.parametrize(
    "question", ["é longe?", "how far is it?", "eu já compro dela?", "do i already buy from them?"]
)
async def test_distance_and_own_purchases_too(talk: Talk, question: str) -> None:
    found, _, asked = await talk(LISTS[0], "the second one", question)
    assert tools(asked) == ["search_breweries"]
    assert shown(found)[1].name in text(asked)


@pytest.mark.parametrize(
    "question", ["is it open on sunday?", "que horas abre?", "what beers do they make?", "eles fazem ipa?"]
)
async def test_what_it_does_not_know_is_said_and_details_are_offered(talk: Talk, question: str) -> None:
    found, _, asked, yes = await talk(LISTS[0], "the second one", question, "sim")
    name = shown(found)[1].name
    (offer,) = (block for block in asked["blocks"] if isinstance(block, Offer))
    assert name in offer.text and tools(asked) == ["search_breweries"]
    assert tools(yes) == [PAID] and told(yes) == [name]


async def test_of_several_it_is_asked_which_and_the_answer_costs_nothing(talk: Talk) -> None:
    found, which, phone = await talk(LISTS[1], "qual o telefone?", "a terceira")
    assert tools(which) == []
    assert tools(phone) == ["search_breweries"] and shown(found)[2].phone in text(phone)


@pytest.mark.parametrize("question", ["compara a primeira com a terceira", "difference between 1 and 3", "1 vs 3"])
async def test_side_by_side(talk: Talk, question: str) -> None:
    found, compared = await talk(LISTS[0], question)
    (table,) = (block for block in compared["blocks"] if isinstance(block, Table))
    assert [row[0] for row in table.rows] == [shown(found)[0].name, shown(found)[2].name]
    assert tools(compared) == ["search_breweries"]


async def test_them_are_those_last_told_of(talk: Talk) -> None:
    found, _, compared = await talk(LISTS[0], "the first two", "compare them")
    (table,) = (block for block in compared["blocks"] if isinstance(block, Table))
    assert [row[0] for row in table.rows] == [card.name for card in shown(found)[:2]]


@pytest.mark.parametrize("question", ["where is {}?", "telefone da {}", "qual a distancia ate a {}?", "how far is {}?"])
async def test_by_name_without_a_list(talk: Talk, question: str) -> None:
    (found,) = await talk(LISTS[0])
    name = shown(found)[0].name
    (asked,) = await talk(question.format(name))
    assert tools(asked) == ["search_breweries"] and name in text(asked)


@pytest.mark.parametrize("question", ["why?", "por que essas?", "pq?", "qual você acha melhor?", "why the second one?"])
async def test_the_reasons(talk: Talk, question: str) -> None:
    found, why = await talk(LISTS[0], question)
    assert tools(why) == ["search_breweries"]
    assert [card.name for card in shown(why)] == [card.name for card in shown(found)]


@pytest.mark.parametrize(
    "message",
    ["a sétima", "number 9", "sim", "todas", "mais 3", "não quero a primeira", "talvez a segunda", "a 1 ou a 2"],
)
async def test_what_is_no_certain_pick_opens_nothing(talk: Talk, message: str) -> None:
    _, run = await talk(LISTS[1], message)
    assert PAID not in tools(run)


async def test_a_yes_is_late_when_something_else_was_said(talk: Talk) -> None:
    *_, thanks, late = await talk("Cervejarias chamadas Stone em Escondido", "qual o telefone?", "obrigado", "sim")
    assert PAID not in tools(thanks) + tools(late)
