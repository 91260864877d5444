"""Questions made up by the hundred, asked of the tool and so of the real fence, and the same figures counted from the rows in Python."""

import random
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from operator import ge, gt, le, lt
from typing import Any, NamedTuple, get_args

import asyncpg
import msgspec
import pytest

from beerforyou import clock
from beerforyou.by_rule.possible import NEW_DAYS, STOPPED_DAYS, cannot, lists_orders, meant
from beerforyou.by_rule.sql import DEFAULT_ROWS, LONGEST, Bought, interval, write
from beerforyou.by_rule.styles import called, written
from beerforyou.catalogue.brewery import Place
from beerforyou.db.fence import shape
from beerforyou.house import House
from beerforyou.reading.question import Aggregate, Bound, Dimension, Filter, Having, Measure, Question, Span
from beerforyou.settings import Settings
from beerforyou.tools import TOOLS
from beerforyou.tools.caller import Caller, Hands

CLIENT = "CLT-00001"
QUESTIONS = 400
LANGUAGES = ("en", "pt", "es")  # of the sentence, which each has
ADDED = {
    "amount": lambda line: line.quantity * line.price,
    "quantity": lambda line: line.quantity,
    "lines": lambda line: 1,
}
COUNTED: dict[str, Callable[[Any], Any]] = {
    "orders": lambda line: line.day,
    "beers": lambda line: (line.beer, line.brewery_key),
    "breweries": lambda line: line.brewery_key,
    "styles": lambda line: line.style or None,
}


class Line(NamedTuple):
    day: date
    beer: str
    style: str
    brewery: str
    brewery_id: str
    type: str
    city: str
    state: str
    quantity: int
    price: float

    @property
    def brewery_key(self) -> str:
        return self.brewery_id or self.brewery


Lines = Sequence[Line]


@pytest.fixture(scope="session")
async def lines(furnished: Settings) -> list[Line]:
    """The client's rows, by the administrator and not by the fence."""
    connection = await asyncpg.connect(furnished.database_admin_url)
    rows = await connection.fetch(
        """
        SELECT purchased_on, coalesce(shown_beer, ''), coalesce(shown_style, ''), coalesce(shown_brewery, ''),
               coalesce(shown_brewery_id, ''), coalesce(shown_type, ''), coalesce(shown_city, ''),
               coalesce(shown_state, ''), quantity, unit_price::float8
        FROM core.purchases WHERE client_id = $1
        """,
        CLIENT,
    )
    await connection.close()
    return [Line(*row) for row in rows]


# The figures of a question, counted in another way ------------------------------------------------------------------


def figure(measure: str, lines: Lines) -> float | None:
    if measure in COUNTED:
        return len({COUNTED[measure](line) for line in lines} - {None})
    if measure == "price":
        units = sum(line.quantity for line in lines)
        return sum(map(ADDED["amount"], lines)) / units if units else None
    if measure == "lines":
        return len(lines)
    return sum(map(ADDED[measure], lines)) if lines else None


def part_of(each: str, line: Line) -> Any:
    if each in ("order", "day"):
        return line.day.isoformat()
    year, week, weekday = line.day.isocalendar()
    keys = {
        "week": f"{year}-W{week:02}",
        "month": f"{line.day:%Y-%m}",
        "quarter": f"{line.day.year}-Q{(line.day.month + 2) // 3}",
        "year": str(line.day.year),
        "weekday": str(weekday),
        "brewery": line.brewery_key,
        "beer": (line.beer, line.brewery_key),
    }
    return keys[each] if each in keys else getattr(line, each)


def styled(q: Question, line: Line) -> str:
    """What a row is of where styles are set side by side: the longest name that is meant."""
    named = [each.values for each in q.filters if each.field == "style" and not each.negated]
    if len(named) != 1 or len({value.lower() for value in named[0]}) < 2:
        return line.style
    fitting = [value for value in named[0] if any(part.lower() in line.style.lower() for part in called(value))]
    return written(max(fitting, key=len))


