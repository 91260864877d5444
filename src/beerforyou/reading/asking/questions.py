"""A question about purchases made of its slots; and the last question with what is said now in the place of what was said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from msgspec.structs import replace

from beerforyou.reading.asking.asked import Asked
from beerforyou.reading.question import Filter, Measure, Question, Span
from beerforyou.reading.words.utterance import Utterance

_IN_ORDER = frozenset({"day", "week", "month", "quarter", "year", "weekday"})  # told in their own order
_DATES = ("first", "last", "since")


def question_of(asked: Asked, about: Literal["me", "everyone"]) -> Question:
    return Question(
        about=about,
        measures=asked.measures or ("quantity",),
        aggregate=asked.aggregate or "total",
        per=asked.per,  # type: ignore[arg-type]
        by=asked.by or (),
        filters=asked.filters,
        spans=asked.spans or (),
        having=asked.having,
        having_days=asked.having_days,
        bound=asked.bound,
        only_order=asked.only_order,  # type: ignore[arg-type]
        direction=asked.direction,  # type: ignore[arg-type]
        limit=asked.limit or 0,
        unit=asked.unit,
    )


def of_everyone(asked: Asked, m: Utterance) -> Question:
    """The same of all clients: "how many" of who buys counts clients, and what they buy is told by style, the most first."""
    question = question_of(asked, "everyone")
    if _counts_clients(m) and not m.has("spend"):
        by = question.by if m.has("grouping") else ()
        return replace(question, measures=("clients",), by=by, aggregate="total")
    if question.aggregate == "list" or (
        m.has("bare_what", "popular", "most") and not question.by and not asked.measures
    ):
        named = any(each.field == "style" for each in question.filters)  # "most popular IPA" is a beer
        by = question.by if m.has("axis") and question.by else ("beer",) if named else ("style",)
        return replace(question, aggregate="total", by=by, direction=question.direction or "most")
    return question


def _counts_clients(m: Utterance) -> bool:
    """ "how many bars", "how many of your clients"."""
    after = [mark.end + (2 if m.has_at(mark.end, "of") else 0) for mark in m.all("how_many")]
    return any(m.has_at(i, "clients", "buyer", "business", "who") for i in after)


def edited(last: Question, asked: Asked, listed: Sequence[Filter], adds: bool) -> Question:
    """`adds`: the values join those of before ("e stout também") and don't replace them."""
    pointed = _rows(asked, listed)
    if pointed:
        last = _of_rows(last, asked)
    changes: dict[str, Any] = {"filters": _filters(last, (*asked.filters, *pointed), adds, asked)}
    changes |= _time(last, asked)
    if asked.measures:
        changes["measures"] = asked.measures
        if last.aggregate in _DATES:
            changes["aggregate"] = "total"
    if asked.unit or asked.measures:
        changes["unit"] = asked.unit
    changes |= _sum(last, asked)
    changes |= _rank(last, asked)
    if "by" in asked.dropped:
        changes |= {"by": (), "direction": "", "limit": 0, "aggregate": "total"}
    said = {each.field for each in asked.filters if not each.negated and len(each.values) == 1}
    by = tuple(each for each in changes.get("by", last.by) if each not in said or asked.by)
    if by != changes.get("by", last.by):
        changes |= {"by": by, "direction": "", "limit": 0}
        if not by and changes.get("aggregate", last.aggregate) == "list":
            changes["aggregate"] = "total"
    question = replace(last, **changes)
    return replace(question, having_days=0) if question.having == "new" and question.spans else question


def _rows(asked: Asked, listed: Sequence[Filter]) -> tuple[Filter, ...]:
    """What the rows stand for that were pointed at."""
    found: list[Filter] = []
    for place in asked.pointed:
        found += listed if place is None else [listed[place - 1 if place > 0 else place]]
    values = {each.field: tuple(v for one in found if one.field == each.field for v in one.values) for each in found}
    return tuple(Filter(field=field, values=tuple(dict.fromkeys(texts))) for field, texts in values.items())


def _of_rows(last: Question, asked: Asked) -> Question:
    """The question before about some of its rows: no ranking any more; of dates, at any time."""
    spans = () if asked.aggregate in _DATES else last.spans
    aggregate = "total" if last.aggregate in ("list", "total") else last.aggregate
    return replace(
        last, by=(), direction="", limit=0, having="", having_days=0, only_order="", spans=spans, aggregate=aggregate
    )


