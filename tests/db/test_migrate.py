"""Migrations run once, in order, and an edited one is refused."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import asyncpg
import pytest

from beerforyou.db import migrate
from beerforyou.db.database import connect
from beerforyou.db.queries import QUERIES
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
async def upgrading(
    settings: Settings, first: int
) -> AsyncIterator[tuple[asyncpg.Connection, Callable[[], Awaitable[None]]]]:
    """A database with the first migrations, and what brings it up to date."""
    admin = await asyncpg.connect(settings.database_admin_url)
    await admin.execute("CREATE DATABASE upgraded TEMPLATE template0")
    at = settings.database_admin_url.replace(urlsplit(settings.database_admin_url).path, "/upgraded", 1)
    connection = await asyncpg.connect(at)
    earlier, later = migrate.migrations()[:first], migrate.migrations()[first:]

    async def upgrade() -> None:
        for migration in later:
            async with connection.transaction():
                await connection.execute(migration.sql)

    try:
        for migration in earlier:
            await connection.execute(migration.sql)
        yield connection, upgrade
    finally:
        await connection.close()
        await admin.execute("DROP DATABASE upgraded")
        await admin.close()


async def forced(connection: asyncpg.Connection) -> bool:
    """Whether no table of clients' rows shows them to its owner."""
    return bool(
        await connection.fetchval(
            "SELECT bool_and(c.relrowsecurity AND c.relforcerowsecurity) FROM pg_class c"
            " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'client_id'"
            " WHERE c.relnamespace = 'core'::regnamespace AND c.relkind = 'r'"
        )
    )


async def test_two_runs_at_work_in_one_conversation_become_one(settings: Settings) -> None:
    """Version 0002 allowed it. The owner of the tables sees no rows of clients, so this is easily done wrong."""
    async with upgrading(settings, 2) as (connection, upgrade):
        await connection.execute("""
            INSERT INTO core.clients (client_id, name, city, state, country, postal_code, language) VALUES ('A', '', '', '', '', '', 'pt');
            INSERT INTO core.conversations (conversation_id, client_id) VALUES (gen_random_uuid(), 'A');
            INSERT INTO core.runs (run_id, conversation_id, client_id, status)
            SELECT uuidv7(), conversation_id, 'A', 'running' FROM core.conversations, generate_series(1, 3);
        """)
        await upgrade()
        rows = await connection.fetch("SELECT status FROM core.runs ORDER BY run_id")
        assert [row["status"] for row in rows] == ["running", "queued", "queued"]
        assert await forced(connection)


OLD_CONVERSATIONS = """
    INSERT INTO core.clients (client_id, name, city, state, country, postal_code, language)
    SELECT c, '', '', '', '', '', 'pt' FROM unnest('{A,B}'::text[]) c;
    INSERT INTO core.conversations (conversation_id, client_id, created_at)
    SELECT ('00000000-0000-0000-0000-00000000000' || n)::uuid, c, '2026-01-01'
    FROM (VALUES (1, 'A'), (2, 'A'), (3, 'B')) t (n, c);
    -- run 1 of conversation 1 has no events any more, 2 has all, 3 is at work, 4 waits; 5 is of another client
    INSERT INTO core.runs (run_id, conversation_id, client_id, status, events_expired, finished_at, fence)
    SELECT ('10000000-0000-0000-0000-00000000000' || n)::uuid, ('00000000-0000-0000-0000-00000000000' || k)::uuid, c, s, x, f::timestamptz, 7
    FROM (VALUES (1, 1, 'A', 'succeeded', true, '2026-01-02'), (2, 1, 'A', 'succeeded', false, '2026-01-03'),
                 (3, 1, 'A', 'running', false, NULL), (4, 1, 'A', 'queued', false, NULL),
                 (5, 3, 'B', 'cancelled', false, '2026-01-02')) t (n, k, c, s, x, f);
    INSERT INTO core.messages (message_id, conversation_id, client_id, run_id, role, text, created_at)
    SELECT gen_random_uuid(), r.conversation_id, r.client_id, r.run_id, m.role, m.role || ' ' || right(r.run_id::text, 1),
           '2026-01-02'::timestamptz + make_interval(hours => right(r.run_id::text, 1)::int, mins => m.n)
    FROM core.runs r CROSS JOIN (VALUES ('client', 0), ('assistant', 59)) m (role, n)
    WHERE m.role = 'client' OR r.status = 'succeeded';
    INSERT INTO core.run_events (run_id, client_id, seq, type, data, created_at)
    SELECT r.run_id, r.client_id, e.seq, e.type, '{}',
           '2026-01-02'::timestamptz + make_interval(hours => right(r.run_id::text, 1)::int, mins => 10 * e.seq)
    FROM core.runs r CROSS JOIN (VALUES (1, 'started'), (2, 'text'), (3, 'answer'), (4, 'finished')) e (seq, type)
    WHERE NOT r.events_expired AND (r.status = 'succeeded' OR r.status = 'running' AND e.seq < 3 OR r.status = 'cancelled' AND e.seq = 4);
"""


