"""When: spans, what was stopped or begun, dates of first and last purchases, the last order."""

from __future__ import annotations

from datetime import date

from beerforyou.reading.asking.asked import TIMES, Unread
from beerforyou.reading.asking.evidence import before, narrowing
from beerforyou.reading.question import Span
from beerforyou.reading.times.calendar import DAY, Unit, whole
from beerforyou.reading.times.periods import shifted
from beerforyou.reading.words.lexicon import Mark

NOT_FOR_DAYS = 60  # "parei de comprar": two months without, where most bars order weekly
NEW_FOR_DAYS = 30  # "cervejas novas" without a time
MOST_PARTS = 13  # of a time, in each of which something was bought: a year of months
_REACH = 4  # words between "what was" and the order that it was in, or a denial and the verb


def beside_the_last(r: Unread) -> None:
    """What is said against the question before: "o mês antes", "de todos os estilos"."""
    if r.follows is None:
        return
    beside = shifted(r.follows.spans[0], r.m, r.s.today) if len(r.follows.spans) == 1 else None
    if beside and beside.spans:
        r.asked.spans, r.asked.beside = beside.spans, True
        r.used |= beside.words
    of_total = any(mark.value == "share" for mark in r.m.all("aggregate"))
    for mark in r.free("dropped"):
        if not (of_total and mark.value == "by"):
            r.asked.dropped |= {mark.value}
            r.take(mark)


def spans(r: Unread) -> None:
    words = frozenset[int]().union(*(words for _, words in r.spans))
    if not words or r.asked.beside:
        return
    r.asked.spans = tuple(sorted({span for span, _ in r.spans}))
    r.used |= words
    r.take(narrowing(r.m, min(words)))
    if len(r.spans) > 1:
        r.take(*r.free("between"))
    if len(r.spans) == 2 and not r.m.has("most", "least"):
        (_, one), (_, other) = r.spans
        r.take(*(mark for mark in r.free("or") if max(one) < mark.start < min(other)))


def having(r: Unread) -> None:
    """Bought once, no longer, for the first time, or in each of the spans."""
    asked = r.asked
    for mark in r.free("having"):
        if mark.value == "stopped" and _asks_when(r):
            asked.aggregate = "last"
            r.take(mark, *r.free("moment", "when"))
        elif mark.value == "kept" and not _which_ones(r, mark):
            continue
        elif mark.value != "new" or _begun(r, mark):
            asked.having = mark.value  # type: ignore[assignment]
            r.take(mark, *(r.free("only") if mark.value == "once" else ()))
    if asked.having == "stopped" and _once(r):  # "só uma vez e nunca mais"
        asked.having = "once"
    denied = not asked.having and not _once(r) and not _kept(r) and not _left(r) and _not_bought(r)
    if asked.having == "kept" and len(asked.spans or ()) == 1:
        asked.spans = _each_of(r)
    days = _days_until_today(r)
    if asked.having == "stopped":
        since = days if denied or (asked.spans and not asked.spans[0].until) else 0
        asked.having_days, asked.spans = since or NOT_FOR_DAYS, None if since else asked.spans
    elif asked.having == "new" and not asked.spans:
        asked.having_days = NEW_FOR_DAYS


def _which_ones(r: Unread, kept: Mark) -> bool:
    """ "beers I bought every month" asks which ones; "how much do I spend every month" asks for each month's."""
    timed = any(r.m.starts(i, "unit") for i in range(kept.start, kept.end))
    return not timed or bool(r.nouns("beer", "brewery", "style", "type") and not r.free("measure"))


def _each_of(r: Unread) -> tuple[Span, ...]:
    """The months of "every month this year", up to now; the whole span where it can't be told in so many parts."""
    (span,) = r.asked.spans or (Span(),)
    units = {mark.value for mark in r.m.all("unit") if r.m.has_at(mark.start, "having")}
    today = r.s.today.isoformat()
    if len(units) != 1 or not span.since or not span.until:
        return (span,)
    parts: list[Span] = []
    until = min(span.until, today)
    day = date.fromisoformat(span.since)
    while day.isoformat() <= until and len(parts) <= MOST_PARTS:
        first, last = whole(Unit(*units), day, 0)
        parts.append(Span(since=max(first.isoformat(), span.since), until=min(last.isoformat(), until)))
        day = last + DAY
    return tuple(parts) if len(parts) <= MOST_PARTS else (span,)


def _asks_when(r: Unread) -> bool:
    """ "quando parei de comprar stout": the last date."""
    times = [noun for noun in r.free("axis", *TIMES) if before(r.m, noun.start, "which", 1)]
    r.take(*times)
    return bool(times or r.free("moment", "when"))


def _begun(r: Unread, mark: Mark) -> bool:
    """ "cervejas que comecei a comprar esse mês" asks which ones; "quando comecei" asks when."""
    if r.free("moment", "when"):
        return False
    nouns = r.nouns()
    named = r.bare or r.m.has("which") or any(noun.end <= mark.start for noun in nouns)
    return not r.m.has_at(mark.start, "moment") or (named and bool(nouns))


def _once(r: Unread) -> bool:
    """ "só pedi uma vez"."""
    times, only = r.free("one_time"), r.free("only")
    if times and only:
        r.asked.having = "once"
        r.take(*times, *only)
    return bool(times and only)


def _kept(r: Unread) -> bool:
    """ "tanto em outubro quanto em novembro"."""
    both = r.free("both_of") if len(r.asked.spans or ()) == 2 else []
    if both:
        r.asked.having = "kept"
        r.take(*both)
    return bool(both)


