"""What the planner by rule makes of messages about what was shown: calls for several, questions back, and the answers' wording."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from beerforyou.by_rule.wording import OURS
from beerforyou.by_rule.wording_breweries import facts, reasons
from beerforyou.llm.model import ToolResult
from beerforyou.reading.reading import MOST_DETAILS, Context, Reading, Ref
from beerforyou.sentences import Language, say


def details(refs: Sequence[Ref]) -> list[dict[str, str]]:
    """The arguments of one call a brewery; none when they are more than are told of at a time."""
    if len(refs) > MOST_DETAILS:
        return []
    return [{"brewery": ref.id or ref.name, "city": ref.city, "state": ref.state} for ref in refs]


def question(reading: Reading, context: Context, language: Language) -> str:
    """Which is meant, where that is not certain; empty when nothing is to be asked."""
    if len(reading.picks) > MOST_DETAILS and reading.tool == "get_website_summary":
        return say("picks.too_many", language, n=MOST_DETAILS)
    first, last = context.first, context.first + len(context.shown) - 1
    if reading.unsure == "outside" and first < last:
        return say("picks.outside", language, first=first, last=last)
    return say(f"picks.{'nothing' if reading.unsure == 'nothing' else 'several'}", language) if reading.unsure else ""


def worded(reading: Reading, results: Sequence[ToolResult], language: Language) -> str:
    """Of our own call; empty where the message was none about what was shown, or the tool asks something."""
    content: dict[str, Any] = results[0].content if len(results) == 1 and not results[0].is_error else {}
    if not results or not results[0].call_id.startswith(OURS) or "ask" in content:
        return ""
    if reading.intent in ("facts", "compare") and "facts" in content:
        return facts(content["facts"], reading.asks, language)
    if reading.intent == "why" and "breweries" in content:
        return reasons(content, [ref.name for ref in reading.picks], "best" in reading.asks, language)
    return ""
