"""What a message says of a question about purchases, slot by slot. What it says nothing of stays None: a follow-up keeps
that of the question before.

The slots are read in a fixed order, and what one has used is not there for the next: "mais barata" is about the price and
not the most, "nunca mais" is no superlative, "último mês" is a time and no last order.
"""

from __future__ import annotations

from datetime import date

import msgspec

from beerforyou.reading.evidence import NONE, Words, before, free_marks, words_of_marks
from beerforyou.reading.filters import filters_in, quoted
from beerforyou.reading.lexicon import Mark
from beerforyou.reading.periods import neighbour, shifted
from beerforyou.reading.question import Aggregate, Dimension, Filter, Having, Measure, Question, Span
from beerforyou.reading.slots import Slots

NOT_FOR_DAYS = 60  # "parei de comprar": two months without, where most bars order weekly
NEW_FOR_DAYS = 30  # "cervejas novas" without a time
_TIMES = ("day", "week", "month", "quarter", "year")
_PER = (*_TIMES, "order", "beer", "brewery")
_MONTH = 31  # days: what is compared with the span before it, where a longer time is told by month
_DISTINCT: dict[str, Measure] = {"beer": "beers", "brewery": "breweries", "style": "styles"}


class Asked(msgspec.Struct):
    """`beside`: the spans are those beside the question before; `dropped` is what of it is dropped. `pointed` are rows of its table: from 1, 0 for "it", -1 for the
    last, None for "them". `words` are all that the slots used.
    """

    spans: tuple[Span, ...] | None = None
    filters: tuple[Filter, ...] = ()
    measures: tuple[Measure, ...] = ()
    aggregate: Aggregate | None = None
    per: str = ""
    by: tuple[Dimension, ...] | None = None
    having: Having = ""
    having_days: int = 0
    only_order: str = ""
    direction: str = ""
    limit: int | None = None
    unit: str = ""
    beside: bool = False
    dropped: frozenset[str] = frozenset()
    pointed: tuple[int | None, ...] = ()
    words: Words = NONE

    @property
    def is_empty(self) -> bool:
        return self == Asked(words=self.words)


def asked_in(s: Slots, follows: Question | None = None, listed: int = 0) -> Asked:
    """`follows` is the question before, `listed` the number of rows of its table: what they don't have is not pointed at."""
    return _Reader(s, follows, listed).read()


def asked_of(s: Slots) -> Asked:
    """The same without a question before it, read once."""
    if s.asked is None:
        s.asked = asked_in(s)
    return s.asked


