"""Migrations run once, in order, and an edited one is refused."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import asyncpg
import pytest

from beerforyou.db import migrate
from beerforyou.db.database import connect
from beerforyou.errors import Conflict, SetupError
from beerforyou.settings import Settings
from tests.waiting import wait_until


async def test_a_second_run_has_nothing_to_do(settings: Settings) -> None:
    assert await migrate.migrate(settings) == []


async def test_an_edited_migration_is_refused(settings: Settings) -> None:
    connection = await asyncpg.connect(settings.database_admin_url)
    await connection.execute("UPDATE public.migrations SET sha256 = 'other'")
    await connection.close()
    with pytest.raises(SetupError, match="not the file that ran"):
        await migrate.migrate(settings)


def test_every_migration_says_whether_it_runs_before_or_after_the_code() -> None:
    names = [migration.name for migration in migrate.migrations()]
    assert names == sorted(names)
    assert all(name.split(".")[1] in ("before", "after") for name in names)
    numbers = [int(name[:4]) for name in names]
    assert len(set(numbers)) == len(numbers)


@asynccontextmanager
async def upgraded(settings: Settings, first: str, written: str) -> AsyncIterator[asyncpg.Connection]:
    """A database to which something was written when migration `first` and the later ones had not run yet."""
    admin = await asyncpg.connect(settings.database_admin_url)
    await admin.execute("CREATE DATABASE upgraded TEMPLATE template0")
    at = settings.database_admin_url.replace(urlsplit(settings.database_admin_url).path, "/upgraded", 1)
    connection = await asyncpg.connect(at)
    try:
        all_of_them = migrate.migrations()
        for migration in (earlier for earlier in all_of_them if earlier.name[:4] < first):
            await connection.execute(migration.sql)
        await connection.execute(written)
        for migration in (later for later in all_of_them if later.name[:4] >= first):
            await connection.execute(migration.sql)
        yield connection
    finally:
        await connection.close()
        await admin.execute("DROP DATABASE upgraded")
        await admin.close()


async def test_two_runs_at_work_in_one_conversation_become_one(settings: Settings) -> None:
    """Version 0002 allowed it. The owner of the tables sees no rows of clients, so this is easily done wrong."""
    written = """
        INSERT INTO core.clients (client_id, name, city, state, country, postal_code, language) VALUES ('A', '', '', '', '', '', 'pt');
        INSERT INTO core.conversations (conversation_id, client_id) VALUES (gen_random_uuid(), 'A');
        INSERT INTO core.runs (run_id, conversation_id, client_id, status)
        SELECT uuidv7(), conversation_id, 'A', 'running' FROM core.conversations, generate_series(1, 3);
    """
    async with upgraded(settings, "0003", written) as connection:
        rows = await connection.fetch("SELECT status FROM core.runs ORDER BY run_id")
        assert [row["status"] for row in rows] == ["running", "queued", "queued"]
        forced = await connection.fetchval("SELECT relforcerowsecurity FROM pg_class WHERE oid = 'core.runs'::regclass")
        assert forced


async def test_clients_of_before_are_where_the_installation_is(settings: Settings) -> None:
    written = """
        INSERT INTO core.clients (client_id, name, city, state, country, postal_code, language)
        SELECT n::text, 'Bar ' || n, 'Ohio', '', '', '', 'pt' FROM generate_series(1, 3) AS n
    """
    async with upgraded(settings, "0010", written) as connection:
        rows = await connection.fetch("SELECT name, time_zone FROM core.clients ORDER BY client_id")
        assert [tuple(row) for row in rows] == [("Bar 1", ""), ("Bar 2", ""), ("Bar 3", "")]


@pytest.mark.parametrize(
    "older",
    ["DELETE FROM public.migrations WHERE name LIKE '0006.%'", "REVOKE SELECT ON public.migrations FROM bfy_service"],
    ids=["without one of ours", "that shows its migrations to nobody"],
)
async def test_the_database_of_an_older_version_is_named_as_one(settings: Settings, older: str) -> None:
    admin = await asyncpg.connect(settings.database_admin_url)
    await admin.execute(older)
    await admin.close()
    with pytest.raises(SetupError, match="older version") as raised:
        await connect(settings)
    assert "db migrate" in raised.value.hint


EXTRA = "9999.before.extra"
HELD = {  # what another session did in a transaction that goes on, and a migration that needs it
    "a reader, and a column": ("SELECT FROM core.runs", "ALTER TABLE core.runs ADD COLUMN extra int"),
    "a reader, and an index": ("SELECT FROM core.messages", "DROP INDEX core.messages_of_run"),
    "a reader, and a policy": ("SELECT FROM core.clients", "ALTER POLICY own_rows ON core.clients USING (false)"),
    "a reader, and row security": ("SELECT FROM core.runs", "ALTER TABLE core.runs NO FORCE ROW LEVEL SECURITY"),
    "a reader, and a later statement": ("SELECT FROM core.beers", "CREATE TABLE core.half (); TRUNCATE core.beers, core.purchases"),
    "a writer, and an index": ("INSERT INTO core.workers VALUES ('w', now())", "CREATE INDEX ON core.workers (lease_until)"),
    "a writer, and its row": ("UPDATE stats.secret SET secret = secret", "UPDATE stats.secret SET secret = 'new'"),
    "a load": ("LOCK TABLE core.purchases IN SHARE ROW EXCLUSIVE MODE", "UPDATE core.purchases SET quantity = 1"),
    "a reader of the fence": ("SELECT FROM authz.callable", "SELECT 1"),
    "who looks at the migrations": ("LOCK TABLE public.migrations", "SELECT 1"),
}  # fmt: skip


@pytest.mark.parametrize("held", HELD)
async def test_a_migration_gives_up_on_what_another_session_holds(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, held: str
) -> None:
    """Once it lets go, the same migration runs."""
    holding, sql = HELD[held]
    early = migrate.Migration("9998.before.early", "CREATE TABLE core.early ()")
    everything = [*migrate.migrations(), early, migrate.Migration(EXTRA, sql)]
    monkeypatch.setattr(migrate, "migrations", lambda: everything)
    monkeypatch.setattr(migrate, "LOCK_S", 0.2)
    holder = await asyncpg.connect(settings.database_admin_url)
    await holder.execute(f"BEGIN; {holding}")
    with pytest.raises(Conflict, match="another session") as raised:
        await migrate.migrate(settings)
    assert "again" in raised.value.hint
    await holder.execute("ROLLBACK")
    ran = {row["name"] for row in await holder.fetch("SELECT name FROM public.migrations")}
    assert (early.name in ran) is ("migrations" not in held), "what ran before it stays"
    assert (EXTRA in ran) is ("fence" in held)
    assert await holder.fetchval("SELECT to_regclass('core.half') IS NULL"), "and nothing of it"
    assert set(await migrate.migrate(settings)) == {early.name, EXTRA} - ran
    await holder.close()


async def _waited_for(connection: asyncpg.Connection, table: str) -> bool:
    waits = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = $1::text::regclass)"
    return bool(await connection.fetchval(waits, table))


async def test_who_waits_behind_a_migration_waits_no_longer_than_it_does(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long reader, the migration behind it, and the service behind that."""
    everything = [*migrate.migrations(), migrate.Migration(EXTRA, "ALTER TABLE core.runs ADD COLUMN extra int")]
    monkeypatch.setattr(migrate, "migrations", lambda: everything)
    reader = await asyncpg.connect(settings.database_admin_url)
    await reader.execute("BEGIN; SELECT FROM core.runs")
    migrating = asyncio.create_task(migrate.migrate(settings))
    service = await asyncpg.connect(settings.database_url)
    await wait_until(lambda: _waited_for(service, "core.runs"), "the migration waits for the reader")
    assert await service.fetch("SELECT * FROM runs", timeout=60) == []  # while the reader still reads
    with pytest.raises(Conflict):
        await migrating
    for connection in (reader, service):
        await connection.close()
