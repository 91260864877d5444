"""Spans of time in a message ("mês passado", "since January", "entre 1 e 15 de maio"), from today's point of view.

`moments.py` reads the single times; here they become ranges and open spans. What speaks of time and makes no span is told
too, so that it is said and never dropped. Purchases have no future: a name without a year is the last one up to today.
"""

from __future__ import annotations

from datetime import date

import msgspec
from msgspec.structs import replace

from beerforyou.reading.question import Span
from beerforyou.reading.times.calendar import DAY, Unit, add_months, counted, part, whole
from beerforyou.reading.times.moment import MOST_COUNTED, Moment
from beerforyou.reading.times.moments import STARTS, Moments
from beerforyou.reading.times.parts import YEARLY
from beerforyou.reading.words.utterance import Utterance

_OPENING = ("since", "before", "after", "until")
_SHIFTED = (
    "unit",
    "month",
    "weekday",
    "doubtful_weekday",
    "season",
    "holiday",
    "order",
    "few",
)  # what "last" may be about
_APART = 4  # words between a time and what leans on it: "mais este mês do que no passado"
_TAGS = STARTS.union(_OPENING, ("between", "so_far")) - {
    "digits",
    "number",
    "ordinal",
    "article",
    "few",
    "roughly",
    "shift",
}


class Times(msgspec.Struct, frozen=True, kw_only=True):
    """`spans` in the order said, `each` with its words; `words` are those of all, `unknown` speak of time and make no span.

    `weekdays` are 1 (Monday) to 7: days of all weeks ("aos sábados"), with their words.
    """

    spans: tuple[Span, ...] = ()
    each: tuple[frozenset[int], ...] = ()
    words: frozenset[int] = frozenset()
    unknown: frozenset[int] = frozenset()
    weekdays: tuple[int, ...] = ()
    weekday_words: frozenset[int] = frozenset()


_NONE = Times()


class _Stretch(msgspec.Struct, frozen=True):
    """A span with its words; a name without its year is kept as a moment, since the next one may say the year."""

    start: int
    end: int
    span: Span | None
    moment: Moment | None = None
    weekdays: tuple[int, ...] = ()


def spans_in(m: Utterance, today: date) -> Times:
    if not m.has(*_TAGS) and not any(word[0].isdigit() or word[-1].isdigit() for word in m.plain):
        return _NONE
    return _Periods(m, today).times()


def shifted(span: Span, m: Utterance, today: date) -> Times | None:
    """What "o mês antes", "the week before", "no ano anterior", "mês seguinte" are beside the span asked about last.

    None where the message says nothing of the kind; `unknown` has its words where there is no such span.
    """
    for mark in (*m.all("unit"), *m.all("earlier"), *m.all("later"), *m.all("same_time")):
        if found := _relative(Moments(m, today), mark.start):
            start, end, unit, steps = found
            words = frozenset(range(_with_small_words(Moments(m, today), start), end))
            beside = _beside(span, unit, steps)
            if beside is None or beside[0] > today:
                return Times(unknown=words)
            return Times(spans=(_span(*beside),), each=(words,), words=words)
    return None


def _relative(moments: Moments, i: int) -> tuple[int, int, Unit | None, int] | None:
    """Words, unit (None: as long as the span itself) and steps of "o mês antes", "two weeks later", "previous month"."""
    m = moments.m
    number = next((n for n in moments.numbers.values() if n.end == i), None)
    for same in m.starting(i, "same_time"):
        for moment in moments.at(moments.past(same.end, "of", "the")):
            if moment.unit is Unit.YEAR:
                return i, moment.end, Unit.YEAR, -1
        return None
    for mark in m.starting(i, "unit"):
        start = number.start if number else i
        count = number.value if number else 1
        for tag, sign in (("earlier", -1), ("later", 1)):
            after = m.starting(mark.end, tag)
            if after and not any(shift.end > after[0].end for shift in m.starting(mark.end, "shift")):  # "before last"
                return start, after[0].end, Unit(mark.value), sign * count
            if before := m.ending(start, tag):
                return before[0].start, mark.end, Unit(mark.value), sign * count
    return None if m.has("unit") else _next_one(moments, i)


def _next_one(moments: Moments, i: int) -> tuple[int, int, None, int] | None:
    """ "e no anterior", "the previous one", "the one before"."""
    m = moments.m
    for tag, sign in (("earlier", -1), ("later", 1)):
        for mark in m.starting(i, tag):
            start = i - m.has_at(i - 1, "row_tail")
            led = (start - 1, start - 2) if moments.is_small(start - 1, "of") else (start - 1,)
            if any(moments.is_small(j, "the") or m.has_at(j, "article", "number") for j in led):
                return start, mark.end + m.has_at(mark.end, "row_tail"), None, sign
    return None


