"""What SQL may do to the server, with the gate and without: hold little, end soon, and leave nothing."""

import asyncio
import re
from collections.abc import AsyncIterator

import asyncpg
import msgspec
import pytest

from beerforyou import clock
from beerforyou.db.database import Database, connect
from beerforyou.db.fence.ask import RUNS
from beerforyou.errors import Refused
from beerforyou.isolation import attack, watching
from beerforyou.isolation.attack import MOST_MB_GATED, VIEWS, Attack, filled, ours, tried
from beerforyou.isolation.watching import SESSION_MB, Backends, backends, named
from beerforyou.servers.postgres import MEMORY_MB
from beerforyou.settings import Settings
from tests.waiting import wait_until

ME, OTHER = "CLT-00001", "CLT-00002"
HARMLESS = {"grown-21", "product-04"}  # they look like the others, and are let through
KINDS = ("parser", "memory", "zones")
HEAVY = [attack for attack in ours() if attack.kind in KINDS]
MANY = 10  # at once
PARAMS = VIEWS | {"own_id": ME, "other_id": OTHER}


class House(msgspec.Struct, frozen=True):
    """A process's database with its readers in view."""

    database: Database
    watched: Backends
    admin: asyncpg.Connection

    async def readers(self, what: str) -> int:
        return int(
            await self.admin.fetchval(
                f"SELECT count(*) FROM pg_stat_activity WHERE usename = 'bfy_reader' AND datname = current_database() AND {what}"
            )
        )


@pytest.fixture(scope="module")
async def house(furnished: Settings) -> AsyncIterator[House]:
    mine, name = named(furnished)
    admin = await asyncpg.connect(furnished.database_admin_url)
    database = await connect(msgspec.structs.replace(mine, database_pool=MANY))
    async with backends(furnished, name) as watched:
        yield House(database, watched, admin)
    await database.close()
    await admin.close()


@pytest.mark.parametrize("heavy", HEAVY, ids=lambda heavy: heavy.id)
async def test_the_gate_lets_nothing_heavy_through(house: House, heavy: Attack) -> None:
    result = await tried(house.database.fence, ME, heavy, PARAMS, watched=house.watched)
    assert result.verdict == ("clean" if heavy.id in HARMLESS else "refused"), result
    assert result.alive and not result.left_running and result.ms < 2000
    assert result.peak_mb is not None and result.peak_mb < MOST_MB_GATED


@pytest.mark.parametrize("heavy", HEAVY, ids=lambda heavy: heavy.id)
async def test_the_server_holds_without_the_gate(house: House, heavy: Attack) -> None:
    result = await tried(house.database.fence, ME, heavy, PARAMS, with_gate=False, watched=house.watched)
    assert result.alive and not result.left_running and not result.heavy, result
    assert (await house.watched.session_mb() or 0) < SESSION_MB


@pytest.mark.parametrize("which", ["grown-16", "grown-14", "grown-04", "product-03", "grown-33", "zone-22"])
async def test_ten_at_once_end_and_the_server_lives(house: House, which: str) -> None:
    """Another client is answered meanwhile, on connections of his own, as from another process."""
    (heavy,) = [attack for attack in ours() if attack.id == which]
    started = await house.admin.fetchval("SELECT pg_postmaster_start_time()")
    sql = filled(heavy.written, PARAMS)
    await house.database.fence.run(ME, "SELECT 1 AS one")  # a session, where all that were there have ended
    async with house.watched.looking():
        asking = [asyncio.create_task(house.database.fence.run(ME, sql)) for _ in range(MANY)]
        mine = await house.database.as_client(OTHER).fetchrow("clients.profile")
        ended = await asyncio.gather(*asking, return_exceptions=True)
    assert mine is not None and not any(
        isinstance(end, BaseException) and not isinstance(end, Refused) for end in ended
    )
    seen = await house.watched.seen()
    assert seen.left_running is False and seen.peak_mb is not None and seen.peak_mb <= MEMORY_MB
    assert await house.admin.fetchval("SELECT pg_postmaster_start_time()") == started
    assert await house.admin.fetchval("SELECT count(*) > 0 FROM core.purchases")


