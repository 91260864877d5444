"""Tool 1B: every figure is checked against the same sum over the rows themselves."""

from collections import Counter
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import asyncpg
import pytest

from beerforyou.errors import BadInput
from beerforyou.settings import Settings
from beerforyou.tools import TOOLS
from beerforyou.tools.tool import Caller

ask = TOOLS["run_analytical_query"]


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


async def test_totals(caller: Callable[..., Caller], lines: list[asyncpg.Record]) -> None:
    expected = {
        "quantity": sum(line["quantity"] for line in lines),
        "amount": float(sum((line["quantity"] * line["unit_price"] for line in lines), Decimal())),
        "orders": len({line["purchased_on"] for line in lines}),
        "beers": len({(line["name"], line["brewery"]) for line in lines}),
        "breweries": len({line["brewery"] for line in lines}),
    }
    for measure, total in expected.items():
        outcome = await ask(caller(), {"measure": measure})
        assert outcome.content["total"] == pytest.approx(total), measure
        assert outcome.blocks == ()


async def test_the_top_three_beers(caller: Callable[..., Caller], lines: list[asyncpg.Record]) -> None:
    sums = by(lines, lambda line: (line["name"], line["brewery"]), lambda line: line["quantity"])
    outcome = await ask(caller(), {"by": "beer", "limit": 3})
    top = sorted(sums.items(), key=lambda item: (-item[1], item[0]))[:3]
    assert [value for _, value in outcome.content["rows"]] == [value for _, value in top]
    leaders = {name for (name, _), value in sums.items() if value >= top[-1][1]}
    assert {key.partition(" (")[0] for key, _ in outcome.content["rows"]} <= leaders


async def test_the_least_is_the_other_end(caller: Callable[..., Caller], lines: list[asyncpg.Record]) -> None:
    sums = by(lines, lambda line: line["style"], lambda line: line["quantity"])
    outcome = await ask(caller(), {"by": "style", "direction": "least", "limit": 1})
    assert outcome.content["rows"][0][1] == min(sums.values())


async def test_months_come_in_their_order(caller: Callable[..., Caller], lines: list[asyncpg.Record]) -> None:
    sums = by(lines, lambda line: f"{line['purchased_on']:%Y-%m}", lambda line: line["quantity"])
    outcome = await ask(caller(), {"by": "month"})
    assert outcome.content["rows"] == [(month, sums[month]) for month in sorted(sums)]


async def test_a_period_begins_and_ends_where_it_says(
    caller: Callable[..., Caller], lines: list[asyncpg.Record]
) -> None:
    days = sorted({line["purchased_on"] for line in lines})
    since, until = days[len(days) // 3], days[2 * len(days) // 3]
    expected = sum(line["quantity"] for line in lines if since <= line["purchased_on"] < until)
    outcome = await ask(caller(), {"since": str(since), "until": str(until)})
    assert outcome.content["total"] == expected > 0


async def test_breweries_are_counted_once_under_all_their_spellings(
    caller: Callable[..., Caller], lines: list[asyncpg.Record]
) -> None:
    outcome = await ask(caller(), {"by": "brewery", "limit": 100})
    assert outcome.content["of"] == len({line["brewery"] for line in lines})


async def test_more_than_fits_is_said_so(caller: Callable[..., Caller]) -> None:
    (table,) = (await ask(caller(), {"by": "beer", "limit": 2})).blocks
    assert getattr(table, "truncated", False) and len(getattr(table, "rows", ())) == 2


async def test_nothing_bought_is_nothing(caller: Callable[..., Caller]) -> None:
    outcome = await ask(caller(), {"since": str(date.max)})
    assert outcome.content["total"] == 0 and outcome.blocks == ()


@pytest.mark.parametrize("wildcard", ["%", "_", "\\", "'; DROP TABLE purchases; --"])
async def test_a_filter_is_text_and_nothing_else(caller: Callable[..., Caller], wildcard: str) -> None:
    outcome = await ask(caller(), {"beer": wildcard})
    assert outcome.content["total"] == 0


async def test_the_numbers_are_the_callers_alone(caller: Callable[..., Caller]) -> None:
    mine, theirs = await ask(caller(), {}), await ask(caller("CLT-00002"), {})
    assert mine.content["total"] != theirs.content["total"]
    assert (mine.label.audience, theirs.label.audience) == ({"client:CLT-00001"}, {"client:CLT-00002"})


async def test_everyone_is_not_answered_from_raw_rows(caller: Callable[..., Caller]) -> None:
    outcome = await ask(caller(), {"about": "everyone", "by": "beer"})
    assert "error" in outcome.content and "rows" not in outcome.content


@pytest.mark.parametrize("wrong", [{"since": "soon"}, {"measure": "secrets"}, {"by": "client_id"}, {"limit": "all"}])
async def test_a_question_outside_the_slots_is_refused(caller: Callable[..., Caller], wrong: dict[str, str]) -> None:
    with pytest.raises(BadInput):
        await ask(caller(), wrong)
