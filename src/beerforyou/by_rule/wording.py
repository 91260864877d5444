"""The offline model's sentences about tool results. What a list or a table shows below is not said again.

Another model may have made the calls before it failed: then there are errors that it has corrected, calls that it
repeated, and SQL that means something else than the reading does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

from beerforyou.by_rule.wording_search import searched
from beerforyou.llm.model import ToolResult
from beerforyou.reading.reading import Question
from beerforyou.sentences import Language, listed, say
from beerforyou.sentences.rendering import heading, measured

Content = dict[str, Any]
OURS = "offline-"  # how the ids of the offline model's own calls begin


def word(results: Sequence[ToolResult], language: Language, question: Question | None) -> str:
    """The profile is worded only when nothing else was asked, an error only when nothing else came of it."""
    fresh = [result for result in results if not _repeated(result)]
    asked = [result for result in fresh if result.name != "get_client_profile"] or fresh
    spoken = [result for result in asked if not result.is_error] or asked
    sentences = [_one(result, language, question or Question()) for result in spoken]
    return " ".join(filter(None, dict.fromkeys(sentences)))


def _repeated(result: ToolResult) -> bool:
    """What the planner says to a call that was made before: the first one has the result too."""
    return isinstance(result.content, dict) and result.content.keys() == {"note", "result"}


def _one(result: ToolResult, language: Language, question: Question) -> str:
    content: Content = result.content
    if result.is_error:
        return say("error.internal", language)
    if "ask" in content:
        return str(content["ask"])
    match result.name:
        case "search_breweries":
            return searched(content, language)
        case "run_analytical_query":
            return _purchases(content, question if result.call_id.startswith(OURS) else None, language)
        case "get_client_profile":
            return _profile(content, language)
        case _:
            return str(content.get("known", ""))


def _purchases(content: Content, question: Question | None, language: Language) -> str:
    """`question` is what was asked of the tool; None when another model asked, in words of its own."""
    if "error" in content:
        return ""  # the notice below says it
    if "by" in content:
        return _statistic(content, question, language)
    return _analysis(content, question, language) if question else _figures(content, language)


def _figures(content: Content, language: Language) -> str:
    """Without a word on what they mean, which only their columns say: SQL of another model may count anything."""
    columns, rows = content["columns"], content["rows"]
    if not rows or all(value is None for value in rows[0]):
        return say("analysis.nothing", language, period="")
    if len(rows) == len(columns) == 1:
        return f"{heading(columns[0], language)}: {measured(rows[0][0], columns[0], language)}."
    return say("error.gave_up", language)  # and the table below


def _analysis(content: Content, question: Question, language: Language) -> str:
    period, rows, measure = _period(question, language), content["rows"], question.measure
    if not rows or not rows[0][-1]:
        return say("analysis.nothing", language, period=period)
    value = rows[0][-1]
    if not question.by:
        return say(
            f"analysis.total_{measure}", language, period=period, value=measured(value, measure, language), n=value
        )
    if len(rows) == 1:
        first = f"{rows[0][0]} ({rows[0][1]})" if question.by == "beer" else rows[0][0]
        return say("analysis.top", language, period=period, first=first, value=measured(value, measure, language))
    return say("analysis.table", language, by=say(f"by.{question.by}", language), period=period)


def _statistic(content: Content, question: Question | None, language: Language) -> str:
    if "note" in content:
        return ""  # the notice below says it
    instead = _instead(content, question, language) if question else ()
    return " ".join((*instead, _ranking(content, language)))


def _instead(content: Content, question: Question, language: Language) -> Iterator[str]:
    """What was asked and is not what the figures are."""
    if question.measure not in ("quantity", "clients"):
        yield say("statistics.only_counts", language)
    if question.since and not content.get("month") and content["by"] != "month":
        yield say("statistics.whole_time", language)


def _ranking(content: Content, language: Language) -> str:
    where = say("search.in_place", language, place=content["place"]) if content.get("place") else ""
    if len(content["rows"]) == 1:
        first, clients, _ = content["rows"][0]
        return say("statistics.top", language, where=where, first=first, clients=clients)
    return say("statistics.table", language, where=where, by=say(f"by.{content['columns'][0]}", language))


def _period(question: Question, language: Language) -> str:
    days = {field: date.fromisoformat(text) for field in ("since", "until") if (text := getattr(question, field))}
    if not days:
        return ""
    key = "_".join(days) if "since" in days else "before"
    if key == "since_until":
        days["until"] -= timedelta(days=1)  # a person means the last day, included
    return say(f"analysis.{key}", language, **days)


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
