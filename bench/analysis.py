"""What the fence around a client's own data costs, and whether questions slow down as the data grows.

    .venv/bin/python bench/analysis.py [SMALL] [LARGE] [PUBLISHED]

Numbers of purchase lines: 10,000 and 10,000,000 to compare, 1,000,000 to publish statistics of (0 for none). Every client has
250 lines and 40 beers at any size, so only what surrounds them grows. Two databases on one embedded server in a temporary
folder are asked in turn. `bare` is the same text over the view's own, with the client's id in place of the identity, by the
administrator, whom no policy checks; planned anew each time. `again` is a text that was asked before, through gate and fence,
`constants` one that differs from such a text in its constants only, `new` one that nobody asked. 10,000,000 lines take some 4
GB of disk and some minutes. Linux, for /proc.

CPU is this process's (the gate's child apart) and the server's for one question: all the work there is but waiting, and unlike
wall time without the turns that others take on a busy machine.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import re
import sys
import tempfile
import time
from collections import defaultdict
from operator import sub
from pathlib import Path
from statistics import quantiles
from typing import Any

import asyncpg
import msgspec
import uvloop

from beerforyou import clock
from beerforyou.clients.statistics import publish
from beerforyou.db.connections import admin
from beerforyou.db.database import connect
from beerforyou.db.migrate import migrate
from beerforyou.house import prepared
from beerforyou.servers.postgres import DATABASE
from beerforyou.settings import Settings, load

RUNS, WARM_UP = 400, 50
LINES = 250  # of each client
KINDS = ("wall", "client", "server", "CPU")
WAYS = ("bare", "again", "constants", "new")


# In ms, by what was asked (bare, fenced...), kind, question, and which database.
Took = dict[tuple[str, str, str, int], list[float]]

QUESTIONS = {
    "total": "SELECT sum(quantity) AS quantity, sum(amount) AS amount FROM my_purchases",
    "one style": "SELECT beer, sum(amount) AS amount FROM my_purchases WHERE style = 'Style 3' AND purchased_on >= '2024-02-01' GROUP BY beer ORDER BY 2 DESC LIMIT 5",
    "top 5 beers": "SELECT beer, brewery, sum(quantity) AS quantity FROM my_purchases GROUP BY beer, brewery ORDER BY 3 DESC, 1 LIMIT 5",
    "by month": "SELECT to_char(purchased_on, 'YYYY-MM') AS month, sum(amount) AS amount FROM my_purchases GROUP BY 1 ORDER BY 1",
    "share of styles": "SELECT style, round(sum(quantity) / sum(sum(quantity)) OVER (), 3) AS share FROM my_purchases GROUP BY style ORDER BY share DESC",
}
# Without checking foreign keys, which takes longer than the rest. `0 * n`: one client after another, whatever the planner thinks.
FILL = """
SET session_replication_role = replica;
SELECT setseed(0.5);
INSERT INTO core.breweries (brewery_id, name, brewery_type, city, state, country, address, postal_code, phone, website, since, changed)
SELECT 'brewery-' || n, 'House ' || n || ' Brewing Co', (ARRAY['micro', 'brewpub', 'regional'])[1 + n % 3], 'City ' || n % 200,
       'State ' || n % 40, 'Country', '', '', '', '', 1, 1
FROM generate_series(0, {breweries} - 1) n;
INSERT INTO core.beers (name, style, brewery_name, brewery_city, brewery_state, brewery_id, brewery_type)
SELECT 'Beer ' || n, 'Style ' || n % 12, 'House ' || n % {breweries}, 'City ' || n % 200, 'State ' || n % 40,
       CASE WHEN n % 3 > 0 THEN 'brewery-' || n % {breweries} END, CASE WHEN n % 3 > 0 THEN 'micro' ELSE '' END