def _filters(last: Question, said: Sequence[Filter], adds: bool, asked: Asked) -> tuple[Filter, ...]:
    """A value takes the place of those of its field; one that is denied joins them, and what it denies goes."""
    kept = [] if "filters" in asked.dropped else list(last.filters)
    if any(each.field in ("beer", "brewery", "style") and not each.negated for each in said):
        kept = [old for old in kept if old.field != "beer"]  # one beer says all of it
    for each in said:
        same = [old for old in kept if old.field == each.field]
        if each.negated:
            denied = set(each.values)
            left = [
                replace(old, values=tuple(v for v in old.values if v not in denied)) for old in same if not old.negated
            ]
            before = [old for old in same if old.negated]
            values = tuple(dict.fromkeys((*(v for old in before for v in old.values), *each.values)))
            now = [old for old in left if old.values]
            now += [replace(each, values=values)] if len(now) == 0 else []
        elif adds:
            values = tuple(dict.fromkeys((*(v for old in same if not old.negated for v in old.values), *each.values)))
            now = [replace(each, values=values)]
        else:
            now = [each]
        kept = [old for old in kept if old.field != each.field] + now
    return tuple(sorted(kept))


def _time(last: Question, asked: Asked) -> dict[str, Any]:
    if "spans" in asked.dropped:
        return {"spans": ()}
    if not asked.spans:
        return {}
    changes: dict[str, Any] = {"spans": asked.spans}
    if last.aggregate == "change" and len(last.spans) > 1 and len(asked.spans) == 1 and not asked.aggregate:
        changes["aggregate"] = "total"
    if last.only_order:
        changes["only_order"] = ""
    return changes


def _sum(last: Question, asked: Asked) -> dict[str, Any]:
    """Totals, means, shares, changes, dates, lists."""
    changes: dict[str, Any] = {}
    if asked.aggregate and not (asked.aggregate == "list" and last.direction and not asked.having):
        changes = {"aggregate": asked.aggregate, "per": asked.per}
        if asked.aggregate == "mean" and asked.per and not asked.by:
            changes["by"] = tuple(each for each in last.by if each != asked.per)
        if asked.aggregate in _DATES:
            changes |= {
                "spans": asked.spans or (),
                "by": asked.by or (),
                "direction": "",
                "limit": 0,
                "having": "",
                "having_days": 0,
            }
    if asked.having:
        changes |= {"having": asked.having, "having_days": asked.having_days, "direction": "", "limit": 0}
    if asked.bound:
        changes |= {"bound": asked.bound, "direction": "", "limit": 0}
    if asked.only_order:
        changes |= {"only_order": asked.only_order, "spans": ()}
    return changes


def _rank(last: Question, asked: Asked) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if asked.by is not None:
        changes["by"] = asked.by
        if not asked.direction and not asked.limit and set(asked.by) & _IN_ORDER:
            changes |= {"direction": "", "limit": 0}
        if last.aggregate in _DATES and not asked.aggregate:
            changes["aggregate"] = "total"
    if asked.direction:
        changes["direction"] = asked.direction
        if last.aggregate in ("list", *_DATES) and not asked.aggregate:
            changes["aggregate"] = "total"
    if asked.limit is not None:
        changes["limit"] = asked.limit
        if not asked.direction and not last.direction:
            changes["direction"] = "most"
    return changes


def merged(one: Question, other: Question) -> Question | None:
    """Two measures of the same purchases ("quantas unidades e quanto gastei em setembro"); None where more is different."""
    measures: tuple[Measure, ...] = tuple(dict.fromkeys((*one.measures, *other.measures)))
    spans: tuple[Span, ...] = one.spans or other.spans
    filters = one.filters or other.filters
    wide = [replace(each, measures=measures, spans=spans, filters=filters) for each in (one, other)]
    same_time = not (one.spans and other.spans) or one.spans == other.spans
    same_rows = not (one.filters and other.filters) or one.filters == other.filters
    return wide[0] if wide[0] == wide[1] and same_time and same_rows and len(measures) > 1 else None
