"""Tool 1B: a question about the caller's own purchases, as SQL behind the fence, or about all clients, from the published
statistics (statistics.py). No argument can name a client.
"""

from __future__ import annotations

from typing import Any, Literal

from beerforyou.blocks import Notice, Table
from beerforyou.db.fence import Found
from beerforyou.errors import BadInput, Refused
from beerforyou.reading.reading import Context
from beerforyou.sentences import has, say
from beerforyou.tools.statistics import Statistic, published
from beerforyou.tools.tool import Caller, Outcome

TRIES = 2  # how often an error goes back to the model


class Analysis(Statistic, frozen=True, kw_only=True, omit_defaults=True):
    about: Literal["me", "everyone"] = "me"
    sql: str = ""


async def run_analytical_query(caller: Caller, args: Analysis) -> Outcome:
    """Answers a question about purchases: about "me" with SQL, about "everyone" from published statistics.

    For about "everyone" leave sql out and give: measure, quantity (units) or clients (how many buy it); by, the dimension
    of the table, empty for one figure; direction and limit, such as most and 3; month, such as 2026-03, empty for all time;
    filters beer, brewery, style, type; city and state of the clients. Never for another client's data.
    """
    if args.about == "everyone":
        if args.sql:
            raise BadInput("run_analytical_query: sql is for about me", "for everyone give measure, by and filters")
        return await published(caller, args)
    if not args.sql:
        raise BadInput("run_analytical_query: sql is missing", "write one SELECT over my_purchases or my_profile")
    return await _own(caller, args.sql)


async def _own(caller: Caller, sql: str) -> Outcome:
    """Raises Refused, for the model to correct; the last time the client is told instead.

    One after another, however many are asked for at once: what was refused must be known before the next is tried.
    """
    async with caller.asking:
        return await _asked(caller, sql)


async def _asked(caller: Caller, sql: str) -> Outcome:
    label = caller.own(catalogue=caller.catalogue.version)
    if caller.refusals >= TRIES:
        return Outcome(content={"error": "no more tries; say that you can't answer this"}, label=label)
    try:
        found = await caller.fence.ask(caller.client_id, sql, caller.time_zone)
    except Refused as refused:
        caller.refusals += 1
        if caller.refusals < TRIES:
            raise
        notice = Notice(key="query_refused", text=say("analysis.refused", caller.language))
        return Outcome(content={"error": refused.message}, label=label, blocks=(notice,))
    return Outcome(
        content=_content(found), label=label, blocks=_table(found, caller), context=Context(question=caller.question)
    )


def _content(found: Found) -> dict[str, Any]:
    more = {"truncated": "there are more rows than these; aggregate or LIMIT"} if found.truncated else {}
    return {"columns": found.columns, "rows": found.rows} | more


def _table(found: Found, caller: Caller) -> tuple[Table, ...]:
    """One figure is for the sentence; a table is for the client to see."""
    if not found.rows or (len(found.rows) == 1 and len(found.columns) == 1):
        return ()
    rows = tuple(tuple(_cell(*cell, caller) for cell in zip(found.columns, row, strict=True)) for row in found.rows)
    return (Table(columns=found.columns, rows=rows, truncated=found.truncated),)


def _cell(column: str, value: Any, caller: Caller) -> Any:
    """Brewery types and weekdays (1 is Monday) in the client's words."""
    key = f"{column}.{value}"
    return say(key, caller.language) if column in ("type", "weekday") and has(key, caller.language) else value