async def test_events_and_messages_that_were_there_get_numbers_in_their_conversation(settings: Settings) -> None:
    async with upgrading(settings, 8) as (connection, upgrade):
        await connection.execute(OLD_CONVERSATIONS)
        await upgrade()
        assert await forced(connection)
        await connection.execute("CREATE TABLE public.migrations (name text)")
        await migrate._lay_fence(connection)
        await connection.execute("SET search_path = core; SET ROLE bfy_client")
        assert await connection.fetch(QUERIES["checks.holes"].sql) == []
        await connection.execute("RESET ROLE; RESET search_path")
        events = await connection.fetch(
            "SELECT right(conversation_id::text, 1) AS c, number, type, right(run_id::text, 1) AS run, seq, client_id"
            " FROM core.events ORDER BY c, number"
        )
        assert [tuple(row) for row in events] == [
            ("1", 3, "message", None, None, "A"),
            ("1", 4, "started", "2", 1, "A"),
            ("1", 5, "text", "2", 2, "A"),
            ("1", 6, "answer", "2", 3, "A"),
            ("1", 7, "finished", "2", 4, "A"),
            ("1", 8, "message", None, None, "A"),
            ("1", 9, "started", "3", 1, "A"),
            ("1", 10, "text", "3", 2, "A"),
            ("1", 11, "message", None, None, "A"),
            ("3", 1, "message", None, None, "B"),
            ("3", 2, "finished", "5", 4, "B"),
        ]
        messages = await connection.fetch(
            "SELECT client_id, number, text FROM core.messages ORDER BY client_id, number"
        )
        assert [tuple(row) for row in messages] == [
            *(("A", 1, "client 1"), ("A", 2, "assistant 1"), ("A", 3, "client 2"), ("A", 6, "assistant 2")),
            *(("A", 8, "client 3"), ("A", 11, "client 4"), ("B", 1, "client 5")),
        ]
        conversations = await connection.fetch(
            "SELECT events, events_expired, state, title, last_message_at > '2026-01-02' AS said"
            " FROM core.conversations ORDER BY conversation_id"
        )
        assert [tuple(row) for row in conversations] == [
            (11, 2, "bot", "", True),
            (0, 0, "bot", "", False),
            (2, 0, "bot", "", True),
        ]
        assert await connection.fetchval("SELECT array_agg(DISTINCT fencing_token) FROM core.runs") == [7]
        assert await connection.fetchval("SELECT to_regclass('core.run_events')") is None


async def test_clients_of_before_are_where_the_installation_is(settings: Settings) -> None:
    async with upgrading(settings, 9) as (connection, upgrade):
        await connection.execute("""
            INSERT INTO core.clients (client_id, name, city, state, country, postal_code, language)
            SELECT n::text, 'Bar ' || n, 'Ohio', '', '', '', 'pt' FROM generate_series(1, 3) AS n
        """)
        await upgrade()
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
