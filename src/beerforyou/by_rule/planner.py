"""`offline:` needs no key and no network: it plans by what the reading found, and words results from the table of
sentences. It is deterministic, says that it is offline, and never pretends to have read the web.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from beerforyou.by_rule.sql import statistic, write
from beerforyou.by_rule.wording import OURS, word
from beerforyou.db.fence.shape import LONGEST
from beerforyou.llm.model import OFFLINE, Message, Reply, Request, Text, ToolCall, ToolResult
from beerforyou.reading.reading import Context, Question, Reading
from beerforyou.sentences import Language, say
from beerforyou.usage import Usage

NO_TOOL = {"off_topic": "talk.off_topic", "unclear": "talk.unclear", "other_client": "talk.other_client",
           "tangled": "talk.tangled"}  # fmt: skip


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """`brewery_vague`: the brewery of the question may be any of too many, so that no ids are known."""

    reading: Reading
    context: Context
    name: str
    language: Language
    brewery_ids: list[str]
    brewery_names: list[str]
    brewery_vague: bool = False


class Offline:
    name = OFFLINE

    async def generate(self, request: Request, on_text: Callable[[str], None] | None = None) -> Reply:
        """Anything but planning it answers with nothing: it has no words of its own."""
        if request.facts is None:
            return Reply(parts=(), finish="empty", model=self.name)
        facts = Facts(**request.facts)
        results = _results(request.messages)
        names = {tool.name for tool in request.tools}
        parts: tuple[Text | ToolCall, ...]
        if not results and request.tool_choice == "auto" and (calls := [c for c in _calls(facts) if c.name in names]):
            parts = tuple(calls)
        else:
            text = word(results, facts.language, facts.reading.question) if results else _no_tool(facts)
            if on_text and text:
                on_text(text)
            parts = (Text(text),)
        return Reply(parts=parts, usage=Usage(), model=self.name)

    async def close(self) -> None:
        pass


def _results(messages: tuple[Message, ...]) -> list[ToolResult]:
    """Results that came after the client's last message."""
    found: list[ToolResult] = []
    for message in messages:
        if message.role == "user":
            found = []
        found += [part for part in message.parts if isinstance(part, ToolResult)]
    return found


def _calls(facts: Facts) -> tuple[ToolCall, ...]:
    reading = facts.reading
    match reading.tool:
        case "search_breweries":
            search = _call("search_breweries", reading.search)
            # A recommendation begins with the profile; both go together, since neither needs the other.
            return (_call("get_client_profile"), search) if reading.intent == "recommend" else (search,)
        case "run_analytical_query":
            return () if _unanswerable(facts) else (_call("run_analytical_query", _analysis(facts)),)
        case "get_website_summary":
            return _details(facts)
        case "get_client_profile":
            return (_call("get_client_profile"),)
        case _:
            return ()


def _analysis(facts: Facts) -> dict[str, Any]:
    """SQL over the client's own rows, or the slots of a statistic over all clients."""
    question = facts.reading.question or Question()
    if question.about == "me":
        return {"about": "me", "sql": write(question, facts.brewery_ids, facts.brewery_names)}
    return statistic(question)


def _unanswerable(facts: Facts) -> str:
    """The sentence for a question whose brewery may be any of too many, or that the gate would not read; else empty."""
    if facts.brewery_vague:
        return "details.vague"
    return "talk.tangled" if len(_analysis(facts).get("sql", "")) > LONGEST else ""


def _details(facts: Facts) -> tuple[ToolCall, ...]:
    """The brewery that was named or picked; a bare yes means the only one that was offered."""
    only = facts.context.shown[0] if facts.context.offered and len(facts.context.shown) == 1 else None
    ref = facts.reading.brewery or only
    if ref is None:
        return ()
    return (
        ToolCall(
            f"{OURS}get_website_summary",
            "get_website_summary",
            {"brewery": ref.id or ref.name, "city": ref.city, "state": ref.state},
        ),
    )


def _call(name: str, args: Any = None) -> ToolCall:
    return ToolCall(f"{OURS}{name}", name, msgspec.to_builtins(args) if args is not None else {})


def _no_tool(facts: Facts) -> str:
    if facts.reading.question and (key := _unanswerable(facts)):
        return say(key, facts.language, name=facts.reading.question.brewery)
    if facts.reading.tool == "get_website_summary":
        return say("offer.which" if facts.context.shown else "details.nothing_shown", facts.language)
    return say(NO_TOOL.get(facts.reading.intent, "talk.unclear"), facts.language)
