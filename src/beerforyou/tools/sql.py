"""SQL that a model writes over the caller's own purchases, behind the fence: for what the algebra of tool 1B cannot say."""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from beerforyou.blocks import Notice
from beerforyou.db.fence.ask import Found
from beerforyou.errors import Refused
from beerforyou.labels import Label
from beerforyou.reading.reading import Context
from beerforyou.sentences import say
from beerforyou.tools.caller import Caller, Hands
from beerforyou.tools.rows import content, listed, table
from beerforyou.tools.tool import Result

TRIES = 2  # how often an error goes back to the model
# Whatever may make the same text mean something else tomorrow, or in a second; a word too many costs a cache a hit.
_TELLS_THE_DAY = re.compile(r"current_date|today|yesterday|tomorrow|age\s*\(", re.IGNORECASE)
_TELLS_THE_TIME = re.compile(r"current_time|local|now|clock|timestamp|timeofday", re.IGNORECASE)


class Sql(msgspec.Struct, frozen=True):
    sql: str


def reads(caller: Caller, args: Sql) -> Label:
    told = {"day": _TELLS_THE_DAY, "moment": _TELLS_THE_TIME}
    return caller.own(
        "catalogue", "purchases", "home", *(name for name, words in told.items() if words.search(args.sql))
    )


async def run_sql(caller: Caller, hands: Hands, args: Sql) -> Result:
    """SQL over the caller's own purchases, only for what run_analytical_query has no slots for, such as beers bought together."""

    def told(found: Found) -> Result:
        context = Context(question=caller.question, listed=listed(found))
        rows = content(found, caller)
        named = {"what": found.columns[0]} if "figure" in rows else {}
        return Result(content=named | rows, label=Label(), blocks=table(found, caller), context=context)

    return await answered(caller, hands, args.sql, reads(caller, args), told)


async def answered(caller: Caller, hands: Hands, sql: str, label: Label, told: Callable[[Found], Result]) -> Result:
    """What is `told` of the rows. Raises Refused, for the model to correct; the last time the client is told instead.

    One after another, however many are asked for at once: what was refused must be known before the next is tried.
    """
    async with hands.asking:
        label = await hands.seen(label)
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
    return replace(told(found), label=label)
