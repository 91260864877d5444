"""A question of the model is one statement; a text that comes again keeps its plan, whatever its constants are. What that may
not change: rows, errors, days, and whose they are."""

import asyncio
import contextlib
import json
import random
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import msgspec
import pytest

from beerforyou.db.database import Database, connect
from beerforyou.db.fence.ask import PLANS, Found
from beerforyou.db.fence.forms import KEPT
from beerforyou.errors import Refused
from beerforyou.house import House
from beerforyou.isolation.watching import SESSION_MB, backends, named
from beerforyou.settings import Settings
from tests.conftest import FreshSettings
from tests.servers.counting import Sent, counting
from tests.waiting import wait_until

ME, OTHER = "CLT-00001", "CLT-00002"
HONEST = [json.loads(line) for line in (Path(__file__).parents[1] / "evals/honest_sql.jsonl").read_text().splitlines()]
BY_STYLE = "SELECT beer, sum(amount) AS amount FROM my_purchases WHERE style = '{}' AND quantity > {} GROUP BY beer ORDER BY beer"
MAY_ASK = "GRANT EXECUTE ON FUNCTION pg_prepared_statement() TO bfy_reader"
KEPT_PLANS = "SELECT count(*) AS n, sum(generic_plans) AS generic, sum(custom_plans) AS custom FROM pg_prepared_statements WHERE name <> ''"
CROSS = ", ".join(f"my_purchases p{n}" for n in range(7))
SLOW = f"SELECT count(*) AS n FROM {CROSS} WHERE p0.quantity > 0"


class Counted(msgspec.Struct, frozen=True):
    database: Database
    sent: Sent

    async def cost(self, sql: str, client: str = ME, zone: str = "") -> tuple[int, int]:
        """Round trips and statements of one question."""
        before = self.sent.round_trips, self.sent.statements
        await self.database.fence.ask(client, sql, zone)
        return self.sent.round_trips - before[0], self.sent.statements - before[1]


@pytest.fixture(scope="module")
async def counted(furnished: Settings) -> AsyncIterator[Counted]:
    """One connection, so that the second question finds what the first left."""
    async with counting(furnished.database_sql_url) as sent:
        places = ("database_url", "database_read_url", "database_sql_url")
        urls = {place: sent.url(getattr(furnished, place)) for place in places}
        database = await connect(msgspec.structs.replace(furnished, **urls, database_pool=1))
        yield Counted(database, sent)
        await database.close()


# What it costs -----------------------------------------------------------------------------------------------------


async def test_a_text_that_comes_again_and_again_is_one_round_trip(counted: Counted) -> None:
    """The second time its plan is made to be kept."""
    sql = "SELECT style, sum(quantity) AS quantity FROM my_purchases GROUP BY style"
    assert await counted.cost("SELECT 1 AS n")  # which opens the connection
    assert await counted.cost(sql) == (2, 1)
    assert await counted.cost(sql) == (2, 1)
    assert await counted.cost(sql) == (1, 1)
    assert await counted.cost(sql, OTHER) == (1, 1)


@pytest.mark.parametrize(
    "sql",
    [
        "```sql\nSELECT Beer || '!' AS b, ln(sum(amount)) AS l FROM Own.My_Purchases GROUP BY Beer\n```",
        "SELECT string_agg(DISTINCT style, ', ') AS s FROM MY_PURCHASES WHERE style ~* 'ipa|ale'",
        "SELECT beer, position('a' IN beer) AS p FROM `my_purchases` WHERE quantity > 3",
    ],
)
async def test_so_is_one_in_other_words_than_the_fences(counted: Counted, sql: str) -> None:
    assert [await counted.cost(sql) for _ in range(3)] == [(2, 1), (2, 1), (1, 1)]


async def test_so_is_one_with_other_constants(counted: Counted) -> None:
    for least in (1, 7):
        await counted.cost(BY_STYLE.format("IPA", least))
    for style, least in (("Stout", 2), ("it''s", 30), ("'' OR ''1''=''1", 4), ("", 0)):
        assert await counted.cost(BY_STYLE.format(style, least)) == (1, 1)


