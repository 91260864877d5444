"""`offline:` taking over in the middle of a run: what Gemini called, it words; then the run ends."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from msgspec.structs import replace

from beerforyou import blocks
from beerforyou.by_rule.planner import Known, reply
from beerforyou.by_rule.sql import Bought
from beerforyou.llm.connect import Models, connect
from beerforyou.llm.model import Reply, ToolCall, ToolResult
from beerforyou.reading.question import Filter, Question, Span
from beerforyou.reading.reading import Context, Reading, Search
from beerforyou.sentences import say
from beerforyou.settings import Settings
from bench.model_server.script import Fault
from bench.model_server.server import ModelServer
from tests.by_rule.conftest import request
from tests.conftest import Walk

SIGNATURE = "CpcBAXLI2nxSM+sQ/Kk7aA=="
SEARCH = ToolCall("fc-1", "search_breweries", {"city": "San Diego"}, SIGNATURE)
WRONG = ToolCall("fc-2", "search_breweries", {"town": "San Diego"})
PROFILE = ToolCall("fc-3", "get_client_profile", {}, SIGNATURE)
UNKNOWN = ToolCall("fc-4", "search_the_web", {"q": "beer"})
Interrupted = Callable[..., Awaitable[dict[str, Any]]]


def own(sql: str) -> ToolCall:
    return ToolCall("fc-5", "run_sql", {"sql": sql})


TOTAL = own("SELECT sum(quantity) AS quantity FROM my_purchases")
BY_BEER = own("SELECT beer, sum(amount) AS spent FROM my_purchases GROUP BY beer ORDER BY 2 DESC LIMIT 3")
NOBODY = own("SELECT beer FROM my_purchases WHERE beer = 'no such beer'")
REFUSED = own("SELECT * FROM clients")
REFUSED_TOO = own("SELECT * FROM orders")
EVERYONE = ToolCall("fc-6", "run_analytical_query", {"about": "everyone", "by": "style", "limit": 3})
SPRING = {"spans": [{"since": "2026-03-01", "until": "2026-05-31"}]}
ASKED = ToolCall("fc-8", "run_analytical_query", {"about": "me", "measures": ["amount"], **SPRING})
UNPAID = ToolCall("fc-7", "get_website_summary", {"brewery": "Ficha Brewing"})


@pytest.fixture
async def interrupted(walk: Walk) -> AsyncIterator[Interrupted]:
    """A run that Gemini begins with these turns of calls; then it answers no more."""
    open_models: list[Models] = []

    async def run(message: str, *turns: tuple[ToolCall, ...]) -> dict[str, Any]:
        replies = [Reply(parts=calls) for calls in turns]
        async with ModelServer(lambda ask: replies.pop(0) if replies else Fault(403, "no")) as server:
            model = connect(Settings(model="gemini:gemini-2.5-flash", gemini_api_key="k", gemini_base_url=server.url))
            open_models.append(model)
            return await walk(message, model)

    yield run
    for model in open_models:
        await model.close()


def models(run: dict[str, Any]) -> list[str]:
    return [step["name"] for step in run["steps"] if step["kind"] in ("model", "rule")]


def text(run: dict[str, Any]) -> str:
    return "\n".join(block.text for block in run["blocks"] if isinstance(block, (blocks.Text, blocks.Notice)))


QUESTIONS: dict[str, tuple[str, list[tuple[ToolCall, ...]], str]] = {
    "a search": ("breweries in San Diego", [(SEARCH,)], "in San Diego"),
    "several calls at once": ("new breweries in San Diego", [(PROFILE, SEARCH)], "in San Diego"),
    "a call that it corrected": ("breweries in San Diego", [(WRONG,), (SEARCH,)], "in San Diego"),
    "a call that it repeated": ("breweries in San Diego", [(SEARCH,), (SEARCH,)], "in San Diego"),
    "a call that failed": ("breweries in San Diego", [(WRONG,)], "went wrong"),
    "a tool that isn't there": ("breweries in San Diego", [(UNKNOWN, SEARCH)], "in San Diego"),
    "the profile": ("who am I to you?", [(PROFILE,)], "units from"),
    "the profile for something else": ("breweries in San Diego", [(PROFILE,)], "units from"),
    "one figure": ("how much did I spend in March?", [(TOTAL,)], "Units: "),
    "a question in other slots than the reading's": (
        "how much did I buy in October?",
        [(ASKED,)],
        "from March to May 2026",
    ),
    "a table": ("what do I buy most?", [(BY_BEER,)], "this is what I found"),
    "no rows": ("what do I buy most?", [(NOBODY,)], "no purchases of yours"),
    "SQL that was refused": ("what do I buy most?", [(REFUSED,), (REFUSED_TOO,)], "could not work that out"),
    "SQL that was refused once": ("what do I buy most?", [(REFUSED,), (TOTAL,)], "Units: "),
    "the same SQL, refused twice": ("what do I buy most?", [(REFUSED,), (REFUSED,)], "went wrong"),
    "everyone, asked about oneself": ("what did I buy in March?", [(EVERYONE,)], "Among all clients"),
    "two questions": ("breweries in San Diego", [(SEARCH, TOTAL)], "Units: "),
    "what costs money": ("breweries in San Diego", [(SEARCH,), (UNPAID,)], "in San Diego"),
    "nothing yet": ("breweries in San Diego", [], "in San Diego"),
    "no calls at all": ("hello", [], "Hello"),
}
# No error is an answer.
ENDS = {
    "a call that failed": ("failed", "error_internal"),
    "the same SQL, refused twice": ("failed", "error_internal"),
    "SQL that was refused": ("succeeded", "clarification"),
}


@pytest.mark.parametrize("name", QUESTIONS)
async def test_it_ends_what_another_model_began(interrupted: Interrupted, name: str) -> None:
    message, turns, words = QUESTIONS[name]
    run = await interrupted(message, *turns)
    assert (run["status"], run["outcome"]) == ENDS.get(name, ("succeeded", "answered"))
    assert words in text(run)
    assert models(run)[: len(turns)] == ["gemini-2.5-flash"] * len(turns)
    assert set(models(run)[len(turns) :]) <= {"offline:"}
    assert len(models(run)) <= len(turns) + 2


async def test_a_figure_is_not_given_a_period_that_its_query_may_not_have(interrupted: Interrupted) -> None:
    """The reading says March; what Gemini's SQL summed is everything."""
    run = await interrupted("how much did I buy in March?", (TOTAL,))
    assert "March" not in text(run)


