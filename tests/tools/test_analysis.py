"""Tool 1B: a question in its slots, about oneself and about everyone. tests/by_rule/test_sql.py counts hundreds of its figures by hand."""

from datetime import date
from typing import Any, get_args

import asyncpg
import pytest

from beerforyou.blocks import Table
from beerforyou.errors import BadInput, Refused
from beerforyou.reading.question import Aggregate, Dimension, Filter, Measure, Question, Span
from beerforyou.settings import Settings
from beerforyou.tools import TOOLS
from beerforyou.tools.tool import Result
from tests.tools.conftest import Asker, Make

tool = TOOLS["run_analytical_query"]


async def ask(asker: Asker, **slots: Any) -> Result:
    return await tool(*asker, {"about": "me"} | slots)


def total(outcome: Result) -> float:
    return outcome.content.get("figure", 0)


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


def named(field: str, *values: Any, **more: Any) -> dict[str, Any]:
    return {"filters": [{"field": field, "values": values, **more}]}


async def test_a_brewery_is_meant_under_all_its_names(asker: Make, lines: list[asyncpg.Record]) -> None:
    me = asker()
    for line in lines[:50]:
        assert total(await ask(me, **named("brewery", line["brewery_name"]))) >= line["quantity"]


async def test_a_brewery_is_known_by_a_word_of_its_name_and_by_none_that_names_too_many(asker: Make) -> None:
    me = asker()
    profile, _ = await me.hands.profile()
    assert profile
    name = profile.history[0].name
    assert name in (await me.hands.bought_as(max(name.split()[:2], key=len))).shown
    assert (await me.hands.bought_as("no such thing")).shown == ()
    vague = await ask(me, **named("brewery", "Brewing Co"))
    assert vague.asks and "whole name" in vague.content["ask"] and vague.blocks == ()


async def test_nothing_bought_is_nothing(asker: Make) -> None:
    """A model that reads a row of NULL, or a 0, may well say that it was zero."""
    for measure in get_args(Measure):
        if measure != "clients":
            outcome = await ask(asker(), measures=[measure], spans=[{"since": str(date.max)}])
            assert outcome.content["nothing"] == "no purchases match" and outcome.content.keys() == {
                "sentence",
                "nothing",
            }
            assert outcome.content["sentence"].startswith("I found no purchases") and outcome.blocks == ()


async def test_money_comes_with_its_currency(asker: Make) -> None:
    me = asker(currency="BRL")
    spent = (await ask(me, measures=["amount"])).content
    assert spent["currency"] == "BRL" and "R$" in spent["sentence"]
    assert "currency" not in (await ask(me)).content


LONG = {"spans": [{"since": "2001-03-01", "until": "2099-05-31"}]}


@pytest.mark.parametrize(
    ("language", "slots", "words"),
    [
        ("en", {}, ["units from March 2001 to May 2099"]),
        ("pt", {"measures": ["amount"]}, ["Você gastou", "de março de 2001 a maio de 2099"]),
        ("pt", {"by": ["style"], **named("type", "brewpub", negated=True)}, ["por estilo", "sem brewpub"]),
        ("en", {"by": ["beer"], "direction": "most", "limit": 1}, ["comes first", "March 2001 to May 2099"]),
        ("en", {"aggregate": "share", **named("style", "IPA")}, ["IPA from March 2001 to May 2099", "% of the units"]),
        ("en", {"by": ["beer"], "having": "stopped"}, ["60 days"]),
    ],
)
async def test_it_says_what_was_counted(asker: Make, language: str, slots: dict[str, Any], words: list[str]) -> None:
    outcome = await ask(asker(language=language, currency="BRL"), **LONG | slots)
    assert [word for word in words if word not in outcome.content["sentence"]] == [], outcome.content
    assert all(isinstance(block, Table) and block.caption == outcome.content["sentence"] for block in outcome.blocks)
    assert bool(outcome.blocks) == ("rows" in outcome.content)
    assert len({"rows", "figure", "nothing"} & outcome.content.keys()) == 1


async def test_the_next_message_leans_on_what_was_asked_of_the_tool(asker: Make) -> None:
    me = asker(question=Question(measures=("amount",)))
    context = (await ask(me, by=["beer"], direction="most")).context
    assert context.question == Question(by=("beer",), direction="most")
    assert [each.field for each in context.listed] == ["beer"] * len(context.listed) and context.listed


async def test_the_numbers_are_the_callers_alone(asker: Make) -> None:
    mine, theirs = await ask(asker()), await ask(asker("CLT-00002"))
    assert total(mine) != total(theirs)
    assert (mine.label.audience, theirs.label.audience) == ({"client:CLT-00001"}, {"client:CLT-00002"})