def inside(span: Span, line: Line) -> bool:
    return (span.since or "0") <= line.day.isoformat() <= (span.until or "9")


def passes(asked: Filter, line: Line) -> bool:
    if asked.field == "weekday":
        met = str(line.day.isoweekday()) in asked.values
    else:
        text = getattr(line, asked.field).lower()
        words = [value.lower() for value in asked.values]
        if asked.field == "style":
            met = any(part in text for word in words for part in called(word))
        elif asked.field in ("beer", "brewery"):
            met = any(f" {word} " in f" {text} " for word in words)
        else:
            met = text in words
    return met != asked.negated


def units(per: str, lines: Lines, all_lines: Lines, span: Span, today: date) -> int:
    """How many orders, beers, or calendar units."""
    if per in ("order", "beer", "brewery"):
        return len({part_of(per, line) for line in lines})
    until = min(today, date.fromisoformat(span.until)) if span.until else today
    day = date.fromisoformat(span.since) if span.since else min(line.day for line in all_lines)
    seen = set()
    while day <= until:
        seen.add(part_of(per, Line(day, *[""] * 7, 0, 0)))
        day += timedelta(1)
    return max(1, len(seen))


def expected(question: Question, lines: Lines, today: date) -> list[dict[str, Any]]:
    """All rows, unordered and not cut, as {column: value}."""
    apart = len(question.spans) > 1 and not question.having
    if apart and not (question.aggregate == "change" and question.by):
        return [row for span in question.spans for row in of_spans(question, lines, today, [span], interval(span))]
    return of_spans(question, lines, today, question.spans, "")


def of_spans(q: Question, lines: Lines, today: date, spans: Sequence[Span], label: str) -> list[dict[str, Any]]:
    everything = lines
    chosen = [line for line in lines if all(passes(each, line) for each in q.filters)]
    here = [line for line in chosen if not spans or any(inside(span, line) for span in spans)]
    whole = [line for line in everything if not spans or any(inside(span, line) for span in spans)]
    if q.only_order and not lists_orders(q):
        day = (max if q.only_order == "last" else min)((line.day for line in here), default=None)
        if q.filters or q.by:
            whole = [line for line in whole if line.day == day]
        here = [line for line in here if line.day == day]
    if q.by:
        whole = here
    rows = chosen if q.having in ("stopped", "new") else here
    groups: dict[tuple[Any, ...], list[Line]] = {} if q.by else {(): []}
    for line in rows:
        parts = (styled(q, line) if each == "style" else part_of(each, line) for each in q.by)
        groups.setdefault(tuple(parts), []).append(line)
    found = []
    before: dict[str, float | None] = {}
    for key in sorted(groups):
        group = groups[key]
        if kept(q, group, here, spans, today):
            labels = {"period": label} if label else {}
            row = (
                labels | dict(zip(q.by, key, strict=True)) | dict(figures(q, group, here, whole, spans, today, before))
            )
            found.append(row)
    return found


def kept(q: Question, group: Lines, here: Lines, spans: Sequence[Span], today: date) -> bool:
    ranked = q.aggregate == "list" or q.direction or q.limit
    if ranked and any(each in ("style", "type", "city", "state") and not getattr(group[0], each) for each in q.by):
        return False
    if q.bound and q.by:
        value = figure(q.measures[0], group)
        holds = {"over": gt, "under": lt, "least": ge, "most": le}[q.bound.way]
        if value is None or not holds(round(value, 2), q.bound.figure):
            return False
    days = {line.day for line in group}
    within = not spans or any(inside(span, line) for span in spans for line in group)
    first, last = min(days, default=today), max(days, default=today)
    match q.having:
        case "once":
            return len(days) == 1
        case "stopped":
            return (today - last).days >= q.having_days and within
        case "new":
            new = any(inside(span, Line(first, *[""] * 7, 0, 0)) for span in spans)
            return new if spans else first > today - timedelta(q.having_days)
        case "left":
            bought, not_bought = (any(inside(span, line) for line in group) for span in spans)
            return bought and not not_bought
        case "kept":
            return all(any(inside(span, line) for line in group) for span in spans)
    return True


