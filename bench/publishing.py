"""What publishing statistics costs: from nothing, after one client's load, with nothing new, and in a new month.

    python -m bench.publishing [LINES]

LINES purchases (300,000 by default, 150 a client) made by SQL in an embedded PostgreSQL of its own. CPU is that of the
server's process which does the work, and of this one (with the calibrator's: bench/machine.py).
"""

import asyncio
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import asyncpg
import psutil

from beerforyou import settings
from beerforyou.clients.statistics import publish
from beerforyou.db.migrate import migrate
from beerforyou.servers.embedded import settings_with_servers
from bench.machine import calibrated

A_CLIENT, CITIES, BEERS, MONTHS = 150, 250, 2_000, 12
# Half of a client's lines are of the most bought twentieth of the beers.
MADE = f"""
SELECT setseed(0.5);
INSERT INTO core.clients (client_id, name, city, state, country, postal_code, language)
SELECT 'CLT-' || n, 'Bar ' || n, 'City ' || c, 'State ' || c / 10, 'United States', '', 'en'
FROM (SELECT n, floor({CITIES} * random() ^ 2)::int AS c FROM generate_series(1, $1 / {A_CLIENT}) AS n) AS all_of_them;
INSERT INTO core.beers (name, style, brewery_name, brewery_city, brewery_state, brewery_type)
SELECT 'Beer ' || n, 'Style ' || n % 40, 'Brewery ' || n / 5, '', '', (ARRAY['micro', 'brewpub', 'regional', 'large', 'nano'])[1 + n / 5 % 5]
FROM generate_series(0, {BEERS} - 1) AS n;
INSERT INTO core.purchases (client_id, purchase_id, purchased_on, beer_id, quantity, unit_price)
SELECT 'CLT-' || 1 + n % ($1 / {A_CLIENT}), n, date '2025-03-01' + floor(365 * random())::int,
       1 + floor({BEERS} * random() ^ 4), 1 + floor(24 * random())::int, 5
FROM generate_series(1, $1) AS n;
ANALYZE core.clients, core.beers, core.purchases;
"""
ONE_LOAD = """
INSERT INTO core.purchases (client_id, purchase_id, purchased_on, beer_id, quantity, unit_price)
SELECT 'CLT-7', 'new ' || n, date '2026-02-03', 1 + n * 7 % 2000, 12, 5 FROM generate_series(1, 50) AS n
"""


async def measure(folder: Path, lines: int) -> None:
    ready, servers = settings_with_servers(settings.load({}, data=folder))
    assert servers
    with servers:
        await migrate(ready)
        admin = await asyncpg.connect(ready.database_admin_url)
        for statement in filter(str.strip, MADE.replace("$1", str(lines)).split(";")):
            await admin.execute(statement)
        await timed("from nothing", admin, date(2026, 3, 20))
        await timed("nothing new", admin, date(2026, 3, 20))
        await admin.execute(ONE_LOAD)
        await timed("one client's load", admin, date(2026, 3, 20))
        await admin.execute("DELETE FROM core.purchases WHERE client_id = 'CLT-7'")
        await timed("its lines deleted", admin, date(2026, 3, 20))
        await timed("a new month", admin, date(2026, 4, 20))
        await admin.close()


async def timed(what: str, admin: asyncpg.Connection, today: date) -> None:
    server = psutil.Process(admin.get_server_pid())
    before, start, wall = sum(server.cpu_times()[:2]), time.process_time(), time.perf_counter()
    async with calibrated() as calibrator:
        published = await publish(admin, today)
    cpu, own = sum(server.cpu_times()[:2]) - before, time.process_time() - start
    memory = server.memory_full_info().uss / 1e6
    temporary = await admin.fetchval("SELECT temp_bytes FROM pg_stat_database WHERE datname = current_database()")
    print(
        f"{what:<20}{cpu:7.2f} s of the server, {cpu / calibrator.slowness:5.2f} s on a quiet core {own:6.3f} s here {time.perf_counter() - wall:7.2f} s in all"
        f" {published.cells:7,} cells {memory:6.0f} MB {temporary / 1e6:8.1f} MB of temporary files so far"
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="beerforyou-bench-") as folder:
        Path(folder).chmod(0o711)
        asyncio.run(measure(Path(folder), int(sys.argv[1]) if len(sys.argv) > 1 else 300_000))
