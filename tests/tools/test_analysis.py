"""Tool 1B about oneself: what comes back of SQL. tests/by_rule/test_sql.py counts the figures by hand."""

import asyncio
from datetime import date
from typing import Any

import asyncpg
import pytest

from beerforyou.by_rule.sql import write
from beerforyou.errors import BadInput, Refused
from beerforyou.reading.question import Filter, Question, Span
from beerforyou.settings import Settings, load
from beerforyou.tools import TOOLS
from beerforyou.tools.tool import Result
from tests.tools.conftest import Asker, Make

tool = TOOLS["run_analytical_query"]


async def ask(asker: Asker, **slots: Any) -> Result:
    return await tool(*asker, {"sql": write(Question(**slots))})


def total(outcome: Result) -> float:
    ((value,),) = outcome.content["rows"]
    return value or 0


@pytest.fixture(scope="session")
async def lines(furnished: Settings) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(furnished.database_admin_url)
    found = await connection.fetch(
        """
        SELECT p.*, b.name, b.brewery_name, coalesce(b.brewery_id, b.brewery_name) AS brewery, b.brewery_type, b.style
        FROM core.purchases p JOIN core.beers b USING (beer_id) WHERE client_id = 'CLT-00001'
        """
    )
    await connection.close()
    return found


async def test_a_brewery_is_meant_under_all_its_names(asker: Make, lines: list[asyncpg.Record]) -> None:
    me = asker()
    for line in lines[:50]:
        bought = await me.hands.bought_as(line["brewery_name"])
        named = Filter(field="brewery", values=("it",))
        outcome = await tool(*me, {"sql": write(Question(filters=(named,)), {"it": bought})})
        assert total(outcome) >= line["quantity"] and bought.shown


async def test_a_brewery_is_known_by_a_word_of_its_name_and_by_none_that_names_too_many(asker: Make) -> None:
    me = asker()
    profile, _ = await me.hands.profile()
    assert profile
    name = profile.history[0].name
    assert name in (await me.hands.bought_as(max(name.split()[:2], key=len))).shown
    assert (await me.hands.bought_as("no such thing")).shown == ()


async def test_more_rows_than_fit_are_cut_and_said_so(asker: Make) -> None:
    outcome = await tool(*asker(), {"sql": "SELECT a.beer, b.quantity FROM my_purchases a, my_purchases b"})
    (table,) = outcome.blocks
    assert getattr(table, "truncated", False) and "truncated" in outcome.content
    assert len(getattr(table, "rows", ())) == load({}).sql_rows


async def test_nothing_bought_is_nothing(asker: Make) -> None:
    """A model that reads a row of NULL may well say that it was zero."""
    outcome = await ask(asker(), spans=(Span(since=str(date.max)),))
    assert outcome.content == {"columns": ("quantity",), "rows": (), "nothing": "no row matches"}
    assert outcome.blocks == ()


async def test_money_comes_with_its_currency(asker: Make) -> None:
    me = asker(currency="BRL")
    assert (await tool(*me, {"sql": write(Question(measures=("amount",)))})).content["currency"] == "BRL"
    units = await tool(*me, {"sql": write(Question())})
    assert "currency" not in units.content


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("month", "2026-10", "outubro de 2026"),
        ("week", "2026-W40", "semana de 28 de setembro de 2026"),
        ("quarter", "2026-Q4", "4º trimestre de 2026"),
        ("day", "2026-10-05", "5 de outubro de 2026"),
        ("last", "2026-10-05", "5 de outubro de 2026"),
        ("weekday", "1", "segunda-feira"),
        ("weekday", "no day", "no day"),
        ("period", "2026-10-01/2026-10-15", "1 a 15 de outubro de 2026"),
        ("period", "2026-10-01/..", "desde outubro de 2026"),
        ("type", "micro", "microcervejaria"),
        ("style", "", "não informado"),
        ("month", "soon", "soon"),
        ("month", "2026-13", "2026-13"),
        ("beer", "2026-10", "2026-10"),
    ],
)
async def test_cells_are_words(asker: Make, column: str, value: str, words: str) -> None:
    sql = f"SELECT '{value}' AS {column}, 1 AS quantity UNION ALL SELECT 'x', 2"
    (table,) = (await tool(*asker(language="pt"), {"sql": sql})).blocks
    assert getattr(table, "rows", ())[0][0] == words


async def test_the_numbers_are_the_callers_alone(asker: Make) -> None:
    mine, theirs = await ask(asker()), await ask(asker("CLT-00002"))
    assert total(mine) != total(theirs)
    assert (mine.label.audience, theirs.label.audience) == ({"client:CLT-00001"}, {"client:CLT-00002"})


async def test_an_error_goes_back_once_and_then_the_client_is_told(asker: Make) -> None:
    me, wrong = asker(), {"sql": "SELECT secret FROM my_purchases"}
    with pytest.raises(Refused, match="column secret does not exist"):
        await tool(*me, wrong)
    outcome = await tool(*me, wrong)
    (notice,) = outcome.blocks
    assert getattr(notice, "key", "") == "query_refused" and "SQLSTATE 42703" in outcome.content["error"]
    assert "no more tries" in (await tool(*me, {"sql": "SELECT 1"})).content["error"]


@pytest.mark.parametrize("wrong", [{}, {"about": "everyone", "sql": "SELECT 1"}, {"client_id": "CLT-00002"},
                                   {"about": "CLT-00002"}, {"about": "everyone", "by": "client_id"},
                                   {"about": "everyone", "month": "soon"}])  # fmt: skip
async def test_arguments_that_make_no_sense_are_refused(asker: Make, wrong: dict[str, str]) -> None:
    with pytest.raises(BadInput):
        await tool(*asker(), wrong)


REFUSED = [
    "SELECT pg_sleep({n})",
    "SELECT * FROM core.purchases LIMIT {n}",
    "DELETE FROM my_purchases -- {n}",
    "SELECT nothing_{n} FROM my_purchases",
]


@pytest.mark.parametrize("sql", REFUSED)
@pytest.mark.parametrize("count", [3, 50])
async def test_however_many_ask_at_once_there_is_no_third_try(asker: Make, sql: str, count: int) -> None:
    me = asker()
    asking = (tool(*me, {"sql": sql.format(n=n + 1)}) for n in range(count))
    ends = await asyncio.gather(*asking, return_exceptions=True)
    told, tried = [end.content for end in ends if isinstance(end, Result)], [e for e in ends if isinstance(e, Refused)]
    assert len(tried) == 1 and len(told) == count - 1
    assert ["no more tries" in content["error"] for content in told].count(False) == 1


async def test_good_questions_at_once_are_all_answered(asker: Make) -> None:
    me = asker()
    ends = await asyncio.gather(*(tool(*me, {"sql": f"SELECT {n} AS n"}) for n in range(10)))
    assert [end.content["rows"][0][0] for end in ends] == list(range(10))