@pytest.mark.parametrize(
    "absent",
    [
        {"limit": 0, "having_days": 0},
        {"limit": None, "having": None, "filters": None, "spans": None, "by": None},
        {"per": "", "direction": "", "only_order": "", "filters": [], "measures": []},
        {"filters": [{"field": "style", "values": []}]},
        {"filters": [{"field": "style", "values": ["", None], "negated": False}]},
        {"spans": [{"since": "", "until": None}]},
        {"limit": "0", "unit": "", "bound": {}},
    ],
)
async def test_null_nought_and_an_empty_word_mean_absent(asker: Make, absent: dict[str, Any]) -> None:
    plain = await ask(asker())
    assert (await ask(asker(), **absent)).content == plain.content


@pytest.mark.parametrize(
    ("loose", "strict"),
    [
        ({"measures": "amount", "by": "beer"}, {"measures": ["amount"], "by": ["beer"]}),
        ({"by": ["Month"], "direction": "MOST"}, {"by": ["month"], "direction": "most"}),
        (named("weekday", 6), named("weekday", "6")),
        ({"filters": {"field": "style", "values": "IPA"}}, named("style", "IPA")),
        ({"by": ["beer"], "limit": "3"}, {"by": ["beer"], "limit": 3}),
    ],
)
async def test_what_is_plain_is_understood(asker: Make, loose: dict[str, Any], strict: dict[str, Any]) -> None:
    assert (await ask(asker(), **loose)).content == (await ask(asker(), **strict)).content


WRONG: list[tuple[dict[str, Any], str]] = [
    ({}, "about is missing; it is one of everyone, me"),
    ({"about": ""}, "about is missing"),
    ({"about": "CLT-00002"}, "'CLT-00002'; it is one of everyone, me"),
    ({"about": "me", "client_id": "CLT-00002"}, "no argument is called 'client_id'"),
    ({"about": "me", "sql": "SELECT 1"}, "no argument is called 'sql'"),
    ({"about": "me", "measures": ["revenue"]}, "measures cannot be 'revenue'; it is one of amount, beers,"),
    ({"about": "me", "by": ["client_id"]}, "by cannot be 'client_id'; it is one of"),
    ({"about": "me", "aggregate": "median"}, "aggregate cannot be 'median'"),
    ({"about": "me", "filters": [{"field": "style", "values": ["IPA"], "not": True}]}, "no argument is called 'not'"),
    ({"about": "me", "filters": [{"field": "style"}]}, "values is missing"),
    ({"about": "me", "filters": ["IPA"]}, "Expected `object`"),
    ({"about": "me", "filters": [{"field": "colour", "values": ["red"]}]}, "field cannot be 'colour'"),
    ({"about": "me", **named("weekday", "Saturday")}, "weekdays are 1 (Monday) to 7"),
    ({"about": "me", "spans": [{"since": "yesterday"}]}, "give days as 2026-03-01"),
    ({"about": "me", "spans": [{"since": "2026-02-30"}]}, "give days as 2026-03-01"),
    ({"about": "me", "spans": [{"since": "2026-W10-1"}]}, "give days as 2026-03-01"),
    ({"about": "me", "spans": [{"since": "2026-03-02", "until": "2026-03-01"}]}, "since comes first"),
    ({"about": "me", "spans": [{"from": "2026-03-02"}]}, "no argument is called 'from'"),
    ({"about": "me", "measures": ["amount"], "per": "month"}, "by has a row for each"),
    ({"about": "me", "having_days": 30}, "goes with having stopped or new"),
    ({"about": "me", "direction": "most"}, "there is no by"),
    ({"about": "me", "measures": ["clients"]}, "all clients"),
    ({"about": "me", "aggregate": "share"}, "A share of what?"),
    ({"about": "me", "aggregate": "change"}, "Compare what with what?"),
    ({"about": "me", "by": ["beer", "month", "city", "type"]}, "too much"),
    ({"about": "everyone", "measures": ["amount"]}, "which styles most clients buy"),
    ({"about": "everyone", "measures": ["quantity", "clients"]}, "one thing at a time"),
    ({"about": "everyone", "aggregate": "mean", "per": "week"}, "no averages"),
    ({"about": "everyone", "aggregate": "list"}, "needs by"),
    ({"about": "everyone", **named("style", "IPA", negated=True)}, "one style, type"),
    ({"about": "everyone", **named("style", "IPA", "Stout")}, "one style, type"),
    (
        {"about": "everyone", "filters": [{"field": "style", "values": [each]} for each in ("IPA", "Stout")]},
        "one style",
    ),
    ({"about": "everyone", "by": ["week"]}, "one style, type"),
    ({"about": "everyone", "spans": [{"since": "2026-13-01"}]}, "give days as"),
]