def _beside(span: Span, unit: Unit | None, steps: int) -> tuple[date, date] | None:
    """The unit `steps` before the span's first or after its last day; the same days of another year, if they are fewer."""
    first = date.fromisoformat(span.since) if span.since else None
    last = date.fromisoformat(span.until) if span.until else None
    if abs(steps) > MOST_COUNTED:
        return None
    if unit and abs(steps) > 1 and first and last and counted(last, unit, abs(steps)) == (first, last):
        unit, steps = None, steps // abs(steps)  # "os últimos 3 meses, e os 3 meses antes"
    if unit is None or (unit is Unit.YEAR and first and last and (last - first).days < 360):
        if first is None or last is None:
            return None
        if unit is None:
            return _next_to(first, last, steps)
        return add_months(first, 12 * steps), _same_end(last, 12 * steps)
    anchor = first if steps < 0 else last
    return whole(unit, anchor, steps) if anchor and unit is not Unit.FORTNIGHT else None


def _next_to(first: date, last: date, steps: int) -> tuple[date, date]:
    """As long a stretch, just before or after."""
    if first.day == 1 and (last + DAY).day == 1:
        months = (last.year - first.year) * 12 + last.month - first.month + 1
        return add_months(first, months * steps), add_months(last + DAY, months * steps) - DAY
    length = (last - first + DAY) * steps
    return first + length, last + length


def neighbour(span: Span, steps: int) -> Span:
    """As long a span, so many steps later or earlier. Neither end is open."""
    return _span(*_next_to(date.fromisoformat(span.since), date.fromisoformat(span.until), steps))


def _same_end(last: date, months: int) -> date:
    """A month's last day stays one."""
    return add_months(last + DAY, months) - DAY if (last + DAY).day == 1 else add_months(last, months)


def _with_small_words(moments: Moments, start: int) -> int:
    """Where the "em", "do", "in the" before a time begin; the Spanish "no" denies it, where the Portuguese one is "in the"."""
    while any(moments.is_small(start - 1, role) for role in ("in", "of", "the")) and not moments.m.has_at(
        start - 1, "not"
    ):
        start -= 1
    return start


def _span(first: date | None, last: date | None) -> Span:
    return Span(since=first.isoformat() if first else "", until=last.isoformat() if last else "")