def figures(
    q: Question, group: Lines, here: Lines, whole: Lines, spans: Sequence[Span], today: date, last: dict[str, Any]
) -> Iterator[tuple[str, Any]]:
    days = [line.day for line in group]
    if q.aggregate in ("first", "last", "since"):
        day = (min if q.aggregate == "first" else max)(days, default=None)
        yield "first" if q.aggregate == "first" else "last", day and day.isoformat()
        yield "days_ago", day and (today - day).days
        return
    if q.having in ("once", "stopped", "new"):
        yield ("first", min(days).isoformat()) if q.having == "new" else ("last", max(days).isoformat())
    if q.only_order and not q.by:
        yield "order", min(days).isoformat() if days else None
    looked_at = group
    if q.having in ("stopped", "new") and spans:
        looked_at = [line for line in group if any(inside(span, line) for span in spans)]
    for measure in q.measures:
        value = figure(measure, looked_at)
        match q.aggregate:
            case "mean" if measure != "price":
                number = units(q.per, group, here, spans[0] if spans else Span(), today) if group else 0
                yield f"{measure}_mean", mean(measure, q.per, group, number)
            case "share":
                yield f"{measure}_share", percent(value, figure(measure, whole))
            case "change" if len(spans) == 2 and q.by:
                sides = [figure(measure, [line for line in group if inside(span, line)]) for span in spans]
                old, new = sides if measure == "price" else [side or 0 for side in sides]
                yield f"{measure}_before", old
                yield f"{measure}_after", new
                yield f"{measure}_change", percent(None if None in (old, new) else new - old, old)
            case "change" if len(spans) < 2 and not spans[1:] and q.by:
                yield measure, value
                old = last.get(measure)
                yield f"{measure}_change", percent(None if None in (value, old) else value - old, old)
                last[measure] = value
            case _:
                yield measure, value


def mean(measure: str, per: str, lines: Lines, number: int) -> float | None:
    if not number:
        return None
    if measure in ADDED:
        return sum(map(ADDED[measure], lines)) / number
    apart = {(part_of(per, line), COUNTED[measure](line)) for line in lines if COUNTED[measure](line) is not None}
    return len(apart) / number or None


def percent(part: float | None, whole: float | None) -> float | None:
    return 100 * part / whole if part is not None and whole else None


# Questions -----------------------------------------------------------------------------------------------------------

MEASURES = [each for each in get_args(Measure) if each != "clients"]


def invented(chance: random.Random, lines: Lines, today: date) -> Question:
    aggregate = chance.choice(["mean", "share", "share", "change", "change", "change", *get_args(Aggregate)])
    per = chance.choice(["", "order", "day", "week", "month", "quarter", "year", "beer", "brewery"])
    having = chance.choice([""] * 10 + list(get_args(Having)))
    days = chance.choice([0, 0, 21, 84])
    return Question(
        measures=tuple(chance.sample(MEASURES, chance.choice([1, 1, 1, 2]))),
        aggregate=aggregate,
        per=per if aggregate == "mean" else "",
        by=tuple(chance.sample(get_args(Dimension), chance.choice([0, 0, 1, 1, 1, 2]))),
        filters=tuple(a_filter(chance, lines) for _ in range(chance.choice([0, 0, 1, 1, 2]))),
        spans=tuple(a_span(chance, lines, today) for _ in range(chance.choice([0, 0, 1, 1, 2, 3]))),
        having=having,
        having_days=days if having in ("stopped", "new") else 0,
        bound=a_bound(chance),
        only_order=chance.choice(["", "", "", "", "last", "first"]),
        direction=chance.choice(["", "", "most", "least"]),
        limit=chance.choice([0, 0, 1, 3]),
    )


def a_bound(chance: random.Random) -> Bound | None:
    way = chance.choice([None] * 12 + ["over", "under", "least", "most"])
    return Bound(way=way, figure=chance.choice([1, 6, 24, 45.5, 600])) if way else None