FROM generate_series(1, {beers}) n;
INSERT INTO core.clients (client_id, name, city, state, country, postal_code, language)
SELECT 'CLT-' || lpad(n::text, 7, '0'), 'Client ' || n, 'City ' || n % 200, 'State ' || n % 40, 'Country', '', 'en'
FROM generate_series(1, {clients}) n;
INSERT INTO core.purchases (client_id, purchase_id, purchased_on, beer_id, quantity, unit_price)
SELECT 'CLT-' || lpad(n::text, 7, '0'), 'P-' || lpad(line::text, 4, '0'), '2024-01-01'::date + line * 548 / {lines},
       1 + (n * 31 + floor(40 * random() ^ 2)::int * 97) % {beers}, 1 + floor(48 * random())::int, round((2 + 9 * random())::numeric, 2)
FROM generate_series(1, {clients}) n, generate_series(1, {lines} + 0 * n) line;
"""


async def main(small: int, large: int, published: int) -> None:
    with tempfile.TemporaryDirectory(prefix="beerforyou-bench-") as folder:
        Path(folder).chmod(0o711)  # noqa: ASYNC240 (nothing else runs yet)
        async with prepared(load({}, data=Path(folder))) as settings:
            await migrate(settings)
            both = [await fill(settings, "small", small), await fill(settings, "large", large)]
            report(await compare(both, [small, large]), [small, large])
            if not published:
                return
            connection = await admin(await fill(settings, "published", published))
            started = time.perf_counter()
            done = await publish(connection, clock.today(settings.time_zone))
            seconds = time.perf_counter() - started
            await connection.close()
            print(f"\nstatistics of {published:,} lines: {done.cells:,} cells published in {seconds:.1f} s")


async def fill(settings: Settings, name: str, lines: int) -> Settings:
    """A migrated database of its own, with so many lines, ordered as a load would place them."""
    server = await admin(in_database(settings, "postgres"))
    await server.execute(f"CREATE DATABASE {name} TEMPLATE {DATABASE}")
    rights = "UPDATE pg_database SET datacl = (SELECT datacl FROM pg_database WHERE datname = $1) WHERE datname = $2"
    await server.execute(rights, DATABASE, name)
    await server.close()
    connection = await admin(filled := in_database(settings, name))
    beers = min(20_000, max(40, lines // 500))
    sizes = {"clients": lines // LINES, "lines": LINES, "beers": beers, "breweries": max(10, beers // 4)}
    await connection.execute(FILL.format(**sizes))
    await connection.execute("VACUUM ANALYZE")  # as autovacuum would, but not later
    await connection.execute("CHECKPOINT")
    await connection.close()
    return filled


def in_database(settings: Settings, name: str) -> Settings:
    fields = ("database_admin_url", "database_url", "database_read_url", "database_sql_url")
    urls = {field: getattr(settings, field).replace(f"@/{DATABASE}?", f"@/{name}?") for field in fields}
    return msgspec.structs.replace(settings, **urls)


async def compare(both: list[Settings], sizes: list[int]) -> Took:
    databases = [await connect(settings) for settings in both]
    admins = [await asyncpg.connect(settings.database_admin_url, statement_cache_size=0) for settings in both]
    for connection in admins:  # so that both are planned alike
        for setting in await connection.fetchval("SELECT rolconfig FROM pg_roles WHERE rolname = 'bfy_reader'"):
            name, value = setting.split("=", 1)
            await connection.execute("SELECT set_config($1, $2, false)", name, value)
    views = [await bare_view(connection) for connection in admins]
    took: Took = defaultdict(list)
    chance = random.Random(1)

    async def ask(what: str, sql: str, at: int, client: str) -> tuple[float, ...]:
        texts = {
            "again": sql,
            "constants": sql.replace("Style 3", f"Style {chance.randint(100, 10**6)}"),
            "new": sql.replace(" FROM", f", count(*) AS n{chance.randint(1, 10**9)} FROM", 1),
        }
        before = await clocks(servers[at])
        if what == "bare":
            await admins[at].fetch(views[at] + sql, client)
        else:
            await databases[at].fence.ask(client, texts[what])
        return tuple(map(sub, await clocks(servers[at]), before))

    for client in ("CLT-0000001", "CLT-0000002"):  # so that their sessions are there to be watched
        await asyncio.gather(*(database.fence.ask(client, "SELECT 1 AS n") for database in databases))
    servers = [await usage_files(connection) for connection in admins]
    for run in range(-WARM_UP, RUNS):
        for (name, sql), at in itertools.product(QUESTIONS.items(), (0, 1)):
            client = f"CLT-{chance.randint(1, sizes[at] // LINES):07}"
            # First and last by turns: the second finds the client's rows in memory.
            try:
                cost = {what: await ask(what, sql, at, client) for what in WAYS[:: 1 if run % 2 else -1]}
            except ProcessLookupError:  # a session is renewed now and then, when the next question comes
                await databases[at].fence.ask(client, sql)
                servers[at] = await usage_files(admins[at])
                continue
            cost["added"] = tuple(map(sub, cost["again"], cost["bare"]))
            for what, (number, kind), of in itertools.product(
                cost, enumerate(KINDS), (name, "all") if run >= 0 else ()
            ):
                if what != "constants" or "Style 3" in sql:
                    took[what, kind, of, at].append(cost[what][number])
    for opened in (*databases, *admins):
        await opened.close()
    return took


async def bare_view(connection: asyncpg.Connection) -> str:
    """The text of my_purchases for the client $1, to put before a question."""
    view = await connection.fetchval("SELECT pg_get_viewdef('own.my_purchases')")
    view, found = re.subn(r"\( SELECT authz\.\w+\(\) AS \w+\)", "$1", view)
    assert found == 1, view
    return f"WITH my_purchases AS ({view.rstrip(' ;')}) "


async def usage_files(connection: asyncpg.Connection) -> list[int]:
    """Where the system counts what the server's processes for this database use."""
    ours = "datname = current_database() AND backend_type = 'client backend'"
    rows = await connection.fetch(f"SELECT pid FROM pg_stat_activity WHERE {ours}")
    return [os.open(f"/proc/{row['pid']}/schedstat", os.O_RDONLY) for row in rows]