async def test_another_clients_time_zone_is_one_more(counted: Counted) -> None:
    sql = "SELECT CURRENT_DATE AS today"
    for zone in ("Asia/Kathmandu", "Asia/Kathmandu", "America/Sao_Paulo"):
        await counted.cost(sql, zone=zone)
    assert await counted.cost(sql, zone="Asia/Kathmandu") == (2, 2)
    assert await counted.cost(sql, zone="Asia/Kathmandu") == (1, 1)


async def test_texts_that_come_once_end_no_plan(counted: Counted) -> None:
    """Whatever comes in between: others' plans are there afterwards, and none of theirs has to be taken away."""
    again = "SELECT city, sum(quantity) AS quantity FROM my_purchases GROUP BY city"
    for _ in range(2):
        await counted.cost(again)
    once = [
        f"SELECT beer, max(amount) AS m{n} FROM my_purchases WHERE style <> 'x' GROUP BY beer" for n in range(2 * PLANS)
    ]
    before = counted.sent.messages["C"]
    assert {await counted.cost(sql) for sql in once} == {(2, 1)}
    assert counted.sent.messages["C"] == before
    assert await counted.cost(again) == (1, 1)


async def test_what_the_gate_let_through_it_does_not_look_at_again(house: House) -> None:
    gate = house.database.gate
    await gate.passed(BY_STYLE.format("a", 7))
    asked = gate.judging.number
    assert (await gate.passed(BY_STYLE.format("b", 8))).values == ("b", "8")
    await gate.passed(f"{BY_STYLE.format('b', 8)} LIMIT 5")
    assert gate.judging.number == asked + 1
    for literal in ("1e5000", "2026-01-01 10:00 Foo+3:17"):
        with pytest.raises(Refused, match=r"time zone|too long"):
            await gate.passed(BY_STYLE.format(literal, 8))
    await gate.passed(BY_STYLE.format("b", 8_000_000_000))
    assert gate.judging.number == asked + 3, "what is not plain is looked at"


async def test_a_session_keeps_one_plan_for_all_constants_and_clients(
    fresh_settings: FreshSettings, demo: Settings
) -> None:
    """As the session itself says, where bfy_reader may ask it; elsewhere it may not, since these are others' texts."""
    async with fresh_settings(demo) as settings:
        admin = await asyncpg.connect(settings.database_admin_url)
        await admin.execute(f"GRANT SELECT ON pg_prepared_statements TO bfy_reader; {MAY_ASK}")
        database = await connect(msgspec.structs.replace(settings, database_pool=1))
        for number, client in enumerate((ME, OTHER, ME, OTHER, ME)):
            await database.fence.ask(client, BY_STYLE.format(f"Style {number}", number))
        (kept,) = (await database.fence.run(ME, KEPT_PLANS)).rows
        assert kept == (1, 4, 0)
        await database.close()
        await admin.close()


async def test_plans_do_not_fill_a_session(furnished: Settings) -> None:
    mine, name = named(furnished)
    database = await connect(msgspec.structs.replace(mine, database_pool=1))
    part = "SELECT beer, max(quantity) AS m{n} FROM my_purchases WHERE style <> 'x' AND beer IN (SELECT beer FROM my_purchases) GROUP BY 1"
    async with backends(furnished, name) as watched:
        for n in range(2 * PLANS):
            sql = " UNION ALL ".join([part.format(n=n)] * 4)
            assert len(sql) < KEPT
            for _ in range(2):
                await database.fence.ask(ME, sql)
        assert 0 < (await watched.session_mb() or 0) < SESSION_MB
    await database.close()


# What it says ------------------------------------------------------------------------------------------------------


async def told(database: Database, sql: str) -> tuple[Found | str, Found | str]:
    """With parameters and without: rows, or why there are none."""

    async def one(form: str) -> Found | str:
        try:
            return await (database.fence.ask(ME, form) if form is sql else database.fence.run(ME, form))
        except Refused as refused:
            return refused.message

    try:
        plain = (await database.gate.passed(sql)).plain
    except Refused as refused:
        return refused.message, refused.message
    return await one(sql), await one(plain)


