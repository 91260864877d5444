"""What is asked of all clients and is not published, read as such; and what only sounds like it."""

from collections.abc import Callable
from datetime import date

import pytest

from beerforyou.by_rule.everyone import cannot, statistic
from beerforyou.catalogue import demo
from beerforyou.catalogue.index import Catalogue
from beerforyou.reading.question import Question
from beerforyou.reading.read import read
from beerforyou.reading.reading import Context, Reading

Read = Callable[[str], Reading]


@pytest.fixture(scope="module")
def reads() -> Read:
    catalogue = Catalogue(demo.breweries())
    return lambda text: read(text, catalogue, Context(), date(2026, 11, 28))


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("estou acima da media?", "no_comparison"),
        ("to comprando mais que os outros bares?", "no_comparison"),
        ("me compara com os outros bares", "no_comparison"),
        ("compro menos lager do que a maioria", "no_comparison"),
        ("am i above average", "no_comparison"),
        ("what do i buy most compared to everyone", "no_comparison"),
        ("do other bars buy more lager than me", "no_comparison"),
        ("how do i compare to other bars", "no_comparison"),
        ("quais cervejarias estao em alta", "no_growth"),
        ("o que ta bombando no colorado", "no_growth"),
        ("whats trending in texas", "no_growth"),
        ("what's growing fastest right now", "no_growth"),
        ("media de compra dos clientes", "no_averages"),
        ("qual a media de unidades por cliente", "no_averages"),
        ("average spend of all clients", "no_money"),
        ("quanto todos os clientes gastaram esse ano", "no_money"),
        ("quantos bares compram stout ou porter", "one_at_a_time"),
    ],
)
def test_what_is_not_published_is_read_as_what_it_is(reads: Read, text: str, key: str) -> None:
    question = reads(text).question
    assert question and question.about == "everyone" and cannot(question) == f"statistics.{key}"


@pytest.mark.parametrize(
    ("text", "args"),
    [
        ("o que os outros bares compram", {"by": "style"}),
        ("what do other bars buy", {"by": "style"}),
        ("qual estilo mais comprado na california", {"by": "style", "state": "California"}),
        ("estilos menos pedidos na california", {"by": "style", "direction": "least", "state": "California"}),
        ("most popular IPA in California", {"by": "beer", "style": "ipa", "state": "California"}),
        ("por estado, quantos clientes compram lager?", {"by": "state", "measure": "clients", "style": "lager"}),
        ("how many of your clients buy sour beers", {"measure": "clients", "style": "sour"}),
        ("quantos clientes vcs tem na california", {"measure": "clients", "state": "California"}),
        ("how many customers buy hazy IPA?", {"measure": "clients", "style": "hazy ipa"}),
    ],
)
def test_what_is_published_is_asked_for(reads: Read, text: str, args: dict[str, str]) -> None:
    reading = reads(text)
    assert reading.question and not reading.leftover and cannot(reading.question) == ""
    given = statistic(reading.question)
    assert {name: given.get(name) for name in args} == args


@pytest.mark.parametrize(
    "text",
    ["minhas compras estão caindo?", "em que mês gastei acima da média?", "quais cervejas que eu mais compro", "quantos bares tem em San Diego"],
)  # fmt: skip
def test_what_is_about_oneself_or_a_search_stays_so(reads: Read, text: str) -> None:
    assert (reads(text).question or Question()).about == "me"
