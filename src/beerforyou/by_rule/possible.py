"""What a question about the client's own purchases means where it leaves something out, and what no figure can answer."""

from __future__ import annotations

from typing import get_args

from msgspec.structs import replace

from beerforyou.reading.question import Dimension, Field, Measure, Question, Span

STOPPED_DAYS = (
    60  # without a purchase, where the client names no time: an order or two of most bars are missing by then
)
NEW_DAYS = 30
TIMES = ("order", "day", "week", "month", "quarter", "year")  # in which rows have an order of their own
ADDITIVE = ("amount", "quantity", "lines")
MOST_TABLES = 8  # of one statement; the gate's own limit
MOST_DIMENSIONS = 3
_COUNTED: dict[Measure, Dimension] = {"beers": "beer", "breweries": "brewery", "styles": "style"}
_DATES = ("first", "last", "since")


def meant(question: Question) -> Question:
    """With everything said that it leaves open; `sql.py` and the sentence are both made of this."""
    question = replace(question, measures=tuple(dict.fromkeys(question.measures)) or ("quantity",))
    for settle in (_dates, _means, _lists, _changes):
        question = settle(question)
    by = tuple(dict.fromkeys(each for each in question.by if each != question.per))
    return replace(question, by=by)


def _dates(question: Question) -> Question:
    """The date of the last order is the last date, and by orders it is one; the last three orders are three."""
    if question.only_order and question.by == ("order",) and question.limit > 1:
        return replace(question, aggregate="list", direction="")
    if question.only_order and question.by in (("order",), ("day",)):
        question = replace(question, by=(), aggregate="total" if question.aggregate == "list" else question.aggregate)
    if question.only_order and question.aggregate in _DATES:
        asked = "since" if question.aggregate == "since" and question.only_order == "last" else question.only_order
        return replace(question, aggregate=asked, only_order="")
    return question


def _means(question: Question) -> Question:
    """A price is a mean already: by month, where it is asked per month."""
    if question.aggregate != "mean":
        return replace(question, per="")
    if question.measures == ("price",):
        apart = () if question.per in ("", "order") else (question.per,)
        return replace(question, aggregate="total", per="", by=(*apart, *question.by))
    return replace(question, per=question.per or "order")


def _lists(question: Question) -> Question:
    """How many beers were bought once: those beers, and their number is that of the rows."""
    counted = _COUNTED.get(question.measures[0])
    if question.having and question.aggregate in ("total", "list", *_DATES):
        question = replace(question, aggregate="list", having_days=question.having_days or _days(question))
    if question.aggregate == "list" and not question.by:
        question = replace(question, by=(counted or "beer",))
    if question.by[:1] == (counted,) and question.aggregate in ("total", "list"):
        others = tuple(measure for measure in question.measures if _COUNTED.get(measure) != counted)
        question = replace(question, aggregate="list", measures=others or ("quantity",))
    return question


def _days(question: Question) -> int:
    if question.having == "stopped":
        return STOPPED_DAYS
    return NEW_DAYS if question.having == "new" and not question.spans else 0


def _changes(question: Question) -> Question:
    """Between two spans, "from one month to the next" says no more than the spans do."""
    if question.aggregate != "change":
        return question
    by = () if len(question.spans) > 1 and _in_steps(question) else question.by
    return replace(question, spans=tuple(sorted(question.spans)), by=by)


def cannot(question: Question) -> str:
    """The key of a sentence `cannot.<key>` that says why there is no such figure, or nothing. Of a question as `meant`."""
    if "clients" in question.measures:
        return "clients"
    if len(question.by) > MOST_DIMENSIONS or _tables(question) > MOST_TABLES:
        return "too_much"
    return _why(question) or ("together" if _nonsense(question) else "")


def _why(question: Question) -> str:
    if question.aggregate == "share":
        if "price" in question.measures:
            return "share_of_price"
        return "" if question.filters or question.by or question.only_order else "share_of_what"
    if question.aggregate == "change" and len(question.spans) < 2 and not _in_steps(question):
        return "change_of_what"
    return "kept_when" if question.having == "kept" and not question.spans else ""


def _nonsense(question: Question) -> bool:
    """Whether it asks for what makes no sense together."""
    timed = any(each in TIMES for each in question.by)
    if question.having == "left" and not (len(question.spans) == 2 and all(each != Span() for each in question.spans)):
        return True
    if question.bound and (question.aggregate not in ("list", "total") or told_apart(question)):
        return True
    match question.aggregate:
        case "change":
            apart = question.by and (timed or len(question.spans) > 2) and len(question.spans) > 1
            return bool(apart or question.only_order or question.having)
        case "mean":
            own = {"order": "orders", "beer": "beers", "brewery": "breweries"}.get(question.per)
            weekdays = any(each.field == "weekday" for each in question.filters) or "weekday" in question.by
            return bool(own in question.measures or question.having or (weekdays and question.per == "day"))
        case "share":
            return bool(question.having)
        case "beside":
            return True
    return bool(question.having and (timed or "weekday" in question.by or question.only_order))


def _in_steps(question: Question) -> bool:
    return len(question.by) == 1 and question.by[0] in TIMES


def _tables(question: Question) -> int:
    """That a statement names: a share asks for its whole, and the last order for its day, in a query of its own."""
    wholes = len(question.measures) * (1 if question.by else 2) if question.aggregate == "share" else 0
    each = (1 + wholes) * (2 if question.only_order else 1)
    return each * (len(question.spans) if told_apart(question) else 1)


def told_apart(question: Question) -> bool:
    """Whether each span has rows of its own."""
    return len(question.spans) > 1 and not question.having and not compared(question)


def compared(question: Question) -> bool:
    """Whether two spans stand beside each other in each row."""
    return question.aggregate == "change" and len(question.spans) == 2 and bool(question.by)


def lists_orders(question: Question) -> bool:
    """The last, or first, of several orders, and not what was in the one."""
    return bool(question.only_order) and question.by == ("order",)


FIELDS: tuple[str, ...] = get_args(Field)