async def clocks(server: list[int]) -> tuple[float, ...]:
    await asyncio.sleep(0)  # for what the last one left to be done
    there = sum(int(os.pread(file, 100, 0).split()[0]) for file in server) / 1e6
    here = time.process_time_ns() / 1e6
    return time.perf_counter() * 1e3, here, there, here + there


def report(took: Took, sizes: list[int]) -> None:
    def cuts(*key: Any) -> tuple[float, float]:
        twentieths = quantiles(took[key], n=20)
        return twentieths[9], twentieths[18]

    columns = [*itertools.product(WAYS[:2], KINDS[:3]), ("added", "CPU"), ("constants", "CPU"), ("new", "CPU")]
    print("In ms, p50 / p95. Added: by asking again, in place of bare.\n")
    print("| question | lines |", " | ".join(map(", ".join, columns)), "|\n|---|" + "--:|" * (1 + len(columns)))
    for name, at in itertools.product((*QUESTIONS, "all"), (0, 1)):
        cells = (
            "{:.2f} / {:.2f}".format(*cuts(*column, name, at)) if took[(*column, name, at)] else ""
            for column in columns
        )
        print(f"| {name} | {sizes[at]:,} |", " | ".join(cells), "|")
    print(f"\nAsked again, {sizes[1]:,} lines as a multiple of {sizes[0]:,}:\n")
    print("| question | p50, wall | p95, wall | p50, CPU | p95, CPU |\n|---|--:|--:|--:|--:|")
    for name in (*QUESTIONS, "all"):
        both = [(cuts("again", kind, name, 1), cuts("again", kind, name, 0)) for kind in ("wall", "CPU")]
        print(f"| {name} |", " | ".join(f"{large[p] / small[p]:.2f}" for large, small in both for p in (0, 1)), "|")


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:]]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(*(numbers + [10_000, 10_000_000, 1_000_000][len(numbers) :])))
