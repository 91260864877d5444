"""`offline:` taking over in the middle of a run: what Gemini called, it words; then the run ends."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Literal

import pytest

from beerforyou import blocks
from beerforyou.by_rule.planner import Known, reply
from beerforyou.llm.connect import Models, connect
from beerforyou.llm.model import Content, Reply, Request, TextPart, ToolCall, ToolResult
from beerforyou.reading.question import Question, Span
from beerforyou.reading.reading import Context, Reading
from beerforyou.sentences import say
from beerforyou.settings import Settings
from beerforyou.tools import TOOLS
from bench.model_server.script import Fault
from bench.model_server.server import ModelServer
from tests.conftest import Walk

SIGNATURE = "CpcBAXLI2nxSM+sQ/Kk7aA=="
SEARCH = ToolCall("fc-1", "search_breweries", {"city": "San Diego"}, SIGNATURE)
WRONG = ToolCall("fc-2", "search_breweries", {"town": "San Diego"})
PROFILE = ToolCall("fc-3", "get_client_profile", {}, SIGNATURE)
UNKNOWN = ToolCall("fc-4", "search_the_web", {"q": "beer"})
Interrupted = Callable[..., Awaitable[dict[str, Any]]]


def own(sql: str) -> ToolCall:
    return ToolCall("fc-5", "run_analytical_query", {"about": "me", "sql": sql})


TOTAL = own("SELECT sum(quantity) AS quantity FROM my_purchases")
BY_BEER = own("SELECT beer, sum(amount) AS spent FROM my_purchases GROUP BY beer ORDER BY 2 DESC LIMIT 3")
NOBODY = own("SELECT beer FROM my_purchases WHERE beer = 'no such beer'")
REFUSED = own("SELECT * FROM clients")
REFUSED_TOO = own("SELECT * FROM orders")
EVERYONE = ToolCall("fc-6", "run_analytical_query", {"about": "everyone", "by": "style", "limit": 3})
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
    return [step["name"] for step in run["steps"] if step["kind"] == "model"]


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


@pytest.mark.parametrize("name", QUESTIONS)
async def test_it_ends_what_another_model_began(interrupted: Interrupted, name: str) -> None:
    message, turns, words = QUESTIONS[name]
    run = await interrupted(message, *turns)
    assert (run["status"], run["outcome"]) == ("succeeded", "answered")
    assert words in text(run)
    assert models(run)[: len(turns)] == ["gemini-2.5-flash"] * len(turns)
    assert set(models(run)[len(turns) :]) <= {"offline:"}
    assert len(models(run)) <= len(turns) + 2


async def test_a_figure_is_not_given_a_period_that_its_query_may_not_have(interrupted: Interrupted) -> None:
    """The reading says March; what Gemini's SQL summed is everything."""
    run = await interrupted("how much did I buy in March?", (TOTAL,))
    assert "March" not in text(run)


QUESTION = Question(measures=("amount",), spans=(Span(since="2026-03-01", until="2026-03-31"),))
KNOWN = Known(
    reading=Reading(language="en", intent="own_data", tool="run_analytical_query", question=QUESTION),
    context=Context(),
    language="en",
)


def request(*results: ToolResult, choice: Literal["auto", "none"] = "auto") -> Request:
    return Request(
        system="",
        messages=(Content("user", (TextPart("How much?"),)), *([Content("tool", results)] if results else [])),
        tools=tuple(tool.spec for tool in TOOLS.values()),
        tool_choice=choice,
    )


def test_it_asks_for_what_was_read() -> None:
    (call,) = reply(KNOWN, request()).tool_calls
    assert call.name == "run_analytical_query" and "2026-03-01" in call.args["sql"]


def test_after_results_it_speaks_and_calls_no_more() -> None:
    first = {"columns": ["quantity"], "rows": [[3]]}
    again = {"note": "this call was made before", "result": first}
    said = reply(
        KNOWN,
        request(
            ToolResult("a", "run_analytical_query", {"error": "no such column"}, is_error=True),
            ToolResult("b", "run_analytical_query", first),
            ToolResult("c", "run_analytical_query", again),
        ),
    )
    assert (said.text, said.tool_calls) == ("Units: 3.", ())


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


async def test_a_recommendation_reads_no_profile_that_nobody_looks_at(walk: Walk) -> None:
    run = await walk("new breweries in San Diego")
    assert [step["name"] for step in run["steps"] if step["kind"] == "tool"] == ["search_breweries"]