def a_filter(chance: random.Random, lines: Lines) -> Filter:
    field = chance.choice(["beer", "brewery", "style", "type", "city", "state", "weekday"])
    some = chance.sample(list(lines), 2)
    values = [str(line.day.isoweekday()) if field == "weekday" else getattr(line, field) for line in some]
    if field == "beer":
        values = [value.split()[chance.choice([0, -1])] for value in values]
    values = [chance.choice([value, value.upper()]) for value in values if value] or ["no such thing"]
    return Filter(field=field, values=tuple(values), negated=chance.random() < 0.3)


def a_span(chance: random.Random, lines: Lines, today: date) -> Span:
    first = min(line.day for line in lines)
    since = first + timedelta(chance.randrange(-30, (today - first).days))
    until = since + timedelta(chance.choice([0, 6, 30, 90, 365]))
    ends = chance.choice([(since, until), (since, until), (since, None), (None, until)])
    return Span(**{name: day.isoformat() for name, day in zip(("since", "until"), ends, strict=True) if day})


def possible(lines: Lines, today: date) -> Iterator[Question]:
    chance = random.Random(12)
    while True:
        question = invented(chance, lines, today)
        ranks = question.by or question.aggregate == "change" or len(question.spans) > 1
        if not cannot(meant(question)) and (ranks or not question.direction):
            yield question


# And that they are the same ------------------------------------------------------------------------------------------


def said(question: Question, columns: Sequence[str], row: Sequence[Any], lines: Lines) -> dict[str, Any]:
    """A row of SQL by its columns; its key as Python has it."""
    found = dict(zip(columns, row, strict=True))
    if "brewery" in question.by:
        (found["brewery"],) = {line.brewery_key for line in lines if line.brewery == found["brewery"]} or {
            found["brewery"]
        }
    if "beer" in question.by:
        brewery = next(
            line.brewery_key
            for line in lines
            if (line.beer, line.brewery) == (found["beer"], row[columns.index("brewery")])
        )
        found["beer"] = (found["beer"], brewery)
    return {
        name: "" if value is None and name in ("style", "type", "city", "state") else value
        for name, value in found.items()
    }


def key_of(question: Question, row: dict[str, Any]) -> tuple[str, ...]:
    return tuple(str(row[each]) for each in ("period", *question.by) if each in row)


def near(name: str, value: Any, other: Any) -> bool:
    """As far as it is rounded."""
    if other is None:
        return not value  # of no rows at all, SQL counts 0
    if value is None or isinstance(other, (str, tuple)):
        return bool(value == other)
    return bool(value == pytest.approx(other, rel=1e-9, abs=0.051 if name.endswith(("_share", "_change")) else 0.0051))


async def test_the_same_figures_as_counted_from_the_rows(house: House, lines: list[Line]) -> None:
    """Through the tool, as any planner asks."""
    today = clock.today(house.settings.time_zone)
    asked = possible(lines, today)
    seen, too_long = set(), 0
    for n in range(QUESTIONS):
        question = next(asked)
        if len(write(question)) > LONGEST:
            too_long += 1
            continue
        content = await told(house, question, today, LANGUAGES[n % len(LANGUAGES)])
        q = meant(question)
        right = expected(q, lines, today)
        columns, rows = tabled(q, content)
        found = [said(q, columns, row, lines) for row in rows]
        if "nothing" in content:
            assert not any(is_figure(name, value) and value for row in right for name, value in row.items()), (q, right)
        else:
            assert_same(q, found, right, "truncated" in content, content["sentence"])
        seen.add((q.aggregate, q.having, bool(q.by), len(q.spans)))
    assert len(seen) > 60 and too_long < QUESTIONS / 50, "the questions are of many kinds"


async def told(house: House, question: Question, today: date, language: str) -> dict[str, Any]:
    caller = Caller(client_id=CLIENT, name="Bar", home=Place(), language=language, today=today)
    hands = Hands(
        house.database.for_tools(CLIENT), house.database.fence, house.database.statistics, house.catalogue.now
    )
    result = await TOOLS["run_analytical_query"](caller, hands, {"about": "me"} | msgspec.to_builtins(question))
    return dict(result.content)


