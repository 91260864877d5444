"""What the benchmark says it measures is what it asks for: SQL that is answered, and greetings that need no model."""

import re
from datetime import date

import pytest

from beerforyou.answering.small_talk import CANNED as INTENTS
from beerforyou.by_rule.planner import Known, doubt
from beerforyou.catalogue import demo
from beerforyou.catalogue.index import Catalogue
from beerforyou.db.fence import gate
from beerforyou.reading.read import read
from beerforyou.reading.reading import Context
from beerforyou.tools import TOOLS
from bench.kinds import CALLS, GREETINGS, KINDS, NEW, SEARCH, SEEN, SURE, USUAL, calls, message, new_sql

CATALOGUE = Catalogue(demo.breweries())
NUMBERS = range(0, 4000, 97)


@pytest.mark.parametrize("sql", [*USUAL, *map(new_sql, NUMBERS)])
def test_the_gate_lets_the_models_sql_through(sql: str) -> None:
    assert gate.passed(sql)


def test_no_new_text_comes_twice_even_with_other_constants() -> None:
    shapes = {re.sub(r"\d+(\.\d+)?", "0", new_sql(number)) for number in range(3000)}
    assert len(shapes) == 3000


@pytest.mark.parametrize("text", GREETINGS)
def test_a_greeting_is_answered_without_a_model(text: str) -> None:
    reading = read(text, CATALOGUE, Context(), date(2026, 11, 22))
    assert reading.intent in INTENTS and not reading.leftover


@pytest.mark.parametrize("number", range(60))
def test_a_sure_plan_is_sure_and_the_others_are_not(number: int) -> None:
    assert not _doubt(message(SURE, number))
    assert all(_doubt(message(kind, number)) for kind in (SEARCH, SEEN, NEW))


def _doubt(text: str) -> str:
    reading = read(text, CATALOGUE, Context(), date(2026, 11, 22))
    return doubt(Known(reading=reading, context=Context(), language="pt"), TOOLS)


@pytest.mark.parametrize("kind", [SEARCH, SEEN, NEW])
def test_a_message_names_its_run(kind: str) -> None:
    assert f"pedido {KINDS.index(kind)}000042" in message(kind, 42)
    assert len(calls(kind, 42)) == CALLS - 1
