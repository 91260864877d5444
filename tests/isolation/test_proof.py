"""`prove-isolation` holds on this installation, and fails when something is open: each hole is made on purpose."""

import json
from collections.abc import AsyncIterator

import asyncpg
import pytest

from beerforyou.backends.valkey import Valkey
from beerforyou.conversations.accepting import accept
from beerforyou.db.connections import operator
from beerforyou.db.queries import QUERIES
from beerforyou.health import Health, holes
from beerforyou.house import opened
from beerforyou.isolation import through_sql
from beerforyou.isolation.attack import ours
from beerforyou.isolation.canaries import canaries
from beerforyou.isolation.prove import prove
from beerforyou.settings import Settings
from tests.cli.program import call
from tests.db.tables import TABLES

ANYBODY = "SELECT count(*) FROM core.{} WHERE starts_with(client_id, 'canary-')"
HOLES = {
    "a function that is not on the list": "GRANT EXECUTE ON FUNCTION pg_catalog.set_config(text, text, boolean) TO bfy_reader",
    "a function of a new server version": "GRANT EXECUTE ON FUNCTION pg_catalog.pg_sleep(double precision) TO PUBLIC",
    "a table": "GRANT SELECT ON core.beers TO bfy_reader",
    "a catalog": "GRANT SELECT ON pg_catalog.pg_class TO PUBLIC",
    "row security off": "ALTER TABLE core.purchases DISABLE ROW LEVEL SECURITY",
    "row security not forced": "ALTER TABLE core.messages NO FORCE ROW LEVEL SECURITY",
    "a policy for everybody": "CREATE POLICY open ON core.purchases FOR SELECT USING (true)",
    "a policy that shows all": "ALTER POLICY own_rows ON core.runs USING (true)",
}


@pytest.fixture
async def admin(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(settings.database_admin_url)
    yield connection
    await connection.close()


async def test_it_holds_and_leaves_nothing_behind(furnished: Settings) -> None:
    report = await prove(furnished)
    assert report.holes == []
    assert report.checks["queries"] > 1500 and report.checks["routes"] > 300 and report.checks["server log"] > 0
    admin = await asyncpg.connect(furnished.database_admin_url)
    for table in TABLES:
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
        await connection.execute(QUERIES["canaries.remove"].sql, names)  # not even when asked to
        assert await connection.fetchval("SELECT count(*) FROM runs") == 0, "the operator sees nobody's conversations"
    for table in ("clients", "runs", "conversations", "messages"):
        rows = await admin.fetch(f"SELECT DISTINCT client_id FROM core.{table} ORDER BY 1")
        assert [row["client_id"] for row in rows] == sorted(names), table
    assert await admin.fetchval("SELECT count(*) FROM core.purchases") == 4


@pytest.mark.parametrize("hole", HOLES)
async def test_what_is_open_is_found(settings: Settings, admin: asyncpg.Connection, hole: str) -> None:
    async with opened(settings) as house:
        assert await holes(house.database) == []
        await admin.execute(HOLES[hole])
        assert await holes(house.database) != []
        assert (await Health(house).ready())["fence"] is False


async def test_migrating_lays_the_fence_anew(settings: Settings, admin: asyncpg.Connection) -> None:
    await admin.execute(HOLES["a function that is not on the list"])
    await admin.execute(HOLES["a catalog"])
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
    await admin.execute(HOLES["a table"])
    report = json.loads((await call("doctor", "--json", settings=settings)).out)
    (fence,) = [check for check in report["checks"] if check["name"] == "fence"]
    assert not fence["ok"] and "may read beers" in fence["detail"] and fence["hint"]