def tabled(q: Question, content: dict[str, Any]) -> tuple[Sequence[str], Sequence[Sequence[Any]]]:
    if "figure" in content:
        return q.measures, [[content["figure"]]]
    return content.get("columns", ()), content.get("rows", ())


def is_figure(name: str, value: Any) -> bool:
    return isinstance(value, (int, float)) and name not in ("days_ago",) and not name.endswith("_whole")


def assert_same(q: Question, rows: list[dict[str, Any]], right: list[dict[str, Any]], cut: bool, sql: str) -> None:
    by_key = {key_of(q, row): row for row in right}
    assert len(by_key) == len(right)
    for row in rows:
        other = by_key[key_of(q, row)]
        for name, value in other.items():
            assert near(name, row[name], value), (name, row, other, q, sql)
    labels = {row.get("period", "") for row in right}
    for label in labels:
        mine, theirs = ([row for row in some if row.get("period", "") == label] for some in (rows, right))
        assert_ranked(q, mine, theirs, cut, sql)


def assert_ranked(q: Question, rows: list[dict[str, Any]], right: list[dict[str, Any]], cut: bool, sql: str) -> None:
    """As many as were asked for, and none that is left out is ahead of them."""
    timed = q.by and q.by[0] in ("order", "day", "week", "month", "quarter", "year", "weekday")
    ranked = not timed or q.direction
    limit = q.limit or (DEFAULT_ROWS if q.direction and q.by else len(right))
    assert cut or q.limit == 1 or len(rows) == (min(limit, len(right)) if q.by else 1), (rows, right, q, sql)
    assert cut or bool(rows) == bool(right), (q, sql)
    if not q.by or not ranked:
        return
    value = [rank(q, row) for row in rows]
    least = q.direction == "least"
    known = [each for each in value if each is not None]
    assert known == sorted(known, reverse=not least), (value, q, sql)
    if rows and known and len(rows) < len(right) and len(rows) == q.limit:
        keys = {key_of(q, row) for row in rows}
        others = [rank(q, row) for row in right if key_of(q, row) not in keys]
        edge = known[-1]
        assert all(each is None or (each >= edge - 0.06 if least else each <= edge + 0.06) for each in others), (q, sql)


def rank(q: Question, row: dict[str, Any]) -> float | None:
    measure = q.measures[0]
    match q.aggregate:
        case "first" | "last" as which:
            return date.fromisoformat(row[which]).toordinal()
        case "since":
            return row["days_ago"]
        case "mean" if measure != "price":
            return row[f"{measure}_mean"]
        case "change" if f"{measure}_before" in row:
            before, after = row[f"{measure}_before"], row[f"{measure}_after"]
            return None if None in (before, after) else after - before
        case "change" if f"{measure}_change" in row:
            return row[f"{measure}_change"]
        case "share":
            return row[f"{measure}_share"]
    return row[measure]


async def test_a_brewery_is_meant_by_its_ids_and_spellings(house: House, lines: list[Line]) -> None:
    line = next(line for line in lines if line.brewery_id)
    by_id = write(
        Question(filters=(Filter(field="brewery", values=("that one",)),)), {"that one": Bought((line.brewery_id,))}
    )
    by_name = write(Question(filters=(Filter(field="brewery", values=("it",)),)), {"it": Bought((), (line.brewery,))})
    right = sum(each.quantity for each in lines if each.brewery_id == line.brewery_id)
    for sql in (by_id, by_name):
        assert (await house.database.fence.ask(CLIENT, sql)).rows == ((right,),)


@pytest.mark.parametrize("text", ["%", "_", "\\", "'; DROP TABLE purchases; --", "'' OR true --", "\\' OR true --"])
@pytest.mark.parametrize("field", ["beer", "brewery", "style", "type", "city", "state", "weekday"])
async def test_a_value_is_text_and_nothing_else(house: House, text: str, field: Any) -> None:
    sql = write(Question(measures=("lines",), filters=(Filter(field=field, values=(text,)),)))
    assert (await house.database.fence.ask(CLIENT, sql)).rows == ((0,),)


