"""Sentences about tool results where no model writes them. What a list or a table shows below is not said again.

Another model may have made the calls before it failed: then there are errors that it has corrected, calls that it
repeated, and questions that are others than the reading's.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from beerforyou.by_rule.scope import Asked
from beerforyou.by_rule.wording_search import searched
from beerforyou.llm.model import ToolResult
from beerforyou.sentences import Language, listed, say
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
            return _purchases(content, asked)
        case "run_sql":
            return _rows(content, asked)
        case "get_client_profile":
            return _profile(content, asked.language)
        case _:
            return str(content.get("known", ""))


def _purchases(content: Content, asked: Asked) -> str:
    """In the words of the tool, which knows what was asked of it. One of an older version has none."""
    if "error" in content or "not_published" in content:
        return ""  # the notice below says it
    return content.get("sentence") or asked.say("error.gave_up")


def _rows(content: Content, asked: Asked) -> str:
    """Without a word on what they mean, which only their columns say: SQL of another model may count anything."""
    if "error" in content:
        return ""
    if "nothing" in content:
        return asked.say("analysis.nothing", period="", scope="")
    if "figure" in content:
        content = {"columns": [content["what"]], "rows": [[content["figure"]]]}
    columns, rows = content["columns"], content["rows"]
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
