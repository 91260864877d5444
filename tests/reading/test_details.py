"""Details of one brewery: asked for by name, and never for a place or for breweries in general."""

import pytest

from beerforyou.reading.reading import Ref
from tests.reading.conftest import Said


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("me fala mais da Stone Brewing", "Stone Brewing"),
        ("tell me about Russian River", "Russian River Brewing Company"),
        ("resumo da New Belgium", "New Belgium Brewing Company"),
        ("sim, me fala da Fremont", "Fremont Brewing"),
        ("que cervejas a Sierra Nevada faz?", "Sierra Nevada Brewing Co"),
        ("me fala da siera nevada", "Sierra Nevada Brewing Co"),
        ("what does the site of Denver Beer Co say?", "Denver Beer Co"),
        ("me fala da Cervejaria Fantasma", "Cervejaria Fantasma"),
        ("tell me about Moonlit Badger Brewing", "Moonlit Badger Brewing"),
        ("não quero o endereço, quero o resumo da Lagunitas", "Lagunitas Brewing Company"),
    ],
)
def test_more_about_a_brewery(said: Said, text: str, name: str) -> None:
    reading = said(text)
    assert reading.tool == "get_website_summary"
    assert reading.brewery is not None
    assert reading.brewery.name == name


def test_a_name_that_is_one_brewerys_carries_its_id(said: Said) -> None:
    assert said("tell me about Alter").brewery == Ref(
        id="b2", name="Alter Brewing Company", city="Downers Grove", state="Illinois"
    )
    unknown = said("tell me about Moonlit Badger Brewing").brewery
    assert unknown is not None
    assert unknown.id == ""


@pytest.mark.parametrize(
    "text",
    ["tell me about breweries in Denver", "me fala das cervejarias de Denver", "quero saber dos brewpubs de Denver"],
)
def test_breweries_in_general_are_a_search(said: Said, text: str) -> None:
    assert said(text).tool == "search_breweries"