class _Reader:
    def __init__(self, s: Slots, follows: Question | None, listed: int) -> None:
        self.s, self.m, self.follows, self.listed = s, s.m, follows, listed
        self.asked = Asked()
        self.used: set[int] = set()
        named = {i for words in quoted(s.m) for i in words}
        times = zip(s.times.spans, s.times.each, strict=True)
        self.spans = [(span, words) for span, words in times if named.isdisjoint(words)]
        self.barred = (s.times.words | s.times.unknown | s.times.weekday_words) - named  # not for the other slots
        self.grouped: list[Mark] = []
        self.bare = self._is_bare()

    def _is_bare(self) -> bool:
        """ "o que comprei", "what did I buy"; written "oq" it is one word."""
        one_word = (
            self.m.has_at(0, "that") and self.m.has_at(0, "which") and self.m.has_at(1, "bought", "most", "least")
        )
        return one_word or self.m.has("bare_what")

    def read(self) -> Asked:
        self._before()
        self._times()
        self._pointed()
        found = filters_in(self.s, frozenset(self._taken))
        self.asked.filters = found.value
        self.used |= found.words
        self._unit()
        self._having()
        self._moment()
        self._ticket()
        self._dearness()
        self._measures()
        self._axes()
        self._change()
        self._share()
        self._mean()
        self._ranking()
        self._list()
        self._nouns()
        self.asked.words = frozenset(self.used)
        return self.asked

    # --- the words

    @property
    def _taken(self) -> set[int]:
        return self.used | self.barred

    def _free(self, tag: str, *values: str) -> list[Mark]:
        return [mark for mark in free_marks(self.m, tag, self._taken) if not values or mark.value in values]

    def _take(self, *marks: Mark) -> None:
        self.used |= words_of_marks(*marks)

    def _take_all(self, tag: str, *values: str) -> bool:
        marks = self._free(tag, *values)
        self._take(*marks)
        return bool(marks)

    # --- the slots

    def _before(self) -> None:
        """What changes the question before: "o mês antes", "de todos os estilos"."""
        if self.follows is None:
            return
        beside = shifted(self.follows.spans[0], self.m, self.s.today) if len(self.follows.spans) == 1 else None
        if beside and beside.spans:
            self.asked.spans, self.asked.beside = beside.spans, True
            self.used |= beside.words
        for mark in free_marks(self.m, "dropped", self.barred):
            if mark.value != "by" or not any(said.value == "share" for said in self.m.all("aggregate")):
                self.asked.dropped |= {mark.value}
                self._take(mark)

    def _times(self) -> None:
        words = frozenset[int]().union(*(words for _, words in self.spans))
        if not words or self.asked.beside:
            return
        self.asked.spans = tuple(sorted({span for span, _ in self.spans}))
        self.used |= words
        if only := before(self.m, min(words), "only", 2):
            self._take(only)
        if len(self.spans) > 1:
            self._take(*self._free("between"))

    sorts = False  # "por gasto", "by spend"

    def _pointed(self) -> None:
        if not self.listed:
            return
        for mark in self._free("pointing"):
            everyone = self.m.has_at(mark.start, "pointing_all")
            single = self.listed == 1 or (self.follows is not None and self.follows.limit == 1)
            if everyone or single:
                self.asked.pointed += (None if everyone else 0,)
                self._take(mark)
        for mark in (*self._free("ordinal"), *self._free("last")):
            if int(mark.value or -1) <= self.listed and self._points_at_row(mark):
                self.asked.pointed += (int(mark.value or -1),)
                self._take(mark, *self.m.starting(mark.end, "row_tail"))

    def _points_at_row(self, mark: Mark) -> bool:
        """ "com a primeira", "on the first one"; not "a primeira vez", nor "as 3 primeiras"."""
        m = self.m
        led = m.has_at(mark.start - 1, "article", "of_or_with")
        counts = any(
            m.word(i).isdigit() or (m.has_at(i, "number") and not m.has_at(i, "row_tail"))
            for i in (mark.start - 1, mark.end)
        )
        closed = mark.end == len(m) or m.starts(mark.end, "row_tail", "single", "in_place")
        said = m.has_at(mark.start, "moment")  # "primeira" may be of time, too
        return led and not counts and (closed or not (said or m.starts(mark.end, "axis", "unit", "bought")))

    def _unit(self) -> None:
        marks = self._free("vessel")
        if marks:
            self.asked.unit = marks[0].value
            self._take(marks[0])

    def _having(self) -> None:
        marks = self._free("having")
        for mark in marks:
            if mark.value == "new" and (
                self._when() or (self.m.has_at(mark.start, "moment") and not self._bought_new(mark))
            ):
                continue
            self.asked.having = mark.value  # type: ignore[assignment]
            self._take(mark)
        if not self.asked.having and (once := self._free("one_time")) and (only := self._free("only")):
            self.asked.having = "once"
            self._take(*once, *only)
        if not self.asked.having and self.m.has("both_of") and len(self.asked.spans or ()) == 2:
            self.asked.having = "kept"
            self._take_all("both_of")
        if not self.asked.having:
            self._not_bought()
        spans = self.asked.spans
        if self.asked.having == "stopped":
            self.asked.having_days = self._days_until_today() or self.asked.having_days or NOT_FOR_DAYS
            self.asked.spans = None if self._days_until_today() else spans
        if self.asked.having == "new" and not spans:
            self.asked.having_days = NEW_FOR_DAYS

    def _bought_new(self, mark: Mark) -> bool:
        """ "comecei a comprar esse mês": which ones, not when."""
        nouns = [noun for noun in self._free("axis") if self.m.has_at(noun.start, "plural")]
        return (self.bare or self.m.has("which") or any(noun.end <= mark.start for noun in nouns)) and bool(nouns)

    def _not_bought(self) -> None:
        """ "o que não comprei nos últimos 60 dias": bought once, and not since."""
        denials = [
            mark for mark in self._free("not") if any(self.m.has_at(i, "bought") for i in range(mark.end, mark.end + 4))
        ]
        days = self._days_until_today() or 0
        if denials and days and not self._free("moment", "elapsed"):
            self.asked.having = "stopped"
            self.asked.having_days = days
            self._take(denials[0])

    def _days_until_today(self) -> int:
        """How many days the only span has, when it ends today or later."""
        spans, today = self.asked.spans or (), self.s.today
        if len(spans) != 1 or not spans[0].since or (spans[0].until and date.fromisoformat(spans[0].until) < today):
            return 0
        return max((today - date.fromisoformat(spans[0].since)).days + 1, 1)

    def _when(self) -> list[Mark]:
        return self._free("moment", "when")

    def _moment(self) -> None:
        m = self.m
        elapsed, latest, earliest = (self._free("moment", value) for value in ("elapsed", "latest", "earliest"))
        if elapsed:
            going_on = m.has("ongoing") and not m.has("not") and not latest
            self.asked.aggregate = "first" if going_on else "since"
            self._take(*elapsed, *latest)
            self._take(*(mark for mark in self._free("not") if not going_on))
            return
        if self._orders_last(latest or earliest, "last" if latest else "first"):
            return
        timely = self._when() or any(m.has_at(mark.end - 1, "occasion") or len(m) == 1 for mark in latest + earliest)
        began = any(m.has_at(mark.start, "bought", "began") for mark in earliest)
        if latest and timely:
            self.asked.aggregate = "last"
            self._take(*latest, *self._when())
        elif earliest and (timely or began):
            self.asked.aggregate = "first"
            self._take(*earliest, *self._when())

    def _orders_last(self, marks: list[Mark], which: str) -> bool:
        """ "meu último pedido", "the last 3 orders", "o que comprei por último"; a date is asked for in other words."""
        m = self.m
        nouns = [mark for mark in self._free("axis", "order", "beer", "brewery")]
        for mark in marks:
            noun = next(
                (n for n in nouns if 0 <= n.start - mark.end <= 1 and self._between_counts(mark.end, n.start)), None
            )
            by_itself = self.bare and m.has("bought") and (m.has_at(mark.start, "by_end") or mark.end == len(m))
            if (
                self._when()
                or not (noun or by_itself)
                or (noun and self.asked.filters and not m.has("spend", "how_many"))
            ):
                if noun and (self._when() or self.asked.filters):
                    self.asked.aggregate = "last" if which == "last" else "first"
                    self._take(mark, noun, *self._when())
                    return True
                continue
            self.asked.only_order = which
            several = noun is not None and m.has_at(noun.start, "plural")
            contents = [
                each for each in nouns if each.value == "beer" and each is not noun and m.has_at(each.start, "plural")
            ]
            goods = (
                by_itself
                or bool(contents)
                or (noun is not None and noun.value != "order")
                or self._asks_what_was_in(noun)
            )
            self._take(mark, *([noun] if noun else []), *contents)
            if several and not goods:
                self.asked.by, self.asked.aggregate = ("order",), "list"
                self.asked.measures = () if m.has("spend", "measure") else ("quantity", "amount")
                self.asked.limit = self._number_at(mark.end) or self._number_at(mark.start - 1) or 0
            elif goods:
                self.asked.by, self.asked.aggregate = (
                    ("brewery" if noun and noun.value == "brewery" else "beer",),
                    "list",
                )
            elif not m.has("spend", "how_many", "measure"):
                self.asked.by, self.asked.aggregate, self.asked.measures = ("order",), "list", ("quantity", "amount")
            return True
        return False

    def _between_counts(self, start: int, end: int) -> bool:
        return start == end or bool(self.m.word(start).isdigit() or self.m.has_at(start, "number"))

    def _number_at(self, i: int) -> int:
        word = self.m.word(i)
        value = (
            int(word)
            if word.isdigit() and len(word) < 4
            else next((int(k.value) for k in self.m.starting(i, "number")), 0)
        )
        if value:
            self.used.add(i)
        return value

    def _asks_what_was_in(self, noun: Mark | None) -> bool:
        """ "what was in my last order", "o que veio no último pedido"."""
        if noun is None or not self.bare:
            return False
        return any(self.m.has_at(i, "spots") for i in range(max(0, noun.start - 4), noun.start)) or self.m.has("shows")

    def _ticket(self) -> None:
        """Words that are a measure and its sum at once: "ticket médio", "how often", "ficou mais cara"."""
        asked, tickets = self.asked, self._free("ticket")
        self._take(*tickets)
        for ticket in tickets[:1]:
            if ticket.value == "price":
                asked.measures, asked.aggregate, asked.by = ("price",), "change", ("month",)
            else:
                asked.per, asked.aggregate = ticket.value, "mean"
                if ticket.value == "month":
                    asked.measures = ("orders",)
                elif not self._free("measure"):
                    asked.measures = ("amount",)

    def _dearness(self) -> None:
        if marks := self._free("dearness"):
            self.asked.direction = marks[0].value
            self._take(*marks)
            if not self.asked.measures and not self._sized_order():
                self.asked.measures = ("price",)

    def _sized_order(self) -> bool:
        return any(mark.value == "order" and not self.m.has_at(mark.start - 1, "self") for mark in self._free("axis"))

    def _measures(self) -> None:
        marks = self._free("measure")
        said = [mark.value for mark in marks]
        self.sorts = any(
            before(self.m, mark.start, "grouping", 0) or self.m.has_at(mark.start, "grouping") for mark in marks
        )
        self._take(*marks)
        if self.asked.unit:
            said.append("quantity")
        said += [measure for mark in self.m.all("how_many") if (measure := self._distinct(mark))]
        if "price" in said:
            said = [measure for measure in said if measure != "amount"]
        measures = tuple(dict.fromkeys(said))
        if measures:
            self.asked.measures = tuple(dict.fromkeys((*self.asked.measures, *measures)))  # type: ignore[arg-type]

    def _distinct(self, how_many: Mark) -> str:
        """ "quantas cervejarias", "how many different beers"; beers alone are units."""
        m, at = self.m, how_many.end
        told = [mark for mark in self._free("distinct") if at <= mark.start <= at + 2]
        for noun in self._free("axis", *_DISTINCT):
            if at <= noun.start <= at + 1 + len(told) and (told or noun.value != "beer"):
                self._take(noun, *told)
                return _DISTINCT[noun.value]
            if at <= noun.start <= at + 1 and m.is_function(at - 1):
                self._take(noun)
                return "quantity"
        return ""

    def _axes(self) -> None:
        """By what: after "por", "each"; adverbs; after "qual"; what a superlative stands beside."""
        for mark in self._free("axis"):
            lead = before(self.m, mark.start, "grouping", 1) or self._joins_last(mark)
            plain_article = lead is not None and self.m.has_at(lead.start, "every_one")
            if lead and (
                not plain_article
                or (mark.value in _TIMES and lead.end == mark.start and not self.m.has_at(mark.start, "plural"))
            ):
                self.grouped.append(mark)
                self._take(mark, lead)
                if plain_article and not self.asked.aggregate:
                    self.asked.aggregate = "mean"
        for mark in self._free("regular"):
            self.grouped.append(mark)
            self._take(mark)
        self.used |= {
            i
            for mark in self._free("grouping")
            for i in range(mark.start, mark.end)
            if self.grouped and mark.end - mark.start > 1
        }
        by = [mark.value for mark in self.grouped]
        if by:
            self.asked.by = tuple(dict.fromkeys(by))  # type: ignore[arg-type]

    def _joins_last(self, mark: Mark) -> Mark | None:
        """ "by month and style"."""
        joiner = next(iter(self.m.ending(mark.start, "and")), None)
        return joiner if joiner and self.grouped and self.grouped[-1].end == joiner.start else None

    def _change(self) -> None:
        marks = self._free("aggregate", "change") or (self._free("than_earlier") if self.m.has("than") else [])
        compares = self._free("compare")
        spans, asked = self.asked.spans or (), self.asked
        either = self._free("either_way")
        self._take(*either)
        superlatives = [*self._free("most"), *self._free("least")]
        if marks and marks[0].tag == "than_earlier":
            self._take(*superlatives, *self._free("than"))
            superlatives = []
        versus = bool(superlatives) and bool(self._free("than") or (len(spans) != 1 and self.m.has("either")))
        if not (marks or compares or versus or (either and len(spans) == 2)):
            return
        if len(spans) == 1 and (marks or self._is_than(spans)) and not asked.by:
            spans = self._with_neighbour(spans[0], later=versus and not marks)
            asked.spans = spans or asked.spans
        if len(spans) == 2:
            asked.aggregate = "change"
            asked.direction = self._way(superlatives) if versus else ""
        elif len(spans) > 2 and compares:
            asked.aggregate = "total"
        elif marks and self._changes_by_time():
            asked.aggregate = "change"
        elif (compares or versus) and (field := self._compared_field()):
            asked.by, versus = (field,), False
        else:
            return
        self._take(*marks, *compares, *self._free("than"), *self._free("either"), *(superlatives if versus else ()))
        self._take_all("aggregate", "share")

    def _way(self, superlatives: list[Mark]) -> str:
        return superlatives[0].tag if superlatives else ""

    def _is_than(self, spans: tuple[Span, ...]) -> bool:
        """ "gastei mais que mês passado": against this one."""
        first = min(self.s.times.words, default=0)
        return before(self.m, first, "than", 2) is not None

    def _with_neighbour(self, span: Span, later: bool) -> tuple[Span, ...]:
        """The span and the one before it, or, `later`, the one after it; none when it is open, or too long to be one month."""
        if not span.since or not span.until:
            return ()
        since, until = date.fromisoformat(span.since), date.fromisoformat(span.until)
        if (until - since).days >= _MONTH and not later:
            return ()
        other = neighbour(span, 1 if later else -1)
        return tuple(sorted((span, other))) if date.fromisoformat(other.since) <= self.s.today else ()

    def _changes_by_time(self) -> bool:
        """From month to month, or to each of what was said; "which beers grew" has no two times to compare."""
        if self.asked.by is None and not self._free("axis", "beer", "brewery", "style", "type", "city", "state"):
            self.asked.by = ("month",)
        return self.asked.by is not None and self.asked.by[0] in _TIMES

    def _compared_field(self) -> Dimension | None:
        return next((each.field for each in self.asked.filters if len(each.values) > 1 and not each.negated), None)

    def _share(self) -> None:
        marks = self._free("aggregate", "share")
        if not marks:
            return
        if not self.asked.by:
            noun = next(iter(self._free("axis", "style", "brewery", "type", "beer", "city", "state")), None)
            if noun and not self.asked.filters:
                self.asked.by = (noun.value,)  # type: ignore[assignment]
                self._take(noun)
        kept = self.follows is not None and bool(self.follows.filters or self.follows.by)
        if self.asked.filters or self.asked.by or kept or self.asked.pointed:
            self.asked.aggregate = "share"
            self._take(*marks)

    def _mean(self) -> None:
        marks = [mark for mark in self._free("aggregate", "mean") if not self.m.has_at(mark.end - 1, "and_what_about")]
        asked = self.asked
        per_order = [mark for mark in self.grouped if mark.value == "order"] and not self._free("sized")
        if not (marks or asked.aggregate == "mean" or per_order):
            return
        self._take(*marks)
        if asked.measures == ("amount",) and self.m.has("paid") and not self.grouped:
            asked.measures = ("quantity", "price") if self._free("most") else ("price",)
        if "price" in asked.measures and not any(mark.value in _TIMES for mark in self.grouped):
            return  # the price of a unit is a mean already
        asked.aggregate = "mean"
        if "price" in asked.measures:
            asked.aggregate = "total"
            return
        by = list(asked.by or ())
        found = next((value for value in by if value in _PER and (value in (*_TIMES, "order") or len(by) == 1)), None)
        if found:
            by.remove(found)
            asked.by = tuple(by) or None
            asked.per = found
        elif not asked.per:
            noun = next(iter(self._free("axis", "order")), None)
            asked.per = "order" if noun else (self.follows.per if self.follows and self.follows.per else "month")
            self._take(*([noun] if noun else []))

    def _ranking(self) -> None:
        asked = self.asked
        superlatives = [*self._free("most"), *self._free("least")]
        sized, ranks = self._free("sized"), self._free("ranks")
        number = self._count(superlatives)
        if asked.aggregate in ("first", "last", "since", "change") or asked.only_order:
            return
        if superlatives and not asked.direction:
            least = [mark for mark in superlatives if mark.tag == "least"]
            asked.direction = "least" if least else "most"
        if ranks and not asked.direction and self._free("axis"):
            asked.direction = "most"
            self._take(*ranks)
        nouns = [mark for mark in self._free("axis") if self.m.has_at(mark.start, "plural")]
        if self.sorts and nouns and not asked.by:
            asked.direction = asked.direction or "most"
        self._take(*superlatives)
        if asked.direction or number:
            self._ranked_by(bool(sized), number)
        if number:
            asked.limit = number
            asked.direction = asked.direction or ("most" if not self.follows or not self.follows.direction else "")

    def _ranked_by(self, sized: bool, number: int) -> None:
        asked = self.asked
        nouns = [mark for mark in self._free("axis") if mark.value != "order" or self._is_sized(mark)]
        asked_for = [mark for mark in nouns if before(self.m, mark.start, "which", 3) or mark.value == "order"]
        noun = next(iter(asked_for or nouns), None)
        single = False
        if noun and not (asked.by and noun.value not in asked.by):  # "top 3 cervejas de cada mês" can't be said
            self._take(noun)
            if not asked.by:
                asked.by = (noun.value,)  # type: ignore[assignment]
                single = not self.m.has_at(noun.start, "plural")
                if noun.value == "order" and not asked.measures:
                    asked.measures = ("amount",)
        elif (
            not asked.by
            and (self.m.has("bought", "which", "single", "i") or asked.filters)
            and not self.follows_rows(number)
        ):
            asked.by = ("brewery",) if any(each.field == "type" for each in asked.filters) else ("beer",)
            single = self._one_is_asked()
        if not number and single:
            asked.limit = 1

    def follows_rows(self, number: int) -> bool:
        """Does the question before have rows that this one only ranks anew?"""
        return self.follows is not None and bool(self.follows.by) and not self.m.has("bought", "which", "i")

    def _one_is_asked(self) -> bool:
        m = self.m
        several = m.has("several_asked") or self.bare
        return (m.has("single") or m.has("which")) and not several

    def _is_sized(self, order: Mark) -> bool:
        """ "maior pedido", "pedido mais caro", "biggest order": not what I ordered most."""
        m = self.m
        return (
            m.ends(order.start, "sized", "dearness")
            or m.starts(order.end, "sized", "dearness")
            or (m.ends(order.start, "most") and not m.has_at(order.start - 1, "bare_most"))
        )

    def _count(self, superlatives: list[Mark]) -> int:
        """ "top 5", "as 10 mais", "5 cervejas", "só as 3 primeiras": a number that counts rows; another is left over."""
        m = self.m
        numbers = [(Mark("number", i, i + 1, w)) for i, w in enumerate(m.plain) if w.isdigit() and len(w) < 4]
        numbers += [mark for mark in m.all("number") if not m.has_at(mark.start, "row_tail")]
        for mark in numbers:
            if not self._taken.isdisjoint(range(mark.start, mark.end)):
                continue
            beside = m.has_at(mark.end, "axis", "most", "least", "ordinal", "dearness", "style") or m.has_at(
                mark.start - 1, "most", "least", "top", "ordinal", "dearness"
            )
            led = m.has_at(mark.start - 1, "self", "plural", "find", "shows", "article")
            if beside or (led and (mark.end == len(m) or superlatives)):
                self.used |= words_of_marks(mark)
                self._take(*(o for o in self._free("ordinal") if o.start == mark.end or o.end == mark.start))
                return int(mark.value)
        return 0

    def _list(self) -> None:
        """ "quais IPAs compro", "o que comprei", "minhas cervejas": rows are asked for, not a figure."""
        asked, m = self.asked, self.m
        if asked.aggregate or asked.direction or asked.limit or asked.only_order:
            return
        if asked.having:
            asked.aggregate, asked.by = "list", asked.by or (self._listed_noun() or "beer",)
            return
        if self._when() and m.has("bought"):
            self._take(*self._when())
            asked.aggregate, asked.by = "list", asked.by or ("day",)
            return
        if m.has("how_many") or asked.measures or asked.by:
            return
        noun = self._listed_noun()
        which = bool(asked.filters) and any(
            not m.has_at(mark.start, "and_what_about") for mark in m.all("which", "shows")
        )
        if noun or which or (self.bare and m.has("bought")):
            asked.aggregate, asked.by = "list", (noun or "beer",)
            self._take(*(mark for mark in self._free("shows") if mark.end - mark.start > 1), *self._free("all_of"))
            if noun == "order":
                asked.measures = ("quantity", "amount")

    def _nouns(self) -> None:
        """Nouns that say no more than what is asked about anyway: "com cervejas", "em cervejarias do Texas"."""
        of_breweries = any(each.field in ("type", "state", "city", "brewery") for each in self.asked.filters)
        self._take(
            *(
                mark
                for mark in self._free("axis", "beer")
                if self.asked.aggregate != "list" and not self.asked.direction
            )
        )
        if of_breweries and not self.asked.direction:
            self._take(*self._free("axis", "brewery"))

    def _listed_noun(self) -> Dimension | None:
        """What the list is of: the first noun that may be, orders after everything else."""
        nouns = [mark for mark in self._free("axis") if self.m.has_at(mark.start, "plural") or self.m.has("which")]
        goods = [mark for mark in nouns if mark.value != "order"]
        noun = next(iter(goods or nouns), None)
        if noun is None or (noun.value == "order" and self.follows is not None):
            return None
        self._take(noun)
        return noun.value  # type: ignore[return-value]
