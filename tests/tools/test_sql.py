"""SQL over the caller's own purchases: what comes back, and what an error costs."""

import asyncio

import pytest

from beerforyou.errors import BadInput, Refused
from beerforyou.settings import load
from beerforyou.tools import TOOLS
from beerforyou.tools.tool import Result
from tests.tools.conftest import Make

tool = TOOLS["run_sql"]


async def test_more_rows_than_fit_are_cut_and_said_so(asker: Make) -> None:
    outcome = await tool(*asker(), {"sql": "SELECT a.beer, b.quantity FROM my_purchases a, my_purchases b"})
    (table,) = outcome.blocks
    assert getattr(table, "truncated", False) and "truncated" in outcome.content
    assert len(getattr(table, "rows", ())) == load({}).sql_rows


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


async def test_an_error_goes_back_once_and_then_the_client_is_told(asker: Make) -> None:
    me, wrong = asker(), {"sql": "SELECT secret FROM my_purchases"}
    with pytest.raises(Refused, match="column secret does not exist"):
        await tool(*me, wrong)
    outcome = await tool(*me, wrong)
    (notice,) = outcome.blocks
    assert getattr(notice, "key", "") == "query_refused" and "SQLSTATE 42703" in outcome.content["error"]
    assert "no more tries" in (await tool(*me, {"sql": "SELECT 1"})).content["error"]


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
    assert [end.content["figure"] for end in ends] == list(range(10))


@pytest.mark.parametrize("wrong", [{}, {"sql": ""}, {"sql": None}, {"sql": ["SELECT 1", "SELECT 2"]}, {"sql": "SELECT '\0'"}, {"about": "me", "sql": "SELECT 1"}])  # fmt: skip
async def test_arguments_that_make_no_sense_are_refused(asker: Make, wrong: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        await tool(*asker(), wrong)


async def test_one_cell_is_a_figure_and_no_row_is_nothing(asker: Make) -> None:
    me = asker(currency="BRL")
    spent = await tool(*me, {"sql": "SELECT sum(amount) AS amount FROM my_purchases"})
    assert (
        spent.content == {"what": "amount", "figure": spent.content["figure"], "currency": "BRL"} and not spent.blocks
    )
    for none in (
        "SELECT sum(amount) AS amount FROM my_purchases WHERE false",
        "SELECT beer FROM my_purchases WHERE false",
    ):
        assert (await tool(*me, {"sql": none})).content == {"nothing": "no purchases match"}