@pytest.mark.parametrize("query", HONEST, ids=lambda query: query["id"])
async def test_an_honest_query_says_the_same_with_parameters(house: House, query: dict[str, str]) -> None:
    for _ in range(2):
        shared, plain = await told(house.database, query["sql"])
        assert shared == plain


@pytest.mark.parametrize(
    ("sql", "parameters"),
    [
        ("SELECT count(*) AS n FROM my_purchases WHERE purchased_on >= '2026-01-01'", 1),
        ("SELECT count(*) AS n FROM my_purchases WHERE purchased_on >= DATE '2026-01-01'", 1),
        ("SELECT count(*) AS n FROM my_purchases WHERE purchased_on BETWEEN '2026-01-01' AND '2026-02-30'", 2),
        ("SELECT count(*) AS n FROM my_purchases WHERE purchased_on < 'today'", 1),
        ("SELECT count(*) AS n FROM my_purchases WHERE date_trunc('month', purchased_on) >= '2026-01-01'", 1),
        ("SELECT count(*) AS n FROM my_purchases WHERE quantity > '3'", 1),
        ("SELECT count(*) AS n FROM my_purchases WHERE quantity > '3.5'", 1),
        ("SELECT count(*) AS n FROM my_purchases WHERE quantity > 2.5", 1),
        ("SELECT count(*) AS n FROM my_purchases WHERE quantity / 2 = 1", 1),
        ("SELECT count(*) AS n FROM my_purchases WHERE 5 / quantity > 0", 1),
        ("SELECT count(*) AS n FROM my_purchases WHERE beer = 5", 1),
        ("SELECT count(*) AS n FROM my_purchases WHERE beer > 'M' AND beer ILIKE '%a_%'", 2),
        ("SELECT count(*) AS n FROM (SELECT beer::char(9) AS c FROM my_purchases) t WHERE c = 'Beer 1   '", 1),
        ("SELECT count(*) AS n FROM (SELECT quantity AS beer FROM my_purchases) t WHERE beer = '5'", 1),
        ("SELECT count(*) AS n FROM my_purchases WHERE '5' = '5.0'", 2),
        ("SELECT count(*) AS n FROM my_purchases WHERE 'a' IN ('a', 'b')", 3),
        ("SELECT count(*) AS n FROM my_purchases WHERE (beer, style) IN (('a', 'b'), ('c', 'd'))", 0),
        ("SELECT count(*) AS n FROM my_purchases WHERE extract(year FROM purchased_on) = 2026", 1),
        ("SELECT count(*) AS n FROM my_purchases WHERE quantity > -1", 0),
        ("SELECT count(*) AS n FROM my_purchases WHERE purchased_on > now() - INTERVAL '90 days'", 0),
        ("SELECT count(*) AS n FROM my_purchases WHERE purchased_on > CURRENT_DATE - 90", 0),
        ("SELECT beer, style FROM my_purchases GROUP BY 1, 2 ORDER BY 2, 1 LIMIT 3 OFFSET 1", 0),
        ("SELECT quantity > 5 AS many, count(*) AS n FROM my_purchases GROUP BY quantity > 5 ORDER BY 1", 0),
        ("SELECT sum(amount) FILTER (WHERE type = 'micro') AS a FROM my_purchases HAVING count(*) > 3", 0),
        ("SELECT round(avg(amount), 1) AS a, left(max(beer), 3) AS b FROM my_purchases WHERE style <> '$2'", 1),
        ("SELECT (SELECT max(amount) FROM my_purchases WHERE beer <> 'x') AS m, count(*) AS n FROM my_purchases "
         "GROUP BY (SELECT max(amount) FROM my_purchases WHERE beer <> 'x')", 2),
        ("SELECT count(*) AS \"$2\", '$2' AS x FROM my_purchases WHERE beer <> 'it''s \\ $3' AND beer <> '{sql}'", 2),
    ],
)  # fmt: skip
async def test_a_parameter_means_what_the_literal_meant(house: House, sql: str, parameters: int) -> None:
    form = await house.database.gate.passed(sql)
    assert len(form.values) == parameters
    for _ in range(2):
        shared, plain = await told(house.database, sql)
        assert shared == plain