class _Periods:
    def __init__(self, m: Utterance, today: date) -> None:
        self.m = m
        self.today = today
        self.moments = Moments(m, today)
        self.found: list[_Stretch] = []

    def times(self) -> Times:
        i = 0
        while i < len(self.m):
            i = i + 1 if _ANY.isdisjoint(self.moments.tags(i)) else self._phrase(i)
        self._join_years()
        self._share_years()
        known = [stretch for stretch in self.found if stretch.span]
        weekly = [stretch for stretch in self.found if stretch.weekdays]
        strange = [stretch for stretch in self.found if not stretch.span and not stretch.weekdays]
        each = tuple(frozenset(range(stretch.start, stretch.end)) for stretch in known)
        words = frozenset[int]().union(*each)
        return Times(
            spans=tuple(stretch.span for stretch in known if stretch.span),
            each=each,
            words=words,
            unknown=frozenset(i for stretch in strange for i in range(stretch.start, stretch.end)) - words,
            weekdays=tuple(sorted({day for stretch in weekly for day in stretch.weekdays})),
            weekday_words=frozenset(i for stretch in weekly for i in range(stretch.start, stretch.end)),
        )

    def _phrase(self, i: int) -> int:
        """Reads what begins at word `i`, and tells where to go on."""
        m = self.m
        for mark in m.starting(i, "so_far"):
            if m.has("not"):  # "que não comprei até hoje" is no time
                return mark.end
            self._keep(i, mark.end, Span(until=self.today.isoformat()))
            return mark.end
        if beside := self._beside(i) or self._same_unit(i):
            return beside
        moments = self._at(i)
        if not moments:
            for kind in (*_OPENING, "between"):
                for lead in m.starting(i, kind):
                    j = self.moments.past(lead.end, "the", "in")
                    self.moments.expected = j
                    if led := self.moments.at(j):
                        return self._led(i, kind, led)
            return i + 1
        return self._plain(_with_small_words(self.moments, moments[0].start), moments)

    def _beside(self, i: int) -> int:
        """ "outubro e o mês anterior", "este mês contra o mesmo mês do ano passado": beside the one said before."""
        if not self.found or self.found[-1].span is None or not self.m.has("earlier", "later", "same_time"):
            return 0
        for at in (i, i + 1):
            if said := _relative(self.moments, at):
                start, end, unit, steps = said
                days = _beside(self.found[-1].span, unit, steps)
                self._keep(_with_small_words(self.moments, start), end, days and _span(*days))
                return end
        return 0

    def _same_unit(self, i: int) -> int:
        """ "este mês ou no passado", "this year vs last": the unit was said before."""
        unit = self.found[-1].moment if self.found and self.found[-1].span else None
        if unit is None or unit.counted or unit.unit is Unit.DAY or i - self.found[-1].end > _APART:
            return 0
        for mark in self.m.starting(i, "shift"):
            if not self.m.has_at(mark.end, *_SHIFTED) and mark.end not in self.moments.numbers and int(mark.value) < 0:
                days = whole(unit.unit, self.today, int(mark.value))
                self._keep(_with_small_words(self.moments, i), mark.end, _span(*days))
                return mark.end
        return self._same_part(i, unit)

    def _same_part(self, i: int, first: Moment) -> int:
        """ "do 1o trimestre pro 2o": of the same year."""
        span = self.found[-1].span
        if first.unit not in YEARLY or span is None or not span.since:
            return 0
        year = int(span.since[:4])
        for mark in self.m.starting(i, "ordinal"):
            days = part((date(year, 1, 1), date(year, 12, 31)), int(mark.value), first.unit)
            if days and not self.m.has_at(mark.end, "axis", "unit", "number") and days[0] <= self.today:
                self._keep(_with_small_words(self.moments, i), mark.end, _span(*days))
                return mark.end
        return 0

    def _at(self, i: int) -> list[Moment]:
        if self.found and self.found[-1].end == i - 1 and self.moments.is_small(i - 1, "and"):
            self.moments.expected = i
        return self.moments.at(i)

    def _plain(self, start: int, moments: list[Moment]) -> int:
        """A time with what follows it: a range's end, "em diante", "so far"."""
        m = self.m
        last = moments[-1]
        end = last.end
        if len(moments) == 1:
            if tail := self._onward(start, end):
                span = _span(last.first, last.last if last.counted else None)
                self._keep(start, tail, span if last.first else None)
                return tail
            if other := self._range_end(end):
                return self._range(start, last, other)
            if last.open:
                self._keep(start, end, _span(None, last.last))
                return end
            for mark in m.starting(end, "so_far"):
                whole = last.first and last.last and last.last >= self.today
                self._keep(start, mark.end, _span(last.first, self.today) if whole else None)
                return mark.end
            if m.ends(start, "so_far") and last.first and last.last and last.last >= self.today:
                self.found[-1:] = []
                self._keep(start - 2, end, _span(last.first, self.today))
                return end
        for moment in moments:
            self._add(start, moment)
        return end

    def _add(self, start: int, moment: Moment) -> None:
        if moment.weekdays:
            self.found.append(_Stretch(start, moment.end, None, None, moment.weekdays))
            return
        understood = moment.first and moment.last and moment.first <= self.today
        self.found.append(_Stretch(start, moment.end, _span(moment.first, moment.last) if understood else None, moment))

    def _keep(self, start: int, end: int, span: Span | None) -> None:
        """The future has no purchases."""
        future = span is not None and span.since > self.today.isoformat()
        self.found.append(_Stretch(start, end, None if future else span))

    def _onward(self, start: int, end: int) -> int:
        """Where "em diante", "pra cá" end; "on" needs a "from" before."""
        for mark in self.m.starting(end, "onward"):
            return mark.end
        led = self.moments.is_small(start, "from") or self.moments.is_small(start - 1, "from")
        return end + 1 if led and self.moments.is_small(end, "on") and not self.moments.at(end + 1) else 0

    def _range_end(self, end: int, joined: bool = False) -> Moment | None:
        """The time after "a", "até", "to" or a dash; after "e", "and" too when `joined`."""
        m = self.m
        dash = end < len(m) and m.words[end].gap.strip() in {"-", "–", "—"}
        if (
            not dash
            and not self.moments.is_small(end, "to")
            and not m.starts(end, "until")
            and not (joined and self.moments.is_small(end, "and"))
        ):
            return None
        j = self.moments.past(end if dash else end + 1, "in", "the")
        for mark in m.starting(j, "now"):
            return Moment(start=j, end=mark.end, first=self.today, last=self.today)
        self.moments.expected = j
        return next(iter(self.moments.at(j)), None)

    def _range(self, start: int, first: Moment, last: Moment) -> int:
        weekly = first.cycle and last.cycle and first.cycle.unit is last.cycle.unit is Unit.WEEK
        if weekly and first.cycle and not self.m.starts(start, *_OPENING, "between"):  # "de segunda a sexta"
            a, b = ((moment.first or self.today).weekday() for moment in (first, last))
            days = tuple(day % 7 + 1 for day in range(a, b + 1 + 7 * (b < a)))
            self.found.append(_Stretch(start, last.end, None, None, days))
        elif self.m.has("contrast") and first.first and last.first and first.unit is last.unit:
            self._add(start, first)
            self._add(first.end, last)
        else:
            self._keep(start, last.end, self._between(first, last))
        return last.end

    def _between(self, a: Moment, b: Moment) -> Span | None:
        """From one to the other; where the year (month) is not said, the last such range that has begun."""
        if a.first is None or b.last is None or a.weekdays or b.weekdays:
            return None
        first, last = a.first, b.last
        if a.cycle and b.cycle and a.cycle.unit is b.cycle.unit:
            if last < first:
                in_order = _place(first, a.cycle.unit) <= _place(last, a.cycle.unit)
                first, last = (first, _moved(b, 1)[1]) if in_order else (_moved(a, -1)[0], last)
        elif a.cycle:
            steps = next((steps for steps in range(1, -12, -1) if _moved(a, steps)[0] <= last), 0)
            first = _moved(a, steps)[0]
        elif b.cycle:
            last = next((_moved(b, steps)[1] for steps in range(-120, 12) if _moved(b, steps)[1] >= first), last)
        return _span(first, last) if first <= last else None

    def _led(self, start: int, kind: str, moments: list[Moment]) -> int:
        first, last = moments[0], moments[-1]
        if kind == "between":
            if len(moments) == 2:
                self._keep(_with_small_words(self.moments, start), last.end, self._between(first, last))
                return last.end
            if len(moments) == 1 and (other := self._range_end(first.end, joined=True)):
                return self._range(start, first, other)
            return self._plain(start, moments)
        if len(moments) > 1:  # "desde 5 e 9 de março"
            self._keep(start, last.end, None)
            return last.end
        if kind == "since" and (other := self._range_end(first.end)):
            return self._range(start, first, other)
        end = (self._onward(start, first.end) or first.end) if kind == "since" else first.end
        self._keep(start, end, None if first.weekdays else self._opened(kind, first))
        return end

    def _opened(self, kind: str, moment: Moment) -> Span | None:
        first, last = moment.since or moment.first, moment.last
        if kind in ("since", "before"):
            return None if first is None else _span(first, None) if kind == "since" else _span(None, first - DAY)
        return None if last is None else _span(None, last) if kind == "until" else _span(last + DAY, None)

    def _join_years(self) -> None:
        """ "no ano passado, em outubro": one span."""
        joined: list[_Stretch] = []
        for stretch in self.found:
            year = joined[-1] if joined else None
            if (
                year
                and year.moment
                and year.moment.unit is Unit.YEAR
                and year.moment.first
                and year.end >= stretch.start
                and stretch.moment
            ):
                cycle = stretch.moment.cycle
                if cycle and cycle.unit is Unit.YEAR and not self.moments.is_small(year.end, "and"):
                    joined[-1] = self._in_year(replace(stretch, start=year.start), year.moment.first.year)
                    continue
            joined.append(stretch)
        self.found = joined

    def _share_years(self) -> None:
        """ "outubro e novembro de 2025": both of that year."""
        for k in range(len(self.found) - 1, 0, -1):
            one, other = self.found[k - 1], self.found[k]
            if not (one.moment and other.moment and one.moment.cycle and other.moment.first and other.moment.dated):
                continue
            listed = one.end >= other.start - 1 and (self.moments.is_small(one.end, "and") or one.end == other.start)
            if (
                listed
                and one.moment.cycle.unit is Unit.YEAR
                and other.moment.unit is one.moment.unit
                and not other.moment.counted
            ):
                self.found[k - 1] = self._in_year(one, other.moment.first.year)

    def _in_year(self, stretch: _Stretch, year: int) -> _Stretch:
        cycle = stretch.moment and stretch.moment.cycle
        days = cycle.days(year) if cycle else None
        span = _span(*days) if days and days[0] <= self.today else None
        moment = (
            replace(stretch.moment, cycle=None, dated=True, first=days and days[0], last=days and days[1])
            if stretch.moment
            else None
        )
        return replace(stretch, span=span, moment=moment)


_ANY = STARTS.union(_OPENING, ("between", "so_far"))


def _place(day: date, unit: Unit) -> tuple[int, int]:
    """Where in its year, month or week a day is."""
    if unit is Unit.YEAR:
        return day.month, day.day
    return (0, day.day) if unit is Unit.MONTH else (0, day.weekday())


def _moved(moment: Moment, steps: int) -> tuple[date, date]:
    """The same name that many years, months or weeks later; `date.max` twice where there is none."""
    days = moment.cycle.days(moment.n + steps) if moment.cycle else None
    return days or (date.max, date.min)
