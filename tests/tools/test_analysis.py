"""Tool 1B about oneself, with the SQL that the offline planner writes: every figure is checked against the same sum over
the rows themselves.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import asyncpg
import pytest

from beerforyou.by_rule.simple import Question
from beerforyou.by_rule.sql import write
from beerforyou.errors import BadInput, Refused
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


def by(lines: list[asyncpg.Record], key: Callable[[Any], Any], value: Callable[[Any], Any]) -> Counter[Any]:
    sums: Counter[Any] = Counter()
    for line in lines:
        sums[key(line)] += value(line)
    return sums


async def test_totals(asker: Make, lines: list[asyncpg.Record]) -> None:
    expected = {
        "quantity": sum(line["quantity"] for line in lines),
        "amount": float(sum((line["quantity"] * line["unit_price"] for line in lines), Decimal())),
        "orders": len({line["purchased_on"] for line in lines}),
        "beers": len({(line["name"], line["brewery"]) for line in lines}),
        "breweries": len({line["brewery"] for line in lines}),
    }
    for measure, value in expected.items():
        outcome = await ask(asker(), measure=measure)
        assert total(outcome) == pytest.approx(value), measure
        assert outcome.blocks == ()


async def test_the_top_three_beers(asker: Make, lines: list[asyncpg.Record]) -> None:
    sums = by(lines, lambda line: (line["name"], line["brewery"]), lambda line: line["quantity"])
    outcome = await ask(asker(), by="beer", limit=3)
    top = sorted(sums.items(), key=lambda item: (-item[1], item[0]))[:3]
    assert [value for *_, value in outcome.content["rows"]] == [value for _, value in top]
    leaders = {name for (name, _), value in sums.items() if value >= top[-1][1]}
    assert {beer for beer, *_ in outcome.content["rows"]} <= leaders


async def test_the_least_is_the_other_end(asker: Make, lines: list[asyncpg.Record]) -> None:
    sums = by(lines, lambda line: line["style"], lambda line: line["quantity"])
    outcome = await ask(asker(), by="style", direction="least", limit=1)
    assert outcome.content["rows"][0][1] == min(sums.values())


async def test_months_come_in_their_order(asker: Make, lines: list[asyncpg.Record]) -> None:
    sums = by(lines, lambda line: f"{line['purchased_on']:%Y-%m}", lambda line: line["quantity"])
    outcome = await ask(asker(), by="month")
    assert outcome.content["rows"] == tuple((month, sums[month]) for month in sorted(sums))


async def test_a_period_begins_and_ends_where_it_says(asker: Make, lines: list[asyncpg.Record]) -> None:
    days = sorted({line["purchased_on"] for line in lines})
    since, until = days[len(days) // 3], days[2 * len(days) // 3]
    expected = sum(line["quantity"] for line in lines if since <= line["purchased_on"] < until)
    assert total(await ask(asker(), since=str(since), until=str(until))) == expected > 0


async def test_breweries_are_counted_once_under_all_their_spellings(asker: Make, lines: list[asyncpg.Record]) -> None:
    outcome = await ask(asker(), by="brewery", limit=50)
    assert len(outcome.content["rows"]) == len({line["brewery"] for line in lines})


async def test_a_brewery_is_meant_under_all_its_names(asker: Make, lines: list[asyncpg.Record]) -> None:
    me = asker()
    for line in lines[:50]:
        ids, names = await me.hands.known_as(line["brewery_name"])
        outcome = await tool(*me, {"sql": write(Question(brewery=line["brewery_name"]), ids, names)})
        assert total(outcome) >= line["quantity"]


async def test_more_rows_than_fit_are_cut_and_said_so(asker: Make) -> None:
    outcome = await tool(*asker(), {"sql": "SELECT a.beer, b.quantity FROM my_purchases a, my_purchases b"})
    (table,) = outcome.blocks
    assert getattr(table, "truncated", False) and "truncated" in outcome.content
    assert len(getattr(table, "rows", ())) == load({}).sql_rows


async def test_nothing_bought_is_nothing(asker: Make) -> None:
    outcome = await ask(asker(), since=str(date.max))
    assert total(outcome) == 0 and outcome.blocks == ()


@pytest.mark.parametrize("wildcard", ["%", "_", "\\", "'; DROP TABLE purchases; --", "'' OR true --", "\\' OR true --"])
@pytest.mark.parametrize("slot", ["beer", "style", "brewery", "city", "state", "type"])
async def test_a_slot_is_text_and_nothing_else(asker: Make, wildcard: str, slot: str) -> None:
    assert total(await ask(asker(), **{slot: wildcard})) == 0


async def test_the_numbers_are_the_callers_alone(asker: Make) -> None:
    mine, theirs = await ask(asker()), await ask(asker("CLT-00002"))
    assert total(mine) != total(theirs)
    assert (mine.label.audience, theirs.label.audience) == ({"client:CLT-00001"}, {"client:CLT-00002"})


async def test_an_error_goes_back_once_and_then_the_client_is_told(asker: Make) -> None:
    me, wrong = asker(), {"sql": "SELECT secret FROM my_purchases"}
    with pytest.raises(Refused, match="column that is not there"):
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
