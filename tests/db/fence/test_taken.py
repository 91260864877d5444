"""What models write in other words means what PostgreSQL would have read, and is let through as nothing else."""

import pytest

from beerforyou.db.fence import gate, shape
from beerforyou.errors import Refused
from beerforyou.house import House

ME = "CLT-00001"
SAME = [
    ("SELECT count(*) AS n FROM MY_Purchases", "SELECT count(*) AS n FROM my_purchases"),
    ('SELECT "MY_PURCHASES".beer FROM "MY_PURCHASES" ORDER BY 1', "SELECT beer FROM my_purchases ORDER BY 1"),
    ("SELECT Own.My_Profile.Name FROM Own.My_Profile", "SELECT name FROM my_profile"),
    ('WITH "My_Purchases" AS (SELECT 1 AS a) SELECT a FROM "My_Purchases"', "SELECT 1 AS a"),
    ("WITH My_Purchases AS (SELECT 1 AS a) SELECT a FROM MY_PURCHASES", "SELECT 1 AS a"),
    ("```SQL\nSELECT 1 AS a;\n```\n", "SELECT 1 AS a"),
    ("```postgresql SELECT 1 AS a```", "SELECT 1 AS a"),
    ("SELECT '``` `x`' AS `A`", "SELECT '``` `x`' AS a"),
    ("((SELECT 1 AS a))", "SELECT 1 AS a"),
    ("SELECT count(*) AS n FROM my_purchases WHERE style ~ 'IPA'", "SELECT count(*) AS n FROM my_purchases WHERE style LIKE '%IPA%'"),
    ("SELECT count(*) AS n FROM my_purchases WHERE style !~* '^(ipa|porter)$'",
     "SELECT count(*) AS n FROM my_purchases WHERE lower(style) NOT IN ('ipa', 'porter')"),
    ("SELECT count(*) AS n FROM my_purchases WHERE beer ~* 'ale$|^velvet'",
     "SELECT count(*) AS n FROM my_purchases WHERE beer ILIKE '%ale' OR beer ILIKE 'velvet%'"),
    ("SELECT count(*) AS n FROM my_purchases WHERE beer ~ '^.*IPA.*$'", "SELECT count(*) AS n FROM my_purchases WHERE beer LIKE '%IPA%'"),
    ("SELECT 'a_c' ~ 'a_c' AS a, 'abc' ~ 'a_c' AS b, '5%' ~ '%' AS c, 'x' ~ '%' AS d", "SELECT true AS a, false AS b, true AS c, false AS d"),
    ("SELECT NULL ~ 'a' AS a", "SELECT NULL LIKE 'a' AS a"),
    ("SELECT 'abc' SIMILAR TO 'a_c' AS a, 'abc' SIMILAR TO 'b' AS b, 'abc' SIMILAR TO '%(x|b)%' AS c, 'b' SIMILAR TO 'a|b' AS d",
     "SELECT true AS a, false AS b, true AS c, true AS d"),
    ("SELECT 'a' || 1 || NULL AS a, concat('a', NULL, 1, true) AS b, 'a' || 1.50 || 'b' || 'c' || 'd' AS c",
     "SELECT NULL::text AS a, 'a1true' AS b, 'a1.50bcd' AS c"),
    ("SELECT max(beer || '') AS a FROM my_purchases", "SELECT max(beer) AS a FROM my_purchases"),
    ("SELECT string_agg(v, '-' ORDER BY v DESC) AS a, string_agg(DISTINCT v, '') AS b FROM (VALUES ('a'), ('b'), (NULL), ('a')) AS t (v)",
     "SELECT 'b-a-a' AS a, 'ab' AS b"),
    ("SELECT string_agg(v, ',') FILTER (WHERE v > 'a') AS a, string_agg(v, ',') FILTER (WHERE v > 'z') AS b FROM (VALUES ('a'), ('b')) AS t (v)",
     "SELECT 'b' AS a, NULL::text AS b"),
    ("SELECT round(ln(2.5), 9) AS a, round(exp(1), 9) AS b, 2 ^ 10 AS c, power(2, 0.5) > 1.4 AS d, log(1000) AS e, round(log10(50), 9) AS f",
     "SELECT 0.916290732 AS a, 2.718281828 AS b, 1024 AS c, true AS d, 3 AS e, 1.698970004 AS f"),
    ("SELECT round(log(2, 8), 9) AS a, -2 ^ 2 AS b, round(2 ^ 0.5, 3) AS c", "SELECT 3 AS a, 4 AS b, 1.414 AS c"),
    ("SELECT position('b' IN 'abc') AS a, strpos('abc', 'c') AS b, position('x' IN 'abc') AS c", "SELECT 2 AS a, 3 AS b, 0 AS c"),
    ("SELECT now() AT TIME ZONE 'UTC' = now() AT TIME ZONE INTERVAL '0' AS a, timezone('utc', now()) = now() AT TIME ZONE 'Etc/UTC' AS b",
     "SELECT true AS a, true AS b"),
    ("SELECT extract(hour FROM (TIMESTAMP '2026-01-01 10:00' AT TIME ZONE 'UTC') AT TIME ZONE INTERVAL '-3 hours') AS h", "SELECT 7 AS h"),
    ("SELECT DATE_SUB(DATE '2026-03-31', INTERVAL 1 MONTH)::date AS a, DATE_ADD(DATE '2026-01-31', INTERVAL 2 DAY)::date AS b",
     "SELECT DATE '2026-02-28' AS a, DATE '2026-02-02' AS b"),
    ("SELECT CURDATE() AS a, GETDATE()::date AS b", "SELECT CURRENT_DATE AS a, CURRENT_DATE AS b"),
    ("SELECT round(avg(x), 2) AS a FROM (SELECT any_value(quantity)::float AS x FROM my_purchases WHERE false) t", "SELECT NULL::int AS a"),
    ("SELECT width_bucket(7, 0, 10, 5) AS a", "SELECT 4 AS a"),
]  # fmt: skip