def test_questions_that_differ_in_what_they_name_are_one_text() -> None:
    """So that the fence knows them, and the second needs no verdict of the gate."""
    texts = [
        write(Question(filters=(Filter(field="style", values=(style,)),), spans=(Span(since=day, until="2026-12-31"),)))
        for style, day in (("ipa", "2026-01-01"), ("stout", "2025-07-31"))
    ]
    assert len({shape.checked(text).outline for text in texts}) == 1


SPAN, OTHER = Span(since="2026-01-01", until="2026-01-31"), Span(since="2026-02-01")
IPA = Filter(field="style", values=("ipa",))


@pytest.mark.parametrize(
    ("question", "why"),
    [
        (Question(measures=("clients",)), "clients"),
        (Question(aggregate="share"), "share_of_what"),
        (Question(aggregate="share", spans=(SPAN,)), "share_of_what"),
        (Question(aggregate="share", measures=("price",), filters=(IPA,)), "share_of_price"),
        (Question(aggregate="change"), "change_of_what"),
        (Question(aggregate="change", spans=(SPAN,)), "change_of_what"),
        (Question(aggregate="change", by=("beer",)), "change_of_what"),
        (Question(aggregate="change", by=("beer", "month"), spans=(SPAN, OTHER)), "together"),
        (Question(aggregate="mean", measures=("orders",)), "together"),
        (Question(aggregate="mean", having="once"), "together"),
        (Question(aggregate="mean", per="day", filters=(Filter(field="weekday", values=("6",)),)), "together"),
        (Question(having="kept"), "kept_when"),
        (Question(having="once", by=("month",)), "together"),
        (Question(by=("beer", "month", "city", "type")), "too_much"),
        (Question(spans=(SPAN, OTHER) * 3, only_order="last"), "too_much"),
        (Question(aggregate="change", spans=(SPAN, OTHER), filters=(IPA,)), ""),
        (Question(aggregate="share", by=("style",)), ""),
        (Question(aggregate="since", only_order="last"), ""),
    ],
)
def test_what_makes_no_sense_is_said(question: Question, why: str) -> None:
    assert cannot(meant(question)) == why


@pytest.mark.parametrize(
    ("question", "same"),
    [
        (Question(aggregate="list"), Question(aggregate="list", by=("beer",))),
        (Question(measures=("beers",), having="once"), Question(aggregate="list", by=("beer",), having="once")),
        (Question(having="stopped", by=("brewery",)), Question(aggregate="list", by=("brewery",), having="stopped", having_days=STOPPED_DAYS)),
        (Question(having="new", aggregate="list"), Question(aggregate="list", by=("beer",), having="new", having_days=NEW_DAYS)),
        (Question(aggregate="mean"), Question(aggregate="mean", per="order")),
        (Question(aggregate="mean", measures=("price",)), Question(measures=("price",))),
        (Question(aggregate="mean", measures=("price",), per="month"), Question(measures=("price",), by=("month",))),
        (Question(aggregate="mean", per="week", by=("week",)), Question(aggregate="mean", per="week")),
        (Question(aggregate="first", only_order="last"), Question(aggregate="last")),
        (Question(aggregate="list", by=("order",), only_order="last"), Question(only_order="last")),
        (Question(by=("order",), only_order="first", limit=3), Question(aggregate="list", by=("order",), only_order="first", limit=3)),
        (
            Question(aggregate="change", by=("month",), spans=(SPAN, OTHER)),
            Question(aggregate="change", spans=(SPAN, OTHER)),
        ),
        (Question(aggregate="change", spans=(OTHER, SPAN)), Question(aggregate="change", spans=(SPAN, OTHER))),
    ],
)  # fmt: skip
def test_what_a_question_leaves_open(question: Question, same: Question) -> None:
    assert meant(question) == meant(same)
