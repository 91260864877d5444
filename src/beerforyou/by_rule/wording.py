"""Sentences about tool results where no model writes them. What a list or a table shows below is not said again.

Another model may have made the calls before it failed: then there are errors that it has corrected, calls that it
repeated, and SQL that means something else than the reading does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from beerforyou.by_rule.figures import figures
from beerforyou.by_rule.scope import Asked
from beerforyou.by_rule.wording_search import searched
from beerforyou.llm.model import ToolResult
from beerforyou.reading.question import Question
from beerforyou.sentences import Language, listed, located, say
from beerforyou.sentences.periods import spelt
from beerforyou.sentences.rendering import heading, measured

Content = dict[str, Any]
OURS = "offline-"  # how the ids of the calls by rule begin


def word(results: Sequence[ToolResult], asked: Asked) -> str:
    """The profile is worded only when nothing else was asked, an error only when nothing else came of it."""
    sentences = [_one(result, asked) for result in _spoken(results)]
    return " ".join(filter(None, dict.fromkeys(sentences)))


def failed(results: Sequence[ToolResult]) -> bool:
    """Whether nothing came of them but errors."""
    return all(result.is_error for result in _spoken(results))


def _spoken(results: Sequence[ToolResult]) -> list[ToolResult]:
    fresh = [result for result in results if not _repeated(result)]
    asked = [result for result in fresh if result.name != "get_client_profile"] or fresh
    return [result for result in asked if not result.is_error] or asked


def _repeated(result: ToolResult) -> bool:
    """What the planner says to a call that was made before: the first one has the result too."""
    return isinstance(result.content, dict) and result.content.keys() == {"note", "result"}


def _one(result: ToolResult, asked: Asked) -> str:
    content: Content = result.content
    if result.is_error:
        return asked.say("error.internal")
    if "ask" in content:
        return str(content["ask"])
    match result.name:
        case "search_breweries":
            return searched(content, asked.language)
        case "run_analytical_query":
            return _purchases(content, asked, ours=result.call_id.startswith(OURS))
        case "get_client_profile":
            return _profile(content, asked.language)
        case _:
            return str(content.get("known", ""))


def _purchases(content: Content, asked: Asked, ours: bool) -> str:
    """`ours`: the question is what was asked of the tool; else another model asked, in words of its own."""
    if "error" in content:
        return ""  # the notice below says it
    if "by" in content:
        return _statistic(content, asked.question if ours else None, asked.language)
    if ours:
        return figures(content["columns"], content["rows"], "truncated" in content, asked)
    return _theirs(content, asked)


def _theirs(content: Content, asked: Asked) -> str:
    """Without a word on what they mean, which only their columns say: SQL of another model may count anything."""
    columns, rows = content["columns"], content["rows"]
    if not rows or all(value is None for value in rows[0]):
        return asked.say("analysis.nothing", period="", scope="")
    if len(rows) > 1:
        return asked.say("error.gave_up")  # and the table below
    cells = [
        f"{heading(column, asked.language)}: {_cell(value, column, asked)}"
        for column, value in zip(columns, rows[0], strict=True)
    ]
    return f"{', '.join(cells)}."


def _cell(value: Any, column: str, asked: Asked) -> str:
    if isinstance(value, str):
        return spelt(value, column, asked.language)
    return measured(value, column, asked.language, asked.currency)


def _statistic(content: Content, question: Question | None, language: Language) -> str:
    if "note" in content:
        return ""  # the notice below says it
    instead = _instead(content, question, language) if question else ()
    return " ".join((*instead, _ranking(content, language)))


def _instead(content: Content, question: Question, language: Language) -> Iterator[str]:
    """What was asked and is not what the figures are."""
    if not {"quantity", "clients"}.issuperset(question.measures):
        yield say("statistics.only_counts", language)
    if question.spans and not content.get("month") and content["by"] != "month":
        yield say("statistics.whole_time", language)


def _ranking(content: Content, language: Language) -> str:
    where = f" {located(content['place'], language)}" if content.get("place") else ""
    if len(content["rows"]) == 1:
        first, clients, _ = content["rows"][0]
        return say("statistics.top", language, where=where, first=first, clients=clients)
    return say("statistics.table", language, where=where, by=say(f"by.{content['columns'][0]}", language))


def _profile(content: Content, language: Language) -> str:
    if content["profile"] is None:
        return ""  # the notice below says it
    profile = content["profile"]
    if not profile["units"]:
        return say("profile.empty", language)
    about = say("profile.about", language, name=profile["name"], place=profile["place"], since=date.fromisoformat(profile["since"]),
                units=profile["units"], n=profile["history_of"])  # fmt: skip
    types = listed([say(f"type.{kind}", language) for kind in profile["types"]], language)
    key = "profile.tops" if profile["window"] == "90d" else "profile.tops_all"
    return f"{about} {say(key, language, types=types, beers=listed(profile['beers'], language))}"