@pytest.mark.parametrize(("written", "meant"), SAME)
async def test_it_means_what_it_meant(house: House, written: str, meant: str) -> None:
    fence = house.database.fence
    assert await fence.ask(ME, written) == await fence.run(ME, meant)


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("SELECT * FROM core.my_purchases", "no table core.my_purchases"),
        ("SELECT * FROM public.clients", "no table public.clients"),
        ("SELECT * FROM x.own.my_purchases", "no table x.own.my_purchases"),
        ("WITH my_purchases AS (SELECT 1 AS a) SELECT a FROM own.my_purchases", "no table own.my_purchases"),
        ("```sql\nSELECT pg_sleep(9)\n```", "function pg_sleep is not allowed"),
        ("```sql\nSELECT 1\n```\n```sql\nSELECT 2\n```", "does not parse"),
        ("SELECT 1; ```SELECT 2```", "does not parse"),
        ("SELECT lines.joined('a', 'b') AS x", r"operator \. is not allowed"),
        ("SELECT \"lines.joined\"('a', 'b') AS x", "function lines.joined is not allowed"),
        ("SELECT joined /* sqlglot.meta taken=true */ ('a', 'b') /* sqlglot.meta taken=true */ AS x", "function joined is not allowed"),
        ("SELECT joined('a', 'b') AS x", "function joined is not allowed"),
        ("SELECT beer ~ style AS x FROM my_purchases", "operator ~ is not allowed; use ILIKE"),
        ("SELECT beer ~ '(a+)+b' AS x FROM my_purchases", "operator ~ is not allowed; use ILIKE"),
        ("SELECT beer ~* 'a.b|c' AS x FROM my_purchases", r"operator ~\* is not allowed; use ILIKE"),
        ("SELECT beer SIMILAR TO '(a|b)*' AS x FROM my_purchases", "SIMILAR TO is not allowed; use ILIKE"),
        ("SELECT beer LIKE 'a!%' ESCAPE '!' AS x FROM my_purchases", "ESCAPE is not allowed"),
        ("SELECT quantity & 1 AS x FROM my_purchases", "operator & is not allowed"),
        ("SELECT beer ->> 'a' AS x FROM my_purchases", "operator ->> is not allowed"),
        ("SELECT now() AT TIME ZONE 'Foo+3:17' AS x", "AT TIME ZONE is not allowed"),
        ("SELECT now() AT TIME ZONE city AS x FROM my_profile", "AT TIME ZONE is not allowed"),
        ("SELECT timezone('America/Sao_Paulo', now()) AS x", "AT TIME ZONE is not allowed"),
        ("SELECT (beer || '1')::date AS x FROM my_purchases", "cannot be read as a day"),
        ("SELECT ('2026-01-01 Foo' || quantity)::timestamptz AS x FROM my_purchases", "cannot be read as a day"),
        ("SELECT (beer || '1')::numeric * 2 AS x FROM my_purchases", "a text is multiplied"),
        ("SELECT exp(700) * exp(700) * exp(700) * exp(700) AS x", "number is too long"),
        ("SELECT strpos(beer, 'a', 2) AS x FROM my_purchases", "strpos\\(\\) takes two texts"),
        ("SELECT ln(0) AS x", "no logarithm of zero"),
        ("SELECT (-8) ^ 0.5 AS x", "no such power"),
        ("SELECT string_agg(a.beer, ', ') AS x FROM my_purchases a, my_purchases b", "a text that it joins is too long"),
        ("SELECT string_agg(quantity, ', ') AS x FROM my_purchases", r"function string_agg does not take \(integer, unknown\)"),
        ("SELECT count(*) AS n FROM my_purchases WHERE quantity > 'many'", "'many' cannot be read as integer"),
        ("SELECT count(*) AS n FROM my_purchases WHERE style = 'IPA' AND purchased_on > '2026-13-01'", "no day '2026-13-01'"),
        ("SELECT count(*) AS n FROM my_purchases WHERE purchased_on > 'last week'", "'last week' cannot be read as a date"),
        ("SELECT beer AS b, 1 AS n FROM my_purchases UNION SELECT 'a', exp(700) * exp(700) * exp(700) * exp(700) ORDER BY b", "number is too long"),
        ("SELECT sum(amount) AS n FROM my_purchases WHERE purchased_on > now() - '7 days'", "write INTERVAL '7 days'"),
        ("SELECT sum(amount) AS n FROM my_purchases WHERE extract(month FROM purchased_on) = 'May'", "'May' cannot be read as numeric; write one"),
        ("SELECT sum(x) AS n FROM (SELECT beer AS x FROM my_purchases) t", "a text is .*summed up"),
        ("SELECT t.brewery FROM (SELECT beer FROM my_purchases) t", "column t.brewery does not exist there; select brewery in the subquery"),
        ("SELECT style FROM my_profile", "column style does not exist there; .*or read my_purchases"),
        ('SELECT "Beer" FROM my_purchases', 'column "Beer" does not exist; write beer'),
        ("SELECT purchased_on - INTERVAL '1 day' > 5 AS x FROM my_purchases", "operator > does not take timestamp without time zone and integer"),
        ("SELECT beer FROM my_purchases GROUP BY 1 ORDER BY 3", "no column 3 in the SELECT list"),
        ("SELECT a.beer FROM my_purchases a JOIN my_purchases a ON true", "a table is named twice"),
        ("SELECT date_trunc('fortnight', purchased_on) AS x FROM my_purchases", "units are 'day', 'week'"),
    ],
)  # fmt: skip
async def test_it_is_let_through_as_nothing_else(house: House, sql: str, reason: str) -> None:
    with pytest.raises(Refused, match=reason) as refused:
        await house.database.fence.ask(ME, sql)
    assert "\n" not in refused.value.message and refused.value.hint


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT lines.joined(beer, 'x') AS x FROM my_purchases",
        "SELECT length(lines.listed(beer, ' ')) AS x FROM my_purchases",
        "SELECT ln(2.5::float8) AS x, position('a' IN 'b') AS y, timezone(INTERVAL '0', now()) IS NULL AS z",
    ],
)
async def test_the_database_has_what_it_becomes(house: House, sql: str) -> None:
    assert (await house.database.fence.run(ME, sql)).rows


