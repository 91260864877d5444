"""Tool 1B: a question about the caller's own purchases, as SQL behind the fence, or about all clients, from the published
statistics (statistics.py). No argument can name a client.
"""

from __future__ import annotations

import re
from typing import Any, Literal, get_args

from beerforyou.blocks import Notice, Table
from beerforyou.db.fence.ask import Found
from beerforyou.errors import BadInput, Refused
from beerforyou.labels import Label
from beerforyou.reading.question import Field, Filter
from beerforyou.reading.reading import Context
from beerforyou.sentences import has, say
from beerforyou.sentences.periods import spelt
from beerforyou.sentences.rendering import MONEY
from beerforyou.tools.caller import Caller, Hands
from beerforyou.tools.statistics import Statistic, of_everyone, published
from beerforyou.tools.tool import Result

FIELDS: dict[str, Field] = {field: field for field in get_args(Field)}
LISTED = 10  # rows that can be pointed at
TRIES = 2  # how often an error goes back to the model
# Whatever may make the same text mean something else tomorrow, or in a second; a word too many costs a cache a hit.
_TELLS_THE_DAY = re.compile(r"current_date|today|yesterday|tomorrow|age\s*\(", re.IGNORECASE)
_TELLS_THE_TIME = re.compile(r"current_time|local|now|clock|timestamp|timeofday", re.IGNORECASE)


class Analysis(Statistic, frozen=True, kw_only=True, omit_defaults=True):
    about: Literal["me", "everyone"] = "me"
    sql: str = ""


def reads(caller: Caller, args: Analysis) -> Label:
    return of_everyone(caller, args) if args.about == "everyone" else _of_own(caller, args.sql)


def _of_own(caller: Caller, sql: str) -> Label:
    told = {"day": _TELLS_THE_DAY, "moment": _TELLS_THE_TIME}
    return caller.own("catalogue", "purchases", "home", *(name for name, words in told.items() if words.search(sql)))


async def run_analytical_query(caller: Caller, hands: Hands, args: Analysis) -> Result:
    """Answers a question about purchases: about "me" with SQL, about "everyone" from published statistics.

    For about "everyone" leave sql out and give: measure, quantity (units) or clients (how many buy it); by, the dimension
    of the table, empty for one figure; direction and limit, such as most and 3; month, such as 2026-03, empty for all time;
    filters beer, brewery, style, type; city and state of the clients. Never for another client's data.
    """
    if args.about == "everyone":
        if args.sql:
            raise BadInput("run_analytical_query: sql is for about me", "for everyone give measure, by and filters")
        return await published(caller, hands, args)
    if not args.sql:
        raise BadInput("run_analytical_query: sql is missing", "write one SELECT over my_purchases or my_profile")
    return await _own(caller, hands, args.sql)


async def _own(caller: Caller, hands: Hands, sql: str) -> Result:
    """Raises Refused, for the model to correct; the last time the client is told instead.

    One after another, however many are asked for at once: what was refused must be known before the next is tried.
    """
    async with hands.asking:
        return await _asked(caller, hands, sql)


async def _asked(caller: Caller, hands: Hands, sql: str) -> Result:
    label = await hands.seen(_of_own(caller, sql))
    if hands.refusals >= TRIES:
        return Result(content={"error": "no more tries; say that you can't answer this"}, label=label)
    try:
        found = await hands.fence.ask(caller.client_id, sql, caller.time_zone)
    except Refused as refused:
        hands.refusals += 1
        if hands.refusals < TRIES:
            raise
        notice = Notice(key="query_refused", text=say("analysis.refused", caller.language))
        return Result(content={"error": refused.message}, label=label, blocks=(notice,))
    context = Context(question=caller.question, listed=_listed(found))
    return Result(content=_content(found, caller), label=label, blocks=_table(found, caller), context=context)


def _listed(found: Found) -> tuple[Filter, ...]:
    """What the rows stand for, for "with the first one" to mean it."""
    if not found.columns or found.columns[0] not in FIELDS:
        return ()
    field = FIELDS[found.columns[0]]
    return tuple(Filter(field=field, values=(str(row[0] or ""),)) for row in found.rows[:LISTED])


def _content(found: Found, caller: Caller) -> dict[str, Any]:
    """A row of nothing but NULL is none: nothing was summed up, which is not zero."""
    rows = tuple(row for row in found.rows if any(value is not None for value in row))
    more: dict[str, Any] = {"currency": caller.currency} if _has_money(found) else {}
    if not rows:
        more["nothing"] = "no row matches"
    if found.truncated:
        more["truncated"] = "there are more rows than these; aggregate or LIMIT"
    return {"columns": found.columns, "rows": rows} | more


def _has_money(found: Found) -> bool:
    return any(column.startswith(MONEY) for column in found.columns)


def _table(found: Found, caller: Caller) -> tuple[Table, ...]:
    """One figure is for the sentence; a table is for the client to see."""
    if not found.rows or (len(found.rows) == 1 and len(found.columns) == 1):
        return ()
    rows = tuple(tuple(_cell(*cell, caller) for cell in zip(found.columns, row, strict=True)) for row in found.rows)
    currency = caller.currency if _has_money(found) else ""
    return (Table(columns=found.columns, rows=rows, truncated=found.truncated, currency=currency),)


def _cell(column: str, value: Any, caller: Caller) -> Any:
    """What a brewery, a month or a weekday is called in the client's words."""
    if value in (None, "") and column in FIELDS:
        return say("column.unknown", caller.language)
    key = f"type.{value}"
    if column == "type" and has(key, caller.language):
        return say(key, caller.language)
    if isinstance(value, str) or column == "weekday":
        return spelt(str(value), column, caller.language)
    return value
