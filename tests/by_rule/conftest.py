"""A question about purchases, put as the planner by rule puts it, and what is then said of it."""

from collections.abc import Awaitable, Callable
from typing import Any, Literal

import msgspec
import pytest

from beerforyou import clock
from beerforyou.by_rule.planner import Known, breweries_in, reply
from beerforyou.catalogue.brewery import Place
from beerforyou.house import House
from beerforyou.llm.model import Content, Request, TextPart, ToolResult
from beerforyou.reading.question import Question
from beerforyou.reading.reading import Context, Reading
from beerforyou.tools import TOOLS
from beerforyou.tools.caller import Caller, Hands
from beerforyou.tools.tool import Result

CLIENT = "CLT-00001"


class Answered(msgspec.Struct):
    text: str
    finish: str
    result: Result | None


Answers = Callable[..., Awaitable[Answered]]


def request(*results: ToolResult, choice: Literal["auto", "none"] = "auto", text: str = "How much?") -> Request:
    return Request(
        system="",
        messages=(Content("user", (TextPart(text),)), *([Content("tool", results)] if results else [])),
        tools=tuple(tool.spec for tool in TOOLS.values()),
        tool_choice=choice,
    )


@pytest.fixture
def answers(house: House) -> Answers:
    async def answered(question: Question, language: str = "en", currency: str = "BRL", **more: Any) -> Answered:
        today = clock.today(house.settings.time_zone)
        caller = Caller(client_id=CLIENT, name="Bar", home=Place(), language=language, today=today, currency=currency)
        database = house.database
        hands = Hands(database.for_tools(CLIENT), database.fence, database.statistics, house.catalogue.now)
        reading = Reading(
            language=language, intent="own_data", tool="run_analytical_query", question=question, **more
        )  # fmt: skip
        breweries = {name: await hands.bought_as(name) for name in breweries_in(reading)}
        known = Known(
            reading=reading, context=Context(), language=language, breweries=breweries, today=today, currency=currency
        )
        first = reply(known, request())
        if not first.tool_calls:
            return Answered(first.text, first.finish, None)
        (call,) = first.tool_calls
        result = await TOOLS[call.name](caller, hands, call.args)
        told = reply(known, request(ToolResult(call.id, call.name, msgspec.to_builtins(result.content))))
        return Answered(told.text, told.finish, result)

    return answered
