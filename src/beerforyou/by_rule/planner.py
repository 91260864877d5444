"""The planner that needs no key and no network: it plans by what the reading found, and words results from the table of
sentences. It is deterministic, says that no model is there, and never pretends to have read the web.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from beerforyou.by_rule import picking
from beerforyou.by_rule.sql import statistic, write
from beerforyou.by_rule.wording import OURS, word
from beerforyou.db.fence.shape import LONGEST
from beerforyou.llm.connect import OFFLINE
from beerforyou.llm.model import Reply, Request, TextPart, ToolCall, ToolResult
from beerforyou.reading.reading import Context, Question, Reading
from beerforyou.sentences import Language, say

NO_TOOL = {"off_topic": "talk.off_topic", "unclear": "talk.unclear", "other_client": "talk.other_client",
           "tangled": "talk.tangled"}  # fmt: skip


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What the reading and the conversation know. `brewery_ids` and `brewery_names` are the brewery of the question;
    `brewery_vague`: it may be any of too many, so that no ids are known.
    """

    reading: Reading
    context: Context
    language: Language
    brewery_ids: Sequence[str] = ()
    brewery_names: Sequence[str] = ()
    brewery_vague: bool = False


def reply(known: Known, request: Request) -> Reply:
    """The next turn of the planner, by rule: the calls, or the sentence when there are results, or nothing may be called."""
    results = _results(request)
    names = {tool.name for tool in request.tools}
    calls = [] if results or request.tool_choice == "none" else [c for c in _calls(known) if c.name in names]
    if calls:
        return Reply(parts=tuple(calls), model=OFFLINE)
    text = (
        picking.worded(known.reading, results, known.language) or word(results, known.language, known.reading.question)
        if results
        else _no_tool(known)
    )
    return Reply(parts=(TextPart(text),), model=OFFLINE)


def _results(request: Request) -> list[ToolResult]:
    """Those that came after the client's last message."""
    found: list[ToolResult] = []
    for message in request.messages:
        if message.role == "user":
            found = []
        found += [part for part in message.parts if isinstance(part, ToolResult)]
    return found


def _calls(known: Known) -> tuple[ToolCall, ...]:
    reading = known.reading
    match reading.tool:
        case "search_breweries":
            return (_call("search_breweries", reading.search),)
        case "run_analytical_query":
            return () if _unanswerable(known) else (_call("run_analytical_query", _analysis(known)),)
        case "get_website_summary":
            return _details(known)
        case "get_client_profile":
            return (_call("get_client_profile"),)
        case _:
            return ()


def _analysis(known: Known) -> dict[str, Any]:
    """SQL over the client's own rows, or the slots of a statistic over all clients."""
    question = known.reading.question or Question()
    if question.about == "me":
        return {"about": "me", "sql": write(question, known.brewery_ids, known.brewery_names)}
    return statistic(question)


def _unanswerable(known: Known) -> str:
    """The sentence for a question whose brewery may be any of too many, or that the gate would not read; else empty."""
    if known.brewery_vague:
        return "details.vague"
    return "talk.tangled" if len(_analysis(known).get("sql", "")) > LONGEST else ""


def _details(known: Known) -> tuple[ToolCall, ...]:
    """The brewery that was named or picked, or several."""
    return picking.details([known.reading.brewery] if known.reading.brewery else known.reading.picks)


def _call(name: str, args: Any = None) -> ToolCall:
    return ToolCall(f"{OURS}{name}", name, msgspec.to_builtins(args) if args is not None else {})


def _no_tool(known: Known) -> str:
    if which := picking.question(known.reading, known.context, known.language):
        return which
    if known.reading.question and (key := _unanswerable(known)):
        return say(key, known.language, name=known.reading.question.brewery)
    if known.reading.tool == "get_website_summary":
        return say("offer.which" if known.context.shown else "details.nothing_shown", known.language)
    return say(NO_TOOL.get(known.reading.intent, "talk.unclear"), known.language)
