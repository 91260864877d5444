"""One question to one model, with one tool: whether it can plan, and what that takes. `doctor --call` asks it."""

from __future__ import annotations

import time
from typing import Literal

import msgspec

from beerforyou.llm.model import Content, Model, Reply, Request, TextPart, ToolResult, ToolSpec
from beerforyou.llm.prices import price
from beerforyou.llm.settling import settled
from beerforyou.llm.written_calls import is_call
from beerforyou.usage import Usage

TOOL = ToolSpec(
    "list_breweries",
    "Lists the breweries of a city. Always call it: nobody knows them by heart.",
    {
        "type": "object",
        "properties": {"city": {"type": "string", "description": "Name of the city."}},
        "required": ["city"],
        "additionalProperties": False,
    },
)
SYSTEM = "You answer a buyer of beer, from what your tool brings and nothing else."
QUESTION = "Which breweries are there in Denver? Name each of them, one a line."
# As many as make a stream of several pieces with every provider.
BROUGHT = [
    "Great Divide Brewing", "Wynkoop Brewing", "Ratio Beerworks", "Cerebral Brewing", "TRVE Brewing",
    "Our Mutual Friend Brewing", "Jagged Mountain Brewery", "Black Shirt Brewing", "Bierstadt Lagerhaus", "Epic Brewing",
]  # fmt: skip

Called = Literal["called", "written", "none"]
NO_PLANNER = (
    "a planner calls tools: switch on the server's parser for tool calls, or take another model "
    "(docs/how-to/choose-a-model.md)"
)


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """`tool`: whether it called the tool, wrote the call as text, or did neither. `streams` is none where it said nothing.

    `usd` is none where no price is known; `seconds` are those of both calls.
    """

    tool: Called
    streams: bool | None
    seconds: float
    usage: Usage
    usd: float | None

    def __str__(self) -> str:
        tool = {"called": "called the tool", "written": "wrote the call as text", "none": "did not call the tool"}
        stream = {True: "streams", False: "answers in one piece", None: "said nothing"}
        tokens = f"{self.usage.input} tokens in, {self.usage.output} out"
        money = "no price known" if self.usd is None else f"{self.usd:.6f} USD"
        return f"{tool[self.tool]}; {stream[self.streams]}; {self.seconds:.1f} s; {tokens}; {money}"


async def tried(model: Model, most_tokens: int) -> Tried:
    """Asks for a call, then for the sentence about what it brought. Raises ModelError."""
    begun, pieces = time.monotonic(), list[str]()
    request = Request(system=SYSTEM, messages=(_said(QUESTION),), tools=(TOOL,), max_output_tokens=most_tokens)
    replies = [await model.generate(request, pieces.append)]
    called = _called(replies[0], request)
    if called == "called":
        pieces.clear()
        replies.append(await model.generate(_with_results(request, settled(replies[0], request)), pieces.append))
    usage = sum((reply.usage for reply in replies), Usage())
    usd = price(model.name, usage)
    return Tried(
        tool=called,
        streams=len(pieces) > 1 if "".join(pieces) else None,
        seconds=time.monotonic() - begun,
        usage=usage,
        usd=None if usd is None else float(usd),
    )


def _said(text: str) -> Content:
    return Content("user", (TextPart(text),))


def _called(reply: Reply, request: Request) -> Called:
    if any(call.name == TOOL.name for call in reply.tool_calls):
        return "called"
    return "written" if is_call(reply.text, [TOOL.name]) else "none"


def _with_results(request: Request, reply: Reply) -> Request:
    results = tuple(ToolResult(call.id, call.name, {"breweries": BROUGHT}) for call in reply.tool_calls)
    messages = (*request.messages, Content("model", reply.parts), Content("tool", results))
    return msgspec.structs.replace(request, messages=messages, tool_choice="none")
