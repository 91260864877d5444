"""The fence where it is hardest to keep: real PgBouncers that share a few server connections among all callers, with the
primary behind one and a hot standby behind the other.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from datetime import datetime
from pathlib import Path

import asyncpg
import msgspec
import pytest

from beerforyou import clock
from beerforyou.db.database import Database, connect
from beerforyou.errors import Refused
from beerforyou.settings import Settings
from tests.conftest import FreshSettings
from tests.db.asking import accept
from tests.isolation.conftest import MINE, Truth, buy, canary, pairs, stock, truth
from tests.servers.pgbouncer import SERVER_CONNECTIONS, Bouncer, pgbouncer
from tests.servers.standby import on_socket, standby
from tests.waiting import wait_until

CLIENTS = [f"CLT-{number:02}" for number in range(1, 13)]
ROUNDS = 10  # of all clients at once
LAG_S = 0.5
SLACK_S = 1.0  # for a busy machine
PATIENCE_S = 10.0  # no read takes longer, whatever became of the standby
NEVER_S = 600.0  # a lag limit that no test reaches


class Place(msgspec.Struct, frozen=True):
    """`direct` has the superuser; `settings` is what a process would be given."""

    direct: Settings
    settings: Settings
    standby: Path
    before_standby: Bouncer

    @property
    def standby_admin(self) -> str:
        return on_socket(self.direct.database_admin_url, self.standby)


@pytest.fixture(scope="module")
async def direct(fresh_settings: FreshSettings) -> AsyncIterator[Settings]:
    async with fresh_settings() as settings:
        await stock(settings, CLIENTS)
        yield settings


@pytest.fixture(scope="module")
def place(direct: Settings) -> Iterator[Place]:
    with ExitStack() as theirs, ExitStack() as servers:
        yield started(direct, servers, theirs)


def started(direct: Settings, servers: ExitStack, replica: ExitStack) -> Place:
    """The standby itself is in `replica`, to be stopped before the PgBouncers are."""
    urls = (direct.database_url, direct.database_read_url, direct.database_sql_url)
    sockets = replica.enter_context(standby(direct.database_admin_url))
    before_primary = servers.enter_context(pgbouncer(_sockets(direct), urls))
    before_standby = servers.enter_context(pgbouncer(sockets, urls))
    settings = msgspec.structs.replace(
        direct,
        database_url=before_primary.url(direct.database_url),
        database_read_url=before_standby.url(direct.database_read_url),
        database_sql_url=before_standby.url(direct.database_sql_url),
        database_admin_url="",
        database_pool=16,
        replica_lag_s=NEVER_S,
    )
    return Place(direct, settings, sockets, before_standby)


def _sockets(settings: Settings) -> Path:
    return Path(settings.database_admin_url.partition("?host=")[2])


@pytest.fixture
async def database(place: Place) -> AsyncIterator[Database]:
    async with connected(place.settings) as database:
        yield database


@asynccontextmanager
async def connected(settings: Settings) -> AsyncIterator[Database]:
    """From when the standby is trusted on, so that `fallbacks` counts what the test brings about."""
    database = await connect(settings)
    try:
        await fresh(database)
        yield database
    finally:
        async with asyncio.timeout(PATIENCE_S):
            await database.close()


async def fresh(database: Database) -> None:
    """Until the standby is trusted; from here on `fallbacks` counts what the test brings about."""
    watch = database.watch
    assert watch

    async def trusted() -> bool:
        return watch.fresh

    await wait_until(trusted, "the standby keeps up")
    watch.fallbacks = 0


async def ask(url: str, sql: str, *args: object) -> object:
    connection = await asyncpg.connect(url, statement_cache_size=0)
    try:
        return await connection.fetchval(sql, *args)
    finally:
        await connection.close()


@asynccontextmanager
async def paused(place: Place) -> AsyncIterator[None]:
    """The standby goes on answering, from what it knew."""
    await ask(place.standby_admin, "SELECT pg_wal_replay_pause()")

    async def stands_still() -> bool:
        return await ask(place.standby_admin, "SELECT pg_get_wal_replay_pause_state()") == "paused"

    await wait_until(stands_still, "the standby stops replaying")
    try:
        yield
    finally:
        await ask(place.standby_admin, "SELECT pg_wal_replay_resume()")


async def purchase_on_primary(place: Place, client: str, name: str) -> None:
    connection = await asyncpg.connect(place.direct.database_admin_url)
    await buy(connection, client, name, 1)
    await connection.close()


async def caught_up(place: Place) -> Truth:
    """The truth, once the standby has it too."""
    expected = await truth(place.direct.database_admin_url)

    async def has_it() -> bool:
        return await truth(place.standby_admin) == expected

    await wait_until(has_it, "the standby knows all purchases")
    return expected


async def names(database: Database, client: str) -> list[str]:
    return [beer for beer, _ in pairs(await database.fence.run(client, MINE))]


# Whose rows --------------------------------------------------------------------------------------------------------


async def test_every_client_gets_its_own_rows_while_all_share_a_few_server_connections(
    database: Database, place: Place
) -> None:
    expected = await caught_up(place)

    async def right(client: str) -> bool:
        rows, profile = await asyncio.gather(
            database.fence.run(client, MINE), database.for_tools(client).fetchrow("clients.profile")
        )
        return pairs(rows) == expected[client] and bool(profile) and canary(client) in profile["data"]

    assert all(await asyncio.gather(*(right(client) for _ in range(ROUNDS) for client in CLIENTS)))
    assert 1 < await _server_connections(place) <= SERVER_CONNECTIONS


async def _server_connections(place: Place) -> int:
    count = await ask(place.standby_admin, "SELECT count(*) FROM pg_stat_activity WHERE usename = 'bfy_reader'")
    assert isinstance(count, int)
    return count


async def test_no_identity_stays_on_a_server_connection(database: Database, place: Place) -> None:
    failing = "SELECT beer::int FROM my_purchases"
    await asyncio.gather(
        *(database.fence.run(client, sql) for client in CLIENTS for sql in (MINE, failing)),
        *(database.for_tools(client).fetchrow("clients.profile") for client in CLIENTS),
        return_exceptions=True,
    )
    assert await _rows_of_nobody(place.settings.database_sql_url, "my_purchases") == [0] * SERVER_CONNECTIONS
    assert await _rows_of_nobody(place.settings.database_read_url, "purchases") == [0] * SERVER_CONNECTIONS


async def _rows_of_nobody(url: str, table: str) -> list[int]:
    return await _seen_by_all(url, f"SELECT count(*) FROM {table}")


async def _seen_by_all(url: str, sql: str) -> list[int]:
    """What a transaction sees that nobody entered, on every server connection at the same time."""
    connections = [await asyncpg.connect(url, statement_cache_size=0) for _ in range(SERVER_CONNECTIONS)]
    for connection in connections:
        await connection.execute("BEGIN")
    backends = {await connection.fetchval("SELECT authz.backend()") for connection in connections}
    seen = [await connection.fetchval(sql) for connection in connections]
    for connection in connections:
        await connection.close()
    assert len(backends) == SERVER_CONNECTIONS
    return seen


async def test_no_time_zone_stays_on_a_server_connection(database: Database, place: Place) -> None:
    """PgBouncer keeps account of it, too."""
    zones = ("Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kathmandu", "")
    now, failing = "SELECT now()::text AS now, CURRENT_DATE AS today", "SELECT beer::int FROM my_purchases"

    async def right(client: str, zone: str) -> bool:
        ((now_there, today),) = (await database.fence.run(client, now, zone)).rows
        moment = datetime.fromisoformat(f"{now_there}:00" if now_there[-3] in "+-" else now_there)
        return str(clock.today(zone or place.settings.time_zone, moment)) == today

    asked = [(client, zone) for _ in range(ROUNDS) for client in CLIENTS for zone in zones]
    failed = asyncio.gather(
        *(database.fence.run(client, failing, zone) for client, zone in asked), return_exceptions=True
    )
    assert all(await asyncio.gather(*(right(*who) for who in asked)))
    assert all(isinstance(error, Refused) for error in await failed)
    offset = "SELECT extract(timezone FROM now())::int"
    assert await _seen_by_all(place.settings.database_sql_url, offset) == [0] * SERVER_CONNECTIONS


async def test_a_query_that_is_given_up_half_way_leaves_nobody_behind(database: Database, place: Place) -> None:
    expected = await caught_up(place)
    slow = "SELECT count(*) FROM my_purchases a, my_purchases b, my_purchases c, my_purchases d, my_purchases e, my_purchases f, my_purchases g"
    tasks = [asyncio.create_task(database.fence.run(CLIENTS[-1], slow)) for _ in range(SERVER_CONNECTIONS)]
    await asyncio.wait(tasks, timeout=0.2)
    assert not any(task.done() for task in tasks)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for client in CLIENTS:
        assert pairs(await database.fence.run(client, MINE)) == expected[client]


# Where ------------------------------------------------------------------------------------------------------------


async def test_a_fenced_query_and_the_tools_read_the_standby_and_writes_reach_the_primary(
    database: Database, place: Place
) -> None:
    """Shown by a standby that stands still: only there is the new purchase not yet known."""
    client = CLIENTS[0]
    before = [beer for beer, _ in (await caught_up(place))[client]]
    async with paused(place):
        await purchase_on_primary(place, client, "only on the primary")
        assert await names(database, client) == before
        run = await accept(database, client, "oi")
        assert run and await database.as_client(client).fetchrow("runs.run", run["run_id"])
        assert await database.for_tools(client).fetchrow("runs.run", run["run_id"]) is None
    assert database.watch and database.watch.fallbacks == 0
    expected = (await caught_up(place))[client]
    assert pairs(await database.fence.run(client, MINE)) == expected and len(expected) == len(before) + 1


@pytest.mark.parametrize(
    ("sql", "state"),
    [
        ("SELECT set_config('bfy.token', '', true)", "42501"),
        ("SELECT pg_sleep(1)", "42501"),
        ("SELECT * FROM core.purchases", "42501"),
        ("SELECT * FROM pg_stat_activity", "42501"),
        ("SELECT authz.enter('')", "28000"),
        ("SELECT beer::int FROM my_purchases", "22P02"),
        ("DELETE FROM my_purchases", "42601"),
    ],
)
async def test_the_fence_stands_on_the_standby_as_well(database: Database, place: Place, sql: str, state: str) -> None:
    await caught_up(place)
    with pytest.raises(Refused, match=rf"SQLSTATE {state}") as refused:
        await database.fence.run(CLIENTS[0], sql)
    assert canary("") not in str(refused.value)
    assert database.watch and database.watch.fallbacks == 0


async def test_the_standby_refuses_a_token_that_somebody_else_signed(place: Place) -> None:
    await caught_up(place)
    forged = f"v1|00000000|{int(time.time()) + 30}|{CLIENTS[1].encode().hex()}|{'0' * 64}"
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
        await ask(place.settings.database_sql_url, "SELECT authz.enter($1)", forged)


# A standby that lags, or is gone ----------------------------------------------------------------------------------


async def test_a_standby_that_lags_is_left_within_the_limit_and_taken_up_again(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    await caught_up(place)
    caplog.set_level(logging.WARNING)
    async with connected(with_limit(place)) as database:
        watch, client = database.watch, CLIENTS[1]
        assert watch

        async def seen() -> bool:
            return f"{canary(client)} while it lagged" in await names(database, client)

        async with paused(place):
            await purchase_on_primary(place, client, "while it lagged")
            await wait_until(seen, "a read is not older than the limit", LAG_S + SLACK_S)
            assert await database.for_tools(client).fetchrow("clients.profile")
            assert watch.fallbacks >= 2 and "the primary is read instead" in caplog.text
        await fresh(database)
        assert pairs(await database.fence.run(client, MINE)) == (await caught_up(place))[client]
        assert watch.fallbacks == 0 and "keeps up again" in caplog.text


async def test_the_primary_answers_when_the_standby_has_stopped(direct: Settings) -> None:
    with ExitStack() as servers, ExitStack() as replica:
        place = started(direct, servers, replica)
        async with connected(with_limit(place)) as database:
            expected = await caught_up(place)
            assert await answers(database) == expected
            replica.close()
            async with asyncio.timeout(PATIENCE_S):
                assert await answers(database) == expected
            assert database.watch and database.watch.fallbacks > 0


async def test_the_primary_answers_when_the_way_to_the_standby_is_mute(place: Place) -> None:
    """A query that is under way is given up; and closing waits for nobody who never answers."""
    expected = await caught_up(place)
    async with connected(with_limit(place)) as database:
        assert await answers(database) == expected
        with place.before_standby.mute():
            async with asyncio.timeout(PATIENCE_S):
                assert await database.for_tools(CLIENTS[0]).fetchrow("clients.profile")
                assert await answers(database) == expected
                await database.close()


def with_limit(place: Place) -> Settings:
    return msgspec.structs.replace(place.settings, replica_lag_s=LAG_S)


async def answers(database: Database) -> Truth:
    """What all clients are told, by both ways in which tools read."""
    profiles = [await database.for_tools(client).fetchrow("clients.profile") for client in CLIENTS]
    assert all(profile and canary(client) in profile["data"] for client, profile in zip(CLIENTS, profiles, strict=True))
    return {client: [(beer, n) for beer, n in pairs(await database.fence.run(client, MINE))] for client in CLIENTS}
