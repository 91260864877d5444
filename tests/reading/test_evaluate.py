"""The measure: right tool, and right arguments after the catalogue's own matching."""

from typing import Any

import msgspec
import pytest

from beerforyou.catalogue.index import Catalogue
from beerforyou.errors import BadInput
from beerforyou.reading.evaluate import evaluate
from tests.reading.conftest import TODAY


def line(text: str, tool: str, **args: object) -> dict[str, Any]:
    return {"id": "x", "text": text, "tool": tool, "args": args}


@pytest.mark.parametrize(
    "right",
    [
        line("breweries in Denver, CO", "search_breweries", city="denver", state="CO"),
        line("cervejarias no Texas", "search_breweries", state="TX", only_new=False, city=""),
        line("cervejarias em Munique", "search_breweries", city="Munich"),
        line("only microbreweries", "search_breweries", type="microcervejaria"),
        line("where is Stone Brewing?", "search_breweries", name="STONE BREWING CO."),
        line("tell me about Alter", "get_website_summary", brewery="Alter Brewing"),
        line("sim", "get_website_summary"),
        line("oi", "none"),
    ],
)
def test_right_in_other_words(catalogue: Catalogue, right: dict[str, Any]) -> None:
    assert evaluate([right], catalogue, TODAY)["summary"]["accuracy"] == 1.0


@pytest.mark.parametrize(
    "wrong",
    [
        line("breweries in Denver", "search_breweries"),
        line("breweries in Denver", "search_breweries", city="Austin"),
        line("breweries in Denver", "search_breweries", city="Denver", only_new=True),
        line("breweries in Denver", "search_breweries", city="Denver", type="brewpub"),
        line("breweries in Virginia", "search_breweries", state="West Virginia"),
        line("tell me about Stone Brewing", "get_website_summary", brewery="Alter Brewing Company"),
        line("tell me about Stone Brewing", "get_website_summary"),
        line("oi", "search_breweries"),
    ],
)
def test_wrong_in_one_thing_is_wrong(catalogue: Catalogue, wrong: dict[str, Any]) -> None:
    assert evaluate([wrong], catalogue, TODAY)["summary"]["accuracy"] == 0.0


def test_lines_carry_what_came_in_and_the_result(catalogue: Catalogue) -> None:
    lines = [
        {
            **line("brewpubs em Denver", "search_breweries", city="Denver", type="brewpub"),
            "id": 1,
            "lang": "pt",
            "kind": "k",
        },
        {**line("hello", "get_client_profile"), "id": 2, "lang": "en"},
    ]
    result = evaluate(lines, catalogue, TODAY)
    assert msgspec.json.encode(result)
    assert result["n"] == 2
    assert result["lines"][0] == {
        "id": 1, "text": "brewpubs em Denver", "lang": "pt", "kind": "k", "tool": "search_breweries", "ok": True,
        "args": {"city": "Denver", "type": "brewpub"},
        "expected": {"tool": "search_breweries", "args": {"city": "Denver", "type": "brewpub"}},
    }  # fmt: skip
    assert result["summary"]["by_tool"] == {
        "get_client_profile": {"n": 1, "accuracy": 0.0},
        "search_breweries": {"n": 1, "accuracy": 1.0},
    }
    assert result["summary"]["by_language"] == {"en": {"n": 1, "accuracy": 0.0}, "pt": {"n": 1, "accuracy": 1.0}}


def test_lines_may_carry_the_conversation(catalogue: Catalogue) -> None:
    shown = {"shown": [{"id": "b6", "name": "Denver Beer Co"}, {"id": "b2", "name": "Alter Brewing Company"}]}
    lines = [
        {
            **line("e em Austin?", "search_breweries", city="Austin", type="brewpub"),
            "history": ["oi", "brewpubs em Denver"],
        },
        {**line("a segunda", "get_website_summary", brewery="Alter Brewing Company"), "context": shown},
    ]
    assert evaluate(lines, catalogue, TODAY)["summary"]["accuracy"] == 1.0


@pytest.mark.parametrize(
    "bad",
    [
        {"text": "oi"},
        {"text": 5, "tool": "none"},
        {"text": "oi", "tool": "no_such_tool"},
        {"text": "oi", "tool": "none", "args": []},
        {"text": "oi", "tool": "none", "context": {"shown": 1}},
    ],
)
def test_a_malformed_line_is_named(catalogue: Catalogue, bad: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match="line 2: ") as error:
        evaluate([line("oi", "none"), bad], catalogue, TODAY)
    assert error.value.hint


def test_nothing_to_measure(catalogue: Catalogue) -> None:
    assert evaluate([], catalogue, TODAY)["n"] == 0
