"""Sentences about statistics over all clients: figures as what they lie between, the first of a ranking or all that may be it, and what
is left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from beerforyou.clients.telling import Told
from beerforyou.reading.question import Question
from beerforyou.sentences import Language, listed, located, say
from beerforyou.sentences.periods import spelt

Content = Mapping[str, Any]
NAMED = 5  # things that one sentence names


def figure(told: Told | None, language: Language) -> str:
    """ "between 240 and 290"."""
    return say(f"statistics.{told.form}", language, low=told.low, high=told.high) if told else ""


def everyone_there(city: str, state: str, when: str, language: Language) -> str:
    """ " in Austin, Texas in March 2026"; empty for all of it."""
    place = ", ".join(filter(None, (city, state)))
    where = f" {located(place, language)}" if place else ""
    return where + (say("statistics.when", language, month=spelt(when, "month", language)) if when else "")


def offer(args: Content, language: Language) -> str:
    """What is published, by the arguments of a statistic: "the styles that clients in Texas buy most"."""
    by = args.get("by", "")
    named = ", ".join(args[name] for name in ("beer", "brewery", "style", "type") if args.get(name))
    where = everyone_there(args.get("city", ""), args.get("state", ""), args.get("month", ""), language)
    key = f"offer_{by}" if by else "offer_one"
    only = say("statistics.only", language, name=named) if named and by else ""
    return say(
        f"statistics.{key}", language, where=where, only=only, name=named or say("statistics.everyone", language)
    )


def statistic(content: Content, question: Question | None, language: Language) -> str:
    """Of what the tool found. `question` is what was asked of it; None when another model asked."""
    timeless = question and question.spans and not content.get("month") and content["by"] != "month"
    first = [say("statistics.whole_time", language)] if timeless else []
    return " ".join([*first, *_told(content, language), *_left_out(content, language)])


def _told(content: Content, language: Language) -> Iterator[str]:
    where, rows = _where(content), content["rows"]
    if "instead_of" in content and "open" not in content and len(content.get("first", ())) <= NAMED:
        kind = "" if "first" in content else "_alone"
        yield say(f"statistics.instead_of_{content['instead_of']}{kind}", language)
    if content.get("direction") == "least":
        yield say("statistics.least", language)
    if "open" in content:
        yield say("statistics.open", language, where=where)
    elif "first" in content:
        yield _first(content, language)
    elif len(rows) == 1:
        yield say("statistics.one", language, where=where, name=rows[0][0], figure=rows[0][1])
    else:
        yield say("statistics.each", language, where=where, by=say(f"by.{content['columns'][0]}", language))


def _where(content: Content) -> str:
    return f" {content['where']}" if content.get("where") else ""


def _first(content: Content, language: Language) -> str:
    """The one that leads; or all that may, if they are few."""
    first, where, rows, measure = content["first"], _where(content), content["rows"], content["measure"]
    end = "_least" if content["direction"] == "least" else ""
    if len(first) == 1 and rows[0][0] == first[0]:
        value = say(f"statistics.of_{measure}", language, figure=rows[0][-1])
        return say(f"statistics.first{end}", language, where=where, name=first[0], figure=value)
    if len(first) <= NAMED:
        return say(f"statistics.ties{end}", language, where=where, names=listed(list(first), language))
    instead = f"_{content['instead_of']}" if "instead_of" in content else ""
    return say(f"statistics.too_few{instead}", language, where=where, n=len(first))


def _left_out(content: Content, language: Language) -> Iterator[str]:
    if unknown := content.get("unknown"):
        yield say(f"statistics.unknown_{content['measure']}", language, names=_some(unknown, language))
    if more := content.get("more"):
        yield say("statistics.more", language, n=more)
    if "first" in content:
        yield say("statistics.left_out", language)
    if "place" in content["columns"] and len(content["rows"]) > 1 and any("-" in row[1] for row in content["rows"]):
        yield say("statistics.places", language)


def _some(names: Sequence[str], language: Language) -> str:
    if len(names) <= NAMED:
        return listed(list(names), language)
    return say("statistics.and_others", language, names=", ".join(names[:NAMED]), n=len(names) - NAMED)
