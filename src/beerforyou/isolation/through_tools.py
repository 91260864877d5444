"""What a model could write as arguments: values that are no names, names of others, and too much of everything."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from beerforyou import clock
from beerforyou.catalogue.brewery import Place
from beerforyou.errors import BeerForYouError
from beerforyou.house import House
from beerforyou.isolation.attack import filled, ours
from beerforyou.isolation.canaries import Canary
from beerforyou.isolation.part import Part
from beerforyou.tools import TOOLS
from beerforyou.tools.caller import Caller, Hands

LONGEST_MS = 4000  # as for a statement: a call makes one
EVERY = 8  # of the attacks by SQL: all of them go to the fence itself, where the tool sends them
FIELDS = ("beer", "brewery", "style", "type", "city", "state", "weekday")
BREAKING = (
    "'", '"', "\\", "%", "_", "\0", "\ud800", "$1", "$$", "--", "/*", "{other_id}", "' OR true --", "\\' OR true --",
    "') OR client_id <> '' --", "' UNION SELECT beer, brewery FROM core.purchases --", "'; RESET ROLE; --",
    "\N{FULLWIDTH APOSTROPHE} OR true --", "x" * 100_000,
)  # fmt: skip
TOO_MUCH: tuple[dict[str, Any], ...] = (
    {"filters": [{"field": "brewery", "values": [f"House {n}" for n in range(10_000)]}]},
    {"filters": [{"field": "beer", "values": ["a"]}] * 10_000},
    {"spans": [{"since": "2026-01-01", "until": "2026-01-31"}] * 10_000},
    {"by": ["beer"] * 10_000},
    {"by": ["beer"], "limit": 10**30},
    {"by": ["beer"], "limit": -1},
    {"by": ["beer"], "having": "stopped", "having_days": 10**30},
    {"by": ["beer"], "client_id": "{other_id}"},
    {"by": ["client_id"]},
    {"spans": [{"since": "'; SELECT 1; --"}]},
    {"spans": [{"since": "infinity"}]},
)


class Call(NamedTuple):
    tool: str
    args: dict[str, Any]


async def arguments(house: House, made: Sequence[Canary]) -> Part:
    """Each call comes back with own data, or words for the model, in time."""
    me, others = made[0], made[1:]
    calls = [*_calls(others[0]), *_sql(me, others[0])]
    holes = [hole for call in calls for hole in await _tried(house, me, others, call)]
    return Part("arguments", len(calls), holes)


def _calls(other: Canary) -> Iterator[Call]:
    word = other.word
    values = (*BREAKING, word, word[:-1], word[:8], word[1:], f"{word[:-1]}_", f"%{word[1:-1]}%", word.upper()[:-1])
    for value in values:
        value = value.replace("{other_id}", other.client_id)
        for about in ("me", "everyone"):
            for field in FIELDS:
                filters = [{"field": field, "values": [value]}]
                yield Call("run_analytical_query", {"about": about, "by": ["beer"], "filters": filters})
        yield Call("search_breweries", {"name": value, "city": value})
        yield Call("search_breweries", {"breweries": [value], "like": value})
    for absurd in TOO_MUCH:
        yield from (Call("run_analytical_query", {"about": about} | absurd) for about in ("me", "everyone"))


def _sql(me: Canary, other: Canary) -> Iterator[Call]:
    params = me.params(other)
    return (Call("run_sql", {"sql": filled(attack.written, params)}) for attack in ours()[::EVERY])


async def _tried(house: House, me: Canary, others: Sequence[Canary], call: Call) -> list[str]:
    started = time.perf_counter()
    try:
        result = await TOOLS[call.tool](*_asker(house, me), call.args)
        got = f"{result.content} {result.blocks} {result.context} {result.label}"
    except BeerForYouError as refused:
        got = f"{refused.message} {refused.hint}"
    except Exception as error:  # a hole of another kind: nobody told the model what was wrong
        return [f"{_named(call)} broke: {type(error).__name__}"]
    took, given = time.perf_counter() - started, str(call.args).lower()
    seen = [
        canary
        for canary in others
        for secret in (canary.word, canary.client_id)
        if secret in got.lower() and secret not in given
    ]
    late = [f"{_named(call)} took {took * 1000:.0f} ms"] if took * 1000 > LONGEST_MS else []
    return [*(f"{_named(call)} brought back a word of {canary.client_id}" for canary in seen), *late]


def _named(call: Call) -> str:
    return f"{call.tool} {str(call.args)[:100]!r}"


def _asker(house: House, me: Canary) -> tuple[Caller, Hands]:
    """Anew for each call: how often SQL may be wrong is counted."""
    database, catalogue = house.database, house.catalogue.now
    today = clock.today(house.settings.time_zone)
    caller = Caller(client_id=me.client_id, name=me.word, home=Place(), language="en", today=today)
    return caller, Hands(database.for_tools(me.client_id), database.fence, database.statistics, catalogue)
