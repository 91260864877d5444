"""`beerforyou eval planner`: what a model makes of a turn counts as right or wrong by what it brings, and is told with what it took."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from beerforyou.cli.expected import chosen
from beerforyou.cli.judging import Made, Wanted, brought, ungrounded
from beerforyou.cli.planners import Budget, Judged, Limits, Price, Stage, evaluated, staged, summary
from beerforyou.errors import BadInput
from beerforyou.house import House
from beerforyou.llm.connect import OFFLINE
from beerforyou.llm.model import Reply
from beerforyou.settings import Settings
from beerforyou.tools import TOOLS
from beerforyou.usage import Usage
from tests.answering.test_planner import Scripted, call, calls, says
from tests.cli.program import call as beerforyou

SET = Path(__file__).parents[1] / "evals/planner.jsonl"
FLOOR = 0.9  # by rule, 117 of 126 (docs/reference/planners.md); most of the others only SQL can answer
GROUNDED = 0.97  # a difference that is told beside its two figures is in no result
VAGUE = "hmm, the whatsit of my frobnicated thingies"  # no reading makes anything of it, so that the model is asked
SQL = "run_sql" if "run_sql" in TOOLS else "run_analytical_query"
DENVER = [[{"tool": "search_breweries", "args": {"city": "Denver"}}]]
THREE = [[{"tool": "search_breweries", "args": {"city": "Denver", "limit": 3}}]]
TOP = {"question": {"by": ["beer"], "direction": "most", "limit": 5}, "columns": ["beer"], "ordered": True}
TWICE = "SELECT sum(quantity), sum(amount) FROM my_purchases"
FIRST, SECOND = (f"SELECT sum({column}) AS {column} FROM my_purchases" for column in ("amount", "quantity"))
RANKED = "SELECT brewery, beer, sum(quantity) AS n FROM my_purchases GROUP BY brewery_id, brewery, beer ORDER BY n {} LIMIT 5"
USED = Usage(300, 20, 100)
NO_LIMITS = Limits()


def line(**expected: Any) -> dict[str, Any]:
    return {"id": "1", "client": "CLT-00001", "turns": [VAGUE], "outcome": ["answered", "clarification"]} | expected


def search(**args: Any) -> Reply:
    return calls(call("search_breweries", **args), usage=USED)


def sql(text: str) -> Reply:
    return calls(call(SQL, sql=text), usage=USED)


async def planned(
    house: House, lines: list[dict[str, Any]], *replies: Reply, limits: Limits = NO_LIMITS
) -> list[Judged]:
    done: list[Judged] = []
    usual, house.model = house.model, Scripted(*replies)
    try:
        async with staged(house, "scripted:", Price(2, 10, 1)) as stage:
            await evaluated(stage, chosen(lines, None), [], limits, 1, done.append)
    finally:
        house.model = usual
    return done


@pytest.mark.parametrize(
    ("expected", "made", "right"),
    [
        ({"calls": DENVER}, search(city="Denver", state="Colorado"), True),
        ({"calls": DENVER}, search(city="denver", limit=3), True),
        ({"calls": DENVER}, search(city="Boulder"), False),
        ({"calls": DENVER}, search(city="Denver", type="brewpub"), False),
        ({"calls": DENVER}, says("Denver has many."), False),
        ({"calls": DENVER}, sql(FIRST), False),
        ({"calls": THREE}, search(city="Denver", limit=3), True),
        ({"calls": THREE}, search(city="Denver"), False),
        ({"calls": [[]]}, says("I can't help with that."), True),
        ({"calls": [[]]}, search(city="Denver"), False),
        ({"calls": [*DENVER, []]}, says("Where?"), True),
        ({"question": {"measures": ["amount"]}}, sql(FIRST), True),
        ({"question": {"measures": ["amount"]}}, sql(TWICE), True),
        ({"question": {"measures": ["amount"]}}, sql(SECOND), False),
        ({"question": {"measures": ["amount"]}}, sql("SELECT nothing FROM my_purchases"), False),
        ({"question": {"measures": ["amount"]}}, search(city="Denver"), False),
        ({"sql": SECOND}, sql(SECOND), True),
        ({"sql": TWICE}, calls(call(SQL, "a", sql=FIRST), call(SQL, "b", sql=SECOND)), True),
        ({"sql": TWICE}, sql(FIRST), False),
        (TOP, sql(RANKED.format("DESC, beer")), True),
        (TOP, sql(RANKED.format("ASC, beer")), False),
    ],
)
async def test_a_call_is_right_by_what_it_brings(
    house: House, expected: dict[str, Any], made: Reply, right: bool
) -> None:
    (judged,) = await planned(house, [line(**expected)], made, says("There you are."))
    assert (judged.right, judged.fits, judged.planned) == (right, right, "model"), judged


async def test_what_a_turn_took_is_counted(house: House) -> None:
    """And what the answer says that no tool told."""
    reply = says("Amberland Fantasy is one of 987654.", usage=Usage(500, 80, 400))
    (judged,) = await planned(house, [line(calls=DENVER)], search(city="Denver"), reply)
    assert judged.tokens == Usage(800, 100, 500) and judged.asked == 2
    assert judged.money == pytest.approx((300 * 2 + 500 * 1 + 100 * 10) / 1e6)
    assert (judged.grounded, judged.ungrounded) == (False, ["987654"]) and judged.right
    total = summary([judged, judged])
    assert (total["n"], total["right"], total["input"], total["grounded"], total["asked"]) == (2, 2, 1600, 0, 2.0)
    assert total["planned"]["model"]["n"] == total["lang"]["en"]["n"] == 2


async def test_a_query_that_came_to_nothing_is_told_from_a_wrong_one(house: House) -> None:
    expected = line(question={"measures": ["amount"]})
    (refused,) = await planned(house, [expected], sql("SELECT nothing FROM my_purchases"), says("I can't."))
    (wrong,) = await planned(house, [expected], sql(SECOND), says("There."))
    assert (refused.executed, refused.tool, wrong.executed, wrong.tool) == (False, True, True, True)


async def test_what_was_shown_can_be_pointed_at(house: House) -> None:
    """By the turns before, which are planned by rule, whatever the model."""
    turns = ["breweries in Denver", "hmm, the whatsit of that frobnicated one"]
    facts = [[{"tool": "search_breweries", "args": {"breweries": ["$2"]}}]]
    (shown,) = await planned(
        house, [line(turns=["breweries in Denver"], calls=DENVER)], search(city="Denver"), says("x")
    )
    names = [block["name"] for block in await _shown(house)]
    for name, right in ((names[1], True), (names[2], False)):
        (judged,) = await planned(house, [line(turns=turns, calls=facts)], search(breweries=[name]), says("There."))
        assert (shown.right, judged.right) == (True, right), judged


async def _shown(house: House) -> list[dict[str, Any]]:
    from beerforyou.catalogue.brewery import Criteria, Page

    found = house.catalogue.now.search(Criteria(city="Denver"))
    assert isinstance(found, Page)
    return [{"name": match.brewery.name} for match in found.matches]


async def test_it_stops_before_a_limit_is_passed(house: House) -> None:
    lines = [line(id=str(number), calls=DENVER) for number in range(5)]
    made = [reply for _ in lines for reply in (search(city="Denver"), says("There."))]  # 320 tokens each, 0.0007
    assert len(await planned(house, lines, *made, limits=Limits(tokens=1000))) == 3
    assert len(await planned(house, lines, *made, limits=Limits(tokens=960))) == 3
    assert len(await planned(house, lines, *made, limits=Limits(tokens=959))) == 2
    assert len(await planned(house, lines, *made, limits=Limits(money=0.0015))) == 2
    assert len(await planned(house, lines, *made)) == 5
    earlier = await planned(house, lines[:2], *made)  # what is in --out counts, priced or not
    unpriced = [msgspec.structs.replace(each, money=None) for each in earlier]
    assert (
        Budget(Limits(money=0.0021), Price(2, 10, 1), unpriced).allows()
        and not Budget(Limits(tokens=959), None, unpriced).allows()
    )
    assert not Budget(Limits(money=0.0018), Price(2, 10, 1), unpriced).allows()


async def test_by_rule_the_whole_set_is_as_good_as_it_was(house: House) -> None:
    done: list[Judged] = []
    lines = chosen([json.loads(text) for text in SET.read_text("utf-8").splitlines()], None)
    async with staged(house, OFFLINE, None) as stage:
        assert await evaluated(Stage(stage.by_rule, stage.by_rule, OFFLINE, None), lines, [], NO_LIMITS, 4, done.append)
    wrong = [(each.id, each.calls, each.outcome, each.text) for each in done if not each.right]
    assert len(done) == len(lines) >= 120 and len(done) - len(wrong) >= FLOOR * len(done), wrong
    assert {each.planned for each in done} == {"rule", "nobody"} and not any(each.asked for each in done)
    assert sum(each.grounded for each in done) >= GROUNDED * len(done), [each.ungrounded for each in done]


def test_a_few_are_of_every_kind_and_language() -> None:
    lines = [json.loads(text) for text in SET.read_text("utf-8").splitlines()]
    few = chosen(lines, 30)
    assert {each.kind for each in few} == {each["kind"] for each in lines} and {each.lang for each in few} == {
        "pt",
        "en",
        "es",
    }


async def test_it_goes_on_where_it_ended(tmp_path: Path, furnished: Settings) -> None:
    """Also where it was killed while a line was being written. What another model did is no result of this one, and a run that failed
    is none at all."""
    file, out = tmp_path / "set.jsonl", tmp_path / "out.jsonl"
    lines = [line(id="a", turns=["oi"], calls=[[]]), line(id="b", turns=["breweries in Denver"], calls=DENVER)]
    file.write_text("\n".join(map(json.dumps, lines)))
    order = ["eval", "planner", str(file), "--model", "offline:", "--out", str(out)]
    assert (await beerforyou(*order, "--limit", "1", settings=furnished)).code == 0
    (first,) = out.read_text().splitlines()
    other = json.dumps(json.loads(first) | {"id": "b", "model": "other:one", "right": False})
    failed = json.dumps(json.loads(first) | {"id": "b", "outcome": "error_timeout", "right": False})
    out.write_text(f"{first}\n{other}\n{failed}\n{first[:40]}")
    result = await beerforyou(*order, "--json", settings=furnished)
    assert result.code == 0, result.err
    report = json.loads(result.out)
    assert (
        [each["id"] for each in report["lines"]] == ["a", "b"]
        and report["summary"]["right"] == 2
        and report["complete"]
    )
    assert out.read_text().splitlines()[:3] == [first, other, failed] and len(out.read_text().splitlines()) == 4
    table = await beerforyou(*order, settings=furnished)
    assert "all" in table.out and " right" not in table.err


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (line(), "line 1: nothing is expected of 1"),
        (line(calls=[[{"tool": "fly"}]]), "line 1: there is no tool fly"),
        (line(calls=DENVER, turns=[]), "line 1: "),
    ],
)
def test_a_line_that_expects_nothing_is_named(given: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput) as refused:
        chosen([given], None)
    assert said in refused.value.message


TABLE = {"columns": ["beer", "month", "amount"], "rows": [["Pils", "2026-10", 10.0], ["Stout", "2026-11", 20.5]]}


@pytest.mark.parametrize(
    ("rows", "right"),
    [
        ([["Pils", "2026-10", 10], ["Stout", "2026-11", 20.51]], True),
        ([["Stout", "2026-11-01", 20.5, "x"], ["PILS", "2026-10-01T00:00:00", 10.0, "y"]], True),
        ([[10.0, "Pils", "2026-10"], [20.5, "Stout", "2026-11"]], True),
        ([["Pils", "2026-10", 20.5], ["Stout", "2026-11", 10.0]], False),
        ([["Pils", "2026-10", 10.0]], False),
        ([["Pils", 10.0], ["Stout", 20.5]], False),
    ],
)
def test_rows_are_equal_whatever_their_columns_are_called(rows: list[list[Any]], right: bool) -> None:
    wanted = Wanted(tool=SQL, content=TABLE)
    assert brought(wanted, [Made(SQL, {}, {"columns": ["c"] * len(rows[0]), "rows": rows})]) is right
    only = Wanted(tool=SQL, content=TABLE, columns=("amount",))
    assert brought(only, [Made(SQL, {}, {"columns": ["c"], "rows": [[10], [20.5]]})])
    assert not brought(only, [Made(SQL, {}, {"figure": 10})])


@pytest.mark.parametrize(
    ("content", "right"),
    [
        ({"figure": 7.0}, True),
        ({"columns": ["n"], "rows": [[7]]}, True),
        ({"figure": 8}, False),
        ({"nothing": "x"}, False),
    ],
)
def test_a_figure_is_a_table_of_one_cell(content: dict[str, Any], right: bool) -> None:
    for wanted in ({"figure": 7}, {"columns": ["quantity"], "rows": [[7.0]]}):
        assert brought(Wanted(tool=SQL, content=wanted), [Made(SQL, {}, content)]) is right
    assert brought(Wanted(tool=SQL, content={"columns": ["n"], "rows": [[None]]}), [Made(SQL, {}, {"nothing": "x"})])


def test_what_is_not_published_is_told_apart_by_the_arguments() -> None:
    error = {"error": "not published"}
    wanted = Wanted(tool="search_breweries", content=error, args={"city": "Denver", "page": 1})
    assert brought(wanted, [Made("search_breweries", {"city": "denver"}, error)])
    assert not brought(wanted, [Made("search_breweries", {"city": "Boulder"}, error)])


@pytest.mark.parametrize(
    ("sentence", "unknown"),
    [
        ("Você gastou R$ 1.234,50 em 3 meses.", []),
        ("You spent $1,234.50, about 1,235.", []),
        ("Your two beers cost 1234.50 in 2026.", []),
        ("Você gastou 1.234,60.", ["1.234,60"]),
        ("99 bottles", ["99"]),
    ],
)
def test_a_number_is_grounded_in_either_language(house: House, sentence: str, unknown: list[str]) -> None:
    material = [{"rows": [[1234.5, "2026-11-02"], [7, "x"], [8, "y"]]}]
    assert ungrounded(sentence, material, house.catalogue.now) == unknown


def test_a_brewery_that_no_tool_told_is_ungrounded(house: House) -> None:
    name = house.catalogue.now.breweries[0].name
    assert ungrounded(f"Try {name}!", [{"name": name}], house.catalogue.now) == []
    assert len(ungrounded(f"Try {name}!", [{"name": "another"}], house.catalogue.now)) == 1


@pytest.mark.parametrize(
    ("given", "options", "code", "said"),
    [
        (line(client="CLT-X", calls=[[]]), [], 1, "1: "),
        (line(calls=[[{"tool": "search_breweries", "args": {"breweries": ["$3"]}}]]), [], 1, "$3 is none of the 0"),
        (line(sql="SELECT * FROM clients"), [], 1, "1: "),
        (line(calls=[[]]), ["--most-money", "1"], 2, "--price"),
        (line(calls=[[]]), ["--price", "cheap"], 2, "--price is two or three numbers"),
        (line(calls=[[]]), ["--out", "/nowhere/there/out.jsonl"], 1, "there is no folder /nowhere/there"),
    ],
)
async def test_what_cannot_be_measured_is_said(
    tmp_path: Path, furnished: Settings, given: dict[str, Any], options: list[str], code: int, said: str
) -> None:
    file = tmp_path / "set.jsonl"
    file.write_text(json.dumps(given))
    result = await beerforyou("eval", "planner", str(file), "--model", "offline:", *options, settings=furnished)
    assert (result.code, said in result.err, "Traceback" in result.err) == (code, True, False), result.err