def _left(r: Unread) -> bool:
    """ "em maio e não em junho", "last month but not this month": bought then, and no more."""
    if len(r.spans) != 2 or r.m.has("how_many", "measure"):
        return False
    (first, said), (second, denied) = r.spans
    at = min(denied)
    nots = [mark for mark in r.free("not") if max(said) < mark.start < at]
    if not nots or not all(r.m.is_function(i) or r.m.has_at(i, "bought", "but") for i in range(nots[0].end, at)):
        return False
    r.asked.having, r.asked.spans = "left", (first, second)
    between = (*r.free("but"), *r.free("bought"))
    r.take(nots[0], *(mark for mark in between if max(said) < mark.start < at))
    return True


def _not_bought(r: Unread) -> bool:
    """ "o que não comprei nos últimos 60 dias": bought before, and not since."""
    denials = [mark for mark in r.free("not") if any(r.m.has_at(mark.end + k, "bought") for k in range(_REACH))]
    stopped = bool(denials and _days_until_today(r) and not r.free("moment", "elapsed"))
    lists = r.bare or r.nouns() or any(before(r.m, noun.start, "which", 1) for noun in r.free("axis"))
    if stopped and not lists:
        r.asked.aggregate, r.asked.spans = "since", None  # "faz mais de um mês que não compro porter?"
        r.take(denials[0])
        return False
    if stopped:
        r.asked.having = "stopped"
        r.take(denials[0])
    return stopped


def _days_until_today(r: Unread) -> int:
    """How many days the only span has, when it ends today or later."""
    said, today = r.asked.spans or (), r.s.today
    if len(said) != 1 or not said[0].since or (said[0].until and date.fromisoformat(said[0].until) < today):
        return 0
    return max((today - date.fromisoformat(said[0].since)).days + 1, 1)


def dates(r: Unread) -> None:
    """The date of the first or last purchase, the days since; or the first or last order itself."""
    m = r.m
    elapsed, latest, earliest, when = (r.free("moment", value) for value in ("elapsed", "latest", "earliest", "when"))
    if elapsed:
        going_on = m.has("ongoing") and not m.has("not") and not latest
        r.asked.aggregate = "first" if going_on else "since"
        r.take(*elapsed, *latest, *(r.free("not") if not going_on else ()))
    elif not any(_one_order(r, mark, bool(latest)) for mark in latest or earliest):
        timely = bool(when) or any(m.has_at(mark.end - 1, "occasion") or len(m) == 1 for mark in latest + earliest)
        if latest and timely:
            r.asked.aggregate = "last"
            r.take(*latest, *when)
        elif earliest and (timely or any(m.has_at(mark.start, "bought", "began") for mark in earliest)):
            r.asked.aggregate = "first"
            r.take(*earliest, *when)


def _one_order(r: Unread, mark: Mark, is_last: bool) -> bool:
    """ "meu último pedido", "the last 3 orders", "o que comprei por último"; with "quando", or of IPA alone, its date."""
    m, when = r.m, r.free("moment", "when")
    nouns = r.free("axis", "order", "beer", "brewery")
    noun = next((n for n in nouns if 0 <= n.start - mark.end <= 1 and _counts_between(r, mark.end, n.start)), None)
    if noun is None and not when and mark.end in r.valued and (m.has("spend", "price") or r.free("measure")):
        r.asked.only_order = "last" if is_last else "first"  # "quanto paguei na última stout"
        r.take(mark)
        return True
    if noun and (when or (r.asked.filters and not m.has("spend", "how_many"))):
        r.asked.aggregate = "last" if is_last else "first"
        r.take(mark, noun, *when)
        return True
    by_itself = r.bare and m.has("bought") and (m.has_at(mark.start, "by_end") or mark.end == len(m))
    if when or not (noun or by_itself):
        return False
    contents = [each for each in r.nouns("beer") if each is not noun]
    r.asked.only_order = "last" if is_last else "first"
    r.take(mark, noun, *contents)
    _of_order(r, mark, noun, bool(contents) or by_itself)
    return True


def _of_order(r: Unread, mark: Mark, noun: Mark | None, contents: bool) -> None:
    """What of the order is asked for: what was in it, a measure of it, or the order as a whole."""
    asked, counted = r.asked, r.m.has("spend", "measure")
    if contents or (noun and noun.value != "order") or _asks_what_was_in(r, noun):
        asked.aggregate, asked.by = "list", ("brewery" if noun and noun.value == "brewery" else "beer",)
    elif noun and r.m.has_at(noun.start, "plural"):
        asked.aggregate, asked.by = "list", ("order",)
        asked.limit = r.number_at(mark.end) or r.number_at(mark.start - 1)
        asked.measures = () if counted else ("quantity", "amount")
    elif not counted and not r.m.has("how_many"):
        asked.aggregate, asked.by, asked.measures = "list", ("order",), ("quantity", "amount")


def _counts_between(r: Unread, start: int, end: int) -> bool:
    return start == end or r.m.word(start).isdecimal() or r.m.has_at(start, "number")


def _asks_what_was_in(r: Unread, noun: Mark | None) -> bool:
    """ "what was in my last order", "o que veio no último pedido"."""
    if noun is None or not r.bare:
        return False
    near = range(max(0, noun.start - _REACH), noun.start)
    return r.m.has("shows") or any(r.m.has_at(i, "spots") for i in near)
