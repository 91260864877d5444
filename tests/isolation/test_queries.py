"""SQL that a model wrote: what an analysis needs goes through both gate and fence, and everything else gets a reason."""

import json
import re
from pathlib import Path

import asyncpg
import pytest

from beerforyou import prompts
from beerforyou.db.fence import gate
from beerforyou.errors import Refused
from beerforyou.house import House
from beerforyou.settings import Settings

ME, OTHER = "CLT-00001", "CLT-00002"
HONEST = [json.loads(line) for line in (Path(__file__).parents[1] / "evals/honest_sql.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("query", HONEST, ids=lambda query: query["id"])
async def test_an_honest_query_gets_the_same_rows_with_the_gate_and_without(
    house: House, query: dict[str, str]
) -> None:
    fence = house.database.fence
    assert await fence.run(ME, gate.passed(query["sql"])) == await fence.run(ME, query["sql"])


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("SELEC beer", "does not parse|only one SELECT"),
        ("DELETE FROM my_purchases", "only one SELECT|does not parse"),
        ("SELECT 1; SELECT 2", "not one statement|does not parse"),
        ("SELECT price FROM my_purchases", "column price does not exist; my_purchases has purchased_on, beer"),
        ("SELECT * FROM customers", "there are my_purchases and my_profile"),
        ("SELECT avg(total) FROM customers", "there are my_purchases and my_profile"),
        ("SELECT pg_sleep(10)", "function pg_sleep|not allowed"),
        (
            "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r",
            "RECURSIVE|too long|too much",
        ),
        ("SELECT beer::int FROM my_purchases", "a text cannot be read as integer"),
        (f"SELECT '{'x' * 4000}'", "characters"),
        ("SELECT '\0'", "characters that are none|parse"),
        ("SELECT quantity / 0 FROM my_purchases", "divides by zero"),
    ],
)
@pytest.mark.parametrize("with_gate", [True, False])
async def test_a_reason_is_one_line_that_the_model_can_act_on(
    house: House, sql: str, reason: str, with_gate: bool
) -> None:
    with pytest.raises(Refused, match=reason) as refused:
        await house.database.fence.run(ME, gate.passed(sql) if with_gate else sql)
    assert "\n" not in refused.value.message and refused.value.hint


async def test_no_reason_quotes_a_value(house: House) -> None:
    """The database's own message would: `invalid input syntax for type integer: "..."`."""
    (beer,), *_ = (await house.database.fence.run(ME, "SELECT beer FROM my_purchases")).rows
    with pytest.raises(Refused) as refused:
        await house.database.fence.run(ME, "SELECT beer::int FROM my_purchases")
    assert beer not in f"{refused.value.message}{refused.value.hint}"


async def test_words_that_look_like_statements_are_only_words(house: House) -> None:
    for name in ("Alter Brewing Company", "Grants Pass", "Drop In Brewing", "Set_config Ales"):
        found = await house.database.fence.run(
            ME, gate.passed(f"SELECT count(*) AS n FROM my_purchases WHERE brewery = '{name}'")
        )
        assert found.rows == ((0,),)


async def test_a_million_rows_are_cut_and_so_is_a_wide_one(house: House) -> None:
    fence = house.database.fence
    many = await fence.run(ME, "SELECT a.beer FROM my_purchases a, my_purchases b")
    assert many.truncated and 0 < len(many.rows) <= house.settings.sql_rows
    wide = ", ".join(f"beer AS beer_{n}" for n in range(150))
    assert (await fence.run(ME, f"SELECT {wide} FROM my_purchases ORDER BY length(beer)")).truncated
    wider = ", ".join(f"beer b{n}" for n in range(300))
    with pytest.raises(Refused, match="first row alone"):
        await fence.run(ME, f"SELECT {wider} FROM my_purchases ORDER BY length(beer) DESC")


async def test_columns_of_one_name_are_all_there(house: House) -> None:
    found = await house.database.fence.run(
        ME, "SELECT a.beer, a.quantity, a.beer, 1e200::numeric, 12345678901234567890 FROM my_purchases a LIMIT 1"
    )
    assert found.columns[:3] == ("beer", "quantity", "beer") and len(found.rows[0]) == 5


def columns_of(text: str) -> list[tuple[str, str]]:
    """Of "name, city text (of this client), amount numeric": a type stands for those before it without one."""
    said = [column.split() for column in re.split(r", | and ", re.sub(r" \([^)]*\)", "", text))]
    columns: list[tuple[str, str]] = []
    kind = ""
    for name, *kinds in reversed(said):
        kind = kinds[0] if kinds else kind
        columns.insert(0, (name, kind))
    return columns


async def test_the_views_are_what_the_model_is_told(furnished: Settings) -> None:
    told = {view: columns_of(text) for view, text in re.findall(r"^(my_\w+), one row[^:]*: (.*)\.$", prompts.SQL, re.M)}
    assert set(told) == gate.TABLES
    admin = await asyncpg.connect(furnished.database_admin_url)
    for view, described in told.items():
        there = await admin.fetch(
            "SELECT attname, format_type(atttypid, NULL) AS type FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum > 0 ORDER BY attnum",
            f"own.{view}",
        )
        assert described == [tuple(column) for column in there], view
    await admin.close()


async def test_each_sees_its_own_rows_and_nothing_else(house: House, furnished: Settings) -> None:
    admin = await asyncpg.connect(furnished.database_admin_url)
    for client in (ME, OTHER):
        sums = await admin.fetchrow("SELECT count(*), sum(quantity) FROM core.purchases WHERE client_id = $1", client)
        found = await house.database.fence.run(client, "SELECT count(*) AS n, sum(quantity) AS q FROM my_purchases")
        assert found.rows == (tuple(sums),)
    await admin.close()
