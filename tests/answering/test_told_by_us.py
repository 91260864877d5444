"""What a tool asks, and what a table counted, is shown in our own words, whatever a model makes of it."""

from typing import Any

import pytest

from beerforyou.blocks import Table, Text
from tests.answering.test_planner import Scripted, call, calls, says
from tests.conftest import Walk

PORTLAND = call("search_breweries", city="Portland")  # in two states of the demo's catalogue
DENVER = call("search_breweries", city="Denver")
OREGON = call("search_breweries", city="Portland", state="Oregon")
BREWERY = call("run_analytical_query", about="me", filters=[{"field": "brewery", "values": ["Brewing Co"]}])
UNITS = call("run_analytical_query", about="me", spans=[{"until": "2099-12-31"}])
BY_STYLE = call("run_analytical_query", about="me", by=["style"], spans=[{"until": "2099-12-31"}])


def texts(run: dict[str, Any]) -> list[str]:
    return [block.text for block in run["blocks"] if isinstance(block, Text)]


def tables(run: dict[str, Any]) -> list[Table]:
    return [block for block in run["blocks"] if isinstance(block, Table)]


@pytest.mark.parametrize("words", ["I found nothing.", "Sorry, I can't help with that.", "Which city is that?", "OK"])
@pytest.mark.parametrize(("asking", "said"), [(PORTLAND, "Portland (Oregon)"), (BREWERY, "whole name")])
async def test_what_a_tool_asks_is_asked(walk: Walk, words: str, asking: Any, said: str) -> None:
    run = await walk("how much, and where?", Scripted(calls(asking), says(words)))
    (text,) = texts(run)
    assert said in text and words not in text and run["outcome"] == "clarification"


async def test_beside_an_answer_it_comes_after_it(walk: Walk) -> None:
    run = await walk(
        "how many units, and breweries in Portland?", Scripted(calls(UNITS, PORTLAND), says("You bought 7 units."))
    )
    first, second = texts(run)
    assert first == "You bought 7 units." and "Portland (Oregon)" in second and run["outcome"] == "clarification"


async def test_what_a_model_asks_in_the_same_words_is_asked_once(walk: Walk) -> None:
    (ask,) = texts(await walk("where?", Scripted(calls(PORTLAND), says("OK"))))
    assert texts(await walk("where?", Scripted(calls(PORTLAND), says(f"Well: {ask}")))) == [f"Well: {ask}"]


@pytest.mark.parametrize(("second", "open"), [(OREGON, False), (DENVER, False), (UNITS, True)])
async def test_a_question_that_the_model_settled_is_asked_of_nobody(walk: Walk, second: Any, open: bool) -> None:
    run = await walk("where?", Scripted(calls(PORTLAND), calls(second), says("Here.")))
    assert (run["outcome"] == "clarification") == open == (len(texts(run)) > 1)


async def test_two_at_once_do_not_settle_each_other(walk: Walk) -> None:
    run = await walk("where?", Scripted(calls(PORTLAND, DENVER), says("Here.")))
    assert run["outcome"] == "clarification" and "Portland (Oregon)" in texts(run)[-1]


@pytest.mark.parametrize(("language", "words"), [("en", "Units by style"), ("pt", "Unidades por estilo")])
async def test_a_table_says_what_it_counts_where_the_sentence_is_not_ours(
    walk: Walk, language: str, words: str
) -> None:
    message = {"en": "how many units by style?", "pt": "quanto comprei de cada estilo?"}[language]
    run = await walk(message, Scripted(calls(BY_STYLE), says("Mostly stout.")))
    (table,) = tables(run)
    assert table.caption.startswith(words) and table.caption in run["text"]
    (ours,) = tables(await walk(message))
    assert ours.caption == "" and table.columns == ours.columns
