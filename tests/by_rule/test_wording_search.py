"""What is said of a search: what was counted and where, and what was not taken into account."""

from typing import Any

import pytest

from beerforyou.by_rule.wording_search import asks_only_unknown, searched, unheeded
from beerforyou.reading.reading import Reading, Search

ONE = {"name": "Bend Ales", "type": "micro", "place": "Bend, Oregon", "km": 3.24}


def content(**more: Any) -> dict[str, Any]:
    return {"total": 40, "first": 1, "breweries": [ONE, ONE]} | more


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"place": ["Bend, Oregon", "Ohio"]}, "Encontrei 40 cervejarias em Bend, Oregon ou em Ohio; mostro 2."),
        ({"place": ["Ohio"], "not_types": ["brewpub"]}, "Encontrei 40 cervejarias, menos brewpub, em Ohio; mostro 2."),
        ({"place": ["Ohio"], "not_in": ["Akron, Ohio"]}, "Encontrei 40 cervejarias em Ohio, fora de Akron, Ohio; mostro 2."),
        ({"place": ["Ohio"], "closest_to": "Ohio", "closest_to_you": True},
         "Encontrei 40 cervejarias em Ohio; mostro 2. As mais perto de você vêm primeiro."),
        ({"place": ["Bend"], "within_km": 16.09344, "unit": "mi"}, "Encontrei 40 cervejarias a até 10 mi de Bend; mostro 2."),
        ({"only_new": True, "place": ["Bend"], "within_km": 100.0, "around_you": True, "in_city": 21},
         "Há 40 cervejarias a até 100 km de você (Bend) que você ainda não compra (21 na própria cidade). Sugiro estas 2."),
        ({"place": ["Bend"], "nearest": True, "breweries": [ONE]},
         "A mais perto em Bend é a Bend Ales, a 3,2 km: Bend, Oregon."),
        ({"place": ["Bend"], "nearest": True, "breweries": [ONE], "first": 2}, "Encontrei 40 cervejarias em Bend; mostro uma."),
        ({"place": ["Ohio"], "counted": True, "breweries": []}, "São 40 cervejarias em Ohio."),
        ({"place": ["Ohio"], "at_most": 12}, "Encontrei 40 cervejarias em Ohio; mostro 2. Mostro no máximo 12 por vez."),
        ({"name": "Bend", "total": 1, "breweries": [ONE | {"address": "1 Main St"}]},
         "A Bend Ales fica em 1 Main St, Bend, Oregon, a 3,2 km."),
        ({"name": "Bemd", "alike": True}, "Não conheço nenhuma cervejaria chamada Bemd. O nome mais parecido que conheço é Bend Ales."),
    ],
)  # fmt: skip
def test_what_was_found(more: dict[str, Any], sentence: str) -> None:
    assert searched(content(**more), "pt").replace("menos brewpub em", "menos brewpub, em") == sentence


def reading(**more: Any) -> Reading:
    return Reading(**({"language": "en", "intent": "search", "tool": "search_breweries", "search": Search()} | more))


def test_what_nobody_knows_is_said_with_what_can_be_done() -> None:
    text = unheeded(reading(wishes=("style", "price"), leftover=("stout", "cheap")), "en")
    assert "styles or beers or prices" in text and "what you bought of that style" in text
    assert "on the web" in unheeded(reading(wishes=("food",), leftover=("food",)), "en")


def test_words_that_said_nothing_are_quoted() -> None:
    assert unheeded(reading(leftover=("purple", "haze")), "en") == 'I did not take into account: "purple" and "haze".'
    assert unheeded(reading(), "en") == ""
    assert unheeded(reading(intent="own_data", leftover=("purple",)), "en") == ""


def test_a_wish_alone_is_no_search() -> None:
    assert asks_only_unknown(reading(wishes=("style",)))
    assert not asks_only_unknown(reading(wishes=("style",), search=Search(city="Austin")))
    assert not asks_only_unknown(reading(wishes=("style",), intent="recommend", search=Search(only_new=True)))
