"""What is measured and how it is summed up: measures, "por" what, changes, shares and means."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from beerforyou.reading.asking.asked import TIMES, Unread
from beerforyou.reading.asking.evidence import before
from beerforyou.reading.question import Dimension, Measure, Span
from beerforyou.reading.times.periods import neighbour
from beerforyou.reading.words.lexicon import Mark

_PER = (*TIMES, "order")
_MOST_COUNTS = 4  # "how many" of one question: who says it more often asks none
_MOST_APART = 60  # units between a time and today: five years of months
_MONTH = 31  # days: what is compared with the span before it, where a longer time is told by month
_DISTINCT: dict[str, Measure] = {"beer": "beers", "brewery": "breweries", "style": "styles", "day": "orders"}
_GOODS = ("beer", "brewery", "style", "type", "city", "state")


def ticket(r: Unread) -> None:
    """Words that are a measure and its sum at once: "ticket médio", "how often", "ficou mais cara"."""
    asked, tickets = r.asked, r.free("ticket")
    r.take(*tickets)
    for mark in tickets[:1]:
        if mark.value == "price":
            asked.measures, asked.aggregate, asked.by = ("price",), "change", ("month",)
            continue
        asked.per, asked.aggregate = mark.value, "mean"
        if mark.value == "month":
            asked.measures = ("orders",)
        elif not r.free("measure"):
            asked.measures = ("amount",)


def measures(r: Unread) -> None:
    r.take(unit := next(iter(r.free("vessel")), None))
    r.asked.unit = unit.value if unit else ""
    marks = r.free("measure")
    r.sorts = any(before(r.m, mark.start, "grouping", 0) or r.m.has_at(mark.start, "grouping") for mark in marks)
    r.take(*marks)
    said = [*r.asked.measures, *(mark.value for mark in marks), *(["quantity"] if unit else [])]
    said += [measure for mark in r.m.all("how_many")[:_MOST_COUNTS] if (measure := _distinct(r, mark))]
    if "price" in said:  # "quanto paguei por unidade"
        said = [measure for measure in said if measure != "amount"]
    r.asked.measures = tuple(dict.fromkeys(said))  # type: ignore[arg-type]


def _distinct(r: Unread, how_many: Mark) -> str:
    """ "quantas cervejarias", "how many different beers"; beers alone are units."""
    if r.asked.aggregate == "since":
        return ""  # "há quantos dias"
    at = how_many.end
    told = [mark for mark in r.free("distinct") if at <= mark.start <= at + 2]
    for noun in r.free("axis", *_DISTINCT):
        if r.m.has_at(noun.start - 1, "grouping"):
            continue  # "quantidade por cervejaria"
        if at <= noun.start <= at + 1 + len(told) and (told or noun.value != "beer"):
            r.take(noun, *told)
            return _DISTINCT[noun.value]
        if at <= noun.start <= at + 1:
            r.take(noun)
            return "quantity"
    told = [mark for mark in r.free("distinct") if at <= mark.start <= at + 2]
    if any(r.m.has_at(i, "style") for mark in told for i in range(at, mark.end + 2)):  # "quantas IPAs diferentes"
        r.take(*told)
        return "beers"
    return ""


def each_one(r: Unread) -> None:
    """ "how many orders, and how much was each?": one by one, or on average; of rows, "and how much on each", what they are by."""
    asked, marks = r.asked, r.free("each_one")
    own = tuple(mark.value for mark in r.nouns("beer", "brewery", "style"))
    rows: tuple[str, ...] = own or (r.follows.by if r.follows else ())
    counted = (*asked.measures, *(r.follows.measures + r.follows.by if r.follows else ()))
    if not marks or not (rows or {"orders", "order"}.intersection(counted)):
        return
    r.take(marks[0], *(mark for mark in r.free("how_many") if not asked.measures))
    asked.measures = tuple(each for each in asked.measures if each != "orders") or ("amount",)
    if rows and rows != ("order",):
        return
    if means := r.free("aggregate", "mean"):
        r.take(*means)
        asked.aggregate, asked.per = "mean", "order"
    else:
        asked.aggregate, asked.by = "list", ("order",)


def groups(r: Unread) -> None:
    """ "por mês e por estilo", "each week", "monthly"; "a week" is a mean."""
    for mark in r.free("axis"):
        lead = before(r.m, mark.start, "grouping", 1) or _joined(r, mark)
        article = lead is not None and r.m.has_at(lead.start, "every_one")
        once = (
            mark.value in TIMES and lead is not None and lead.end == mark.start and not r.m.has_at(mark.start, "plural")
        )
        if lead and (once or not article):
            r.grouped.append(mark)
            r.take(mark, lead)
            r.asked.aggregate = r.asked.aggregate or ("mean" if article else None)
    regular = r.free("regular")
    r.grouped += regular
    r.take(*regular)
    if r.grouped:
        r.take(*(mark for mark in r.free("grouping") if mark.end - mark.start > 1))
        r.asked.by = tuple(dict.fromkeys(mark.value for mark in r.grouped))  # type: ignore[misc]


def _joined(r: Unread, mark: Mark) -> Mark | None:
    """The "and" of "by month and style"."""
    joiner = next(iter(r.m.ending(mark.start, "and")), None)
    return joiner if joiner and r.grouped and r.grouped[-1].end == joiner.start else None


def change(r: Unread) -> None:
    """From one span to the other, from month to month, or between two values: "IPA ou stout"."""
    asked = r.asked
    if asked.per:  # the change of a mean can't be said
        return
    either, compares, than = r.free("either_way"), r.free("compare"), r.free("than")
    r.take(*either)
    superlatives = [*r.free("most"), *r.free("least")]
    marks = r.free("aggregate", "change")
    if not marks and than and (marks := r.free("than_earlier")):  # "mais stout que antes"
        r.take(*superlatives)
        superlatives = []
    if compares and r.follows and len(asked.spans or ()) == len(r.follows.spans) == 1:  # "e comparado a setembro?"
        asked.spans = tuple(sorted({*(asked.spans or ()), *r.follows.spans}))
    versus = bool(superlatives or asked.direction) and bool(than or (len(asked.spans or ()) != 1 and r.m.has("either")))
    if not (marks or compares or versus or ((either or _between(r, than)) and len(asked.spans or ()) == 2)):
        return
    if len(asked.spans or ()) == 1 and (marks or _led_by_than(r)) and not asked.by:
        asked.spans = _with_neighbour(r, later=_led_by_than(r) or (versus and not marks)) or asked.spans
    if len(asked.spans or ()) == 2:
        which = versus and _between(r, r.m.all("either")) and not than  # "em outubro ou novembro?": the one, and no yes
        asked.aggregate = None if which else "change"
        r.take(*(noun for noun in r.free("axis", *TIMES) if which and before(r.m, noun.start, "which", 1)))
        asked.direction = _way(r, superlatives[0].tag, than) if versus and superlatives else ""
    elif marks and _goes_by_time(r):
        asked.aggregate = "change"
    elif (compares or versus) and (field := _compared(r)):
        asked.by, superlatives = (field,), []
    elif not (compares and len(asked.spans or ()) > 2):
        return
    r.take(
        *marks, *compares, *than, *r.free("either"), *(superlatives if versus else ()), *r.free("aggregate", "share")
    )


def _way(r: Unread, said: str, than: Sequence[Mark]) -> str:
    """Of the later span: "mais em setembro que em outubro" is less in October."""
    spans = r.s.times.spans
    if not said or len(spans) != 2:
        return said
    turned = _between(r, than) and spans[0] < spans[1]
    return "most" if (said == "most") != turned else "least"


def _between(r: Unread, than: Sequence[Mark]) -> bool:
    """ "outubro contra setembro": between the two times."""
    each = r.s.times.each
    return len(each) == 2 and any(max(each[0]) < mark.start < min(each[1]) for mark in than)


def _led_by_than(r: Unread) -> bool:
    """ "gastei mais que mês passado", "subiu em relação ao mês passado": against this one."""
    return before(r.m, min(r.s.times.words, default=0), "than") is not None


def _with_neighbour(r: Unread, later: bool) -> tuple[Span, ...]:
    """The only span and the one before it or, `later`, the one as long that is now; none for an open one, nor for one of many
    months."""
    (span,) = r.asked.spans or (Span(),)
    if not span.since or not span.until:
        return ()
    if later:
        return _with_present(span, r.s.today)
    days = (date.fromisoformat(span.until) - date.fromisoformat(span.since)).days
    other = neighbour(span, -1)
    return tuple(sorted((span, other))) if days < _MONTH else ()


def _with_present(span: Span, today: date) -> tuple[Span, ...]:
    """ "gastei mais que em setembro?": this month is meant; than this month, the one before."""
    if span.until >= today.isoformat():
        return (neighbour(span, -1), span)
    now = span
    for _ in range(_MOST_APART):
        now = neighbour(now, 1)
        if now.until >= today.isoformat():
            return (span, now)
    return ()


def _goes_by_time(r: Unread) -> bool:
    """By month, or what was said; "which beers grew" names no two times to compare."""
    if r.asked.by is None and not r.free("axis", *_GOODS):
        r.asked.by = ("month",)
    return r.asked.by is not None and r.asked.by[0] in TIMES


def _compared(r: Unread) -> Dimension | None:
    return next((each.field for each in r.asked.filters if len(each.values) > 1 and not each.negated), None)


def share(r: Unread) -> None:
    """Of the whole, what is filtered; or of each, what is grouped. A share of nothing is left over."""
    asked, marks = r.asked, r.free("aggregate", "share")
    if marks and not asked.by and not asked.filters and (noun := next(iter(r.free("axis", *_GOODS)), None)):
        asked.by = (noun.value,)  # type: ignore[assignment]
        r.take(noun)
    kept = r.follows is not None and bool(r.follows.filters or r.follows.by)
    if marks and (asked.filters or asked.by or asked.pointed or kept):
        asked.aggregate = "share"
        r.take(*marks)


def mean(r: Unread) -> None:
    """ "média por semana", "por pedido"; the price of a unit is a mean by itself, and so is "paid on average"."""
    asked = r.asked
    marks = [mark for mark in r.free("aggregate", "mean") if not r.m.has_at(mark.end - 1, "and_what_about")]  # "I mean"
    per_order = any(mark.value == "order" for mark in r.grouped) and not r.free("sized")
    if not (marks or asked.aggregate == "mean" or per_order):
        return
    r.take(*marks)
    if asked.measures == ("amount",) and r.m.has("paid") and not r.grouped:
        asked.measures = ("quantity", "price") if r.free("most") else ("price",)
    if "price" in asked.measures:
        asked.aggregate = None if asked.aggregate == "mean" else asked.aggregate
    else:
        asked.aggregate = "mean"
        _per(r)


def _per(r: Unread) -> None:
    """One of what is grouped is what the mean is taken over; else an order, where one is named, or a month."""
    asked, by = r.asked, list(r.asked.by or ())
    found = next((value for value in by if value in _PER or by in (["beer"], ["brewery"])), "")
    if found:
        asked.per, asked.by = found, tuple(value for value in by if value != found) or None
    elif not asked.per:
        r.take(order := next(iter(r.free("axis", "order")), None))
        before_it = r.follows.per if r.follows else ""
        asked.per = "order" if order else before_it or "month"
