"""One time that a message names ("outubro do ano passado", "the 14th", "há dois meses"), read at a word of it.

`periods.py` makes spans of them ("desde", "entre", "antes de"). A name without its year, month or week is the last one up
to today; whatever speaks of time and is not understood is a moment too, without days, so that it can be said.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from beerforyou.reading.times.calendar import DAY, Unit, whole
from beerforyou.reading.times.moment import LEADS, Moment
from beerforyou.reading.times.parts import Parts
from beerforyou.reading.words.lexicon import small_words


class Moments(Parts):
    def at(self, i: int) -> list[Moment]:
        """What begins at word `i`: one, or several that share words ("5 e 9 de março")."""
        m = self.m
        if not 0 <= i < len(m) or self._is_in_name(i):
            return []
        tags = self.tags(i)
        for rule, wanted in _RULES:
            if not wanted.isdisjoint(tags) and (found := rule(self, i)):
                end = self.past(found[-1].end, "entire")
                return found if end == found[-1].end else [replace(moment, end=end) for moment in found]
        return []

    def tags(self, i: int) -> set[str]:
        """The tags of a word, "digits" on those that have some, and "article" on what may count one."""
        word = self.m.plain[i]
        if word[0].isdigit() or word[-1].isdigit():
            return self.m.at(i) | {"digits"}
        return self.m.at(i) | {"article"} if word in small_words("a", self.m.language) else self.m.at(i)

    def _is_in_name(self, i: int) -> bool:
        mention = self.m.mention_at("brewery", i)
        return mention is not None and mention.end - mention.start > 1 and i != self.expected

    def _relative_day(self, i: int) -> list[Moment]:
        m = self.m
        for mark in m.starting(i, "relative_day"):
            if m.has_at(i, "bye") or any(said.end > mark.end for said in m.starting(i, "already")):
                return []
            day = self.today + int(mark.value) * DAY
            future = int(mark.value) > 0
            return [Moment(start=i, end=mark.end) if future else Moment(start=i, end=mark.end, first=day, last=day)]
        return []

    def _to_date(self, i: int) -> list[Moment]:
        for mark in self.m.starting(i, "to_date"):
            first = whole(Unit(mark.value), self.today, 0)[0]
            return [Moment(start=i, end=mark.end, first=first, last=self.today, unit=Unit(mark.value))]
        return []

    def _vague(self, i: int) -> list[Moment]:
        """Holidays, "ultimamente"."""
        m = self.m
        for mark in (
            *m.starting(i, "vague_time"),
            *m.starting(i, "holiday"),
            *m.starting(i, "same_time"),
        ):
            led = self.is_small(i - 1, "in") or self.is_small(i - 1, "the") or i == self.expected or m.ends(i, *LEADS)
            doubtful = m.has_at(i, "doubtful") and not (led or m.starts(mark.end, "shift"))
            if doubtful or m.has_at(mark.end, "beer", "style", "unit", "few") or mark.end in self.numbers:
                continue
            end = self.year_at(mark.end)[1]
            if mark.tag == "same_time":  # "do mês passado": of another stretch, and not that one
                end = max([end, *(said.end for said in self.at(self.past(end, "of", "the")))])
            shifts = (shift.end for shift in m.starting(end, "shift") if shift.value != "0")
            return [Moment(start=i, end=max([end, *shifts]))]
        return []


_Rule = tuple[Callable[[Moments, int], list[Moment]], frozenset[str]]
# The first that finds something counts; a rule is asked where one of its tags is.
_RULES: tuple[_Rule, ...] = (
    (Moments.written, frozenset({"digits"})),
    (Moments.season, frozenset({"season"})),
    (Moments._vague, frozenset({"vague_time", "holiday", "same_time"})),
    (Moments._relative_day, frozenset({"relative_day"})),
    (Moments.weekdays, frozenset({"weekdays", "weekday", "doubtful_weekday", "unit"})),
    (Moments.part, frozenset({"ordinal", "shift", "digits", "number"})),
    (Moments.days, frozenset({"digits", "number", "ordinal", "unit"})),
    (Moments.shift, frozenset({"shift"})),
    (Moments.number, frozenset({"digits", "number", "article", "few", "roughly"})),
    (Moments.ago_lead, frozenset({"ago_lead"})),
    (Moments.unit, frozenset({"unit"})),
    (Moments.month, frozenset({"month"})),
    (Moments.year, frozenset({"digits"})),
    (Moments.part_of_year, frozenset({"digits", "part_of_year"})),
    (Moments.weekday, frozenset({"weekday", "doubtful_weekday"})),
    (Moments._to_date, frozenset({"to_date"})),
    (Moments.edge, frozenset({"edge"})),
)
STARTS = frozenset[str]().union(*(tags for _, tags in _RULES))