def own_data(question: Question, language: str = "en", leftover: tuple[str, ...] = (), **more: Any) -> Known:
    reading = Reading(
        language=language, intent="own_data", tool="run_analytical_query", question=question, leftover=leftover
    )
    return Known(reading=reading, context=Context(), language=language, **more)


KNOWN = own_data(Question(measures=("amount",), spans=(Span(since="2026-03-01", until="2026-03-31"),)))


def test_it_asks_for_what_was_read() -> None:
    (call,) = reply(KNOWN, request()).tool_calls
    assert (call.name, call.args["about"], call.args["spans"][0]["since"]) == (
        "run_analytical_query",
        "me",
        "2026-03-01",
    )


def test_after_results_it_speaks_and_calls_no_more() -> None:
    first = {"sentence": "You bought 3 units.", "figure": 3}
    again = {"note": "this call was made before", "result": first}
    said = reply(
        KNOWN,
        request(
            ToolResult("a", "run_analytical_query", {"error": "no such column"}, is_error=True),
            ToolResult("b", "run_analytical_query", first),
            ToolResult("c", "run_analytical_query", again),
        ),
    )
    assert (said.text, said.tool_calls) == ("You bought 3 units.", ())


def test_an_error_is_said_once() -> None:
    failed = [ToolResult(id, "search_breweries", {"error": "took too long"}, is_error=True) for id in "ab"]
    assert reply(KNOWN, request(*failed)).text == say("error.internal", "en")


def test_when_it_may_not_call_it_speaks() -> None:
    said = reply(KNOWN, request(choice="none"))
    assert said.text and not said.tool_calls


@pytest.mark.parametrize("silent", [{"profile": None}, {"error": "a notice says it"}])
def test_what_a_notice_says_is_not_said_again(silent: dict[str, Any]) -> None:
    name = "get_client_profile" if "profile" in silent else "run_analytical_query"
    assert reply(KNOWN, request(ToolResult("a", name, silent))).text == ""


IPA = Filter(field="style", values=("ipa",))
OCTOBER = Span(since="2026-10-01", until="2026-10-31")


@pytest.mark.parametrize(
    ("language", "leftover", "message", "words"),
    [
        ("pt", ("grama",), "quantas gramas de IPA comprei em outubro?", "tudo"),
        ("pt", ("promocao",), "gastei com IPA em outubro na Promoção?", "“Promoção”"),
        ("pt", ("promocao", "site"), "IPA em outubro no site da promoção", "“site” ou “promoção”"),
        ("en", ("happy", "hour"), "how many IPAs for happy hour in October", "“happy” or “hour”"),
    ],
)
async def test_what_is_not_understood_is_not_answered_as_if_it_were(
    language: str, leftover: tuple[str, ...], message: str, words: str
) -> None:
    question = Question(filters=(IPA,), spans=(OCTOBER,))
    said = reply(own_data(question, language=language, leftover=leftover), request(text=message))
    assert (said.tool_calls, said.finish) == ((), "asks")
    understood = {
        "pt": "unidades de IPA em outubro de 2026, mas não entendi",
        "en": "units of IPA in October 2026, but not",
    }
    assert f"{understood[language]} {words}." in said.text
    assert {"pt": "fazer ranking", "en": "rank"}[language] in said.text, "and what it can do"


