"""Statistics over all clients, published so that no sequence of questions turns them back into one client.

A fixed cube of cells (place, what, month) is counted by a role of its own. A cell is published when enough clients stand
behind it and none of them stands out; its numbers carry noise and are rounded; it is published anew only in another
month, and when several clients changed. The rules stand here, their SQL in queries/statistics.sql, and the measurement of
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


async def publish(connection: asyncpg.Connection, today: date) -> Published:
    """Counts and publishes what is due; `today` is the installation's. Needs the administrator's connection; takes on bfy_stats until it is done."""
    period = f"{today:%Y-%m}"
    async with connection.transaction():
        await connection.execute(
            "SET LOCAL ROLE bfy_stats; SET LOCAL search_path = stats, core; SET LOCAL work_mem = '128MB'"
        )
        await connection.execute(QUERIES["statistics.count_contributions"].sql)
        await connection.execute("ANALYZE contributions")
        await connection.execute(QUERIES["statistics.judge_cells"].sql, period, FEWEST, NOISE, CHANGED)
        await connection.execute(QUERIES["statistics.hide_the_second"].sql)
        await connection.execute(QUERIES["statistics.withdraw"].sql)
        await connection.execute(QUERIES["statistics.publish"].sql, period)
        await connection.execute(QUERIES["statistics.new_edition"].sql)
        await connection.execute("ANALYZE published")
        row = await connection.fetchrow(QUERIES["statistics.summary"].sql)
    return Published(row["cells"])
