"""The handles on PostgreSQL. What you were given is what you can do: a reader cannot write.

`Batch` writes. `Reads` sees public tables, `ClientReads` one client's rows as well (row-level security decides which), and
`Fence` (fence/ask.py) runs SQL that a model wrote. Tools read where the replica is, everybody else on the primary.
"""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from typing import Any, TypeVar

import asyncpg
import msgspec

from beerforyou import clock
from beerforyou.db import connections
from beerforyou.db.batch import LONGEST_WRITE_S, Batch
from beerforyou.db.connections import client_url, on_primary, place, sql_url
from beerforyou.db.failure import answered
from beerforyou.db.fence.ask import PLANS, RUNS, Fence, Limits, read_as_text
from beerforyou.db.fence.parser import Gate
from beerforyou.db.identity import Identity
from beerforyou.db.migrate import is_older
from beerforyou.db.pool import Alone, Pool
from beerforyou.db.queries import QUERIES
from beerforyou.db.replica import Route, Watch
from beerforyou.errors import SetupError
from beerforyou.settings import Settings, kept_secret

T = TypeVar("T")

LONGEST_S = 3.0  # of a client's read; the database itself gives up after two


class Reads:
    """Public tables; or, of the service on the primary, the rows that are nobody's business but its own.

    Raises Unavailable when there is no answer within `longest_s` of asking; until then one waits for a connection.
    """

    def __init__(self, where: Route | Pool | asyncpg.Connection, longest_s: float = LONGEST_S) -> None:
        where = Alone(where) if isinstance(where, asyncpg.Connection) else where
        self._route = where if isinstance(where, Route) else Route(where)
        self._longest_s = longest_s

    async def fetch(self, query: str, *args: Any) -> list[asyncpg.Record]:
        return await self._ask(lambda connection: connection.fetch(QUERIES[query].sql, *args))

    async def fetchrow(self, query: str, *args: Any) -> asyncpg.Record | None:
        return await self._ask(lambda connection: connection.fetchrow(QUERIES[query].sql, *args))

    async def _ask(self, question: Callable[[Any], Awaitable[T]]) -> T:
        return await self._route.ask(lambda pool: answered(pool.ask(self._longest_s, question)))


class ClientReads:
    """The rows of one client. The query says `me.client_id`, and the policy says it again."""

    def __init__(self, route: Route, identity: Identity, client_id: str) -> None:
        self._route, self._identity, self.client_id = route, identity, client_id

    async def fetch(self, query: str, *args: Any) -> list[asyncpg.Record]:
        sql = QUERIES[query].as_client
        return await self._ask(lambda connection: connection.fetch(sql, self._token(), *args))

    async def fetchrow(self, query: str, *args: Any) -> asyncpg.Record | None:
        sql = QUERIES[query].as_client
        return await self._ask(lambda connection: connection.fetchrow(sql, self._token(), *args))

    async def _ask(self, question: Callable[[Any], Awaitable[T]]) -> T:
        return await self._route.ask(lambda pool: answered(pool.ask(LONGEST_S, question, self.client_id)))

    def _token(self) -> str:
        """Made when the connection is there: it would not outlive a long wait."""
        return self._identity.token(self.client_id)


class Pools(msgspec.Struct, frozen=True, kw_only=True):
    """One a login and a place. Without a replica, `client` and `reader` routes have the primary alone."""

    service: Pool
    client: Pool
    tools: Route
    sql: Route
    watch: Watch | None


class Database:
    def __init__(
        self, pools: Pools, identity: Identity, settings: Settings, functions_revoked: bool, opened: AsyncExitStack
    ) -> None:
        self._pools, self._identity, self._opened = pools, identity, opened
        self.batch = Batch(pools.service, settings.batch_window_ms)
        self.read = Reads(pools.client)
        self.service = Reads(pools.service, LONGEST_WRITE_S)
        self.watch = pools.watch
        limits = Limits(rows=settings.sql_rows, bytes=settings.sql_bytes, seconds=settings.sql_timeout_s)
        self.gate = Gate()
        self.fence = Fence(pools.sql, identity, limits, functions_revoked, self.gate, settings.time_zone)
        self.statistics = Reads(pools.tools)

    def as_client(self, client_id: str) -> ClientReads:
        """On the primary: it sees what was written a moment ago."""
        return ClientReads(Route(self._pools.client), self._identity, client_id)

    def for_tools(self, client_id: str) -> ClientReads:
        return ClientReads(self._pools.tools, self._identity, client_id)

    async def close(self) -> None:
        await self.batch.close()
        await self.gate.close()
        await self._opened.aclose()


async def connect(settings: Settings) -> Database:
    """Raises SetupError (no URL, wrong password, not migrated, another key) and Unavailable (nobody answers there)."""
    identity = Identity(kept_secret(settings, "identity_secret"))
    async with AsyncExitStack() as stack:
        pools = await _pools(settings, stack)
        await answered(pools.client.ask(LONGEST_S, identity.check))
        await answered(pools.client.ask(LONGEST_S, partial(_knows, settings.time_zone)))
        if await answered(pools.service.ask(LONGEST_S, is_older)):
            raise SetupError("the database is of an older version", "run `beerforyou db migrate`")
        look = QUERIES["checks.functions_revoked"].sql
        revoked = await answered(pools.client.ask(LONGEST_S, lambda connection: connection.fetchval(look)))
        return Database(pools, identity, settings, revoked, stack.pop_all())
    raise AssertionError("the block above returns or raises")


async def _knows(zone: str, connection: asyncpg.Connection) -> None:
    try:
        await connection.execute(QUERIES["checks.time_zone"].sql, zone)
    except asyncpg.InvalidParameterValueError:
        raise SetupError(f"PostgreSQL does not know the time zone {zone}", clock.SET_IT) from None


async def _pools(settings: Settings, stack: AsyncExitStack) -> Pools:
    async def opened(url: str, **options: Any) -> Pool:
        pool = await connections.pool(url, settings.database_pool, settings.run_timeout_s, **options)
        stack.push_async_callback(connections.closed, pool)
        return pool

    of_reader = {
        "statement_cache_size": PLANS,
        "max_cached_statement_lifetime": 0,
        "most_uses": RUNS,
        "init": read_as_text,
    }
    service = await opened(settings.database_url)
    client = await opened(on_primary(client_url(settings), settings))
    reader = await opened(on_primary(sql_url(settings), settings), **of_reader)
    if place(client_url(settings)) == place(settings.database_url):
        return Pools(service=service, client=client, tools=Route(client), sql=Route(reader), watch=None)
    client_there = await opened(client_url(settings), needed=False)
    reader_there = await opened(sql_url(settings), needed=False, **of_reader)
    watch = Watch(service, client_there, settings.replica_lag_s)
    await watch.start()
    stack.push_async_callback(watch.stop)
    return Pools(
        service=service,
        client=client,
        tools=Route(client, client_there, watch),
        sql=Route(reader, reader_there, watch),
        watch=watch,
    )