def test_of_everyone_what_is_not_understood_is_said_too() -> None:
    reading = Reading(language="en", intent="statistics", tool="run_analytical_query", leftover=("moon",),
                      question=Question(about="everyone", by=("style",)))  # fmt: skip
    said = reply(Known(reading=reading, context=Context(), language="en"), request(text="top styles by moon"))
    assert said.finish == "asks" and "“moon”" in said.text and "all clients" in said.text


@pytest.mark.parametrize(
    ("question", "words"),
    [
        (Question(aggregate="share"), "A share of what?"),
        (Question(aggregate="change", by=("beer",)), "Compare what with what?"),
        (Question(having="kept"), "In which periods?"),
        (Question(by=("beer", "month", "city", "type")), "too much"),
        (Question(filters=tuple(Filter(field="beer", values=(f"Beer {n} of many",)) for n in range(40))), "too much"),
        (Question(about="everyone", aggregate="share", by=("style",)), "no averages, shares or changes"),
        (Question(about="everyone", filters=(Filter(field="style", values=("ipa",), negated=True),)), "Of all clients"),
    ],
)  # fmt: skip
def test_what_has_no_figure_is_said(question: Question, words: str) -> None:
    said = reply(own_data(question), request())
    assert (said.tool_calls, said.finish) == ((), "asks") and words in said.text


def test_a_name_of_too_many_is_asked_back() -> None:
    known = own_data(
        Question(filters=(Filter(field="brewery", values=("Beer",)),)), breweries={"Beer": Bought(vague=True)}
    )
    said = reply(known, request())
    assert (said.tool_calls, said.finish) == ((), "asks") and "whole name" in said.text


def two(first: Question, second: Reading) -> Known:
    reading = Reading(language="en", intent="own_data", tool="run_analytical_query", question=first, also=second)
    return Known(reading=reading, context=Context(), language="en", currency="USD")


SPENT = Question(measures=("amount",), spans=(OCTOBER,))
BREWPUBS = Reading(
    language="en", intent="search", tool="search_breweries", search=Search(city="Houston", type="brewpub")
)


def test_two_questions_are_both_asked_and_both_answered() -> None:
    known = two(SPENT, BREWPUBS)
    own, search = reply(known, request()).tool_calls
    assert (own.name, search.name, search.args["city"]) == ("run_analytical_query", "search_breweries", "Houston")
    found = {"total": 0, "breweries": [], "place": "Houston"}
    spent = {"sentence": "You spent $5.00 in October 2026.", "figure": 5}
    results = (ToolResult(own.id, own.name, spent), ToolResult(search.id, search.name, found))
    said = reply(known, request(*results))
    assert said.text.startswith("You spent $5.00 in October 2026. I found no") and said.finish == "stop"


def test_what_leads_in_a_list_stands_last() -> None:
    beers = Question(aggregate="list", by=("beer",))
    new = replace(BREWPUBS, intent="recommend", search=Search(city="Houston", only_new=True))
    own, search = reply(two(beers, new), request()).tool_calls
    found = {"total": 2, "breweries": [{}, {}], "place": ["Houston"], "only_new": True}
    bought = {"sentence": "2 beers:", "columns": ["beer", "quantity"], "rows": [["Rye", 3], ["Ale", 2]]}
    results = ToolResult(search.id, search.name, found), ToolResult(own.id, own.name, bought)
    first, last = reply(two(beers, new), request(*results)).text.splitlines()
    assert first.startswith("There are 2 breweries in Houston") and last.endswith(":")


def test_two_questions_to_one_tool_are_told_apart() -> None:
    other = Reading(language="en", intent="own_data", tool="run_analytical_query", question=Question(aggregate="last"))
    known = two(SPENT, other)
    calls = reply(known, request()).tool_calls
    rows = [{"sentence": "You spent $5.00 in October 2026."}, {"sentence": "The last purchase was 3 days ago."}]
    said = reply(known, request(*(ToolResult(call.id, call.name, row) for call, row in zip(calls, rows, strict=True))))
    assert said.text == "You spent $5.00 in October 2026. The last purchase was 3 days ago."


def test_half_a_question_is_not_the_whole() -> None:
    """One of two has no figure: the other is answered, and that is said."""
    share = Reading(language="en", intent="own_data", tool="run_analytical_query", question=Question(aggregate="share"))
    known = two(SPENT, share)
    (call,) = reply(known, request()).tool_calls
    said = reply(known, request(ToolResult(call.id, call.name, {"sentence": "You spent $5.00 in October 2026."})))
    assert said.text.startswith("You spent $5.00 in October 2026. A share of what?") and said.finish == "stop"
    failed = reply(known, request(ToolResult(call.id, call.name, {"error": "no"}, is_error=True)))
    assert say("error.internal", "en") in failed.text and failed.finish == "failed"


async def test_a_question_back_is_no_answer(walk: Walk) -> None:
    assert (await walk("tell me more"))["outcome"] == "clarification"


async def test_a_recommendation_reads_no_profile_that_nobody_looks_at(walk: Walk) -> None:
    run = await walk("new breweries in San Diego")
    assert [step["name"] for step in run["steps"] if step["kind"] == "tool"] == ["search_breweries"]