@pytest.mark.parametrize(
    "call",
    [
        "'a' || 'b'", "concat('a', 'b')", "string_agg('a', 'b')", "lines.one_more('a', 'b', 'c')", "ln(2.5)", "exp(2.5)", "power(2.5, 2.5)",
        "log(2.5)", "log(2.5, 2.5)", "2.5 ^ 2.5", "'a' ~ 'b'", "timezone('UTC', now())", "now() AT TIME ZONE 'UTC'", "pow(2.5, 2.5)",
    ],
)  # fmt: skip
async def test_and_nothing_that_it_stands_for(house: House, call: str) -> None:
    with pytest.raises(Refused, match="SQLSTATE 42501"):
        await house.database.fence.run(ME, f"SELECT {call} AS x")


@pytest.mark.parametrize("parts", [2, 3, 9, 16])
def test_what_is_joined_is_not_deep(parts: int) -> None:
    sql = gate.passed("SELECT " + " || ".join(["beer"] * parts) + " AS x FROM my_purchases")
    assert sql.count("JOINED") == parts - 1
    shape.checked(sql)


async def test_a_joined_text_has_an_end(house: House) -> None:
    fence = house.database.fence
    long = "x" * 1900
    assert (await fence.ask(ME, f"SELECT length('{long}' || '{long}') AS n")).rows == ((3800,),)
    with pytest.raises(Refused, match="too long"):
        await fence.ask(ME, f"SELECT length(a || a || a) AS n FROM (SELECT '{long}' AS a) t")
