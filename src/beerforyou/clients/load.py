"""An operator's clients and purchases, from CSV files into the database.

All or nothing, unless bad rows may be skipped; the same file again changes nothing. Files are copied into
temporary tables as they are read, judged there, and merged, in one transaction.
"""

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

import asyncpg
import msgspec

from beerforyou.catalogue.index import Catalogue
from beerforyou.clients.columns import CLIENTS, PURCHASES
from beerforyou.clients.csv_file import LISTED, BadRow, CsvFile, Rejects
from beerforyou.db.queries import QUERIES

MERGED_AT_ONCE = 1_000_000  # lines a statement; PostgreSQL holds 2 foreign-key checks a line in memory until its end

Progress = Callable[[int, int], None]  # bytes read, of how many
# Query, column, and what is said of a row that it finds.
JUDGED = (
    ("clients.repeated_clients", "client_id", "{id} is on line {first} already"),
    ("clients.repeated_purchases", "purchase_id", "{id} of client {client_id} is on line {first} already"),
    (
        "clients.unknown_time_zones",
        "time_zone",
        "is {id!a}, which this PostgreSQL does not know; update it, or leave it empty",
    ),
    ("clients.strangers", "client_id", "{id} is nobody: not on a good line of {clients}, not loaded before"),
    ("clients.in_the_future", "purchased_on", "is {id}, which is in the future: it is {today} where the client is"),
)
OF_CLIENTS = ("clients.repeated_clients", "clients.unknown_time_zones")


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """How many lines are now in the database; zero when something was bad and nothing was to be skipped.

    `bad` holds the first bad rows, `bad_count` counts all of them. `cleaned` counts good lines that held characters which
    nobody sees; names lost them. `ignored` are columns that nobody asked for.
    """

    clients: int
    purchases: int
    bad: tuple[BadRow, ...] = ()
    bad_count: int = 0
    cleaned: int = 0
    ignored: tuple[str, ...] = ()


async def load(
    connection: asyncpg.Connection,
    clients: Path,
    purchases: Path,
    *,
    catalogue: Catalogue,
    days: Mapping[str, date],
    skip_bad: bool = False,
    on_progress: Progress = lambda read, total: None,
) -> Report:
    """Needs the operator's rights. `days` as in clock.py. Raises BadInput when a file cannot be read or lacks a column."""
    files = {"clients": CsvFile(clients, CLIENTS), "purchases": CsvFile(purchases, PURCHASES)}
    rejects = Rejects()
    async with connection.transaction():
        await connection.execute(QUERIES["clients.stage"].sql)
        await connection.copy_records_to_table("staged_days", records=days.items())
        await _copy(connection, files, rejects, on_progress)
        await _judge(connection, clients.name, purchases.name, rejects)
        merged = skip_bad or not rejects.count
        if merged:
            await _merge(connection, catalogue)
        counts = await connection.fetchrow(QUERIES["clients.count_staged"].sql)
        await connection.execute(QUERIES["clients.unstage"].sql)
    return Report(
        clients=counts["clients"] if merged else 0,
        purchases=counts["purchases"] if merged else 0,
        bad=tuple(sorted(rejects.listed)),
        bad_count=rejects.count,
        cleaned=rejects.cleaned,
        ignored=tuple(f"{file.path.name}: {name}" for file in files.values() for name in file.ignored),
    )


async def _copy(
    connection: asyncpg.Connection, files: dict[str, CsvFile], rejects: Rejects, on_progress: Progress
) -> None:
    total = sum(file.path.stat().st_size for file in files.values())
    before = 0
    for table, file in files.items():
        rows = file.rows(rejects, lambda read, before=before: on_progress(before + read, total))  # type: ignore[misc]
        await connection.copy_records_to_table(f"staged_{table}", records=rows)
        before += file.path.stat().st_size
    await connection.execute(QUERIES["clients.analyze_staged"].sql)


async def _judge(connection: asyncpg.Connection, clients: str, purchases: str, rejects: Rejects) -> None:
    """What one line alone does not tell: ids that come twice, purchases of nobody, and of a day that is yet to come."""
    for query, column, reason in JUDGED:
        file = clients if query in OF_CLIENTS else purchases
        rows = await connection.fetch(QUERIES[query].sql, LISTED)
        for row in rows:
            rejects.add(BadRow(file, row["line"], reason.format(**row, clients=clients), column))
        rejects.count += rows[0]["count"] - len(rows) if rows else 0


async def _merge(connection: asyncpg.Connection, catalogue: Catalogue) -> None:
    await connection.execute(QUERIES["clients.one_at_a_time"].sql)
    await connection.execute(QUERIES["clients.merge_clients"].sql)
    await connection.execute(QUERIES["clients.merge_beers"].sql)
    await _link(connection, catalogue, "clients.unlinked_breweries")
    last = await connection.fetchval(QUERIES["clients.last_line"].sql)
    for line in range(0, last + 1, MERGED_AT_ONCE):
        await connection.execute(QUERIES["clients.merge_purchases"].sql, line, line + MERGED_AT_ONCE)


async def resolve_breweries(connection: asyncpg.Connection, catalogue: Catalogue) -> None:
    """Links every beer anew to the brewery that it is of. For a catalogue that has changed."""
    async with connection.transaction():
        await _link(connection, catalogue, "clients.all_breweries")


async def analyze(connection: asyncpg.Connection) -> None:
    """After a load or a new catalogue: else the server gathers its statistics a minute later, in the middle of something,
    and plans anew."""
    await connection.execute(QUERIES["clients.analyze"].sql)


async def _link(connection: asyncpg.Connection, catalogue: Catalogue, which: str) -> None:
    """Once a spelling, however many beers and purchases it has. What the catalogue doesn't know stays a name."""
    spellings = [tuple(row) for row in await connection.fetch(QUERIES[which].sql)]
    ids = [catalogue.known_as(*spelling) for spelling in spellings]
    names, cities, states = zip(*spellings, strict=True) if spellings else ((), (), ())
    await connection.execute(QUERIES["clients.link_breweries"].sql, names, cities, states, ids)
