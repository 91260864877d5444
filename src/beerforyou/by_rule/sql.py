"""A question about the client's own purchases as one SELECT over the view that prompts/sql.md describes.

What differs from one client to the next stands in a WHERE wherever it can: there the fence makes parameters of it, and the
text needs no new verdict. `possible.py` says which questions have one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from beerforyou.by_rule import styles
from beerforyou.by_rule.possible import ADDITIVE, TIMES, compared, lists_orders, meant, told_apart
from beerforyou.by_rule.styles import called, written
from beerforyou.db.fence import shape
from beerforyou.reading.question import Aggregate, Filter, Measure, Question, Span

LONGEST = shape.LONGEST - 400  # characters: the gate writes a text anew, and somewhat longer
DEFAULT_ROWS = 10  # of a ranking whose length nobody named
BEER = "beer, coalesce(brewery_id, brewery)"  # one beer under all spellings of its brewery
BREWERY = "coalesce(brewery_id, brewery)"
STYLE = "nullif(style, '')"
FROM = "FROM my_purchases"
# what a measure counts the different ones of
_DISTINCT: dict[Measure, str] = {"orders": "purchased_on", "beers": BEER, "breweries": BREWERY, "styles": STYLE}
_CALENDAR: dict[str, str] = {
    "week": "to_char(purchased_on, 'IYYY-\"W\"IW')", "month": "to_char(purchased_on, 'YYYY-MM')",
    "quarter": "to_char(purchased_on, 'YYYY-\"Q\"Q')", "year": "to_char(purchased_on, 'YYYY')",
    "weekday": "to_char(purchased_on, 'ID')", "day": "purchased_on", "order": "purchased_on",
}  # fmt: skip
_GROUPED = {"beer": BEER, "brewery": BREWERY} | _CALENDAR
_BOUNDS = {"over": ">", "under": "<", "least": ">=", "most": "<="}
_DAYS: dict[Aggregate, str] = {"first": "min(purchased_on)", "last": "max(purchased_on)", "since": "max(purchased_on)"}


class Bought(NamedTuple):
    """A brewery that the client named, as the client's purchases have it: by id, by spelling where there is none, and by the
    names that a person knows it by. `vague`: it may be any of too many."""

    ids: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    vague: bool = False


Breweries = Mapping[str, Bought]


def write(question: Question, breweries: Breweries | None = None) -> str:
    question = meant(question)
    if not told_apart(question):
        return _Select(question, breweries or {}, question.spans).sql()
    parts = (_Select(question, breweries or {}, (span,), interval(span)).sql() for span in question.spans)
    return " UNION ALL ".join(f"({part})" for part in parts)


def interval(span: Span) -> str:
    """As ISO 8601 writes it."""
    return f"{span.since or '..'}/{span.until or '..'}"


class _Select:
    """Of the purchases in any of these spans; `label` is a column that tells them from those of others."""

    def __init__(self, question: Question, breweries: Breweries, spans: Sequence[Span], label: str = "") -> None:
        self.question, self.spans, self.label = question, spans, label
        self.within = _any_of(spans)
        self.filters = [_filtered(each, breweries) for each in question.filters]
        self.style = _one_of(styles.told_apart(question))

    def sql(self) -> str:
        among = {"among": "count(*) OVER ()"} if self.question.by and self.question.limit == 1 else {}
        columns = self._labels() | among | dict(self._measured())
        selected = ", ".join(_named(expression, alias) for alias, expression in columns.items())
        return f"SELECT {selected} {FROM}{_where(self._conditions())}{self._grouped()}"

    def _labels(self) -> dict[str, str]:
        """By alias, what stands before the figures. A beer is told with its brewery."""
        labels = {"period": _quoted(self.label)} if self.label else {}
        for each in self.question.by:
            labels[each] = self._group(each, "min(brewery)" if each == "brewery" else each)
            if each == "beer":
                labels["brewery"] = "min(brewery)"
        return labels | ({"order": "min(purchased_on)"} if self.question.only_order else {})

    def _group(self, dimension: str, otherwise: str) -> str:
        return self.style if dimension == "style" and self.style else _CALENDAR.get(dimension, otherwise)

    def _conditions(self) -> Iterator[str]:
        """Of the rows. Who stopped, or began, is seen by all purchases: `_having` looks at the spans."""
        if self.within and self.question.having not in ("stopped", "new"):
            yield self.within
        yield from self.filters
        if self.question.only_order and not lists_orders(self.question):
            yield self._only_order()

    def _only_order(self) -> str:
        end = "max" if self.question.only_order == "last" else "min"
        where = _where([*filter(None, [self.within]), *self.filters])
        return f"purchased_on = (SELECT {end}(purchased_on) {FROM}{where})"

    def _measured(self) -> Iterator[tuple[str, str]]:
        """Aliases and expressions, the most telling last."""
        question = self.question
        if question.aggregate in _DAYS:
            yield from self._dated()
            return
        if question.having in ("once", "stopped"):
            yield "last", "max(purchased_on)"
        elif question.having == "new":
            yield "first", "min(purchased_on)"
        if question.aggregate == "mean":
            yield _several(question.per), self._number()
        for measure in question.measures:
            yield from self._figures(measure)

    def _dated(self) -> Iterator[tuple[str, str]]:
        day = _DAYS[self.question.aggregate]
        yield "first" if self.question.aggregate == "first" else "last", day
        yield "days_ago", f"CURRENT_DATE - {day}"

    def _figures(self, measure: Measure) -> Iterator[tuple[str, str]]:
        value = _value(measure, self.within if self.question.having in ("stopped", "new") else "")
        match self.question.aggregate:
            case "mean" if measure != "price":
                yield from self._mean(measure, value)
            case "share":
                yield measure, value
                if not self.question.by:
                    yield f"{measure}_whole", f"({self._whole(measure)})"
                yield f"{measure}_share", _percent(value, f"({self._whole(measure)})")
            case "change" if compared(self.question):
                before, after = self._sides(measure)
                yield f"{measure}_before", before
                yield f"{measure}_after", after
                yield f"{measure}_change", _percent(f"({after} - {before})", before)
            case "change" if not self.question.spans[1:]:
                before = f"lag({value}) OVER (ORDER BY {_CALENDAR[self.question.by[0]]})"
                yield measure, value
                yield f"{measure}_change", _percent(f"({value} - {before})", before)
            case _:
                yield measure, value

    def _mean(self, measure: Measure, value: str) -> Iterator[tuple[str, str]]:
        """What is counted as different is counted anew in each order, week..., else in two weeks it would be once."""
        unit = _GROUPED[self.question.per]
        if measure in ADDITIVE or (measure == "orders" and self.question.per in TIMES):
            if _several(self.question.per) != measure:
                yield measure, value
            counted = value
        else:
            counted = f"nullif(count(DISTINCT ({unit}, {_DISTINCT[measure]})), 0)"
        yield f"{measure}_mean", f"round(1.0 * {counted} / nullif({self._number()}, 0), 2)"

    def _number(self) -> str:
        """Of orders, beers, or of calendar weeks (months...) from the beginning of the span, or the first purchase, to its
        end, or today: a week without a purchase is one, too."""
        per = self.question.per
        if per in ("order", "beer", "brewery"):
            return f"count(DISTINCT {_pair(_GROUPED[per])})"
        span = self.spans[0] if self.spans else Span()
        begins = f"{_quoted(span.since)}::date" if span.since else "min(purchased_on)"
        if self.question.by and not span.since:
            begins = "min(min(purchased_on)) OVER ()"
        ends = f"least({_quoted(span.until)}::date, CURRENT_DATE)" if span.until else "CURRENT_DATE"
        return _units(per, begins, ends)

    def _whole(self, measure: Measure) -> str:
        """What a share is of: all groups, or the same purchases without the filters."""
        kept = self.filters if self.question.by else []
        order = [self._only_order()] if self.question.only_order and (self.question.by or self.filters) else []
        return f"SELECT {_value(measure)} {FROM}{_where([*filter(None, [self.within]), *kept, *order])}"

    def _sides(self, measure: Measure) -> tuple[str, str]:
        """Nothing bought is nothing spent; but it has no price."""
        sides = (_value(measure, _any_of([span])) for span in self.question.spans)
        before, after = (side if measure == "price" else f"coalesce({side}, 0)" for side in sides)
        return before, after

    def _grouped(self) -> str:
        question = self.question
        if not question.by:
            return ""
        groups = ", ".join(dict.fromkeys(self._group(each, _GROUPED.get(each, each)) for each in question.by))
        having = " AND ".join([*self._having(), *self._bounded(), *self._known()])
        return f" GROUP BY {groups}{f' HAVING {having}' if having else ''}{self._ordered()}"

    def _having(self) -> Iterator[str]:
        question = self.question
        match question.having:
            case "once":
                yield "count(DISTINCT purchased_on) = 1"
            case "stopped":
                yield f"CURRENT_DATE - max(purchased_on) >= {question.having_days}"
                if self.within:
                    yield f"bool_or({self.within})"
            case "new" if self.within:
                yield self.within.replace("purchased_on", "min(purchased_on)")
            case "new":
                yield f"min(purchased_on) > CURRENT_DATE - {question.having_days}"
            case "kept":
                yield from (f"bool_or({_any_of([span])})" for span in question.spans)
            case "left":
                bought, not_bought = (f"bool_or({_any_of([span])})" for span in question.spans)
                yield f"{bought} AND NOT {not_bought}"

    def _bounded(self) -> Iterator[str]:
        if bound := self.question.bound:
            yield f"{_value(self.question.measures[0])} {_BOUNDS[bound.way]} {bound.figure:.2f}"

    def _known(self) -> Iterator[str]:
        """What has no style is in a table that adds up to everything, and in no ranking or list."""
        question = self.question
        if question.aggregate == "list" or question.direction or question.limit:
            for each in question.by:
                if each not in _GROUPED and not (each == "style" and self.style):
                    yield f"{each} <> ''"

    def _ordered(self) -> str:
        question, first = self.question, 2 if self.label else 1
        if not question.direction and (question.by[0] in TIMES or (question.by[0] == "weekday" and not question.limit)):
            way = "" if question.only_order == "first" else " DESC"
            return f" ORDER BY {first}{f'{way} LIMIT {question.limit}' if question.limit else ''}"
        way = "ASC" if question.direction == "least" else "DESC"
        ranked = f" ORDER BY {self._rank()} {way} NULLS LAST"
        if question.limit == 1:
            return f"{ranked} FETCH FIRST 1 ROWS WITH TIES"
        limit = question.limit or (DEFAULT_ROWS if question.direction else 0)
        return f"{ranked}, {first}{f' LIMIT {limit}' if limit else ''}"

    def _rank(self) -> str:
        question, measure = self.question, self.question.measures[0]
        if question.aggregate in _DAYS:
            return "days_ago" if question.aggregate == "since" else "first" if question.aggregate == "first" else "last"
        if compared(question):
            before, after = self._sides(measure)
            return f"{after} - {before}"
        if question.aggregate == "change" and question.direction:
            return f"{measure}_change"
        return f"{measure}_mean" if question.aggregate == "mean" and measure != "price" else measure


def _value(measure: Measure, when: str = "") -> str:
    """Of the rows of a group, or of those among them `when` something holds."""
    only = f" FILTER (WHERE {when})" if when else ""
    match measure:
        case "amount" | "quantity":
            return f"sum({measure}){only}"
        case "price":
            return f"round(sum(amount){only} / nullif(sum(quantity){only}, 0), 2)"
        case "lines":
            return f"count(*){only}"
    return f"count(DISTINCT {_pair(_DISTINCT[measure])}){only}"


def _pair(expression: str) -> str:
    return f"({expression})" if expression == BEER else expression


def _percent(part: str, whole: str) -> str:
    return f"round(100.0 * {part} / nullif({whole}, 0), 1)"


def _units(per: str, begins: str, ends: str) -> str:
    """Calendar units that days from `begins` to `ends` touch."""
    match per:
        case "day":
            return f"greatest({ends} - {begins} + 1, 1)"
        case "week":
            weeks = (f"date_trunc('week', {day})::date" for day in (ends, begins))
            return f"greatest(({' - '.join(weeks)}) / 7 + 1, 1)"
    year = {"year": "", "quarter": "4 * ", "month": "12 * "}[per]
    within = f" + extract({per} FROM {{day}})" if year else ""
    counted = (f"({year}extract(year FROM {{day}}){within})".format(day=day) for day in (ends, begins))
    return f"greatest({' - '.join(counted)} + 1, 1)"


def _several(per: str) -> str:
    return {"brewery": "breweries"}.get(per, f"{per}s")


def _named(expression: str, alias: str) -> str:
    return f'{expression} AS "order"' if alias == "order" else f"{expression} AS {alias}"


def _where(conditions: Iterator[str] | Sequence[str]) -> str:
    joined = " AND ".join(conditions)
    return f" WHERE {joined}" if joined else ""


def _any_of(spans: Sequence[Span]) -> str:
    """That a purchase is in one of them; empty where there is none, or one of them is all time."""
    within = [_within(span) for span in spans]
    if not all(within):
        return ""
    return within[0] if len(within) == 1 else f"({' OR '.join(within)})" if within else ""


def _within(span: Span) -> str:
    if span.since and span.until:
        return f"purchased_on BETWEEN {_quoted(span.since)} AND {_quoted(span.until)}"
    if span.since:
        return f"purchased_on >= {_quoted(span.since)}"
    return f"purchased_on <= {_quoted(span.until)}" if span.until else ""


def _filtered(asked: Filter, breweries: Breweries) -> str:
    values = {value.lower(): value for value in asked.values}.values()
    conditions = " OR ".join(part for value in values for part in _matching(asked.field, value, breweries))
    return f"NOT ({conditions})" if asked.negated else f"({conditions})"


def _matching(field: str, value: str, breweries: Breweries) -> Iterator[str]:
    """Of columns that are never NULL, so that a NOT before it leaves the rows of which nothing is known."""
    match field:
        case "style":
            yield from (f"coalesce(style, '') ILIKE {_quoted(f'%{_escaped(name)}%')}" for name in called(value))
        case "weekday":
            yield f"to_char(purchased_on, 'ID') = {_quoted(value)}"
        case "brewery" if (bought := breweries.get(value, Bought())) and (bought.ids or bought.names):
            yield from (f"coalesce(brewery_id, '') = {_quoted(each)}" for each in bought.ids)
            yield from (f"coalesce(brewery, '') = {_quoted(each)}" for each in bought.names)
        case "beer" | "brewery":
            yield from _holding(field, value)
        case _:
            yield f"lower(coalesce({field}, '')) = {_quoted(value.lower())}"


def _one_of(values: Sequence[str]) -> str:
    """Which of these styles a row is of; empty for none."""
    cases = (f"WHEN {' OR '.join(_matching('style', value, {}))} THEN {_quoted(written(value))}" for value in values)
    return f"CASE {' '.join(cases)} END" if values else ""


def _holding(field: str, words: str) -> Iterator[str]:
    """ "Beer 1" is in "Old Beer 1", and not in "Beer 10"."""
    said = _escaped(words)
    for pattern in (said, f"{said} %", f"% {said}", f"% {said} %"):
        yield f"coalesce({field}, '') ILIKE {_quoted(pattern)}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
