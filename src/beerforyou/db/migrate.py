"""Numbered SQL migrations, each in a transaction of its own, under a lock that other processes wait for. None waits long for
a table: whoever asks for it later would wait behind the migration.

A file is called `NNNN.before.what.sql` or `NNNN.after.what.sql`: whether it runs before or after the new code is
rolled out. What ran is kept in `public.migrations` with a hash; an edited file is refused.
"""

import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib import resources
from urllib.parse import unquote, urlsplit

import asyncpg
import msgspec

from beerforyou.db import connections
from beerforyou.db.fence.functions import FUNCTIONS
from beerforyou.db.identity import Identity
from beerforyou.db.queries import QUERIES
from beerforyou.errors import Conflict, SetupError
from beerforyou.settings import Settings, kept_secret

LOCK = 4_126_001  # any number, as long as all versions of the program use the same
LOCK_S = 1.5  # for a lock on a table or row: our own reads end within 2 s, and give up on the database after 3
LOGINS = ("bfy_service", "bfy_client", "bfy_reader")
AGAIN = (
    "nothing of it was done: try again in a moment; `SELECT pid, usename, xact_start, query FROM pg_stat_activity ORDER BY "
    "xact_start` shows who holds it, the oldest first"
)


class Migration(msgspec.Struct, frozen=True):
    name: str
    sql: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def migrations() -> list[Migration]:
    folder = resources.files("beerforyou.db") / "migrations"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".sql")), key=lambda f: f.name)
    return [Migration(f.name.removesuffix(".sql"), f.read_text("utf-8")) for f in files]


async def migrate(settings: Settings) -> list[str]:
    """Runs what has not run yet and returns its names; lays the fence anew. Raises SetupError, and Conflict when somebody
    holds what a migration needs: those before it have run, it has not.

    Gives the login roles the passwords of the settings' URLs, and the database the key that identities are signed with.
    """
    connection = await connections.admin(settings)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", LOCK)
        await connection.execute(f"SET lock_timeout = {round(LOCK_S * 1000)}")
        async with _giving_up("the list of migrations"):
            await connection.execute(
                "CREATE TABLE IF NOT EXISTS public.migrations (name text PRIMARY KEY, sha256 text NOT NULL, ran_at timestamptz NOT NULL DEFAULT now())"
            )
            waiting = await pending(connection)
        for migration in waiting:
            await _run(connection, migration)
        async with _giving_up("the fence"):
            await _lay_fence(connection)
            await Identity(kept_secret(settings, "identity_secret")).publish(connection)
            await _set_passwords(connection, settings)
    finally:
        await connection.close()
    return [migration.name for migration in waiting]


@asynccontextmanager
async def _giving_up(what: str) -> AsyncIterator[None]:
    """On a lock that somebody else holds. Raises Conflict."""
    try:
        yield
    except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
        raise Conflict(f"{what} needs a lock that another session held for more than {LOCK_S} s", AGAIN) from None


async def pending(connection: asyncpg.Connection) -> list[Migration]:
    """What has not run yet, in order. Raises SetupError when a file is not the one that ran."""
    return missing(await _ran(connection))


def missing(ran: Mapping[str, str]) -> list[Migration]:
    """Of `public.migrations`, names and hashes. Raises as `pending` does."""
    for migration in migrations():
        if ran.get(migration.name, migration.sha256) != migration.sha256:
            raise SetupError(
                f"migration {migration.name} is not the file that ran here", "restore it, and write a new one instead"
            )
    return [migration for migration in migrations() if migration.name not in ran]


async def is_older(connection: asyncpg.Connection) -> bool:
    """Whether the database lacks a migration that runs before this code does. Asked as the service."""
    ran = await _ran(connection)
    return any(migration.name not in ran for migration in migrations() if ".before." in migration.name)


async def _ran(connection: asyncpg.Connection) -> dict[str, str]:
    """Nothing in a database that has no migrations yet, or is of a version that let the service not look."""
    try:
        return dict(await connection.fetch(QUERIES["checks.migrations"].sql))
    except (asyncpg.UndefinedTableError, asyncpg.InsufficientPrivilegeError):
        return {}


async def _run(connection: asyncpg.Connection, migration: Migration) -> None:
    async with _giving_up(f"migration {migration.name}"), connection.transaction():
        await connection.execute(migration.sql)
        await connection.execute(
            "INSERT INTO public.migrations (name, sha256) VALUES ($1, $2)", migration.name, migration.sha256
        )


async def _lay_fence(connection: asyncpg.Connection) -> None:
    fence = resources.files("beerforyou.db.fence") / "fence.sql"
    async with connection.transaction():
        await connection.execute("SELECT set_config('bfy.functions', $1, true)", ",".join(sorted(FUNCTIONS)))
        await connection.execute(fence.read_text("utf-8"))


async def _set_passwords(connection: asyncpg.Connection, settings: Settings) -> None:
    for url in (settings.database_url, connections.client_url(settings), connections.sql_url(settings)):
        parts = urlsplit(url)
        if parts.username in LOGINS and parts.password:
            statement = await connection.fetchval(
                "SELECT format('ALTER ROLE %I PASSWORD %L', $1::text, $2::text)",
                parts.username,
                unquote(parts.password),
            )
            await connection.execute(statement)
