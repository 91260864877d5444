"""Figures that bound what is listed: "orders over $500", "cervejas de que comprei mais de 20 unidades"."""

from __future__ import annotations

from beerforyou.reading.asking.asked import TIMES, Unread
from beerforyou.reading.asking.evidence import before
from beerforyou.reading.question import Bound, Measure
from beerforyou.reading.times.numbers import Number, numbers_in
from beerforyou.reading.words.utterance import Utterance

_COUNTED: dict[str, Measure] = {"order": "orders", "beer": "quantity", "brewery": "breweries", "style": "styles"}
_CENTS = 2  # digits after the dot or comma of "45,90"


def bound(r: Unread) -> None:
    """The first that there is; another is left over, and so is one that no purchases have ("mais de 3 dias")."""
    marks = r.free("bound")
    numbers = {number.start: number for number in numbers_in(r.m)} if marks else {}
    for mark in marks:
        at = _past_currency(r, mark.end)
        number = numbers.get(at)
        if number is None or number.article or not r.taken.isdisjoint(range(mark.start, number.end)):
            continue
        end, figure = _with_cents(r.m, number)
        if r.m.has_at(end, "many_units") or r.m.starts(end, "style"):
            continue
        r.asked.bound = Bound(way=mark.value, figure=figure)  # type: ignore[arg-type]
        r.asked.measures = r.bounded = _measured(r, mark.end, end)
        r.used |= {*range(mark.start, end), *range(mark.end, at)}
        return


def _past_currency(r: Unread, i: int) -> int:
    """ "R$ 500": signs of money are no slots of their own before a figure."""
    while r.m.has_at(i, "measure") and len(r.m.word(i)) <= 1:
        i += 1
    return i


def _with_cents(m: Utterance, number: Number) -> tuple[int, float]:
    end, cents = number.end, m.word(number.end)
    if len(cents) == _CENTS and cents.isdecimal() and m.words[end].gap in {".", ","}:
        return end + 1, number.value + int(cents) / 100
    return end, float(number.value)


def _measured(r: Unread, start: int, end: int) -> tuple[Measure, ...]:
    """What the figure is of, where its words say it: money, units, times."""
    said = [mark for mark in r.m.all("measure") if start <= mark.start <= end]
    counted = [mark for mark in r.m.starting(end, "axis") if mark.value in _COUNTED] if not said else []
    r.take(*(mark for mark in (*said, *counted) if mark.start == end))
    measures = (*(mark.value for mark in said), *(_COUNTED[mark.value] for mark in counted))
    return tuple(dict.fromkeys(measures))  # type: ignore[arg-type]


def groups(r: Unread) -> None:
    """What is bounded: the groups, the noun in the plural; else the sum itself ("gastei mais de 5000?")."""
    asked = r.asked
    if asked.bound is None:
        return
    kinds = ("order", "beer", "brewery", "style", "type", "city", "state", *TIMES)
    asked_for = (mark for mark in r.free("axis", *kinds) if before(r.m, mark.start, "which", 1))  # "em que mês"
    noun = next(iter(r.nouns(*kinds)), None) or next(asked_for, None)
    r.take(noun)
    counts_orders = "orders" in asked.measures and "orders" not in r.bounded  # "how many orders over $500"
    if not asked.by and (noun or counts_orders):
        asked.by = (noun.value if noun else "order",)  # type: ignore[assignment]
    if asked.by:
        asked.aggregate = asked.aggregate or "list"
        others = tuple(each for each in asked.measures if each != "orders" or asked.by[0] not in ("order", "day"))
        if asked.by == ("beer",) and r.bounded == others == ("amount",) and not r.m.has("i", "bought"):
            others = ("price",)  # "beers over $60"
        asked.measures = others or (("amount",) if asked.by[0] in ("order", *TIMES) else ("quantity",))
