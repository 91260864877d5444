"""What a model could reach: every attack with the gate and without, before and after others change, and all at once."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Sequence

from beerforyou.db.connections import operator
from beerforyou.errors import Unavailable
from beerforyou.health import holes
from beerforyou.house import House
from beerforyou.isolation.attack import Attack, Tried, ours, tried
from beerforyou.isolation.canaries import BEERS, Canary, buy
from beerforyou.isolation.part import Part, found_in
from beerforyou.isolation.watching import SESSION_MB, Backends
from beerforyou.settings import Settings

LONGEST_MS = 4000  # no statement past its time limit (2 s in the database), with room for a busy machine
AT_ONCE = 60  # queries of all canaries mixed on the same connections
ARRIVES_S = 10.0  # how long a replica may take to show what was just written
BY_LIMIT = ("took too long", "needs too much", "does not answer")  # refusals that depend on how busy the machine is
CHANGING = (
    "now(",
    "current",
    "localtime",
    "timestamp",
    "age(",
    "backend(",
)  # what makes a query answer otherwise by itself


COSTLY = ("parser", "memory", "zones")  # kinds that are after the server, not after rows
SOME = ("limit", "fetch first", "offset", "over", "distinct on")  # rows, of those that there are


async def fence(house: House) -> Part:
    return Part("fence", 1, await holes(house.database))


async def queries(house: House, settings: Settings, made: Sequence[Canary], watched: Backends) -> Part:
    """Every attack with the gate and without it; and once more after the other changed, which must change nothing."""
    me, other = made[0], made[1]
    attacks = ours()
    before = await _tried(house, me, other, watched, attacks)
    async with operator(settings) as connection:
        await buy(connection, other, 1, f"{other.word} more")
    await arrived(house, other, BEERS + 1)
    after = await _tried(house, me, other, watched, [attack for attack in attacks if attack.kind not in COSTLY])
    holes = [hole for result in (*before.values(), *after.values()) for hole in _judged(result)]
    if (kept := await watched.session_mb()) is not None and kept > SESSION_MB:
        holes.append(f"a session of the pool holds {kept} MB afterwards")
    texts = {attack.id: attack.written.lower() for attack in attacks}
    for key, result in after.items():
        steady = not any(word in texts[key[0]] for word in CHANGING)
        if steady and _differ(before[key], result, texts[key[0]]):
            holes.append(f"{key[0]} answers otherwise when another client buys something")
    return Part("queries", len(before) + len(after), holes)


def _differ(before: Tried, after: Tried, sql: str) -> bool:
    by_limit = any(word in before.error + after.error for word in BY_LIMIT)
    return not by_limit and (_answer(before, sql), before.error) != (_answer(after, sql), after.error)


def _answer(result: Tried, sql: str) -> object:
    """What must be the same when PostgreSQL plans anew: the order, where one is asked for; without one, which rows of many
    come first is not said either.
    """
    if "order by" in sql:
        return result.rows
    return len(result.rows) if result.truncated or any(word in sql for word in SOME) else Counter(map(str, result.rows))


async def arrived(house: House, canary: Canary, lines: int) -> None:
    """Raises Unavailable when what was written does not come to where the tools read."""
    end = time.monotonic() + ARRIVES_S
    while True:
        found = await house.database.fence.run(canary.client_id, "SELECT count(*) AS lines FROM my_purchases")
        if found.rows[0][0] >= lines:
            return
        if time.monotonic() > end:
            raise Unavailable("the replica does not show what was written", "does it follow the primary?")
        await asyncio.sleep(0.05)


async def _tried(
    house: House, me: Canary, other: Canary, watched: Backends, attacks: Sequence[Attack]
) -> dict[tuple[str, bool], Tried]:
    fence, params = house.database.fence, me.params(other)
    return {
        (attack.id, with_gate): await tried(fence, me.client_id, attack, params, with_gate=with_gate, watched=watched)
        for attack in attacks
        for with_gate in (True, False)
    }


def _judged(result: Tried) -> Iterator[str]:
    if result.verdict == "leak":
        yield f"{result.id} brought back another client's data"
    if not result.alive:
        yield f"the database did not answer after {result.id}"
    if result.heavy:
        yield f"a backend held {result.peak_mb} MB for {result.id}"
    if result.left_running:
        yield f"{result.id} still ran when nobody waited for it"
    if result.ms > LONGEST_MS:
        yield f"{result.id} took {result.ms:.0f} ms"


async def pool(house: House, made: Sequence[Canary]) -> Part:
    """Everybody at once on the same connections: each sees its own word, and no other."""

    async def one(canary: Canary) -> list[str]:
        found = await house.database.fence.run(canary.client_id, "SELECT beer, brewery FROM my_purchases")
        profile = await house.database.for_tools(canary.client_id).fetchrow("clients.profile")
        text = f"{found.rows}{dict(profile) if profile else ''}"
        missing = [] if canary.word in text else [f"{canary.client_id} does not see its own rows"]
        return [*missing, *found_in(f"what {canary.client_id} sees", text, made, but=canary)]

    holes = await asyncio.gather(*(one(made[n % len(made)]) for n in range(AT_ONCE)))
    return Part("pool", AT_ONCE, [hole for some in holes for hole in some])
