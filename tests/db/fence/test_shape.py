"""What is told of a SQL text before anything parses it: in little time, and never of what strings and comments hold."""

import contextlib
import json
from pathlib import Path

import pytest

from beerforyou.db.fence import shape
from beerforyou.errors import Refused
from tests.cpu import quick

HONEST = [json.loads(line) for line in (Path(__file__).parents[2] / "evals/honest_sql.jsonl").read_text().splitlines()]
QUICK_S = 0.02  # of CPU

NESTED = {
    "lists": ("ARRAY[", "]"), "braces": ("{", "}"), "brackets": ("(", ")"), "indices": ("x[", "]"), "dates": ("date(", ")"),
    "times": ("timestamp(", ")"), "types": ("x::int[", "]"), "unknown functions": ("decode(1, ", ")"),
    "cases": ("CASE WHEN true THEN ", " END"), "subqueries": ("(SELECT ", ")"), "limits": ("(SELECT 1 LIMIT ", ")"),
    "casts": ("CAST(", " AS text)"), "values": ("(VALUES (", "))"), "any": ("1 = ANY (ARRAY[", "])"), "mixed": ("date(ARRAY[", "])"),
}  # fmt: skip


@pytest.mark.parametrize("kind", NESTED)
@pytest.mark.parametrize("depth", [20, 40, 1000])
def test_what_is_nested_deeply_is_refused_at_once(kind: str, depth: int) -> None:
    opening, closing = NESTED[kind]
    with quick(QUICK_S), pytest.raises(Refused, match=r"deeply|characters|parse|SELECTs|words|lists"):
        shape.checked(f"SELECT {opening * depth}1{closing * depth}")


def test_what_is_not_deep_may_be_much_all_the_same() -> None:
    with pytest.raises(Refused, match="deeply"):
        shape.checked("SELECT " + ", ".join(["date(time(date(time(date(time(date(time(1))))))))"] * 40))


@pytest.mark.parametrize("query", HONEST, ids=lambda query: query["id"])
def test_an_honest_query_passes(query: dict[str, str]) -> None:
    assert not shape.checked(query["sql"]).zones


@pytest.mark.parametrize(
    "text",
    [
        f"SELECT '{'(' * 100}' AS x",
        f"SELECT 'it''s {'[' * 100}' AS x",
        f'SELECT 1 AS "{"(" * 50}"',
        f"SELECT 1 AS x -- {'(' * 100}",
        f"SELECT 1 /* {'(' * 100} */ AS x",
        f"SELECT 1 /* {'(' * 9} /* {')' * 2} */ {'[' * 9} */ AS x",
        "SELECT '--' AS x, (1) AS y",
        "SELECT '/*' AS x, (1) AS y",
        "SELECT 1 = ANY (ARRAY[1, 2]) AND 'a' = ALL(ARRAY['b']) AND 30000 IN (30000)",
        "SELECT date('20260101'), 1 = (20260), 'a' = ('20260'), x IN ('20260')",
        "SELECT 'a'::varchar(80), 1.5e-3, .5, row_number() OVER (ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)",
        "SELECT 1 AS \"case\", 2 AS x WHERE '5128e999-79fc-4f0f-8b45-d06be54d0cec' <> ''",
    ],
)
def test_brackets_in_strings_names_and_comments_are_none(text: str) -> None:
    shape.checked(text)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1)", "SELECT (1]", "SELECT [1)", "SELECT (1", "SELECT 1) AS x, (SELECT 2", "SELECT (CASE WHEN true THEN 1)",
        "SELECT 'a", "SELECT \"a", "SELECT /* 1", "SELECT /* /* */ 1", "SELECT $1", "SELECT $$a$$", "SELECT $x$(((($x$",
        "SELECT E'\\'((' AS x", "SELECT U&'\\0041'", "SELECT x'41'", "SELECT n'a'", "SELECT 'a'\n'b'", "SELECT 'a' -- x\n 'b'",
        "SELECT \\ 1", "SELECT '\0'", "SELECT '\ud800'", "WITH RECURSIVE r AS (SELECT 1) SELECT * FROM r",
        "SELECT ARRAY[1]", "SELECT ARRAY(SELECT 1)", "SELECT x[1]", "SELECT '{1}'::int[]", "SELECT ROW(1, 2)", "SELECT row (1)::text",
        "SELECT 'a'::char(9000000)", "SELECT 'a'::character('9000000')", "SELECT 'a'::\"bpchar\"(9000000)", "SELECT 'a'::char(0x900000)",
        "SELECT 'a'::char(9_000_000)", "SELECT CAST('a' AS pg_catalog.bpchar(00012345))", "SELECT 0x1000", "SELECT 1_000",
        f"SELECT {'9' * 30}", "SELECT 1e5000", "SELECT '1e-16000'::numeric", f"SELECT '{'1' * 300}'::numeric",
        "SELECT " + ", ".join(["1"] * 700), "SELECT " + " * ".join(["quantity"] * 70), " UNION ALL ".join(["SELECT 1"] * 17),
    ],
)  # fmt: skip
def test_what_another_reader_could_read_otherwise_is_refused(text: str) -> None:
    with pytest.raises(Refused) as refused:
        shape.checked(text)
    assert "\n" not in refused.value.message and refused.value.hint


@pytest.mark.parametrize(
    "text",
    ["(" * 4000, "'" * 3999, '"' * 3999, "/*" * 2000, "*/" * 2000, "a " * 2000, "1," * 2000, "-" * 4000, "$" * 4000],
)
def test_no_text_takes_long(text: str) -> None:
    with quick(QUICK_S), contextlib.suppress(Refused):
        shape.checked(text)


@pytest.mark.parametrize(
    ("text", "zones"),
    [
        ("SELECT '2020-01-01 00:00 Foo+3:17'", True),
        ("SELECT 'now <x3>-4'", True),
        ("SELECT 'Aaa1'", True),
        ("SELECT '2020-01-01'", False),
        ("SELECT 'IPA 4'", False),
        ("SELECT 'ten-barrel-brewing-co-boise-3'", False),
        ("SELECT 1 AS Foo3", False),
    ],
)
def test_a_string_that_could_name_a_zone_is_told(text: str, zones: bool) -> None:
    assert shape.checked(text).zones == zones
