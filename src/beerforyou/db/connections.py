"""How connections are made, and under which login. Pools keep no session state, so that a pooler in transaction mode may
stand between; where one does, statements are not prepared by name.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import asyncpg

from beerforyou.db.failure import GONE
from beerforyou.db.pool import Pool
from beerforyou.errors import SetupError, Unavailable
from beerforyou.settings import Settings

# ValueError: what is no URL at all.
CANNOT_CONNECT = (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError)

GOODBYE_S = 2.0
CONNECT_S = 10.0  # who asks gives up sooner
UNNAMED = {"statement_cache_size": 0}  # statements that no session keeps
MOST_USES = 50_000  # of a connection: what a session gathers goes with it
log = logging.getLogger(__name__)


def client_url(settings: Settings) -> str:
    """For what tools read: the login bfy_client, on a replica if there is one."""
    return settings.database_read_url or _as("bfy_client", settings.database_url)


def sql_url(settings: Settings) -> str:
    """For SQL that a model wrote: the login bfy_reader, in the same place."""
    return settings.database_sql_url or _as("bfy_reader", client_url(settings))


def _as(login: str, url: str) -> str:
    """Another login with the same password; the URL as it is when it names none of ours."""
    user = urlsplit(url).username or ""
    return url.replace(f"//{user}:", f"//{login}:", 1) if user.startswith("bfy_") else url


def on_primary(url: str, settings: Settings) -> str:
    """The login of `url`, at the place of DATABASE_URL."""
    login, place = urlsplit(url), urlsplit(settings.database_url)
    password = "" if login.password is None else f":{login.password}"
    host = place.netloc.rpartition("@")[2]
    return place._replace(netloc=f"{quote(login.username or '')}{password}@{host}").geturl()


async def pool(
    url: str,
    size: int,
    patience_s: float,
    *,
    needed: bool = True,
    most_uses: int = MOST_USES,
    init: Callable[[asyncpg.Connection], Awaitable[object]] | None = None,
    **options: Any,
) -> Pool:
    """`init` is done with each new connection. Raises SetupError and Unavailable; the latter only of a server that is
    `needed`, as a replica is not."""

    async def connect() -> asyncpg.Connection:
        connection = await asyncpg.connect(url, timeout=CONNECT_S, **options)
        if init:
            await init(connection)
        return connection

    direct, first = False, None
    try:
        direct = not await _through_pooler(url)
        options |= {} if direct else UNNAMED
        first = await connect()
    except CANNOT_CONNECT as error:
        failure = not_connected(error, url)
        if needed or isinstance(failure, SetupError):
            raise failure from None
        log.warning("%s (%s)", failure.message, failure.hint)
        options |= UNNAMED  # there may be a pooler, once it answers
    return Pool(connect, size, patience_s, direct, most_uses, first)


async def closed(pool: Pool | asyncpg.Connection) -> None:
    """Takes leave of the server; of one that does not answer, without it."""
    with contextlib.suppress(TimeoutError):  # by then asyncpg has ended the connection all the same
        async with asyncio.timeout(GOODBYE_S):
            await pool.close()


async def _through_pooler(url: str) -> bool:
    """A pooler gives out cancellation keys of its own, so that the process id of the key is not that of the server."""
    connection = await asyncpg.connect(url, statement_cache_size=0)
    try:
        return await connection.fetchval("SELECT authz.backend()") != connection.get_server_pid()
    finally:
        await connection.close()


@asynccontextmanager
async def operator(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    """A connection for `load` and `catalogue sync`: the administrator's, with the operator's rights. Raises Unavailable
    when the database fails in the middle."""
    connection = await admin(settings)
    try:
        await take_on(connection, "bfy_operator", "core")
        yield connection
    except GONE as error:
        if isinstance(error, OSError) and not isinstance(error, ConnectionError):  # of a file, say
            raise
        said = str(error).partition("\n")[0]  # and then DETAIL, HINT
        raise Unavailable(f"the database failed, and nothing was changed: {said}", "do the same again") from None
    finally:
        await closed(connection)


async def take_on(connection: asyncpg.Connection, role: str, schema: str) -> None:
    """From here on the connection has the rights of this role. Raises SetupError."""
    try:
        await connection.execute(f"SET ROLE {role}; SET search_path = {schema}")
    except (asyncpg.InvalidParameterValueError, asyncpg.UndefinedObjectError):
        raise SetupError(f"the database has no role {role}", "run `beerforyou db migrate`") from None


async def admin(settings: Settings) -> asyncpg.Connection:
    if not settings.database_admin_url:
        raise SetupError("DATABASE_ADMIN_URL is not set", "give the URL of a role that may create roles")
    try:
        return await asyncpg.connect(settings.database_admin_url)
    except CANNOT_CONNECT as error:
        raise not_connected(error, settings.database_admin_url) from None


def not_connected(error: Exception, url: str) -> SetupError | Unavailable:
    """A failure to connect as a sentence, without anything secret of the URL."""
    if isinstance(error, ValueError):
        return SetupError("a database URL cannot be read", "write postgresql://user:password@host:port/database")
    where = place(url)
    refused = (
        asyncpg.InvalidAuthorizationSpecificationError,
        asyncpg.InvalidCatalogNameError,
        asyncpg.InsufficientPrivilegeError,
        asyncpg.InvalidSchemaNameError,
        asyncpg.UndefinedFunctionError,
    )
    if isinstance(error, refused):
        return SetupError(
            f"PostgreSQL at {where} refuses: {error}", "run `beerforyou db migrate`, and check the user in the URL"
        )
    return Unavailable(f"PostgreSQL at {where} does not answer: {error}", "is it running, and is the address right?")


def place(url: str) -> str:
    """Host, port and database."""
    parts = urlsplit(url)
    host = parts.hostname or parse_qs(parts.query).get("host", ["localhost"])[0]
    return f"{host}:{parts.port}{parts.path}" if parts.port else f"{host}{parts.path}"
