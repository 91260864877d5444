"""How fast an operator's files are loaded, and in how much memory: 1,000,000 purchases by default.

    python bench/load_csv.py [LINES]

The demo's clients, again and again under new ids, into an embedded PostgreSQL of its own: loaded, the same file
loaded again, and profiles computed. Memory is this process's, at its largest.
"""

import asyncio
import csv
import itertools
import resource
import sys
import tempfile
import time
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import asyncpg

from beerforyou import clock, settings
from beerforyou.catalogue.brewery import Brewery
from beerforyou.catalogue.index import Catalogue
from beerforyou.clients import demo
from beerforyou.clients.load import load
from beerforyou.clients.profiles import compute
from beerforyou.db.connections import operator
from beerforyou.db.migrate import migrate
from beerforyou.servers.embedded import settings_with_servers

CITIES, IN_A_CITY = 250, 20


def invented() -> list[Brewery]:
    return [
        Brewery(
            id=f"{city}-{number}", name=f"House {city} of {number} Brewing Co", brewery_type=("micro", "brewpub", "regional")[number % 3],
            city=f"City{city}", state=f"State{city // 10}", country="Country",
        )
        for city in range(CITIES) for number in range(IN_A_CITY)
    ]  # fmt: skip


def write(folder: Path, breweries: list[Brewery], lines: int) -> tuple[Path, Path]:
    """The demo's files, copied until there are so many purchases."""
    paths = demo.write(folder, breweries, today=clock.today("UTC"))
    clients, purchases = ([*csv.reader(path.open(encoding="utf-8", newline=""))] for path in paths)
    copies = -(-lines // (len(purchases) - 1))
    with paths[0].open("w", encoding="utf-8", newline="") as file:
        rows = ([f"{row[0]}-{copy}", *row[1:]] for copy in range(copies) for row in clients[1:])
        csv.writer(file).writerows(itertools.chain(clients[:1], rows))
    with paths[1].open("w", encoding="utf-8", newline="") as file:
        rows = ([row[0], f"{row[1]}-{copy}", *row[2:]] for copy in range(copies) for row in purchases[1:])
        csv.writer(file).writerows(itertools.chain(purchases[:1], itertools.islice(rows, lines)))
    return paths


async def keep(connection: asyncpg.Connection, breweries: list[Brewery]) -> None:
    rows = [
        (b.id, b.name, b.brewery_type, b.city, b.state, b.country, "", "", "", "", None, None, False, 1, 1)
        for b in breweries
    ]
    await connection.copy_records_to_table("breweries", schema_name="core", records=rows)


async def timed(what: str, lines: int, work: Awaitable[Any]) -> Any:
    wall, cpu = time.perf_counter(), time.process_time()
    result = await work
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{what:<12} {wall:7.1f} s {lines / wall:10,.0f} lines/s   of it CPU here {cpu:6.1f} s   memory {memory:,.0f} MB"
    )
    return result


async def measure(folder: Path, lines: int) -> None:
    breweries = invented()
    files = write(folder, breweries, lines)
    print(f"{lines:,} purchases, {files[1].stat().st_size / 1e6:,.0f} MB")
    ready, servers = settings_with_servers(settings.load({}, data=folder))
    assert servers
    with servers:
        await migrate(ready)
        async with operator(ready) as connection:
            await keep(connection, breweries)
            catalogue, days = Catalogue(breweries), clock.days("UTC")
            for what in ("load", "load again"):
                report = await timed(what, lines, load(connection, *files, catalogue=catalogue, days=days))
                assert (report.purchases, report.bad_count) == (lines, 0), report
            clients = await timed("profiles", lines, compute(connection, days))
            print(f"{clients:,} profiles")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="beerforyou-bench-") as folder:
        Path(folder).chmod(0o711)
        asyncio.run(measure(Path(folder), int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000))
