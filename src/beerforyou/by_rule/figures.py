"""Rows of a question about the client's own purchases as a sentence that says what was counted.

A superlative is answered with the one, a list or a table is led in, and where there is nothing, nothing is said to be zero.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from beerforyou.by_rule.possible import FIELDS, compared, lists_orders, told_apart
from beerforyou.by_rule.scope import Asked, bracketed, days, name_of, names, of, period, scope, unknown
from beerforyou.by_rule.sql import interval
from beerforyou.reading.question import Measure
from beerforyou.sentences import has, listed, money, number, percent
from beerforyou.sentences.periods import ago, during, interval_of, spelt
from beerforyou.sentences.rendering import MONEY, heading

Row = dict[str, Any]
_DATES = ("first", "last", "since")
SPOKEN = 3  # periods whose figures a sentence says; more are a table


def figures(columns: Sequence[str], rows: Sequence[Sequence[Any]], truncated: bool, asked: Asked) -> str:
    told = [dict(zip(columns, row, strict=True)) for row in rows]
    parts = [*_not_bought(asked), *_told(told, truncated, asked)]
    if asked.question.unit and "quantity" in asked.question.measures and any(map(_is_known(asked), told)):
        parts.append(_units_only(asked))
    return " ".join(parts)


def has_figure(columns: Sequence[str], rows: Sequence[Sequence[Any]], asked: Asked) -> bool:
    known = _is_known(asked)
    return any(known(dict(zip(columns, row, strict=True))) for row in rows)


def says_all(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> bool:
    """Whether the sentence says all that a table of these would."""
    told_by_period = columns[0] == "period" and not any(each in FIELDS for each in columns)
    return len(rows) < 2 or ((told_by_period or "among" in columns) and len(rows) <= SPOKEN)


def _not_bought(asked: Asked) -> Iterator[str]:
    if missing := unknown(asked):
        yield _none_of(missing, asked)


def _none_of(missing: list[str], asked: Asked) -> str:
    return asked.say("analysis.not_bought", names=listed(missing, asked.language, "or"))


def _units_only(asked: Asked) -> str:
    key = f"unit.{asked.question.unit}"
    if has(key, asked.language):
        return asked.say("analysis.units_only", unit=asked.say(key))
    return asked.say("analysis.units_alone")


def _told(rows: list[Row], truncated: bool, asked: Asked) -> Iterator[str]:
    question = asked.question
    if not any(map(_is_known(asked), rows)):
        yield from _nothing(asked)
    elif not question.by:
        yield _apart(rows, asked) if told_apart(question) else _one(rows[0], asked)
    elif len(rows) == 1 or (question.limit == 1 and _ranks(asked) and not told_apart(question)):
        yield _first(rows, asked)
    else:
        lead = _lead(rows, truncated, asked)
        yield f"{lead.removesuffix(':')}. {asked.say('analysis.rows_shown', n=len(rows))}" if truncated else lead


def _is_known(asked: Asked) -> Any:
    """Whether a row has a figure: what was never bought has none, and is not zero of something."""
    figures = [f"{measure}{end}" for measure in asked.question.measures for end in ("", "_mean", "_before", "_after")]

    def known(row: Row) -> bool:
        return any(row.get(name) for name in ("first", "last", *figures))

    return known


def _ranks(asked: Asked) -> bool:
    timed = asked.question.by[0] in ("order", "day", "week", "month", "quarter", "year", "weekday")
    return bool(asked.question.direction) or not timed


def _nothing(asked: Asked) -> Iterator[str]:
    question = asked.question
    if question.having:
        yield asked.say(
            "analysis.none", count=_having(_count(0, asked), asked), period=_when(asked), scope=scope(asked)
        )
    elif not (unknown(asked) and _only_breweries(asked)):
        missing = names(asked)
        yield (
            _none_of(missing, asked)
            if missing
            else asked.say("analysis.nothing", period=period(asked), scope=scope(asked))
        )


def _only_breweries(asked: Asked) -> bool:
    return all(each.field == "brewery" and not each.negated for each in asked.question.filters)


# One figure, or several of the same purchases ----------------------------------------------------------------------


def _one(row: Row, asked: Asked) -> str:
    question, where = asked.question, {"period": period(asked), "scope": scope(asked)}
    match question.aggregate:
        case "first" | "last" | "since":
            return _dated(row, asked)
        case "mean":
            return asked.say(
                "analysis.mean", means=asked.listed([_mean(row, each, asked) for each in question.measures]), **where
            )
        case "share":
            return " ".join(_share(row, each, asked) for each in question.measures)
    if question.only_order:
        day = spelt(row["order"], "order", asked.language)
        which = asked.say(f"which.{question.only_order}")
        return asked.say("analysis.in_order", which=which, day=day, figures=_figures(row, asked), **where)
    inline, rest = of(asked)
    did = asked.listed([_counted(f"did.{each}", row[each], each, asked) for each in question.measures])
    told = asked.say("analysis.sum", did=did, of=inline, period=period(asked), scope=rest)
    return f"{_meets(row, asked)}{told}"


def _meets(row: Row, asked: Asked) -> str:
    """ "gastei mais de 5000?" is answered with yes or no, and the sum."""
    if (bound := asked.question.bound) is None:
        return ""
    value = row[asked.question.measures[0]] or 0
    met = {"over": value > bound.figure, "under": value < bound.figure, "least": value >= bound.figure}
    return asked.say("analysis.yes" if met.get(bound.way, value <= bound.figure) else "analysis.no")


def _dated(row: Row, asked: Asked) -> str:
    which = "first" if asked.question.aggregate == "first" else "last"
    inline, rest = of(asked)
    day = spelt(row[which], which, asked.language)
    since = ago(row["days_ago"], asked.language)
    return asked.say(f"analysis.{which}", of=inline, period=period(asked), scope=rest, day=day, ago=since)


def _mean(row: Row, measure: Measure, asked: Asked) -> str:
    """With what was divided by what, where that is known."""
    if measure == "price":
        return _figure(row, measure, asked)
    per = asked.question.per
    unit = {"brewery": "breweries"}.get(per, f"{per}s")
    figure, number_of = _counted(f"figure.{measure}", row[f"{measure}_mean"], measure, asked), _figure(row, unit, asked)
    each = asked.say(f"by.{per}")
    if measure in row and measure != unit:
        return asked.say(
            "analysis.mean_of", figure=figure, per=each, number=number_of,
            total=_counted(f"figure.{measure}", row[measure], measure, asked),
        )  # fmt: skip
    return asked.say("analysis.mean_only", figure=figure, per=each, number=number_of)


def _share(row: Row, measure: Measure, asked: Asked) -> str:
    what = scope(asked).strip().removeprefix("(").removesuffix(")")
    return asked.say(
        "analysis.share", what=_capital(what or asked.say("scope.last_order")), period=period(asked),
        share=percent(row[f"{measure}_share"] or 0, asked.language), measure=asked.say(f"measure.{measure}"),
        part=_value(row[measure], measure, asked), whole=_value(row[f"{measure}_whole"], measure, asked),
    )  # fmt: skip


# Several periods apart from each other -----------------------------------------------------------------------------


def _apart(rows: list[Row], asked: Asked) -> str:
    """In the order that they were asked for, each with its own."""
    by_period = {row["period"]: row for row in rows}
    rows = [by_period[interval(each)] for each in asked.question.spans if interval(each) in by_period]
    known = _is_known(asked)
    if asked.question.aggregate == "change" and len(rows) == 2:
        return _changed(rows[0], rows[1], asked) if all(map(known, rows)) else _no_compare(rows, asked)
    if asked.question.aggregate in _DATES:
        return _dates_apart(rows, asked)
    if len(rows) == 2 and (asked.question.direction or asked.question.limit == 1) and all(map(known, rows)):
        return _more_of_two(rows, asked)
    if len(rows) > 2 and asked.question.direction and all(map(known, rows)):
        return _best(rows, asked)
    if len(rows) > SPOKEN:
        return _table_of(asked, asked.say("column.period").lower(), "")
    return asked.say("analysis.each", periods=_capital(_each(rows, asked)), scope=scope(asked))


def _dates_apart(rows: list[Row], asked: Asked) -> str:
    if len(rows) <= SPOKEN:
        return asked.say("analysis.each", periods=_capital(_each(rows, asked)), scope=scope(asked))
    by = asked.say("column.period").lower()
    return asked.say(f"analysis.dates_{_which(asked)}", by=by, period="", scope=scope(asked))


def _which(asked: Asked) -> Literal["first", "last"]:
    return "first" if asked.question.aggregate == "first" else "last"


def _best(rows: list[Row], asked: Asked) -> str:
    """The one of several periods."""
    best = (min if asked.question.direction == "least" else max)(rows, key=lambda row: _rank(row, asked))
    first = _capital(spelt(best["period"], "period", asked.language))
    return asked.say(
        f"analysis.top_{_way(asked)}", first=first, figures=_figures(best, asked), period="", scope=scope(asked)
    )


def _each(rows: Sequence[Row], asked: Asked) -> str:
    """ "outubro de 2026: R$ 37.766,61; novembro de 2026: nenhuma compra"."""
    return "; ".join(
        asked.say(
            "analysis.each_one", period=spelt(row["period"], "period", asked.language), figures=_figures(row, asked)
        )
        if _is_known(asked)(row)
        else asked.say("analysis.each_none", period=spelt(row["period"], "period", asked.language))
        for row in rows
    )


def _no_compare(rows: Sequence[Row], asked: Asked) -> str:
    return asked.say("analysis.no_compare", periods=_capital(_each(rows, asked)), scope=scope(asked))


def _more_of_two(rows: Sequence[Row], asked: Asked) -> str:
    """ "October or September?" is answered with the one."""
    measure = asked.question.measures[0]
    column = f"{measure}_mean" if f"{measure}_mean" in rows[0] else measure
    first, second = sorted(rows, key=lambda row: row[column], reverse=asked.question.direction != "least")
    if first[column] == second[column]:
        return asked.say("analysis.each", periods=_capital(_each(rows, asked)), scope=scope(asked))
    (when,) = (
        during(days(each), asked.language) for each in asked.question.spans if interval(each) == second["period"]
    )
    most, less = _capital(_each([first], asked)), _figures(second, asked)
    return asked.say("analysis.most_of_two", most=most, less=less, when=when, scope=scope(asked))


def _changed(before: Row, after: Row, asked: Asked) -> str:
    return " ".join(_change(before[each], after[each], each, asked) for each in asked.question.measures)


def _change(before: float, after: float, measure: Measure, asked: Asked) -> str:
    earlier, later = (during(days(each), asked.language, asked.today) for each in asked.question.spans)
    values = {"after": _counted(f"figure.{measure}", after, measure, asked),
              "before": _counted(f"figure.{measure}", before, measure, asked),
              "period": later, "earlier": earlier, "scope": scope(asked)}  # fmt: skip
    if before == after:
        return asked.say("analysis.same", verdict=_verdict(0, asked), **values)
    kind = measure if measure in ("quantity", "amount", "price") else "other"
    said = f"more.{kind}" if after > before else f"less.{kind}"
    difference = ", ".join(filter(None, (_signed(after - before, measure, asked), _percent(before, after, asked))))
    verdict = _verdict(after - before, asked)
    return asked.say("analysis.change", verdict=verdict, said=asked.say(said), difference=difference, **values)


def _verdict(difference: float, asked: Asked) -> str:
    """Where it was asked whether it was more, or less."""
    if not asked.question.direction:
        return ""
    met = difference > 0 if asked.question.direction == "most" else difference < 0
    return asked.say("analysis.yes" if met else "analysis.no")


def _percent(before: float, after: float, asked: Asked) -> str:
    return percent(round(100 * (after - before) / before, 1), asked.language, signed=True) if before else ""


def _signed(value: float, measure: str, asked: Asked) -> str:
    if measure in MONEY:
        return money(value, asked.language, asked.currency, signed=True)
    return f"{'+' if value > 0 else ''}{number(value, asked.language)}"


# Groups ------------------------------------------------------------------------------------------------------------


def _first(rows: list[Row], asked: Asked) -> str:
    """The one, or those who share its place."""
    question = asked.question
    rows = [row for row in rows if _is_known(asked)(row)]
    named = [_group(row, asked) for row in rows]
    first = asked.listed(named) if len(named) <= SPOKEN else _count(len(rows), asked)
    where = {"period": _when(asked), "scope": scope(asked), "first": first}
    if question.aggregate == "change":
        return _first_change(rows[0], where, asked)
    where["first"] = _capital(first)
    if question.aggregate in ("first", "last", "since"):
        return _first_date(rows[0], where, asked)
    where["figures"] = _figures(rows[0], asked)
    if (question.direction or question.limit) and rows[0].get("among") != 1:
        return asked.say(f"analysis.{_place(len(rows) > 1, asked)}_{_way(asked)}", **where)
    where["first"] = first
    if question.aggregate != "list" and not question.having:
        return asked.say("analysis.single", **where)
    return asked.say("analysis.one", count=_having(_count(1, asked), asked), **where)


def _place(tied: bool, asked: Asked) -> str:
    if tied:
        return "ties"
    if asked.question.by == ("order",) and asked.question.direction:
        return "order"
    return "price" if asked.question.measures == ("price",) else "top"


def _way(asked: Asked) -> str:
    return "least" if asked.question.direction == "least" else "most"


def _first_date(row: Row, where: dict[str, str], asked: Asked) -> str:
    which = "first" if asked.question.aggregate == "first" else "last"
    latest = (asked.question.direction == "least") == (asked.question.aggregate == "since")
    day, since = spelt(row[which], which, asked.language), ago(row["days_ago"], asked.language)
    return asked.say(f"analysis.date_{'most' if latest else 'least'}", day=day, ago=since, **where)


def _first_change(row: Row, where: dict[str, str], asked: Asked) -> str:
    measure = asked.question.measures[0]
    change = row[f"{measure}_change"]
    told = percent(change, asked.language, signed=True) if change is not None else asked.say("which.new")
    if compared(asked.question):
        earlier, later = (name_of(each, asked) for each in asked.question.spans)
        sides = {
            side: _counted(f"figure.{measure}", row[f"{measure}_{side}"] or 0, measure, asked)
            for side in ("before", "after")
        }
        del where["period"]
        return asked.say("analysis.moved_one", earlier=earlier, later=later, change=told, **where, **sides)
    where["figures"] = _figure(row, measure, asked)
    if change is None:
        return asked.say("analysis.only_one", **where)
    expected = change < 0 if asked.question.direction == "least" else change > 0
    return asked.say(f"analysis.step_{_way(asked) if expected else 'other'}", change=told, **where)


def _lead(rows: list[Row], truncated: bool, asked: Asked) -> str:
    """What stands before the table."""
    question = asked.question
    by = asked.listed([asked.say(f"by.{each}") for each in question.by])
    where = {"period": _when(asked), "scope": scope(asked)}
    if question.aggregate == "change":
        return _lead_of_change(rows, by, where, asked)
    if question.aggregate in ("first", "last", "since"):
        which = "first" if question.aggregate == "first" else "last"
        return asked.say(f"analysis.dates_{which}", by=by, **where)
    if question.aggregate == "list" and not told_apart(question):
        if question.only_order and not lists_orders(question):
            return _list_of_order(rows, where, asked)
        return asked.say("analysis.list", count=_having(_counts(len(rows), truncated, asked), asked), **where)
    lead = _table_of(asked, by, where["period"])
    if question.direction and not told_apart(question):
        ahead = [row for row in rows if _rank(row, asked) == _rank(rows[0], asked)]
        return f"{_first(ahead, asked)} {lead}" if len(ahead) <= SPOKEN else lead
    return lead


def _list_of_order(rows: list[Row], where: dict[str, str], asked: Asked) -> str:
    day, which = spelt(rows[0]["order"], "order", asked.language), asked.say(f"which.{asked.question.only_order}")
    only = bracketed(asked, asked.question.filters)
    return asked.say(
        "analysis.in_order", which=which, day=day, figures=_count(len(rows), asked).lower(), **where | {"scope": only}
    )


def _rank(row: Row, asked: Asked) -> Any:
    measure = asked.question.measures[0]
    return row.get(f"{measure}_mean", row.get(measure))


def _table_of(asked: Asked, by: str, when: str) -> str:
    question = asked.question
    what = asked.listed([heading(each, asked.language) for each in question.measures])
    what = _capital(what.lower())
    if question.aggregate == "share":
        what = asked.say("analysis.share_title", measure=what.lower())
    if question.aggregate == "mean":
        what = asked.say("analysis.mean_title", measure=what, per=asked.say(f"by.{question.per}"))
    return asked.say("analysis.table", what=what, by=by, period=when, scope=scope(asked))


def _lead_of_change(rows: list[Row], by: str, where: dict[str, str], asked: Asked) -> str:
    if compared(asked.question):
        earlier, later = (name_of(each, asked) for each in asked.question.spans)
        return asked.say("analysis.moved", earlier=earlier, later=later, by=by, scope=where["scope"])
    measure, key = asked.question.measures[0], asked.question.by[0]
    in_time = sorted(rows, key=lambda row: str(row[key]))
    before, after = in_time[-2:]
    change = _percent(before[measure] or 0, after[measure] or 0, asked)
    title = asked.say("analysis.change_title", measure=heading(measure, asked.language))
    return asked.say(
        "analysis.step", title=asked.say("analysis.table", what=title, by=by, **where).rstrip(":"), change=change,
        earlier=_group(before, asked), later=_group(after, asked) + _so_far(after[key], key, asked), before=_figure(before, measure, asked),
        after=_figure(after, measure, asked),
    )  # fmt: skip


def _so_far(value: str, column: str, asked: Asked) -> str:
    """Where the last month, week... is not over yet."""
    today = asked.today
    if today is None or value != interval_of(today, column):
        return ""
    return asked.say("during.so_far")


def _when(asked: Asked) -> str:
    """Of groups; who is kept is in each period, and who left in one of them, which the words of it say."""
    return "" if asked.question.having in ("kept", "left") else period(asked)


def _group(row: Row, asked: Asked) -> str:
    """ "Hop Song (Alter), outubro de 2026"."""
    words = [_cell(row[each], each, asked) for each in asked.question.by]
    if asked.question.by[0] == "beer" and row.get("brewery") and "brewery" not in asked.question.by:
        words[0] = f"{words[0]} ({row['brewery']})"
    return ", ".join(words)


def _cell(value: Any, column: str, asked: Asked) -> str:
    key = f"type.{value}"
    if column == "type" and has(key, asked.language):
        return asked.say(key)
    return spelt(str(value), column, asked.language) if value else asked.say("column.unknown")


def _having(count: str, asked: Asked) -> str:
    question = asked.question
    match question.having:
        case "":
            return count
        case "new" if not question.spans:
            return asked.say("count.new_days", count=count, days=question.having_days)
        case "left":
            bought, not_bought = (during(days(each), asked.language, asked.today) for each in question.spans)
            return asked.say("count.left", count=count, bought=bought, not_bought=not_bought)
        case "kept":
            return asked.say(
                "count.kept", count=count, periods=asked.listed([name_of(each, asked) for each in question.spans])
            )
    return asked.say(f"count.{question.having}", count=count, days=question.having_days)


def _counts(rows: int, truncated: bool, asked: Asked) -> str:
    count = _count(rows, asked)
    return asked.say("count.more_than", count=count[0].lower() + count[1:]) if truncated else count


def _count(rows: int, asked: Asked) -> str:
    only = asked.question.by[0] if len(asked.question.by) == 1 else "other"
    only = only if has(f"count.{only}", asked.language) else "other"
    return asked.say(f"count.{only}{'' if rows else '_none'}", n=rows)


# Values ------------------------------------------------------------------------------------------------------------


def _figures(row: Row, asked: Asked) -> str:
    if asked.question.aggregate in _DATES:
        which = _which(asked)
        return f"{spelt(row[which], which, asked.language)}, {ago(row['days_ago'], asked.language)}"
    return asked.listed([_figure(row, each, asked) for each in asked.question.measures])


def _figure(row: Row, measure: str, asked: Asked) -> str:
    """ "830 unidades", "53,5 unidades por pedido", "14,8% do valor gasto"."""
    if asked.question.aggregate == "mean" and f"{measure}_mean" in row:
        mean = _counted(f"figure.{measure}", row[f"{measure}_mean"], measure, asked)
        return asked.say("figure.mean", value=mean, per=asked.say(f"by.{asked.question.per}"))
    figure = _counted(f"figure.{measure}", row[measure] or 0, measure, asked)
    if (share := row.get(f"{measure}_share")) is not None:
        return f"{figure} ({percent(share, asked.language)})"
    return figure


def _counted(key: str, value: float, measure: str, asked: Asked) -> str:
    return asked.say(key, value=_value(value, measure, asked), n=value)


def _value(value: float | None, measure: str, asked: Asked) -> str:
    if measure in MONEY:
        return money(value or 0, asked.language, asked.currency)
    value = value or 0
    return number(value, asked.language, 2 if value != round(value, 1) else None)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