@pytest.mark.parametrize(("wrong", "says"), WRONG)
async def test_arguments_that_make_no_sense_come_back_in_words(asker: Make, wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(BadInput) as error:
        await tool(*asker(), wrong)
    assert says in f"{error.value.message}; {error.value.hint}"
    assert error.value.message.startswith("run_analytical_query: ")
    with pytest.raises(BadInput):
        tool.reads(asker().caller, wrong)


HOSTILE = ["O'Brien's", "'; DROP TABLE purchases; --", "' OR true --", "%", "_", "%%_%", "\\", "\\' OR true --", "$1", "{sql}", "$$", "\r\n--", "x" * 200, '"', "ﬀ\u202e"]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("about", ["me", "everyone"])
async def test_a_value_is_text_and_nothing_else(asker: Make, text: str, about: str) -> None:
    me = asker()
    for field in ("beer", "brewery", "style", "type", "city", "state"):
        content = (await tool(*me, {"about": about, **named(field, text)})).content
        assert content.keys() & {"ask", "nothing", "not_published"}, (field, content)


@pytest.mark.parametrize(
    "absurd",
    [
        named("beer", "a\0b"),
        named("beer", "a\ud800b"),
        named("beer", *(f"Beer {n}" for n in range(10_000))),
        named("brewery", *(f"Brewery {n}" for n in range(10_000))),
        {"filters": [{"field": "beer", "values": ["x"]}] * 10_000},
        {"filters": [{"field": "brewery", "values": [f"x{n}" for n in range(50)]}] * 50},
        named("beer", "x" * 100_000),
        {"spans": [{"since": "2026-03-01"}] * 10_000},
        {"spans": [{"since": "2026-03-01", "until": "2026-03-31"}] * 50},
        {"measures": ["amount"] * 10_000},
        {"limit": -1, "by": ["beer"]},
        {"having": "stopped", "having_days": 10**30},
        {"by": ["beer"], "limit": 1e400},
    ],
)
async def test_what_is_absurd_is_refused_at_once(asker: Make, absurd: dict[str, Any]) -> None:
    with pytest.raises(BadInput) as error:
        await ask(asker(), **absurd)
    assert not isinstance(error.value, Refused), "the database was not asked"
    assert len(error.value.message) < 300


@pytest.mark.parametrize("limit", [10**6, 2**31, 2**63, 10**30, "9" * 400])
async def test_no_limit_is_too_high(asker: Make, limit: Any) -> None:
    everything = await ask(asker(), by=["beer"], direction="most", limit=1000)
    assert (await ask(asker(), by=["beer"], direction="most", limit=limit)).content == everything.content
    await tool(*asker(), {"about": "everyone", "by": ["style"], "limit": limit})


EVERY = [
    *({"measures": [each]} for each in get_args(Measure)),
    *({"aggregate": each, "by": ["month"], "per": "order" if each == "mean" else ""} for each in get_args(Aggregate)),
    *({"by": [each]} for each in get_args(Dimension)),
    *({"by": [each], "direction": "least", "limit": 2} for each in get_args(Dimension)),
    *({"aggregate": "mean", "per": each} for each in ("order", "day", "week", "month", "quarter", "year", "beer", "brewery")),
    *({"by": ["beer"], "having": each, "spans": [{"since": "2026-03-01"}]} for each in ("once", "stopped", "new", "kept")),
    *({"only_order": each, "by": ["beer"]} for each in ("last", "first")),
]  # fmt: skip


@pytest.mark.parametrize("slots", EVERY)
async def test_every_slot_has_an_answer_or_a_plain_word(asker: Make, slots: dict[str, Any]) -> None:
    me = asker()
    for about in ("me", "everyone"):
        try:
            outcome = await tool(*me, {"about": about} | slots)
        except BadInput as told:
            assert not isinstance(told, Refused) and len(told.message) > 40, slots
            continue
        assert outcome.content.keys() & {"sentence", "not_published"}, slots


async def test_of_everyone_it_says_what_is_published(asker: Make) -> None:
    me = asker()
    outcome = await tool(*me, {"about": "everyone", "by": ["style"], "direction": "most", "limit": 3})
    assert outcome.content["sentence"].startswith("Among all clients") and outcome.content["rows"]
    assert outcome.label.audience == {"aggregate"}
    assert outcome.context.question == Question(about="everyone", by=("style",), direction="most", limit=3)
    weeks = {"about": "everyone", "by": ["style"], "spans": [{"since": "2026-03-02", "until": "2026-03-15"}]}
    assert "of the whole time" in (await tool(*me, weeks)).content["sentence"]
    rare = await tool(*me, {"about": "everyone", "by": ["beer"], **named("city", "Nowhere")})
    assert (await tool(*me, rare.content["published"])).content["rows"], "what it offers is there"


def test_a_question_of_the_reading_is_the_arguments() -> None:
    slots = {each for each in Question.__struct_fields__}
    assert slots == set(tool.slots["properties"]) and "unit" not in tool.spec.parameters["properties"]
    assert Filter.__struct_fields__ == tuple(tool.slots["properties"]["filters"]["items"]["properties"])
    assert Span.__struct_fields__ == tuple(tool.slots["properties"]["spans"]["items"]["properties"])
