"""Whether a run costs more as everything grows: many clients, many purchases, a million old runs, a long conversation.

What there is is copied by SQL, with ids of its own, whatever columns the tables have. The time of old runs is that of the runs
that they are copies of, and so is the beginning of their ids, by which they lie in their day's partition.
"""

from __future__ import annotations

import time

import asyncpg
import msgspec
from msgspec.structs import replace

from beerforyou.cli.output import note
from beerforyou.settings import Settings
from bench.asking import Talk, request
from bench.phases import Bench, Load, Phase
from bench.talking import Lines

CLIENTS, LINES_EVERY = 100_000, 3  # of three copies of a client, one has its purchases: five million lines
OF_A_RUN = ("conversations", "ended_runs", "ledger", "said")
LONG = 200  # turns
PEOPLE, LAST = 10, 20  # who have one; turns that are measured
READS = 10  # of each, afterwards
MODELS = 100  # runs that old ones are copies of
# Those that PostgreSQL fills in itself can't be written.
COLUMNS = """
SELECT attname AS name, format_type(atttypid, atttypmod) AS type FROM pg_attribute
WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '' AND attidentity <> 'a' ORDER BY attnum
"""


async def more_clients(settings: Settings) -> None:
    """Copies of each, as many as make CLIENTS."""
    admin = await asyncpg.connect(settings.database_admin_url)
    first = await admin.fetchval("SELECT count(*) FROM core.clients")
    copies = CLIENTS // first - 1
    other = {"client_id": f"'CLT-' || lpad((right(t.client_id, 5)::int + {first} * copy)::text, 5, '0')"}
    async with admin.transaction():
        await admin.execute("SET LOCAL session_replication_role = replica")  # no foreign key is looked at
        await _copied(admin, "core.clients", other, f"generate_series(1, {copies}) copy")
        for table in ("core.profiles", "core.purchases"):
            await _copied(admin, table, other, f"generate_series(1, {copies}, {LINES_EVERY}) copy")
    await _settled(admin)


def of_copies(first: int, copies: int, each: int) -> list[str]:
    """Ids of clients that have purchases, spread over all copies."""
    numbers = range(1, copies + 1, LINES_EVERY)
    return [f"CLT-{number + first * copy:05}" for copy in numbers for number in range(1, first, first // each)]


async def old_runs(settings: Settings, runs: int) -> None:
    """Copies of MODELS conversations with all that belongs to them, as many as make so many runs."""
    admin = await asyncpg.connect(settings.database_admin_url)
    await admin.execute("CREATE TABLE IF NOT EXISTS pg_temp.model (conversation_id uuid PRIMARY KEY, run_ids uuid[])")
    await admin.execute(
        f"INSERT INTO pg_temp.model SELECT conversation_id, array_agg(run_id) FROM core.ended_runs GROUP BY 1 LIMIT {MODELS}"
    )
    copies = runs // await admin.fetchval("SELECT sum(cardinality(run_ids)) FROM pg_temp.model")
    async with admin.transaction():
        await admin.execute("SET LOCAL session_replication_role = replica")
        for table in OF_A_RUN:
            await _copied(
                admin,
                f"core.{table}",
                {},
                f"generate_series(1, {copies}) copy",
                _mine(await _columns(admin, f"core.{table}")),
            )
    await _settled(admin)


class Long(msgspec.Struct, frozen=True):
    """A run in short conversations and in such that have nearly LONG turns; CPU of reading one of these (its last page), in ms."""

    short: Phase
    long: Phase
    reading_ms: float


async def long_conversations(bench: Bench, load: Load) -> Long:
    talk = replace(load, at_once=PEOPLE, runs=PEOPLE * LAST)
    short = await bench.measured(talk)
    told = await bench.asked(replace(talk, runs=PEOPLE * (LONG - LAST), turns=LONG))
    long = await bench.measured(replace(talk, turns=LONG), told.talks)
    return Long(short, long, await _reading_ms(bench, told.talks))


async def _reading_ms(bench: Bench, talks: list[Talk]) -> float:
    before, line = bench.service.cpu_s(bench.fleet), await Lines(bench.fleet.urls[0], 1).take()
    for talk in talks * READS:
        await line.ask(request(b"GET", f"/v1/conversations/{talk.id}", talk.token), bytes)
    after = bench.service.cpu_s(bench.fleet)
    line.close()
    return sum(after[role] - before[role] for role in ("api", "postgres")) / len(talks * READS) * 1000


async def _copied(
    admin: asyncpg.Connection, table: str, other: dict[str, str], copies: str, where: str = "true"
) -> None:
    """Ids are made of the old ones and the number of the copy, the same in every table."""
    columns, begun = await _columns(admin, table), time.perf_counter()
    made = [
        other.get(name) or (_id_of_copy(name) if kind == "uuid" else f't."{name}"') for name, kind in columns.items()
    ]
    into = ", ".join(f'"{name}"' for name in columns)
    done = await admin.execute(
        f"INSERT INTO {table} ({into}) OVERRIDING SYSTEM VALUE SELECT {', '.join(made)} FROM {table} t, {copies} WHERE {where}"
    )
    note(f"{table}: {done.split()[-1]} rows more, {time.perf_counter() - begun:.0f} s")


def _id_of_copy(name: str) -> str:
    """With the same moment in it: the first twelve digits."""
    return f"(left(t.{name}::text, 14) || substr(md5(t.{name}::text || copy)::uuid::text, 15))::uuid"


async def _columns(admin: asyncpg.Connection, table: str) -> dict[str, str]:
    return {row["name"]: row["type"] for row in await admin.fetch(COLUMNS, table)}


def _mine(columns: dict[str, str]) -> str:
    """Which rows belong to the conversations that are copied."""
    if "conversation_id" in columns:
        return "t.conversation_id IN (SELECT conversation_id FROM pg_temp.model)"
    return "t.run_id IN (SELECT unnest(run_ids) FROM pg_temp.model)"


async def _settled(admin: asyncpg.Connection) -> None:
    """As it would be by itself after a while, so that nothing of it falls into what is measured."""
    await admin.execute("VACUUM ANALYZE")
    await admin.execute("CHECKPOINT")
    await admin.close()
