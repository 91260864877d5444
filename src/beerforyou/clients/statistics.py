"""Statistics over all clients, published so that no sequence of questions turns them back into one client.

A fixed cube of cells (place, what, month) is counted by a role of its own. A cell is published when enough clients stand
behind it and none of them stands out; its numbers carry noise and are rounded; it is published anew only in another
month, and when several clients changed. What changed since the last edition is counted. The rules stand here, their SQL in queries/statistics.sql, and the measurement of
what an attacker gains in docs/explanation/statistics.md.
"""

from datetime import date

import asyncpg
import msgspec

from beerforyou.db.queries import QUERIES

FEWEST = 10  # clients behind a cell
NOISE = 20.0  # scale of the Laplace noise on a count of clients: one client moves it by a twentieth of that
CHANGED = 5  # clients that must have changed before a cell is published anew; in truth 5 to 9, nobody knows which


class Published(msgspec.Struct, frozen=True):
    cells: int


# In the order in which they are made. "one at a time" makes another publication wait until this one is there.
COUNTED = (
    "one_at_a_time", "number_keys", "number_states", "number_cities",
    "changed", "was", "forget_beers", "count_beers", "forget_clients", "count_clients",
    "contributions", "know_contributions", "moved", "move_cells", "add_cells", "drop_empty",
)  # fmt: skip

TOLD = ("smallest", "know_smallest", "seen_missing", "hide_the_second", "withdraw", "wanted", "know_wanted")


async def publish(connection: asyncpg.Connection, today: date) -> Published:
    """Counts and publishes what is due; `today` is the installation's. Needs the administrator's connection; takes on bfy_stats until it is done."""

    async def make(name: str, *given: object) -> None:
        await connection.execute(QUERIES[f"statistics.{name}"].sql, *given)

    async def others(which: str) -> list[int]:
        keys: list[int] = await connection.fetchval(QUERIES[f"statistics.{which}"].sql) or []
        if keys:
            beers = await connection.fetchval(QUERIES["statistics.beers_of"].sql, keys)
            await make("contributions_of_others", keys, beers)
        return keys

    period = f"{today:%Y-%m}"
    async with connection.transaction():
        # Merge joins sort what fits into a hash: how much arrays hold is unknown to plans.
        await connection.execute(
            "SET LOCAL ROLE bfy_stats; SET LOCAL search_path = stats, core; SET LOCAL work_mem = '48MB'; SET LOCAL enable_mergejoin = off"
        )
        for name in COUNTED:
            await make(name)
        await make("turned", FEWEST)
        for name in ("turn", "drop_cells", "know_turned"):
            await make(name)
        if keys := await others("keys_turned"):
            await make("count_cells", keys)
            await make("know_cells")
        for name, *given in _judged(period):
            await make(name, *given)
        for name in TOLD:
            await make(name)
        await others("keys_of_others")
        await make("publish", period, NOISE)
        await make("new_edition")
        row = await connection.fetchrow(QUERIES["statistics.summary"].sql)
    return Published(row["cells"])


def _judged(period: str) -> tuple[tuple[str, *tuple[object, ...]], ...]:
    """Queries, each with what it is given."""
    return (
        ("old_noise", period), ("draw_noise", period, FEWEST), ("note_period", period), ("there",), ("know_there",),
        ("judge", FEWEST, NOISE), ("find_the_largest", NOISE), ("fit", NOISE), ("due", period, CHANGED),
    )  # fmt: skip
