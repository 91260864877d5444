"""Tool 1B: a question about purchases, in the slots of the algebra (reading/question.py). About the caller it becomes one SELECT
behind the fence, about all clients a statistic that is published (statistics.py). No argument can name a client.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Literal

from msgspec.structs import asdict, replace

from beerforyou.by_rule import everyone
from beerforyou.by_rule.figures import figures, has_figure
from beerforyou.by_rule.possible import cannot, meant
from beerforyou.by_rule.scope import Asked
from beerforyou.by_rule.sql import LONGEST, Bought, write
from beerforyou.db.fence.ask import Found
from beerforyou.errors import BadInput
from beerforyou.labels import Label, union
from beerforyou.reading.question import Question, Span
from beerforyou.reading.reading import Context
from beerforyou.sentences import say
from beerforyou.tools.caller import Caller, Hands
from beerforyou.tools.rows import content, listed, table
from beerforyou.tools.sql import answered
from beerforyou.tools.statistics import Statistic, of_everyone, published
from beerforyou.tools.tool import Result

MOST_ROWS = 1000  # that make sense to ask for; the fence shows fewer
MOST_DAYS = 3660  # ten years
MOST_VALUES = 50  # of all filters: a brewery among them is looked up in the catalogue
MOST_FIGURE = 1_000_000_000  # of a bound
LONGEST_NAME = 200  # characters; the longest of the catalogue has 80
WEEKDAYS = tuple("1234567")


class Analysis(Question, frozen=True, kw_only=True, omit_defaults=True):
    """A question as a model asks it. It says whose purchases are meant; `beside` is only there to be told that it is unknown."""

    about: Literal["me", "everyone"]
    aggregate: Literal["total", "mean", "share", "change", "first", "last", "since", "list"] = "total"


def reads(caller: Caller, args: Analysis) -> Label:
    question = _checked(args)
    if question.about == "everyone":
        return of_everyone(caller, _statistic(question))
    return _of_own(caller, question)


async def run_analytical_query(caller: Caller, hands: Hands, args: Analysis) -> Result:
    """Figures of purchases: sums, counts, rankings, lists, dates, comparisons. about "me": the caller's own; "everyone": all clients
    together, as published. Leave out what was not asked.

    measures: quantity (units), amount (money), price (of a unit), orders, lines, different beers, breweries, styles. aggregate: total;
    mean, per order, week...; share, in percent, of the filters or of each of by; change, from one span to the other or from month to
    month of by; first or last date; since, days since the last; list. by: a row for each. filters: all must hold, with any of the
    values, negated with none; style "IPA" is every IPA; weekday is 1 (Monday) to 7. spans: days, both included; several are told apart;
    none is all time. having: bought once; stopped, for two months; new; kept, in each span; left, in the first span and not the second.
    direction, limit: "most", 1 is the one. Of everyone: quantity or clients (how many buy), by one thing that is no time but month,
    one value a filter, one whole month.

    My top 3 IPAs in March: {"about": "me", "by": ["beer"], "filters": [{"field": "style", "values": ["IPA"]}], "spans": [{"since":
    "2026-03-01", "until": "2026-03-31"}], "direction": "most", "limit": 3}
    """
    question = _checked(args)
    if question.about == "everyone":
        return await published(caller, hands, _statistic(question), question)
    return await _own(caller, hands, question)


# What is asked ------------------------------------------------------------------------------------------------------


def _checked(args: Analysis) -> Question:
    """Raises BadInput where it says what no figure can answer, or what would be left out of the answer."""
    question = Question(**asdict(args))
    question = replace(
        question,
        filters=tuple(each for each in question.filters if each.values),
        limit=min(question.limit, MOST_ROWS),
    )
    for why, hint in _wrong(question):
        raise BadInput(f"run_analytical_query: {why}", hint)
    key = cannot(meant(question)) if question.about == "me" else ""
    if key:
        raise _refused(f"cannot.{key}")
    return question


def _refused(key: str) -> BadInput:
    """In the words that a client would read, which name what can be asked."""
    return BadInput(f"run_analytical_query: {say(key, 'en')}", "correct the arguments, or say so")


def _wrong(question: Question) -> Iterator[tuple[str, str]]:
    """Why it makes no sense, and what would."""
    for span in question.spans:
        yield from _wrong_span(span)
    values = [value for each in question.filters for value in each.values]
    if len(values) > MOST_VALUES or any(len(value) > LONGEST_NAME for value in values):
        yield f"filters hold {len(values)} values", f"give {MOST_VALUES} at most, of {LONGEST_NAME} characters"
    if any(each.field == "weekday" and not {*each.values} <= {*WEEKDAYS} for each in question.filters):
        yield "there is no such weekday", "weekdays are 1 (Monday) to 7 (Sunday)"
    if not 0 <= question.having_days <= MOST_DAYS or question.limit < 0:
        yield "limit or having_days is out of range", f"having_days is {MOST_DAYS} at most"
    if question.per and question.aggregate != "mean":
        yield (
            f"per {question.per} says nothing of a {question.aggregate}",
            "aggregate mean is per month; by has a row for each",
        )
    if question.direction and not question.by and question.aggregate != "change" and len(question.spans) < 2:
        yield "direction ranks the rows of by, and there is no by", "give by, such as beer"
    if question.about == "everyone" and question.aggregate == "list" and not question.by:
        yield "a list of what everyone buys needs by", "give by, such as beer"
    if question.bound and not 0 <= question.bound.figure <= MOST_FIGURE:
        yield f"bound is {question.bound.figure}", f"give a figure from 0 to {MOST_FIGURE}"
    if question.having_days and question.having not in ("stopped", "new"):
        yield "having_days says nothing alone", "it goes with having stopped or new; days are a span"


def _wrong_span(span: Span) -> Iterator[tuple[str, str]]:
    try:
        days = [date.fromisoformat(day) for day in (span.since, span.until) if day]
    except ValueError as error:
        yield f"spans: {error}", "give days as 2026-03-01"
        return
    if [day.isoformat() for day in days] != [day for day in (span.since, span.until) if day]:
        yield f"spans: {span.since} {span.until}", "give days as 2026-03-01"
    if days != sorted(days):
        yield f"spans: {span.since} is after {span.until}", "since comes first"


# All clients --------------------------------------------------------------------------------------------------------


def _statistic(question: Question) -> Statistic:
    if key := everyone.cannot(question):
        raise _refused(key)
    return Statistic(**{name: value for name, value in everyone.statistic(question).items() if name != "about"})


# The caller's own ---------------------------------------------------------------------------------------------------


def _of_own(caller: Caller, question: Question) -> Label:
    """A brewery that is named is looked for in the profile."""
    named = ["profile"] if _breweries(question) else []
    day = ["day"] if _tells_the_day(question, caller.today) else []
    return caller.own("catalogue", "purchases", *named, *day)


def _tells_the_day(question: Question, today: date) -> bool:
    """Whether the same question has another answer tomorrow, or the same in other words ("so far")."""
    day = today.isoformat()
    now = any((span.since or day) <= day <= (span.until or day) for span in question.spans)
    return now or question.aggregate == "change" or "CURRENT_DATE" in write(replace(question, filters=()))


async def _own(caller: Caller, hands: Hands, question: Question) -> Result:
    label, breweries = _of_own(caller, question), dict[str, Bought]()
    if names := _breweries(question):
        _, version = await hands.profile()
        label = union([label, Label(label.audience, {"profile": version} if version else {})])
        breweries = {name: await hands.bought_as(name) for name in names}
    if vague := next((name for name, bought in breweries.items() if bought.vague), ""):
        return Result(content={"ask": say("details.vague", caller.language, name=vague)}, label=label, asks=True)
    sql = write(question, breweries)
    if len(sql) > LONGEST:
        raise _refused("cannot.too_much")
    asked = Asked(
        question=meant(question),
        language=caller.language,
        today=caller.today,
        currency=caller.currency,
        breweries=breweries,
    )
    return await answered(caller, hands, sql, label, lambda found: _told(caller, question, asked, found))


def _breweries(question: Question) -> list[str]:
    return list(dict.fromkeys(name for each in question.filters if each.field == "brewery" for name in each.values))


def _told(caller: Caller, question: Question, asked: Asked, found: Found) -> Result:
    """The sentence says what was counted, whoever will word the answer."""
    sentence = figures(found.columns, found.rows, found.truncated, asked)
    known = found if has_figure(found.columns, found.rows, asked) else Found()
    return Result(
        content={"sentence": sentence} | content(known, caller),
        label=Label(),
        blocks=table(known, caller, caption=sentence),
        context=Context(question=question, listed=listed(found)),
    )