async def test_what_runs_for_nobody_ends_by_itself(house: House, furnished: Settings) -> None:
    """Its caller is gone without a word, as a process that was killed; and no time limit would end it."""
    connection = await asyncpg.connect(furnished.database_sql_url)
    await connection.execute("SET statement_timeout = 0; SET transaction_timeout = 0")
    cross = ", ".join(f"(VALUES {', '.join(['(1)'] * 50)}) AS t{n} (n)" for n in range(8))
    asked = asyncio.create_task(connection.fetch(f"SELECT count(*) AS bystander FROM {cross}"))
    running = "state = 'active' AND query LIKE '%bystander%'"

    async def at_work() -> bool:
        return await house.readers(running) == 1

    async def gone() -> bool:
        return await house.readers(running) == 0

    await wait_until(at_work, "the query runs")
    connection.terminate()
    await wait_until(gone, "the backend ends")
    await asyncio.gather(asked, return_exceptions=True)


async def test_a_watch_tells_what_is_left_running(furnished: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "LET_GO_S", 0.05)
    mine, name = named(furnished)
    connection = await asyncpg.connect(mine.database_sql_url)
    cross = ", ".join(f"(VALUES {', '.join(['(1)'] * 50)}) AS t{n} (n)" for n in range(8))
    async with backends(furnished, name) as watched:
        asked = asyncio.create_task(connection.fetch(f"SELECT count(*) FROM {cross}"))

        async def left() -> bool:
            return bool((await watched.seen()).left_running)

        await wait_until(left, "it is seen")
        connection.terminate()
        await asyncio.gather(asked, return_exceptions=True)


@pytest.mark.parametrize("with_gate", [True, False])
async def test_what_is_too_much_is_said(house: House, monkeypatch: pytest.MonkeyPatch, with_gate: bool) -> None:
    monkeypatch.setattr(attack, "MOST_MB", 20)
    (heavy,) = [attack for attack in ours() if attack.id == "grown-16"]
    result = await tried(house.database.fence, ME, heavy, PARAMS, with_gate=with_gate, watched=house.watched)
    assert result.heavy == (not with_gate)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT row_to_json(p)::text AS x FROM my_purchases p",
        "SELECT substring(beer from 'a+') AS x FROM my_purchases",
        "SELECT substring(beer, style) AS x FROM my_purchases",
        "SELECT substring(beer from '%#\"a#\"%' for '#') AS x FROM my_purchases",
        "SELECT btrim(beer, 'abc') AS x FROM my_purchases",
        "SELECT ltrim(beer, style) AS x FROM my_purchases",
        "SELECT rtrim(beer, style) AS x FROM my_purchases",
        "SELECT lines.of_q(1, 100) AS x",
    ],
)
async def test_a_function_that_makes_much_of_little_is_not_the_readers(house: House, sql: str) -> None:
    with pytest.raises(Refused, match=r"SQLSTATE (42501|34000)"):
        await house.database.fence.run(ME, sql)


async def test_a_group_by_that_does_not_fit_has_its_rights_all_the_same(house: House) -> None:
    """Its expressions are made once more when it goes to the disk, where another role runs the cursor."""
    sql = """
        SELECT a.beer, b.beer AS other, c.quantity, max(a.quantity * b.quantity + 1) AS most
        FROM my_purchases a, my_purchases b, my_purchases c GROUP BY 1, 2, 3, a.amount, b.amount
    """
    try:
        assert (await house.database.fence.run(ME, sql)).rows
    except Refused as refused:
        assert re.search("too long|too much", refused.message), refused


async def test_a_session_forgets_the_zones_that_it_was_told_of(house: House) -> None:
    for round in range(60):
        zones = ", ".join(
            f"timestamptz '2020-01-01 00:00 Z{chr(97 + round % 26)}{chr(97 + n % 26)}+{n % 12}:{n}' AS z{n}"
            for n in range(50)
        )
        await house.database.fence.run(ME, f"SELECT {zones}")
    assert (await house.watched.session_mb() or 0) < SESSION_MB


async def test_a_session_that_is_told_of_every_clients_zone_stays_small(house: House) -> None:
    """One after the other, as a pool gives out the connection that was given back last."""
    for zone in sorted(clock.zones()):
        await house.database.fence.run(ME, "SELECT now() AS now", zone)
    assert 0 < (await house.watched.session_mb() or 0) < SESSION_MB


async def test_a_session_is_renewed_after_some_hundred_queries(house: House) -> None:
    async def pid() -> int:
        return int((await house.database.fence.run(ME, "SELECT authz.backend() AS pid")).rows[0][0])

    pids = [await pid() for _ in range(2 * RUNS)]
    assert 2 <= len(set(pids)) <= 4 and max(map(pids.count, pids)) <= 1.2 * RUNS
