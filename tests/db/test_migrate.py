"""Migrations run once, in order, and an edited one is refused."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import count
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg
import msgspec
import pytest
from msgspec.structs import replace

from beerforyou.db import migrate
from beerforyou.db.database import connect
from beerforyou.db.queries import QUERIES
from beerforyou.errors import Conflict, SetupError
from beerforyou.runs import frames
from beerforyou.runs.ledger import decode_steps
from beerforyou.settings import Settings
from beerforyou.usage import Usage
from tests.conftest import FreshSettings
from tests.db.asking import ending, record
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


NUMBERS = count(1)


@asynccontextmanager
async def upgrading(
    settings: Settings, version: int
) -> AsyncIterator[tuple[asyncpg.Connection, Callable[[], Awaitable[None]]]]:
    """A database with the migrations up to that number, and what brings it up to date."""
    admin, name = await asyncpg.connect(settings.database_admin_url), f"upgraded_{next(NUMBERS)}"
    await admin.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    at = settings.database_admin_url.replace(urlsplit(settings.database_admin_url).path, f"/{name}", 1)
    connection = await asyncpg.connect(at)
    every = migrate.migrations()
    earlier = [migration for migration in every if int(migration.name[:4]) <= version]
    later = every[len(earlier) :]

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
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()


async def forced(connection: asyncpg.Connection) -> bool:
    """Whether no table of clients' rows shows them to its owner."""
    return bool(
        await connection.fetchval(
            "SELECT bool_and(c.relrowsecurity AND c.relforcerowsecurity) FROM pg_class c"
            " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'client_id'"
            " WHERE c.relnamespace = 'core'::regnamespace AND c.relkind IN ('r', 'p')"
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
            INSERT INTO core.messages (message_id, conversation_id, client_id, run_id, role, text)
            SELECT uuidv7(), conversation_id, 'A', run_id, 'client', 'oi' FROM core.runs;
        """)
        await upgrade()
        found = await connection.fetch("SELECT status FROM core.runs ORDER BY run_id")
        assert [row["status"] for row in found] == ["running", "queued", "queued"]
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
            "SELECT right(conversation_id::text, 1) AS c, number, type, right(run_id::text, 1) AS run, client_id"
            " FROM core.events ORDER BY c, number"
        )
        assert [tuple(row) for row in events] == [
            *(("1", 1, "message", None, "A"), ("1", 2, "answer", "1", "A")),  # run 1 had lost its events: it has no end
            *(("1", 3, "message", None, "A"), ("1", 6, "answer", "2", "A"), ("1", 7, "finished", "2", "A")),
            *(("1", 8, "message", None, "A"), ("1", 11, "message", None, "A")),
            *(("3", 1, "message", None, "B"), ("3", 2, "finished", "5", "B")),
        ]
        messages = await connection.fetch(
            "SELECT client_id, number, text FROM core.messages ORDER BY client_id, number"
        )
        assert [tuple(row) for row in messages] == [
            *(("A", 1, "client 1"), ("A", 2, "assistant 1"), ("A", 3, "client 2"), ("A", 6, "assistant 2")),
            *(("A", 8, "client 3"), ("A", 11, "client 4"), ("B", 1, "client 5")),
        ]
        conversations = await connection.fetch(
            "SELECT events, state, title, last_message_at > '2026-01-02' AS said, first_words, right(last_run::text, 1)"
            " FROM core.conversations ORDER BY conversation_id"
        )
        assert [tuple(row) for row in conversations] == [
            (11, "bot", "", True, "client 1", "2"),
            (0, "bot", "", False, "", None),
            (2, "bot", "", True, "client 5", None),
        ]
        assert await connection.fetchval("SELECT array_agg(DISTINCT fencing_token) FROM core.runs") == [7]
        assert await connection.fetchval("SELECT to_regclass('core.run_events')") is None


# As versions 0012 to 0014 left it. Ids end with what names them; runs 1 to 4 are of conversation 1, with a person in between.
ROWS_OF_BEFORE = """
    INSERT INTO core.clients (client_id, name, city, state, country, postal_code, language)
    SELECT c, '', '', '', '', '', 'pt' FROM unnest('{A,B}'::text[]) c;
    INSERT INTO core.conversations (conversation_id, client_id, events, title, state)
    SELECT ('00000000-0000-0000-0000-00000000000' || n)::uuid, c, e, t, s
    FROM (VALUES (1, 'A', 30, 'IPAs', 'bot'), (2, 'A', 0, '', 'bot'), (3, 'B', 40, '', 'bot'), (4, 'B', 2, '', 'person')) v (n, c, e, t, s);
    INSERT INTO core.runs (run_id, conversation_id, client_id, status, outcome, fencing_token, worker, crashes, labels, versions, usage, decisions,
                           scopes, started_at, finished_at, cancel_at)
    SELECT ('10000000-0000-0000-0000-00000000000' || n)::uuid, ('00000000-0000-0000-0000-00000000000' || k)::uuid, c, s, o, f, w, f - 1,
           '{client:A}', '{"model": "m"}', '{"input": 5}', '[{"tool": "t", "calls": 1, "expected": true, "why": ""}]', '{purchases}', b, e, x
    FROM (VALUES (1, 1, 'A', 'succeeded', 'answered', 1, 'w', now(), now(), NULL), (2, 1, 'A', 'failed', 'error_model', 2, 'w', now(), now(), NULL),
                 (3, 1, 'A', 'running', NULL, 3, 'gone', now(), NULL, now()), (4, 1, 'A', 'queued', NULL, 1, NULL, NULL, NULL, NULL),
                 (5, 3, 'B', 'cancelled', 'cancelled', 1, 'w', now(), now(), now()), (6, 3, 'B', 'succeeded', 'answered', 1, 'w', now(), now(), NULL)
         ) v (n, k, c, s, o, f, w, b, e, x);
    INSERT INTO core.messages (message_id, conversation_id, client_id, run_id, role, text, blocks, context, number)
    SELECT ('20000000-0000-0000-0000-0000000000' || lpad(m::text, 2, '0'))::uuid, ('00000000-0000-0000-0000-00000000000' || k)::uuid, c,
           CASE WHEN n > 0 THEN ('10000000-0000-0000-0000-00000000000' || n)::uuid END, r, r || ' ' || m, b::jsonb, x::jsonb, m
    FROM (VALUES (1, 1, 'A', 1, 'client', '[]', NULL), (9, 1, 'A', 1, 'assistant', '[{"type": "text", "text": "Olá."}]', '{}'),
                 (12, 1, 'A', 0, 'client', '[]', NULL), (13, 1, 'A', 0, 'operator', '[]', NULL),
                 (15, 1, 'A', 2, 'client', '[]', NULL), (18, 1, 'A', 2, 'assistant', '[]', NULL),
                 (20, 1, 'A', 3, 'client', '[]', NULL), (30, 1, 'A', 4, 'client', '[]', NULL),
                 (31, 3, 'B', 5, 'client', '[]', NULL), (33, 3, 'B', 6, 'client', '[]', NULL), (39, 3, 'B', 6, 'assistant', '[]', '{}'),
                 (2, 4, 'B', 0, 'operator', '[]', NULL)) v (m, k, c, n, r, b, x);
    -- run 6 has lost its events
    INSERT INTO core.events (conversation_id, number, client_id, run_id, seq, type, data)
    SELECT ('00000000-0000-0000-0000-00000000000' || k)::uuid, e, c, CASE WHEN n > 0 THEN ('10000000-0000-0000-0000-00000000000' || n)::uuid END,
           CASE WHEN n > 0 THEN q END, t, d::jsonb
    FROM (VALUES (1, 2, 'A', 1, 1, 'started', '{}'), (1, 3, 'A', 1, 2, 'text', '{}'), (1, 9, 'A', 1, 8, 'answer', '{}'),
                 (1, 10, 'A', 1, 9, 'finished', '{}'), (1, 11, 'A', 0, 0, 'state', '{"state": "person"}'),
                 (1, 14, 'A', 0, 0, 'state', '{"state": "bot"}'), (1, 19, 'A', 2, 5, 'finished', '{}'), (1, 21, 'A', 3, 1, 'started', '{}'),
                 (1, 22, 'A', 3, 2, 'text', '{}'), (3, 32, 'B', 5, 2, 'finished', '{}'), (4, 1, 'B', 0, 0, 'state', '{"state": "person"}')
         ) v (k, e, c, n, q, t, d);
    INSERT INTO core.run_steps (run_id, seq, client_id, turn, purpose, call, kind, name, input, output, outcome, labels, versions, usage, ms)
    SELECT ('10000000-0000-0000-0000-00000000000' || n)::uuid, q, 'A', q, 'plan', '', 'model', 'm', '{"q": 1}', '{"parts": []}', NULL, '{}', '{}',
           '{"input": 5}', 7
    FROM (VALUES (1, 1), (1, 2), (3, 1)) v (n, q);
    INSERT INTO core.webhooks (client_id, webhook_id, url) SELECT 'A', uuidv7(), 'https://example.com';
    INSERT INTO core.webhook_messages (message_id, client_id, webhook_id, run_id)
    SELECT uuidv7(), 'A', webhook_id, '10000000-0000-0000-0000-000000000001' FROM core.webhooks;
"""
BEFORE = [12, 14]  # the versions from which one comes to what a run leaves since 0015


@pytest.fixture(params=BEFORE, scope="module")
async def from_before(
    fresh_settings: FreshSettings, request: pytest.FixtureRequest
) -> AsyncIterator[asyncpg.Connection]:
    async with fresh_settings() as settings, upgrading(settings, request.param) as (connection, upgrade):
        await connection.execute(ROWS_OF_BEFORE)
        await upgrade()
        await connection.execute("SET search_path = core")
        yield connection


@pytest.fixture
async def upgraded(from_before: asyncpg.Connection) -> AsyncIterator[asyncpg.Connection]:
    """What a test does here is undone after it."""
    transaction = from_before.transaction()
    await transaction.start()
    yield from_before
    await transaction.rollback()


async def rows(connection: asyncpg.Connection, query: str, *args: object) -> list[tuple[object, ...]]:
    return [tuple(row) for row in await connection.fetch(query, *args)]


def run_id(n: int) -> UUID:
    return UUID(f"10000000-0000-0000-0000-00000000000{n}")


async def test_runs_of_before_stand_as_they_stood(upgraded: asyncpg.Connection) -> None:
    found = await rows(
        upgraded,
        "SELECT right(run_id::text, 1), status, outcome, asked, question, answered, text, ended, fencing_token, crashes,"
        " cancel_at IS NOT NULL FROM core.runs ORDER BY run_id",
    )
    assert found == [
        ("1", "succeeded", "answered", 1, "client 1", 9, "assistant 9", 10, 1, 0, False),
        ("2", "failed", "error_model", 15, "client 15", 18, "assistant 18", 19, 2, 1, False),
        ("3", "running", None, 20, "client 20", None, None, None, 3, 2, True),
        ("4", "queued", None, 30, "client 30", None, None, None, 1, 0, False),
        ("5", "cancelled", "cancelled", 31, "client 31", None, None, 32, 1, 0, True),
        ("6", "succeeded", "answered", 33, "client 33", 39, "assistant 39", None, 1, 0, False),
    ]
    (first,) = await upgraded.fetch(
        "SELECT blocks, labels, versions, usage, decisions, context FROM core.ended_runs WHERE run_id = $1", run_id(1)
    )
    assert first["labels"] == ["client:A"] and '"Olá."' in first["blocks"] and first["context"] == "{}"
    assert msgspec.json.decode(first["usage"]) == {"input": 5} and "calls" in first["decisions"]
    assert await rows(upgraded, "SELECT count(*), count(DISTINCT run_id) FROM core.webhook_messages") == [(1, 1)]


async def test_the_ledger_of_before_is_found_by_who_goes_on(upgraded: asyncpg.Connection) -> None:
    (taken,) = await upgraded.fetch(QUERIES["runs.claim"].sql, run_id(3), "another", 30.0, None)
    assert (taken["fencing_token"], taken["deaths"], taken["text"], taken["cancelled"]) == (4, 3, "client 20", True)
    assert taken["previous"] == run_id(2), "as its conversation remembers it"
    found = await upgraded.fetch(QUERIES["runs.ledger"].sql, run_id(3))
    (step,) = [step for row in found for step in decode_steps(row["steps"])]
    assert (step.seq, step.turn, step.purpose, step.output, step.usage) == (1, 1, "plan", {"parts": []}, Usage(input=5))
    steps = await rows(
        upgraded, "SELECT seq, purpose, ms FROM core.run_steps WHERE run_id = $1 ORDER BY seq", run_id(1)
    )
    assert steps == [(1, "plan", 7), (2, "plan", 7)]
    (held,) = await upgraded.fetch(QUERIES["runs.record"].sql, *record(taken, 2))
    assert held["held"]
    (ended,) = await upgraded.fetch(QUERIES["runs.finish"].sql, *ending(taken))
    assert (ended["answered"], ended["ended"], ended["next"]) == (31, 32, run_id(4)), "numbers go on where they were"
    of_before = "SELECT held FROM core.finish($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)"
    assert await upgraded.fetchval(of_before, *ending(taken)[:16]), "a worker of the version before ends its runs, too"
    assert (await upgraded.fetch(QUERIES["runs.claim"].sql, run_id(4), "another", 30.0, None))[0]["fencing_token"] == 2


async def test_what_was_said_before_stands_in_its_order_with_its_numbers(upgraded: asyncpg.Connection) -> None:
    said = await rows(
        upgraded,
        "SELECT right(conversation_id::text, 1) AS c, number, role, text, right(run_id::text, 1) FROM core.messages ORDER BY c, number",
    )
    assert said == [
        *(("1", 1, "client", "client 1", "1"), ("1", 9, "assistant", "assistant 9", "1")),
        *(("1", 12, "client", "client 12", None), ("1", 13, "operator", "operator 13", None)),
        *(("1", 15, "client", "client 15", "2"), ("1", 18, "assistant", "assistant 18", "2")),
        *(("1", 20, "client", "client 20", "3"), ("1", 30, "client", "client 30", "4")),
        *(("3", 31, "client", "client 31", "5"), ("3", 33, "client", "client 33", "6"), ("3", 39, "assistant", "assistant 39", "6")),
        ("4", 2, "operator", "operator 2", None),
    ]  # fmt: skip
    told = await rows(
        upgraded, "SELECT number, type FROM core.events WHERE right(conversation_id::text, 1) = '1' ORDER BY number"
    )
    assert told == [
        *((1, "message"), (9, "answer"), (10, "finished"), (11, "state"), (12, "message"), (13, "message"), (14, "state")),
        *((15, "message"), (18, "answer"), (19, "finished"), (20, "message"), (30, "message")),
    ]  # fmt: skip
    talks = await rows(
        upgraded,
        "SELECT events, title, state, first_words, right(last_run::text, 1) FROM core.conversations ORDER BY conversation_id",
    )
    assert talks == [
        *((30, "IPAs", "bot", "client 1", "2"), (0, "", "bot", "", None)),
        *((40, "", "bot", "client 31", "6"), (2, "", "person", "operator 2", None)),
    ]  # fmt: skip


@pytest.mark.parametrize("n", [1, 2, 5, 6])
async def test_who_follows_a_run_of_before_is_told_its_end_once(upgraded: asyncpg.Connection, n: int) -> None:
    """Whatever he saw last."""
    (row,) = await upgraded.fetch(QUERIES["runs.missed"].sql, [run_id(n)])
    events = frames.kept(row)
    numbers = [event.seq or 0 for event in events]
    assert numbers == sorted(set(numbers))
    assert [event.type for event in events] == ["started", *(["answer"] if n != 5 else []), "finished"]


async def test_a_conversation_of_before_is_deleted_like_any_other(upgraded: asyncpg.Connection) -> None:
    for n, client in ((1, "A"), (2, "A"), (3, "B"), (4, "B")):
        talk = UUID(f"00000000-0000-0000-0000-00000000000{n}")
        (gone,) = await upgraded.fetch(QUERIES["conversations.delete"].sql, talk, client)
        assert gone["there"] and set(gone["open"]) == ({run_id(3), run_id(4)} if n == 1 else set())
    for table in ("conversations", "open_runs", "ended_runs", "ledger", "said", "webhook_messages"):
        assert await rows(upgraded, f"SELECT count(*) FROM core.{table}") == [(0,)], table


@pytest.mark.parametrize("version", BEFORE)
@pytest.mark.parametrize(
    "held",
    [
        "SELECT FROM core.runs",
        "INSERT INTO core.workers VALUES ('w', now())",
        "UPDATE core.conversations SET title = ''",
    ],
)
async def test_what_a_run_leaves_is_changed_at_once_or_not_at_all(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, version: int, held: str
) -> None:
    """While somebody holds what it needs it gives up, and the rows are as they were."""
    monkeypatch.setattr(migrate, "LOCK_S", 0.2)
    async with upgrading(settings, version) as (connection, _):
        await connection.execute(ROWS_OF_BEFORE)
        await connection.execute(
            "CREATE TABLE public.migrations (name text PRIMARY KEY, sha256 text NOT NULL, ran_at timestamptz NOT NULL DEFAULT now())"
        )
        for migration in migrate.migrations():
            if int(migration.name[:4]) <= version:
                await connection.execute(
                    "INSERT INTO public.migrations VALUES ($1, $2)", migration.name, migration.sha256
                )
        name = await connection.fetchval("SELECT current_database()")
        there = replace(
            settings,
            database_admin_url=settings.database_admin_url.replace(
                urlsplit(settings.database_admin_url).path, f"/{name}", 1
            ),
        )
        holder = await asyncpg.connect(there.database_admin_url)
        await holder.execute(f"BEGIN; {held}")
        if "workers" in held:  # one after it needs them
            with pytest.raises(Conflict, match=r"0020.*another session"):
                await migrate.migrate(there)
            assert await rows(connection, "SELECT to_regclass('core.ended_runs')::text") == [("core.ended_runs",)]
            await holder.execute("ROLLBACK")
            assert any("0020" in ran for ran in await migrate.migrate(there))
        else:
            with pytest.raises(Conflict, match=r"0015.*another session"):
                await migrate.migrate(there)
            assert await rows(connection, "SELECT count(*) FROM core.run_steps") == [(3,)]
            assert await rows(connection, "SELECT to_regclass('core.ended_runs')::text") == [(None,)]
            await holder.execute("ROLLBACK")
            assert any("0015" in ran for ran in await migrate.migrate(there))
        await holder.close()
        assert await rows(connection, "SELECT count(*) FROM core.ended_runs") == [(4,)]


async def test_clients_of_before_are_where_the_installation_is(settings: Settings) -> None:
    async with upgrading(settings, 9) as (connection, upgrade):
        await connection.execute("""
            INSERT INTO core.clients (client_id, name, city, state, country, postal_code, language)
            SELECT n::text, 'Bar ' || n, 'Ohio', '', '', '', 'pt' FROM generate_series(1, 3) AS n
        """)
        await upgrade()
        assert await rows(connection, "SELECT name, time_zone FROM core.clients ORDER BY client_id") == [
            ("Bar 1", ""),
            ("Bar 2", ""),
            ("Bar 3", ""),
        ]


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
    "a reader, and a column": ("SELECT FROM core.runs", "ALTER TABLE core.ended_runs ADD COLUMN extra int"),
    "a reader, and an index": ("SELECT FROM core.messages", "DROP INDEX core.said_of_conversation"),
    "a reader, and a policy": ("SELECT FROM core.clients", "ALTER POLICY own_rows ON core.clients USING (false)"),
    "a reader, and row security": ("SELECT FROM core.runs", "ALTER TABLE core.open_runs NO FORCE ROW LEVEL SECURITY"),
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
    monkeypatch.setattr(migrate, "LOCK_S", 0.5)  # a busy machine takes as long for a lock that nobody holds
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
    everything = [*migrate.migrations(), migrate.Migration(EXTRA, "ALTER TABLE core.open_runs ADD COLUMN extra int")]
    monkeypatch.setattr(migrate, "migrations", lambda: everything)
    reader = await asyncpg.connect(settings.database_admin_url)
    await reader.execute("BEGIN; SELECT FROM core.runs")
    migrating = asyncio.create_task(migrate.migrate(settings))
    service = await asyncpg.connect(settings.database_url)
    await wait_until(lambda: _waited_for(service, "core.open_runs"), "the migration waits for the reader")
    assert await service.fetch("SELECT * FROM runs", timeout=60) == []  # while the reader still reads
    with pytest.raises(Conflict):
        await migrating
    for connection in (reader, service):
        await connection.close()
