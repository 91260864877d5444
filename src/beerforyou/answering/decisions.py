"""The record of why each tool was or was not called."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping

from beerforyou.llm.model import ToolCall
from beerforyou.reading.reading import Reading
from beerforyou.runs.why import Decision
from beerforyou.tools import TOOLS

NOT_ALLOWED = "the caller's token does not cover it"


def decide(
    reading: Reading, calls: Iterable[ToolCall], refused: Mapping[str, str], allowed: Container[str]
) -> list[Decision]:
    names = [call.name for call in calls]
    return [
        Decision(
            tool=name,
            calls=names.count(name),
            expected=reading.tool == name,
            why=_why(name, names, reading, refused) if name in allowed else NOT_ALLOWED,
        )
        for name in TOOLS
    ]


def _why(name: str, called: list[str], reading: Reading, refused: Mapping[str, str]) -> str:
    if name in refused:
        return refused[name]
    if name in called:
        return f"the planner called it; the message reads as {reading.intent}"
    if reading.tool == name:
        return f"the planner did not call it, although the message reads as {reading.intent}"
    return f"the message reads as {reading.intent}, which does not need it"
