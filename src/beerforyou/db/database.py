"""The handles on PostgreSQL. What you were given is what you can do: a reader cannot write.

`Reads` for public tables, `ClientReads` for one client's rows (row-level security decides which), `Batch` for
writes. Pools keep no session state, so that a pooler in transaction mode may stand between.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg

from beerforyou.db.batch import Batch
from beerforyou.db.failure import answered
from beerforyou.db.queries import QUERIES
from beerforyou.errors import SetupError, Unavailable
from beerforyou.settings import Settings


class Reads:
    """Public tables; or, of the service on the primary, the rows that are nobody's business but its own."""

    def __init__(self, pool: asyncpg.Pool | asyncpg.Connection) -> None:
        self._pool = pool

    async def fetch(self, query: str, *args: Any) -> list[asyncpg.Record]:
        return await answered(self._pool.fetch(QUERIES[query].sql, *args))

    async def fetchrow(self, query: str, *args: Any) -> asyncpg.Record | None:
        return await answered(self._pool.fetchrow(QUERIES[query].sql, *args))


class ClientReads:
    """The rows of one client. The query says `me.client_id`, and the policy says it again."""

    def __init__(self, pool: asyncpg.Pool, client_id: str) -> None:
        self._pool, self.client_id = pool, client_id

    async def fetch(self, query: str, *args: Any) -> list[asyncpg.Record]:
        return await answered(self._pool.fetch(QUERIES[query].as_client, self.client_id, *args))

    async def fetchrow(self, query: str, *args: Any) -> asyncpg.Record | None:
        return await answered(self._pool.fetchrow(QUERIES[query].as_client, self.client_id, *args))


class Database:
    def __init__(self, service: asyncpg.Pool, client: asyncpg.Pool, window_ms: float) -> None:
        self._service, self._client = service, client
        self.batch = Batch(service, window_ms)
        self.read = Reads(client)
        self.service = Reads(service)

    def as_client(self, client_id: str) -> ClientReads:
        return ClientReads(self._client, client_id)

    async def close(self) -> None:
        await self.batch.close()
        await self._service.close()
        await self._client.close()


async def connect(settings: Settings) -> Database:
    """Raises SetupError (no URL, wrong password, not migrated) and Unavailable (nobody answers there)."""
    service = await _pool(settings.database_url, settings.database_pool)
    try:
        client = await _pool(settings.database_read_url or as_reader(settings.database_url), settings.database_pool)
    except BaseException:
        await service.close()
        raise
    return Database(service, client, settings.batch_window_ms)


def as_reader(url: str) -> str:
    return url.replace("//bfy_service:", "//bfy_client:", 1)


# ValueError: what is no URL at all.
CANNOT_CONNECT = (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError)


async def _nothing(_: Any) -> None:
    """No session state, so nothing to reset: it saves a round trip at each release."""


async def _pool(url: str, size: int) -> asyncpg.Pool:
    try:
        return await asyncpg.create_pool(url, min_size=1, max_size=size, reset=_nothing)
    except CANNOT_CONNECT as error:
        raise explained(error, url) from None


@asynccontextmanager
async def operator(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    """A connection for `load` and `catalogue sync`: the administrator's, with the operator's rights."""
    connection = await admin(settings)
    try:
        await _take_on_operator(connection)
        yield connection
    finally:
        await connection.close()


async def _take_on_operator(connection: asyncpg.Connection) -> None:
    try:
        await connection.execute("SET ROLE bfy_operator; SET search_path = core")
    except (asyncpg.InvalidParameterValueError, asyncpg.UndefinedObjectError):
        raise SetupError("the database has no role bfy_operator", "run `beerforyou db migrate`") from None


async def admin(settings: Settings) -> asyncpg.Connection:
    if not settings.database_admin_url:
        raise SetupError("DATABASE_ADMIN_URL is not set", "give the URL of a role that may create roles")
    try:
        return await asyncpg.connect(settings.database_admin_url)
    except CANNOT_CONNECT as error:
        raise explained(error, settings.database_admin_url) from None


def explained(error: Exception, url: str) -> SetupError | Unavailable:
    """A failure to connect as a sentence, without anything secret of the URL."""
    if isinstance(error, ValueError):
        return SetupError("a database URL cannot be read", "write postgresql://user:password@host:port/database")
    where = _where(url)
    refused = (
        asyncpg.InvalidAuthorizationSpecificationError,
        asyncpg.InvalidCatalogNameError,
        asyncpg.InsufficientPrivilegeError,
    )
    if isinstance(error, refused):
        return SetupError(
            f"PostgreSQL at {where} refuses: {error}", "run `beerforyou db migrate`, and check the user in the URL"
        )
    return Unavailable(f"PostgreSQL at {where} does not answer: {error}", "is it running, and is the address right?")


def _where(url: str) -> str:
    parts = urlsplit(url)
    host = parts.hostname or parse_qs(parts.query).get("host", ["localhost"])[0]
    return f"{host}:{parts.port}{parts.path}" if parts.port else f"{host}{parts.path}"
