"""What is kept of a reply, however much a model sends, and whether anything in it can be used.

Every reply passes here once it is whole, wherever it comes from; to settle one twice changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from beerforyou.guards.canonical import everywhere, line, presentable, visible
from beerforyou.llm.calls import NOT_MADE, CallIds
from beerforyou.llm.model import Finish, Reply, Request, Source, TextPart, ToolCall, ToolResult
from beerforyou.llm.understood_calls import understood
from beerforyou.llm.written_calls import is_call
from beerforyou.usage import Usage

CHARS_A_TOKEN = 8  # about four in both languages; no honest text comes to twice that
MOST_EMPTY = 1000  # pieces of a stream without a character of text: thoughts, calls, counts
MOST_CALLS = 10  # of one reply; there are five tools, and a question rarely names more than a few cities
MAX_REPLY_BYTES = (
    4 * 1024 * 1024
)  # read of one reply, with all that a wire puts around it; a server that sends more has lost its way
MOST_PARTS = 32  # read of one reply: the calls, and texts that a signature keeps apart
LONGEST_NAME = 64  # of a function, at every provider
LONGEST_ARGS = 5_000  # characters, and one for each value; the longest SQL has 4,000
DEEPEST_ARGS = 4  # no tool declares an argument with anything in it
LONGEST_SIGNATURE = 65_536  # of a thought; those of Gemini have some thousand characters
LONGEST_WHY = 300
MOST_SOURCES, LONGEST_URL = 20, 2_000
MOST_TOKENS = 10_000_000  # what a count may say; no model reads as much

TOO_MANY = (
    f"not called, like all that came after it: a reply may make {MOST_CALLS} calls; make those that are missing next"
)
AS_TEXT = "it had a tool call written as text"
UNASKED = "it called a tool although none may be called any more"
WHY = {"malformed": "its tool call was malformed"}
NOTHING = "it said nothing"


def longest_text(request: Request) -> int:
    """Characters."""
    return CHARS_A_TOKEN * request.max_output_tokens


def settled(reply: Reply, request: Request) -> Reply:
    """`finish` says "malformed" or "empty" of one that is void, and `why` what to tell the model."""
    parts = tuple(_kept(reply, request))
    if written := _written(parts, reply, request):
        parts = tuple(_kept(replace(reply, parts=written), request))
    kept = replace(
        reply,
        parts=parts,
        usage=_counted(reply.usage),
        model=line(reply.model[:LONGEST_NAME]),
        sources=tuple(_sources(reply)),
        why=line(reply.why[:LONGEST_WHY]),
    )
    finish, why = _judged(kept, reply, request)
    judged = replace(kept, finish=finish)
    return replace(judged, why=(kept.why or why or WHY.get(finish, NOTHING)) if judged.void else "")


def _written(parts: Sequence[TextPart | ToolCall], reply: Reply, request: Request) -> tuple[ToolCall, ...]:
    """The calls that the reply consists of, where it wrote them as text. What it quotes of others it does not call."""
    text, names = (
        "".join(part.text for part in parts if isinstance(part, TextPart)),
        [tool.name for tool in request.tools],
    )
    if reply.tool_calls or reply.finish != "stop" or request.tool_choice == "none" or not is_call(text, names):
        return ()
    calls = understood(text, names)
    if any(_is_quoted(call.source, request) for call in calls):
        return ()
    ids = CallIds(request)
    return tuple(ToolCall(ids.settle(None), call.name, call.args) for call in calls)


def _is_quoted(source: str, request: Request) -> bool:
    """Whether the client, or a tool's result, wrote the same, but for blanks and escapes."""
    given = (part for message in request.messages if message.role != "model" for part in message.parts)
    return any(_squeezed(source) in _squeezed(part) for part in given)


def _squeezed(written: str | TextPart | ToolCall | ToolResult) -> str:
    return re.sub(r"\\[nrt]|[\s\\]", "", written if isinstance(written, str) else msgspec.json.encode(written).decode())


def _judged(kept: Reply, reply: Reply, request: Request) -> tuple[Finish, str]:
    if kept.tool_calls:
        return kept.finish, ""
    if is_call(kept.text, (tool.name for tool in request.tools)):
        return "malformed", AS_TEXT
    if reply.tool_calls and not kept.text.strip():
        return "malformed", UNASKED
    if kept.finish == "stop" and not kept.text.strip():
        return "empty", ""
    if kept.finish == "stop" and len(reply.text) > longest_text(request):
        return "length", ""
    return kept.finish, ""


def _kept(reply: Reply, request: Request) -> Iterator[TextPart | ToolCall]:
    left, calls = longest_text(request), 0
    for part in reply.parts[:MOST_PARTS]:
        signature = part.signature if len(part.signature) <= LONGEST_SIGNATURE else ""
        if isinstance(part, ToolCall):
            calls += 1
            if calls <= MOST_CALLS + 1 and request.tool_choice != "none":
                args = {NOT_MADE: TOO_MANY} if calls > MOST_CALLS else _args(part.args)
                yield ToolCall(part.id, _name(part.name), args, signature)
        elif (text := visible(part.text[:left])) or signature:
            left -= len(text)
            yield TextPart(text, signature)


def _name(name: str) -> str:
    """As a provider takes it back, in the history of the next request."""
    return re.sub(r"[^\w.-]", "_", name[:LONGEST_NAME], flags=re.ASCII) or "unnamed"


def _args(args: dict[str, Any]) -> dict[str, Any]:
    return {NOT_MADE: why} if (why := _objection(args)) else everywhere(args, visible)


def _objection(args: dict[str, Any]) -> str:
    """Why such arguments go no further. In one pass over no more of them than are allowed."""
    left = LONGEST_ARGS
    waiting: list[tuple[Any, int]] = [(args, 1)]
    while waiting:
        value, depth = waiting.pop()
        if depth > DEEPEST_ARGS and isinstance(value, (list, dict)):
            return f"not called: its arguments are nested more than {DEEPEST_ARGS} levels deep"
        left -= 1 + (len(value) if isinstance(value, (str, list, dict)) else 0)
        if left < 0:
            return f"not called: its arguments are too long; {LONGEST_ARGS} characters are allowed"
        if isinstance(value, str) and "\0" in value:
            return "not called: an argument holds a NUL character; leave it out"
        if isinstance(value, (list, dict)):
            waiting += [(inner, depth + 1) for inner in value]
        if isinstance(value, dict):
            waiting += [(inner, depth + 1) for inner in value.values()]
    return ""


def _counted(usage: Usage) -> Usage:
    return Usage(
        *(min(max(count, 0), MOST_TOKENS) for count in (usage.input, usage.output, usage.cached, usage.thinking))
    )


def _sources(reply: Reply) -> Iterator[Source]:
    for source in reply.sources[:MOST_SOURCES]:
        if len(source.url) <= LONGEST_URL:
            yield Source(presentable(source.url), presentable(source.title[:LONGEST_WHY]))
