"""`prove-isolation` holds on this installation, and fails when something is open: each hole is made on purpose."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import msgspec
import pytest

from beerforyou.backends.valkey import Valkey
from beerforyou.conversations.accepting import accept
from beerforyou.db.connections import operator
from beerforyou.db.queries import QUERIES
from beerforyou.health import Health, holes
from beerforyou.house import opened
from beerforyou.isolation import through_sql, through_tools
from beerforyou.isolation.attack import ours
from beerforyou.isolation.canaries import canaries, remove
from beerforyou.isolation.prove import prove
from beerforyou.settings import Settings
from beerforyou.tools import TOOLS
from beerforyou.tools.caller import Caller, Hands
from beerforyou.tools.tool import Result
from tests.cli.program import call
from tests.db.tables import tables_of_clients

ANYBODY = "SELECT count(*) FROM {} WHERE starts_with(client_id, 'canary-')"
OWN = "CREATE POLICY own_rows ON core.new FOR SELECT TO bfy_client USING (client_id = (SELECT authz.client_id()));"
FORCED = "ALTER TABLE core.new ENABLE ROW LEVEL SECURITY; ALTER TABLE core.new FORCE ROW LEVEL SECURITY;"
NEW = "CREATE TABLE core.new (client_id text NOT NULL REFERENCES core.clients, note text PRIMARY KEY);"
WELL = f"{NEW} {FORCED} {OWN} GRANT SELECT ON core.new TO bfy_client;"  # a new table as it should be
PEEK = (
    "CREATE FUNCTION core.peek() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM core.purchases';"
)
HOLES = {  # what is done, and what is then said
    "a table for the model's SQL": ("GRANT SELECT ON core.beers TO bfy_reader", "bfy_reader may read beers"),
    "a table for who hands rows on": ("GRANT SELECT ON core.beers TO bfy_lines", "bfy_lines may read beers"),
    "a catalog": ("GRANT SELECT ON pg_catalog.pg_class TO PUBLIC", "bfy_reader may read pg_class"),
    "a function that is not on the list": ("GRANT EXECUTE ON FUNCTION pg_catalog.set_config(text, text, boolean) TO bfy_reader", "such as set_config"),
    "a function of a new server version": ("GRANT EXECUTE ON FUNCTION pg_catalog.pg_sleep(double precision) TO PUBLIC", "such as pg_sleep"),
    "a function of ours": ("GRANT EXECUTE ON FUNCTION authz.verified TO bfy_reader", "such as authz.verified"),
    "a new function for everybody": (PEEK, "bfy_reader may call 1 functions"),
    "a new function that runs as its owner": (f"{PEEK} REVOKE EXECUTE ON FUNCTION core.peek FROM PUBLIC; GRANT EXECUTE ON FUNCTION core.peek TO bfy_client", "peek() runs as"),
    "row security off": ("ALTER TABLE core.purchases DISABLE ROW LEVEL SECURITY", "not forced on purchases"),
    "row security not forced": ("ALTER TABLE core.said NO FORCE ROW LEVEL SECURITY", "not forced on said"),
    "a policy for everybody": ("CREATE POLICY open ON core.purchases FOR SELECT USING (true)", "open on purchases is for everybody"),
    "a policy that shows all": ("ALTER POLICY own_rows ON core.clients USING (true)", "nobody sees rows of clients"),
    "a policy that would show all": ("ALTER POLICY own_rows ON core.webhooks USING (true)", "past the policies of webhooks"),
    "a second policy": ("CREATE POLICY open ON core.webhooks FOR SELECT TO bfy_client USING (true)", "open on webhooks shows more"),
    "a policy for views": ("CREATE POLICY open ON core.clients FOR SELECT TO bfy_views USING (true)", "open on clients shows more"),
    "a view without a barrier": ("ALTER VIEW own.my_profile RESET (security_barrier)", "own.my_profile is not a view"),
    "a view of somebody else's": ("CREATE VIEW own.everybody WITH (security_barrier) AS SELECT * FROM core.purchases", "own.everybody is not a view"),
    "a table among the views": ("CREATE TABLE own.new AS SELECT * FROM core.purchases", "own.new is not a view"),
    "a membership": ("GRANT bfy_operator TO bfy_client", "bfy_client is a member of bfy_operator"),
    "a right of a role": ("ALTER ROLE bfy_service BYPASSRLS", "bfy_service may do more"),
    "a purchase for the service": ("GRANT SELECT (quantity) ON core.purchases TO bfy_service", "bfy_service may read purchases"),
    "a new table without row security": (f"{NEW} {OWN}", "not forced on new"),
    "a new table that does not force it": (f"{NEW} ALTER TABLE core.new ENABLE ROW LEVEL SECURITY; {OWN}", "not forced on new"),
    "a new table without a policy": (f"{NEW} {FORCED}", "past the policies of new"),
    "a new table with another policy": (f"{NEW} {FORCED} CREATE POLICY own_rows ON core.new FOR SELECT TO bfy_client USING (note = (SELECT authz.client_id()))", "own_rows on new shows more"),
    "a new table with another way to write": (f"{WELL} CREATE POLICY more ON core.new TO bfy_client USING (client_id = (SELECT authz.client_id()))", "more on new shows more"),
    "a new table that shows its rows": (f"{NEW} INSERT INTO core.new SELECT min(client_id), '' FROM core.clients; GRANT SELECT ON core.new TO bfy_client", "nobody sees rows of new"),
    "a new table that does not say whose": ("CREATE TABLE core.new (run_id uuid REFERENCES core.open_runs)", "new belongs to clients"),
    "a new table of a new table": (f"{WELL} CREATE TABLE core.newer (note text REFERENCES core.new)", "newer belongs to clients"),
    "a new table that refers to nothing": ("CREATE TABLE core.new (note text); GRANT SELECT, INSERT ON core.new TO bfy_service; GRANT SELECT ON core.new TO bfy_client", "where the service writes"),
    "a new table in another schema": ("CREATE TABLE public.new (client_id text); GRANT SELECT ON public.new TO bfy_client", "not forced on public.new"),
    "a new table in a new schema": ("CREATE SCHEMA more AUTHORIZATION bfy_owner; CREATE TABLE more.new (client_id text)", "not forced on more.new"),
    "a new partition": (f"CREATE TABLE core.new (client_id text, n int) PARTITION BY RANGE (n); {FORCED} {OWN} CREATE TABLE core.part PARTITION OF core.new DEFAULT", "not forced on part"),
    "a partition for clients": ("GRANT SELECT ON core.ledger_other TO bfy_client", "bfy_client has a right on ledger_other"),
    "a column of a partition": ("GRANT SELECT (text) ON core.said_other TO bfy_operator", "bfy_operator has a right on said_other"),
    "a partition for the service": ("GRANT UPDATE ON core.ended_runs_other TO bfy_service", "bfy_service has a right on ended_runs_other"),
    "a partition for everybody": ("GRANT SELECT ON core.ended_runs_other TO PUBLIC", "everybody has a right on ended_runs_other"),
    "a partition of a day": ("DO $$ BEGIN EXECUTE (SELECT format('ALTER TABLE %s NO FORCE ROW LEVEL SECURITY', max(inhrelid::regclass::text)) FROM pg_inherits WHERE inhparent = 'core.said'::regclass AND inhrelid <> 'core.said_other'::regclass); END $$", "not forced on said_"),
    "a partition of a partition": (f"CREATE TABLE core.new (client_id text, n int) PARTITION BY RANGE (n); {FORCED} {OWN} CREATE TABLE core.part PARTITION OF core.new DEFAULT PARTITION BY RANGE (n); ALTER TABLE core.part ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; CREATE TABLE core.parts PARTITION OF core.part DEFAULT", "not forced on parts"),
    "a new table for the model's SQL": (f"{WELL} GRANT SELECT (note) ON core.new TO bfy_reader", "bfy_reader may read new"),
    "a new table for everybody": (f"{WELL} GRANT SELECT ON core.new TO PUBLIC", "everybody has a right on new"),
    "a column for everybody": (f"{WELL} GRANT SELECT (note) ON core.new TO PUBLIC", "everybody has a right on new.note"),
    "a new table that clients write": (f"{WELL} GRANT INSERT (note) ON core.new TO bfy_client", "bfy_client may write new"),
    "a new table that the model's SQL empties": (f"{WELL} GRANT TRUNCATE ON core.new TO bfy_reader", "bfy_reader may write new"),
    "a new table for a role without a policy": (f"{WELL} GRANT SELECT ON core.new TO bfy_stats", "bfy_stats may read new"),
    "a new view for clients": ("CREATE VIEW core.new AS SELECT * FROM core.purchases; GRANT SELECT ON core.new TO bfy_client", "does not reach"),
    "rows that were written down": ("CREATE MATERIALIZED VIEW core.new AS SELECT * FROM core.purchases; GRANT SELECT ON core.new TO bfy_client", "does not reach"),
}  # fmt: skip


@pytest.fixture
async def admin(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(settings.database_admin_url)
    yield connection
    await connection.close()


async def test_it_holds_and_leaves_nothing_behind(furnished: Settings) -> None:
    report = await prove(furnished)
    assert report.holes == []
    assert (
        report.checks["queries"] > 1500
        and report.checks["arguments"] > 400
        and report.checks["routes"] > 300
        and report.checks["server log"] > 0
    )
    admin = await asyncpg.connect(furnished.database_admin_url)
    for table in await tables_of_clients(admin):
        assert await admin.fetchval(ANYBODY.format(table)) == 0, table
    await admin.close()
    valkey = await Valkey.connect(furnished.valkey_url)
    assert await valkey("KEYS", "*canary*") == []
    await valkey.close()
    assert report.checks["valkey"] > 0


async def test_clients_that_are_only_called_like_canaries_are_left_alone(
    furnished: Settings, settings: Settings, admin: asyncpg.Connection
) -> None:
    """Loaded by an older version, and with a conversation; a canary of a proof that was killed is taken away."""
    names = ["canary-shop", "canary-0123456789ab"]
    async with operator(settings) as connection:
        for name in [*names, "canary-left-over"]:
            await connection.execute(QUERIES["canaries.add_client"].sql, name, f"kanarie {name}")
            await connection.execute(QUERIES["canaries.add_purchases"].sql, name, f"kanarie {name}", 2)
    await admin.execute("UPDATE core.clients SET created_at = now() - interval '1 day'")
    await admin.execute("UPDATE core.clients SET canary = false WHERE client_id = ANY ($1)", names)
    async with opened(settings) as house:
        for name in [*names, "canary-left-over"]:
            await accept(house, name, "oi")
    async with canaries(settings) as made:
        assert len(made) == 3
    async with operator(settings) as connection:
        await remove(connection, names)  # not even when asked to
        assert await connection.fetchval("SELECT count(*) FROM open_runs") == 0, (
            "the operator sees nobody's conversations"
        )
    for table in ("clients", "runs", "conversations", "messages"):
        rows = await admin.fetch(f"SELECT DISTINCT client_id FROM core.{table} ORDER BY 1")
        assert [row["client_id"] for row in rows] == sorted(names), table
    assert await admin.fetchval("SELECT count(*) FROM core.purchases") == 4


async def holes_after(admin: asyncpg.Connection, sql: str) -> list[str]:
    """As bfy_client sees them, in a transaction that leaves nothing."""
    async with rolled_back(admin):
        await admin.execute(sql)
        await admin.execute("SET LOCAL ROLE bfy_client; SET LOCAL search_path = core")
        return [row["hole"] for row in await admin.fetch(QUERIES["checks.holes"].sql)]


@asynccontextmanager
async def rolled_back(connection: asyncpg.Connection) -> AsyncIterator[None]:
    transaction = connection.transaction()
    await transaction.start()
    try:
        yield
    finally:
        await transaction.rollback()


@pytest.fixture(scope="module")
async def shop(furnished: Settings) -> AsyncIterator[asyncpg.Connection]:
    """As the administrator, where there are clients."""
    connection = await asyncpg.connect(furnished.database_admin_url)
    yield connection
    await connection.close()


@pytest.mark.parametrize("hole", HOLES)
async def test_what_is_open_is_found(shop: asyncpg.Connection, hole: str) -> None:
    sql, says = HOLES[hole]
    found = await holes_after(shop, sql)
    assert any(says in line for line in found), found


async def test_what_is_not_open_is_not(shop: asyncpg.Connection) -> None:
    """What the new tables above have wrong is all that is wrong with them."""
    assert await holes_after(shop, "SELECT") == []
    assert await holes_after(shop, f"SET ROLE bfy_owner; {WELL}") == []
    served = "CREATE POLICY service_rows ON core.new TO bfy_service USING (true); GRANT SELECT, INSERT, UPDATE ON core.new TO bfy_service"
    assert await holes_after(shop, f"SET ROLE bfy_owner; {WELL} {served}") == []
    assert await holes_after(shop, "CREATE TABLE public.of_others (client_id text, note text)") == []
    assert await holes_after(shop, "SELECT core.make_partitions(12)") == []


async def test_a_hole_is_seen_by_those_who_look(settings: Settings, admin: asyncpg.Connection) -> None:
    async with opened(settings) as house:
        assert await holes(house.database) == []
        assert (await Health(house).ready())["fence"]
        await admin.execute(HOLES["a new table without row security"][0])
        assert any("not forced on new" in hole for hole in await holes(house.database))
        assert (await Health(house).ready())["fence"] is False


async def test_what_a_canary_leaves_in_a_new_table_is_removed(settings: Settings, admin: asyncpg.Connection) -> None:
    await admin.execute(WELL)
    await admin.execute("""
        CREATE POLICY canaries ON core.new TO bfy_operator USING (client_id IN (SELECT c.client_id FROM core.clients c WHERE c.canary));
        GRANT SELECT, DELETE ON core.new TO bfy_operator""")
    async with opened(settings) as house, canaries(settings) as made:
        assert await holes(house.database) == []
        await admin.execute("INSERT INTO core.new (client_id, note) VALUES ($1, 'of a canary')", made[0].client_id)
        assert await holes(house.database) == []
    assert await admin.fetchval("SELECT count(*) FROM core.new") == 0
    assert await admin.fetchval("SELECT count(*) FROM core.clients") == 0


async def test_migrating_lays_the_fence_anew(settings: Settings, admin: asyncpg.Connection) -> None:
    await admin.execute(HOLES["a function that is not on the list"][0])
    await admin.execute(HOLES["a catalog"][0])
    assert (await call("db", "migrate", settings=settings)).code == 0
    async with opened(settings) as house:
        assert await holes(house.database) == []


async def test_a_view_that_shows_too_much_is_a_leak(
    settings: Settings, admin: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proof itself is put to the test: with rows of everybody in the view, it must say so. Of its attacks those that
    wrap a query of the view are enough.
    """
    monkeypatch.setattr(through_sql, "ours", lambda: [attack for attack in ours() if attack.kind == "wrap"])
    view = await admin.fetchval("SELECT pg_get_viewdef('own.my_profile'::regclass)")
    await admin.execute(f"CREATE OR REPLACE VIEW own.my_profile AS {view.replace('WHERE', 'WHERE true OR')}")
    await admin.execute("CREATE POLICY open ON core.clients FOR SELECT TO bfy_views USING (true)")
    report = await prove(settings)
    assert any("another client's data" in hole for hole in report.holes)


async def test_doctor_names_the_hole(furnished: Settings, settings: Settings, admin: asyncpg.Connection) -> None:
    await admin.execute(HOLES["a table for the model's SQL"][0])
    report = json.loads((await call("doctor", "--json", settings=settings)).out)
    (fence,) = [check for check in report["checks"] if check["name"] == "fence"]
    assert not fence["ok"] and "may read beers" in fence["detail"] and fence["hint"]


@pytest.mark.parametrize("name", ["run_analytical_query", "run_sql", "search_breweries"])
async def test_a_tool_that_says_too_much_is_found(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    async with opened(settings) as house, canaries(settings) as made:

        async def tells(caller: Caller, hands: Hands, args: object) -> Result:
            return Result(content={"rows": [[made[1].word]]}, label=caller.own())

        monkeypatch.setitem(TOOLS, name, msgspec.structs.replace(TOOLS[name], run=tells))
        holes = (await through_tools.arguments(house, made)).holes
        assert holes and all(f"{name} " in hole and made[1].client_id in hole for hole in holes)
