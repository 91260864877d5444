"""Seasons of the year: "no verão", "last winter". Which months these are depends on where the client is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from beerforyou.reading.times.calendar import DAY, Days, Unit
from beerforyou.reading.times.moment import LEADS, Cycle, Moment
from beerforyou.reading.times.weekdays import Weekdays
from beerforyou.reading.words.lexicon import Mark

# As calendars print them, north of the equator; the sentence of an answer says the days.
_BEGIN = {"spring": (3, 20), "summer": (6, 21), "autumn": (9, 23), "winter": (12, 21)}
_NAMES = tuple(_BEGIN)
# Of those that the catalogue has or that buy from it; most of the people of each live there.
_SOUTHERN = frozenset({
    "Argentina", "Australia", "Bolivia", "Brazil", "Chile", "New Zealand", "Paraguay", "Peru", "South Africa", "Uruguay",
})  # fmt: skip


class Seasons(Weekdays):
    def season(self, i: int) -> list[Moment]:
        m = self.m
        for mark in m.starting(i, "season"):
            led = self.is_small(i - 1, "in") or self.is_small(i - 1, "the") or i == self.expected or m.ends(i, *LEADS)
            doubtful = m.has_at(i, "doubtful") and not (led or m.starts(mark.end, "shift"))
            counted = mark.end in self.numbers and not self.is_year(mark.end)
            if doubtful or counted or m.has_at(mark.end, "beer", "style", "unit", "few"):
                continue
            after = [shift for shift in m.starting(mark.end, "shift") if shift.value != "0"]
            return [
                self.of_season(i, mark, int(after[0].value) if after else 0, max([mark.end, *(a.end for a in after)]))
            ]
        return []

    def of_season(self, start: int, mark: Mark, shift: int, end: int) -> Moment:
        """The last one that has begun or, of a `shift`, that has ended; none where a year is said, since a winter has two."""
        year, after = self.year_at(end)
        country = self.m.lookups.country
        if mark.value not in _BEGIN or year or shift not in (0, -1) or not country:
            return Moment(start=start, end=after)
        n = (_NAMES.index(mark.value) + 2 * (country in _SOUTHERN)) % len(_NAMES)
        found = self.latest(start, end, Cycle(Unit.YEAR, _days(n)), Unit.QUARTER)
        if shift == 0 or found.last is None or found.last < self.today:
            return found
        first, last = _days(n)(found.n - 1) or (None, None)
        return Moment(start=start, end=end, first=first, last=last, unit=Unit.QUARTER)


def _days(n: int) -> Callable[[int], Days | None]:
    """Of the n-th season that begins in a year."""
    begin, following = _BEGIN[_NAMES[n]], _BEGIN[_NAMES[(n + 1) % len(_NAMES)]]
    later = following < begin

    def days(year: int) -> Days:
        return date(year, *begin), date(year + later, *following) - DAY

    return days