async def test_whatever_is_compared_says_the_same(house: House) -> None:
    """Columns, operators and literals by chance, so that most literals stand where they have another type."""
    chance = random.Random(7)
    sides = ("beer", "style", "quantity", "amount", "unit_price", "purchased_on", "lower(beer)", "quantity * 2", "beer::varchar(3)",
             "purchased_on::text", "date_trunc('month', purchased_on)", "NULL", "length(beer)", "quantity > 3", "now()", "amount::int")  # fmt: skip
    literals = ("'IPA'", "'5'", "'5.5'", "5", "5.50", "'2026-01-01'", "DATE '2026-03-01'", "''", "'true'", "'%a%'", "'infinity'", "'today'",
                "0", "999999999", "'1 day'", "'NaN'", "' 7 '", "CAST('2026-02-01' AS date)", "'now'", "'it''s'")  # fmt: skip
    shapes = ("{a} = {x}", "{a} <> {x}", "{x} < {a}", "{a} >= {x}", "{a} IN ({x}, {y})", "{a} NOT IN ({y})", "{a} BETWEEN {x} AND {y}",
              "{a} LIKE {x}", "{a} ILIKE {x}", "NOT ({a} = {x} OR {a} > {y})", "({a} = {x}) = ({a} <> {y})", "{x} = {y}")  # fmt: skip
    said = 0
    for _ in range(300):
        where = chance.choice(shapes).format(
            a=chance.choice(sides), x=chance.choice(literals), y=chance.choice(literals)
        )
        shared, plain = await told(house.database, f"SELECT count(*) AS n FROM my_purchases WHERE {where}")
        assert shared == plain, where
        said += isinstance(shared, Found)
    assert said > 60


async def test_today_is_today_in_a_plan_that_is_kept(house: House) -> None:
    """A literal 'today' would be the day on which the statement was prepared."""
    gate = house.database.gate
    kept = [
        ("SELECT date 'today' AS d", False),
        ("SELECT count(*) AS n FROM my_purchases WHERE purchased_on <= 'today'", True),
        ("SELECT CASE WHEN purchased_on > 'yesterday' THEN 1 END AS d FROM my_purchases", False),
        ("SELECT timestamptz '2020-01-01 00:00 Foo+3:17' AS t", None),
        ("SELECT CURRENT_DATE AS d", True),
    ]
    for sql, expected in kept:
        if expected is None:
            with pytest.raises(Refused):
                await gate.passed(sql)
        else:
            assert (await gate.passed(sql)).kept is expected, sql


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kathmandu"])
async def test_a_constant_is_read_in_the_clients_zone(counted: Counted, zone: str) -> None:
    sql = "SELECT extract(epoch FROM timestamptz '2026-01-01 00:00:00')::int AS at"
    offset = "SELECT extract(timezone FROM timestamptz '2026-01-01 00:00:00')::int AS s"
    fence = counted.database.fence
    (((at,),), ((seconds,),)) = [(await fence.ask(ME, text, zone)).rows for text in (sql, offset)]
    assert at == 1767225600 - seconds


# Whose it is -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM bfy_me",
        "SELECT client FROM bfy_me, my_purchases",
        'SELECT client FROM "bfy_me"',
        "SELECT * FROM bfy_rows",
        "SELECT lines.bfy_json(p, 100) AS x FROM my_purchases p",
        'SELECT lines."bfy_json"(p, 100) AS x FROM my_purchases p',
        "SELECT LINES.BFY_JSON(p, 100) AS x FROM my_purchases p",
        "WITH bfy_me AS (SELECT 'CLT-00002' AS client) SELECT * FROM bfy_me",
        "SELECT authz.present('v1|x|9999999999|434c542d3030303032|x') AS x",
        "SELECT authz.claimed('v1|x|9999999999|434c542d3030303032|x') AS x",
        "SELECT 1 AS x WHERE authz.present($1) IS NULL",
        "SELECT $1 AS token",
        "SELECT 1) AS bfy_row), bfy_more AS (SELECT authz.present('x') AS y FROM (SELECT 2 AS x",
        "DELETE FROM my_purchases RETURNING *",
        "WITH x AS (DELETE FROM my_purchases RETURNING *) SELECT * FROM x",
        "SELECT 1 AS x -- \n) AS bfy_row) SELECT authz.present($1) AS line --",
    ],
)
@pytest.mark.parametrize("with_gate", [True, False])
async def test_what_is_around_a_text_is_not_the_texts(house: House, sql: str, with_gate: bool) -> None:
    fence = house.database.fence
    with pytest.raises(Refused):
        await (fence.ask if with_gate else fence.run)(ME, sql)
    assert (await fence.run(ME, "SELECT authz.whose() AS me")).rows == ((ME,),)


