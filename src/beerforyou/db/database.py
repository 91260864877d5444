"""The handles on PostgreSQL. What you were given is what you can do: a reader cannot write.

`Batch` writes. `Reads` sees public tables, `ClientReads` one client's rows as well (row-level security decides which), and
`Fence` (fence.py) runs SQL that a model wrote. Tools read where the replica is, everybody else on the primary.
"""

from contextlib import AsyncExitStack
from typing import Any

import asyncpg
import msgspec

from beerforyou.db import connections
from beerforyou.db.batch import Batch
from beerforyou.db.connections import client_url, on_primary, place, sql_url
from beerforyou.db.failure import answered
from beerforyou.db.fence import Fence, Limits
from beerforyou.db.identity import Identity
from beerforyou.db.queries import QUERIES
from beerforyou.db.replica import Route, Watch, within
from beerforyou.errors import SetupError
from beerforyou.settings import Settings, kept_secret

LONGEST_S = 3.0  # of a client's read; the database itself gives up after two


class Reads:
    """Public tables; or, of the service on the primary, the rows that are nobody's business but its own."""

    def __init__(self, where: Route | asyncpg.Pool | asyncpg.Connection) -> None:
        self._route = where if isinstance(where, Route) else Route(where)

    async def fetch(self, query: str, *args: Any) -> list[asyncpg.Record]:
        return await self._route.ask(lambda pool: answered(pool.fetch(QUERIES[query].sql, *args)))

    async def fetchrow(self, query: str, *args: Any) -> asyncpg.Record | None:
        return await self._route.ask(lambda pool: answered(pool.fetchrow(QUERIES[query].sql, *args)))


class ClientReads:
    """The rows of one client. The query says `me.client_id`, and the policy says it again."""

    def __init__(self, route: Route, identity: Identity, client_id: str) -> None:
        self._route, self._identity, self.client_id = route, identity, client_id

    async def fetch(self, query: str, *args: Any) -> list[asyncpg.Record]:
        sql, token = QUERIES[query].as_client, self._identity.token(self.client_id)
        return await self._route.ask(lambda pool: within(LONGEST_S, pool, lambda c: c.fetch(sql, token, *args)))

    async def fetchrow(self, query: str, *args: Any) -> asyncpg.Record | None:
        sql, token = QUERIES[query].as_client, self._identity.token(self.client_id)
        return await self._route.ask(lambda pool: within(LONGEST_S, pool, lambda c: c.fetchrow(sql, token, *args)))


class Pools(msgspec.Struct, frozen=True, kw_only=True):
    """One a login and a place. Without a replica, `client` and `reader` routes have the primary alone."""

    service: asyncpg.Pool
    client: asyncpg.Pool
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
        self.service = Reads(pools.service)
        self.watch = pools.watch
        limits = Limits(rows=settings.sql_rows, bytes=settings.sql_bytes, seconds=settings.sql_timeout_s)
        self.fence = Fence(pools.sql, identity, limits, functions_revoked)
        self.statistics = Reads(pools.tools)

    def as_client(self, client_id: str) -> ClientReads:
        """On the primary: it sees what was written a moment ago."""
        return ClientReads(Route(self._pools.client), self._identity, client_id)

    def for_tools(self, client_id: str) -> ClientReads:
        return ClientReads(self._pools.tools, self._identity, client_id)

    async def close(self) -> None:
        await self.batch.close()
        await self._opened.aclose()


async def connect(settings: Settings) -> Database:
    """Raises SetupError (no URL, wrong password, not migrated, another key) and Unavailable (nobody answers there)."""
    identity = Identity(kept_secret(settings, "identity_secret"))
    async with AsyncExitStack() as stack:
        pools = await _pools(settings, stack)
        await identity.check(pools.client)
        if await answered(pools.service.fetchval(QUERIES["checks.older"].sql)):
            raise SetupError("the database is of an older version", "run `beerforyou db migrate`")
        revoked = await answered(pools.client.fetchval(QUERIES["checks.functions_revoked"].sql))
        return Database(pools, identity, settings, revoked, stack.pop_all())
    raise AssertionError("the block above returns or raises")


async def _pools(settings: Settings, stack: AsyncExitStack) -> Pools:
    async def opened(url: str, **options: Any) -> asyncpg.Pool:
        pool = await connections.pool(url, settings.database_pool, **options)
        stack.push_async_callback(connections.closed, pool)
        return pool

    service = await opened(settings.database_url)
    client = await opened(on_primary(client_url(settings), settings))
    reader = await opened(on_primary(sql_url(settings), settings), max_cacheable_statement_size=Fence.CACHEABLE)
    if place(client_url(settings)) == place(settings.database_url):
        return Pools(service=service, client=client, tools=Route(client), sql=Route(reader), watch=None)
    client_there = await opened(client_url(settings), needed=False)
    reader_there = await opened(sql_url(settings), needed=False, max_cacheable_statement_size=Fence.CACHEABLE)
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
