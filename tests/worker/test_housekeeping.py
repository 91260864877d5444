"""What is old goes with its day, and the days to come have their place before they come."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from msgspec.structs import replace

from beerforyou.db.queries import QUERIES
from beerforyou.house import House, opened
from beerforyou.worker import housekeeping
from beerforyou.worker.housekeeping import keep_house
from tests.conftest import FreshSettings
from tests.worker.conftest import CLIENT, bring_client

PARTITIONED = {"ended_runs": "run_id", "ledger": "run_id", "said": "message_id"}


@pytest.fixture(scope="module")
async def place(fresh_settings: FreshSettings) -> AsyncIterator[House]:
    async with fresh_settings() as settings:
        await bring_client(settings)
        async with opened(settings) as house:
            yield house


@pytest.fixture
async def admin(place: House) -> AsyncIterator[asyncpg.Connection]:
    """All is as on the first day: nothing was said, and there are the partitions of a week."""
    connection = await asyncpg.connect(place.settings.database_admin_url)
    await connection.execute(
        "SET search_path = core; TRUNCATE conversations, open_runs, ended_runs, ledger, said, webhooks, webhook_messages, idempotency_keys, workers"
    )
    await connection.execute(
        "INSERT INTO webhooks (webhook_id, client_id, url) VALUES (uuidv7(), $1, 'https://example.com')", CLIENT
    )
    for table in PARTITIONED:
        for day in await days(connection, table):
            await connection.execute(f"DROP TABLE {table}_{datetime.now(UTC) + timedelta(days=day):%Y%m%d}")
    await connection.fetchval("SELECT make_partitions(7)")
    yield connection
    await connection.close()


@pytest.fixture
def quick(place: House) -> Iterator[House]:
    usual = place.settings
    yield place
    place.settings = usual


async def days(admin: asyncpg.Connection, table: str) -> list[int]:
    """Of which days there are partitions, from today on; UTC, as the ids are."""
    return [
        row["day"]
        for row in await admin.fetch(
            "SELECT to_date(right(relname, 8), 'YYYYMMDD') - (now() AT TIME ZONE 'UTC')::date AS day FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid"
            " WHERE inhparent = ('core.' || $1)::regclass AND relname ~ '_[0-9]{8}$' ORDER BY 1",
            table,
        )
    ]


async def partition(admin: asyncpg.Connection, day: int) -> None:
    """As it was made then."""
    for table in PARTITIONED:
        await admin.execute(f"""DO $$
            DECLARE at timestamptz := (((now() AT TIME ZONE 'UTC')::date + ({day}))::timestamp) AT TIME ZONE 'UTC';
            BEGIN
                EXECUTE format('CREATE TABLE core.{table}_%s PARTITION OF core.{table} FOR VALUES FROM (%L) TO (%L)',
                    to_char(at AT TIME ZONE 'UTC', 'YYYYMMDD'), core.uuid_at(at), core.uuid_at(at + interval '1 day'));
            END $$""")


async def leave(admin: asyncpg.Connection, day: int, last_message: int | None = None) -> None:
    """A conversation with a run, its ledger and webhook message, what a person said, a key and a worker, at noon of that day."""
    at = datetime.now(UTC).replace(hour=12, minute=0) + timedelta(days=day)
    args = at, CLIENT
    talk = await admin.fetchval("SELECT core.uuid_at($1)", at)
    said = at if last_message is None else datetime.now(UTC) + timedelta(days=last_message)
    await admin.execute(
        "INSERT INTO conversations (conversation_id, client_id, created_at, last_message_at, events) VALUES ($1, $2, $3, $4, 4)",
        talk, CLIENT, at, said,
    )  # fmt: skip
    await admin.execute(
        "INSERT INTO ended_runs (run_id, conversation_id, client_id, message_id, asked, question, status, text, blocks, answered, ended, last_event,"
        " fencing_token, crashes, labels, versions, usage, decisions, created_at, finished_at)"
        " VALUES (uuid_at($1), uuid_at($1), $2, uuid_at($1), 1, 'oi', 'succeeded', 'Olá.', '[]', 2, 3, 3, 1, 0, '{}', '{}', '{}', '[]', $1, $1)",
        *args,
    )
    await admin.execute("INSERT INTO ledger (run_id, seq, client_id, steps, events) VALUES (uuid_at($1), 1, $2, '[]', '[]')", *args)  # fmt: skip
    await admin.execute("INSERT INTO said (message_id, conversation_id, client_id, role, text, number) VALUES (uuid_at($1), uuid_at($1), $2, 'operator', 'oi', 4)", *args)  # fmt: skip

    await admin.execute("INSERT INTO webhook_messages (message_id, client_id, webhook_id, run_id) SELECT uuid_at($1), $2, webhook_id, uuid_at($1) FROM webhooks", *args)  # fmt: skip
    await admin.execute("INSERT INTO idempotency_keys (client_id, key, request, answer, created_at) VALUES ($2, $1::timestamptz::text, '', '{}', $1)", *args)  # fmt: skip
    await admin.execute(
        "INSERT INTO workers (worker, lease_until) VALUES ($1::timestamptz::text, $1 + interval '1 day')", at
    )


async def there(admin: asyncpg.Connection) -> dict[str, int]:
    return {table: await admin.fetchval(f"SELECT count(*) FROM {table}") for table in (*PARTITIONED, "conversations")}


async def keeping(house: House, conversation_days: int, ledger_days: int) -> None:
    house.settings = replace(house.settings, conversation_days=conversation_days, ledger_days=ledger_days)
    await keep_house(house)


async def test_partitions_are_made_ahead_and_once(quick: House, admin: asyncpg.Connection) -> None:
    for _ in range(3):
        await keep_house(quick)
        for table in PARTITIONED:
            assert await days(admin, table) == list(range(8))
    for table in PARTITIONED:
        await admin.execute(f"DROP TABLE {table}_{datetime.now(UTC) + timedelta(days=3):%Y%m%d}")
    await keep_house(quick)
    assert await days(admin, "said") == list(range(8))


async def test_what_is_written_goes_to_its_day(admin: asyncpg.Connection) -> None:
    for day in (0, 1, 7, 8, -1, -400):
        await leave(admin, day)
    for table in PARTITIONED:
        found = await admin.fetch(f"SELECT tableoid::regclass::text AS place FROM {table} ORDER BY 1")
        today = datetime.now(UTC)
        named = [f"{table}_{today + timedelta(days=day):%Y%m%d}" for day in (0, 1, 7)]
        assert [row["place"] for row in found] == [*named, *[f"{table}_other"] * 3]


@pytest.mark.parametrize("late", [0, 3, 7])
async def test_rows_that_came_before_their_partition_stay_where_they_are(
    quick: House, admin: asyncpg.Connection, late: int
) -> None:
    """Nobody kept house for a week: what is written lies in the default partition, and no later day is kept from its own."""
    for table in PARTITIONED:
        for day in range(8):
            await admin.execute(f"DROP TABLE {table}_{datetime.now(UTC) + timedelta(days=day):%Y%m%d}")
    await leave(admin, late)
    await keep_house(quick)
    for table in PARTITIONED:
        assert await days(admin, table) == [day for day in range(8) if day != late]
        assert await admin.fetchval(f"SELECT count(*) FROM {table}_other") == 1
    assert await there(admin) == {"ended_runs": 1, "ledger": 1, "said": 1, "conversations": 1}


@pytest.mark.parametrize(("conversation_days", "ledger_days"), [(20, 5), (20, 20), (5, 20), (1, 1)])
@pytest.mark.parametrize("partitioned", [True, False])
async def test_what_is_old_goes(
    quick: House, admin: asyncpg.Connection, partitioned: bool, conversation_days: int, ledger_days: int
) -> None:
    """Whether its day has a partition, or it came to the default one."""
    ages = (0, 1, 5, 7, 20, 22, 400)
    for age in ages:
        if partitioned and age:
            await partition(admin, -age)
        await leave(admin, -age)
    await keeping(quick, conversation_days, ledger_days)
    left = await there(admin)

    def kept(days: int) -> tuple[int, int]:
        """For so many days at the least, and at the most for two more."""
        return sum(age <= days for age in ages), sum(age <= days + 1 for age in ages)

    for table, limit in {"ended_runs": conversation_days, "said": conversation_days, "ledger": ledger_days}.items():
        least, most = kept(limit)
        assert least <= left[table] <= most, (table, left)
        if partitioned:
            assert min(await days(admin, table)) >= -limit - 1


async def test_a_conversation_that_goes_on_is_kept_and_so_is_one_that_waits(
    quick: House, admin: asyncpg.Connection
) -> None:
    await leave(admin, -30)
    await leave(admin, -31, last_message=-2)
    await leave(admin, -32)
    await admin.execute(
        "INSERT INTO open_runs (run_id, conversation_id, client_id, message_id, asked, question, scopes)"
        " SELECT uuidv7(), conversation_id, client_id, uuidv7(), 5, 'oi', '{}' FROM conversations ORDER BY created_at LIMIT 1"
    )
    await keeping(quick, 10, 10)
    ages = [
        row[0] for row in await admin.fetch("SELECT (now()::date - created_at::date) FROM conversations ORDER BY 1")
    ]
    assert ages == [31, 32]
    assert await admin.fetchval("SELECT count(*) FROM open_runs") == 1


# What the service may write and housekeeping does not count by age, and why it is bounded all the same.
BOUNDED = {"webhooks": "a client has so many at the most", "open_runs": "a run ends"}


async def written(admin: asyncpg.Connection) -> dict[str, int]:
    """Each table that the service may write to, with its rows."""
    tables = await admin.fetch(
        "SELECT oid::regclass::text AS name FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition"
        " AND relnamespace <> 'pg_catalog'::regnamespace AND has_table_privilege('bfy_service', oid, 'INSERT')"
    )
    return {row["name"]: await admin.fetchval(f"SELECT count(*) FROM {row['name']}") for row in tables}


@pytest.mark.parametrize("portion", [1, 4, 7, 5000])
async def test_nothing_grows_without_end(
    quick: House, admin: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch, portion: int
) -> None:
    """However much came at once, all of it goes in one round; a table that is added to these has to be thought of here."""
    monkeypatch.setattr(housekeeping, "PORTION", portion)
    for age in range(30, 38):
        await leave(admin, -age)
    before = await written(admin)
    assert {table: rows for table, rows in before.items() if table not in BOUNDED} == dict.fromkeys(
        [*PARTITIONED, "conversations", "webhook_messages", "idempotency_keys", "workers"], 8
    )
    await leave(admin, 0)
    await keeping(quick, 10, 10)
    after = await written(admin)
    assert {table for table in before if after[table] != 1} == {"open_runs"}, after


@pytest.mark.parametrize("table", ["conversations", "webhook_messages", "idempotency_keys", "workers"])
async def test_what_somebody_has_is_left_for_the_next_time(quick: House, admin: asyncpg.Connection, table: str) -> None:
    for age in range(30, 33):
        await leave(admin, -age)
    async with admin.transaction():
        await admin.fetch(f"SELECT FROM {table} LIMIT 1 FOR UPDATE")
        await keeping(quick, 10, 10)
        assert (await written(admin))[table] == 1
    await keeping(quick, 10, 10)
    assert (await written(admin))[table] == 0


async def test_nobody_has_rights_on_a_partition(quick: House, admin: asyncpg.Connection) -> None:
    """What is allowed on a table is allowed on it as a whole, with its policies."""
    await keep_house(quick)
    found = await admin.fetch(
        "SELECT c.relname, c.relacl, c.relrowsecurity AND c.relforcerowsecurity AS forced FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid"
        " WHERE c.relkind = 'r' AND c.relnamespace = 'core'::regnamespace"
    )
    assert len(found) == 3 * (8 + 1)
    assert [row["relname"] for row in found if not row["forced"]] == []
    roles = [
        row["rolname"]
        for row in await admin.fetch(
            "SELECT rolname FROM pg_roles WHERE rolname LIKE 'bfy\\_%' AND rolname <> 'bfy_owner'"
        )
    ]
    assert len(roles) >= 6
    every = "SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER"
    for row in found:
        for role in roles:
            may = await admin.fetchval(
                "SELECT has_table_privilege($1::text, 'core.' || $2::text, $3)", role, row["relname"], every
            )
            assert not may, (role, row["relname"])
    nobody = await asyncpg.connect(quick.settings.database_read_url)
    assert await nobody.fetch(QUERIES["checks.holes"].sql) == []
    await nobody.close()


@pytest.mark.parametrize("does", ["core.make_partitions(9)", "core.drop_partitions('{}')"])
@pytest.mark.parametrize("login", ["database_read_url", "database_sql_url"])
async def test_only_the_service_makes_and_drops_them(quick: House, login: str, does: str) -> None:
    connection = await asyncpg.connect(getattr(quick.settings, login))
    with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.InvalidSchemaNameError)):
        await connection.fetch(f"SELECT {does}")
    await connection.close()