@pytest.mark.parametrize("token", ["", "v1|x|9999999999|434c542d3030303031|ab", "garbage", "v1|x|1|zz|x"])
async def test_a_token_that_nobody_signed_shows_nothing(furnished: Settings, token: str) -> None:
    connection = await asyncpg.connect(furnished.database_sql_url)
    with pytest.raises(asyncpg.PostgresError) as refused:
        await connection.fetch(
            "WITH me AS MATERIALIZED (SELECT authz.present($1) AS c) SELECT n FROM me, LATERAL (SELECT count(*) AS n FROM my_purchases WHERE me.c IS NOT NULL) x",
            token,
        )
    assert refused.value.sqlstate in ("28000", "22023", "22P02")
    await connection.execute("SET bfy.token = 'v1|x|9999999999|434c542d3030303031|ab'")
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
        await connection.fetch("SELECT * FROM my_purchases")
    await connection.close()


async def test_nothing_is_left_after_rows_an_error_or_a_limit(counted: Counted) -> None:
    """On one connection: the next one enters anew, and is the only one."""
    database = counted.database
    for client in (ME, OTHER, ME):
        mine = (await database.fence.ask(client, "SELECT name FROM my_profile")).rows
        for failing in ("SELECT beer::int AS x FROM my_purchases", "SELECT price FROM my_purchases", SLOW):
            with pytest.raises(Refused):
                await database.fence.run(client, failing)
        assert (await database.fence.ask(client, "SELECT name FROM my_profile")).rows == mine
        assert (await database.fence.run(client, "SELECT authz.whose() AS me")).rows == ((client,),)


async def test_who_stops_waiting_leaves_nobody_on_the_connection(counted: Counted) -> None:
    database = counted.database
    asked = asyncio.create_task(database.fence.ask(OTHER, SLOW))
    sent = counted.sent.messages["E"]

    async def under_way() -> bool:
        return counted.sent.messages["E"] > sent

    await wait_until(under_way, "the query runs")
    asked.cancel()
    await asyncio.gather(asked, return_exceptions=True)
    assert (await database.fence.run(ME, "SELECT authz.whose() AS me")).rows == ((ME,),)


async def test_a_transaction_that_was_left_open_is_nobodys(counted: Counted) -> None:
    """Whoever forgot it: the next one has another session."""
    pool = counted.database._pools.sql._primary
    for left in ("BEGIN", "BEGIN; SELECT set_config('x.y', 'z', true)"):
        with contextlib.suppress(asyncpg.PostgresError):
            async with pool.acquire(timeout=5) as connection:
                await connection.execute(left)
        async with pool.acquire(timeout=5) as connection:
            assert not connection.is_in_transaction()
            assert await connection.fetchval("SELECT authz.whose()") is None


async def test_a_session_of_nobody_sees_nothing(furnished: Settings) -> None:
    connection = await asyncpg.connect(furnished.database_sql_url)
    assert await connection.fetch("SELECT * FROM own.my_purchases") == []
    assert await connection.fetchval("SELECT authz.whose()") is None
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.fetch("SELECT authz.claimed('x')")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.fetch("SELECT * FROM pg_prepared_statements")
    await connection.close()


async def test_json_within_json_stays_short(furnished: Settings) -> None:
    """What the function would do for a text that reached it all the same."""
    connection = await asyncpg.connect(furnished.database_sql_url)
    nested = 'SELECT repeat AS x FROM (VALUES (\'""""\')) v (repeat)'
    for _ in range(24):
        nested = f"SELECT lines.bfy_json(t, 1000000000) AS x FROM ({nested}) t"
    (row,) = await connection.fetch(nested)
    assert len(row["x"]) <= 100_001
    await connection.close()
