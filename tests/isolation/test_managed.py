"""The fence on a server where nobody takes pg_catalog's functions away: what a managed PostgreSQL is to us.

The administrator here may create roles and is no superuser. The attacks run without the gate; roles, row policies and the
signed identity have to hold alone.
"""

import asyncio
import hashlib
import hmac
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import msgspec
import pytest

from beerforyou.db.database import Database, connect
from beerforyou.db.fence import gate, shape
from beerforyou.db.identity import Identity
from beerforyou.db.migrate import migrate
from beerforyou.errors import Refused, Unavailable
from beerforyou.health import holes
from beerforyou.isolation.attack import ours
from beerforyou.servers import embedded
from beerforyou.settings import Settings, kept_secret, load
from tests.isolation.conftest import MINE, canary, pairs, stock, truth

A, B = "CLT-A", "CLT-B"
AT_ONCE = 8
COSTLY = {"size", "timing"}

ATTACKS = {
    "another client's name in the setting": "WITH x AS MATERIALIZED (SELECT set_config('bfy.token', '{other_id}', true) v) SELECT p.* FROM x, LATERAL (SELECT *, x.v FROM my_purchases) p",
    "a forged token in the setting": "WITH x AS MATERIALIZED (SELECT set_config('bfy.token', '{forged}', true) v) SELECT p.* FROM x, LATERAL (SELECT *, x.v FROM my_purchases) p",
    "the own token with the other client in it": "WITH x AS MATERIALIZED (SELECT set_config('bfy.token', replace(current_setting('bfy.token'), '{own_hex}', '{other_hex}'), true) v) SELECT p.* FROM x, LATERAL (SELECT *, x.v FROM my_purchases) p",
    "the own token with five parts and a sixth": "WITH x AS MATERIALIZED (SELECT set_config('bfy.token', current_setting('bfy.token') || '|{other_hex}', true) v) SELECT p.* FROM x, LATERAL (SELECT *, x.v FROM my_purchases) p",
    "a signature that is no text": "WITH x AS MATERIALIZED (SELECT set_config('bfy.token', 'v1|{kid}|9999999999|{other_hex}|', true) v) SELECT p.* FROM x, LATERAL (SELECT *, x.v FROM my_purchases) p",
    "an expired token": "WITH x AS MATERIALIZED (SELECT set_config('bfy.token', '{expired}', true) v) SELECT p.* FROM x, LATERAL (SELECT *, x.v FROM my_purchases) p",
    "entering again, forged": "WITH x AS MATERIALIZED (SELECT set_config('bfy.token', '', true) v), y AS MATERIALIZED (SELECT authz.enter('{forged}' || v) c FROM x) SELECT * FROM y, my_purchases",
    "entering again, garbage": "WITH x AS MATERIALIZED (SELECT set_config('bfy.token', '', true) v), y AS MATERIALIZED (SELECT authz.enter('{other_id}' || v) c FROM x) SELECT * FROM y, my_purchases",
    "entering again, expired": "WITH x AS MATERIALIZED (SELECT set_config('bfy.token', '', true) v), y AS MATERIALIZED (SELECT authz.enter('{expired}' || v) c FROM x) SELECT * FROM y, my_purchases",
    "entering again as nobody": "WITH x AS MATERIALIZED (SELECT set_config('bfy.token', '', true) v), y AS MATERIALIZED (SELECT authz.enter(v) c FROM x) SELECT * FROM y, my_purchases",
    "no identity at all": "WITH x AS MATERIALIZED (SELECT set_config('bfy.token', '', false) v) SELECT p.* FROM x, LATERAL (SELECT *, x.v FROM my_purchases) p",
    "a setting that outlives the transaction": "SELECT set_config('bfy.token', current_setting('bfy.token'), false) IS NOT NULL AS kept",
    "the owner's role": "WITH x AS MATERIALIZED (SELECT set_config('role', 'bfy_owner', true) v) SELECT * FROM x, my_purchases",
    "the views' role": "WITH x AS MATERIALIZED (SELECT set_config('role', 'bfy_views', true) v) SELECT * FROM x, my_purchases",
    "the administrator's role": "SELECT set_config('role', 'boss', false)",
    "another session authorization": "SELECT set_config('session_authorization', 'boss', false)",
    "no row security": "WITH x AS MATERIALIZED (SELECT set_config('row_security', 'off', true) v) SELECT p.* FROM x, LATERAL (SELECT *, x.v FROM my_purchases) p",
    "another search path": "WITH x AS MATERIALIZED (SELECT set_config('search_path', 'core,public', true) v) SELECT query_to_xml('SELECT * FROM purchases', true, false, '') FROM x",
    "a transaction that writes": "WITH x AS MATERIALIZED (SELECT set_config('transaction_read_only', 'off', true) v) SELECT * FROM x, my_purchases",
    "limits that are lifted": "WITH x AS MATERIALIZED (SELECT set_config('statement_timeout', '0', false) v) SELECT pg_sleep(60) FROM x",
    "a nap past the limit": "SELECT pg_sleep(60)",
    "the tables by name": "SELECT * FROM core.purchases",
    "the tables through xml": "SELECT query_to_xml('SELECT * FROM core.purchases', true, false, '')::text",
    "a table as xml": "SELECT table_to_xml('core.clients'::regclass, true, false, '')::text",
    "a schema as xml": "SELECT schema_to_xml('core', true, false, '')::text",
    "the database as xml": "SELECT database_to_xml(true, false, '')::text",
    "a plan through xml": "SELECT query_to_xml('EXPLAIN (ANALYZE, VERBOSE) SELECT * FROM my_purchases', true, false, '')::text",
    "a cursor as xml": "SELECT cursor_to_xml('q', 10, true, false, '')::text",
    "entering through xml": "WITH x AS MATERIALIZED (SELECT set_config('bfy.token', '', true) v) SELECT query_to_xml('SELECT authz.enter(''{forged}'')', true, false, v)::text FROM x",
    "the keys": "SELECT * FROM authz.keys",
    "the statistics' secret": "SELECT * FROM stats.secret",
    "verifying by oneself": "SELECT authz.verified('{forged}')",
    "files": "SELECT pg_read_file('PG_VERSION')",
    "folders": "SELECT pg_ls_dir('.')",
    "large objects out of files": "SELECT lo_import('/etc/passwd')",
    "large objects": "SELECT lo_get(oid) FROM pg_largeobject_metadata",
    "another connection": "SELECT * FROM dblink('dbname=shop', 'SELECT * FROM core.purchases') AS t (a text)",
    "values of planner statistics": "SELECT most_common_vals::text, histogram_bounds::text FROM pg_stats WHERE schemaname IN ('core', 'own')",
    "planner statistics": "SELECT * FROM pg_statistic",
    "extended planner statistics": "SELECT * FROM pg_stats_ext",
    "prepared statements of this connection": "SELECT * FROM pg_prepared_statements",
    "cursors of this connection": "SELECT * FROM pg_cursors",
    "passwords": "SELECT rolname, rolpassword FROM pg_authid",
    "settings of roles": "SELECT * FROM pg_db_role_setting",
    "what replication decodes": "SELECT * FROM pg_logical_slot_peek_changes('x', NULL, NULL)",
    "a replication slot": "SELECT pg_create_logical_replication_slot('x', 'test_decoding')",
    "a snapshot": "SELECT pg_export_snapshot()",
    "rights": "SELECT has_table_privilege('core.purchases', 'SELECT'), has_table_privilege('bfy_views', 'core.purchases', 'SELECT')",
    "a message in the log of writes": "SELECT pg_logical_emit_message(false, 'x', 'x')",
    "other sessions ended": "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = current_user AND pid <> pg_backend_pid()",
    "other sessions cancelled": "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE usename = current_user AND pid <> pg_backend_pid()",
    "a notification": "SELECT pg_notify('x', 'x')",
    "a large object made": "SELECT lo_from_bytea(0, 'x')",
    "an error that quotes a value": "SELECT beer::int FROM my_purchases",
    "an error that quotes a name": "SELECT name::date FROM my_profile",
    "an error below the barrier": "SELECT * FROM my_purchases WHERE (beer || '{other_id}')::int = 1",
    "an error only for others' rows": "SELECT * FROM my_purchases WHERE 1 / (CASE WHEN beer LIKE '%{other_id}%' THEN 0 ELSE 1 END) = 1",
    "a leaky function below the barrier": "SELECT * FROM my_purchases WHERE set_config('application_name', beer, false) IS NULL",
    "what a leaky function saw": "SELECT current_setting('application_name')",
    "two statements": "SELECT 1; SELECT * FROM core.purchases",
    "out of the subquery": "SELECT 1) AS x, LATERAL (SELECT * FROM core.purchases",
    "out of the subquery, and text that is no JSON": "SELECT 1) AS bfy_row UNION ALL SELECT 'no JSON' FROM (SELECT 1",
    "out of the subquery, and JSON that is no row": "SELECT 1) AS bfy_row UNION ALL SELECT '[1]' FROM (SELECT 1",
    "out of the subquery, and much of it": "SELECT 1) AS bfy_row UNION ALL SELECT repeat('x', 5000000) FROM (SELECT 1",
    "a comment to the end": "SELECT * FROM core.purchases) AS bfy_row --",
    "a table made": "SELECT * INTO TEMP mine FROM my_purchases",
    "rows locked": "SELECT * FROM my_purchases FOR UPDATE",
    "rows deleted": "WITH x AS (DELETE FROM my_purchases RETURNING *) SELECT * FROM x",
    "whole rows of catalogs": "SELECT * FROM pg_class c WHERE relname = 'purchases'",
    "the definition of a view": "SELECT pg_get_viewdef('own.my_purchases')",
}  # fmt: skip


@pytest.fixture(scope="module")
def servers() -> Iterator[embedded.Servers]:
    """A PostgreSQL of its own: what migrating as a superuser takes away, it takes from all databases' roles."""
    with tempfile.TemporaryDirectory(prefix="beerforyou-managed-") as folder:
        Path(folder).chmod(0o711)
        with embedded.start(Path(folder), valkey=False) as servers:
            yield servers


@pytest.fixture(scope="module")
async def settings(servers: embedded.Servers, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    connection = await asyncpg.connect(servers.database_admin_url)
    await connection.execute("CREATE ROLE boss LOGIN CREATEROLE CREATEDB NOSUPERUSER PASSWORD 'of-the-boss'")
    await connection.execute("CREATE DATABASE shop OWNER boss")
    await connection.close()
    boss = urlsplit(_in_shop(servers.database_admin_url))._replace(netloc="boss:of-the-boss@").geturl()
    settings = msgspec.structs.replace(
        load({}, data=tmp_path_factory.mktemp("managed")),
        identity_secret="known to the managed server of a test",
        database_admin_url=boss,
        database_url=_in_shop(servers.database_url),
        database_read_url=_in_shop(servers.database_read_url),
        database_sql_url=_in_shop(servers.database_sql_url),
        database_pool=4,
    )
    await migrate(settings)
    await stock(settings, [A, B])
    return settings


def _in_shop(url: str) -> str:
    return url.replace(f"@/{embedded.DATABASE}?", "@/shop?")


@pytest.fixture(scope="module")
async def database(settings: Settings) -> AsyncIterator[Database]:
    database = await connect(settings)
    yield database
    await database.close()


@pytest.fixture(scope="module")
async def rows_of_b(servers: embedded.Servers) -> list[tuple[str, int]]:
    return (await truth(_in_shop(servers.database_admin_url)))[B]


@pytest.fixture(scope="module")
def known(settings: Settings) -> dict[str, str]:
    """What an attack may name: as much as A could learn or make up."""
    secret = kept_secret(settings, "identity_secret")
    kid = Identity(secret).kid
    forged = f"v1|{kid}|{int(time.time()) + 30}|{B.encode().hex()}|{'ab' * 32}"
    names = {"own_id": A, "other_id": B, "other_name": canary(B), "canary": canary(B), "kid": kid}
    tables = {"own_table": "my_purchases", "own_profile": "my_profile", "raw_table": "core.purchases",
              "raw_clients": "core.clients", "raw_beers": "core.beers", "stats_table": "stats.published", "key_table": "authz.keys"}  # fmt: skip
    tokens = {"forged": forged, "other_token": forged, "expired": signed(secret, -60), "stolen": signed(secret, 60)}
    return names | tables | tokens | {"own_hex": A.encode().hex(), "other_hex": B.encode().hex()}


def signed(secret: str, seconds: int) -> str:
    """A token of B, rightly signed, that is good for so long, or a little less: one in three reads as 1e5000 somewhere.

    Such a one is refused for its digits before it can be tried.
    """
    key, now = hashlib.sha256(secret.encode()).digest(), int(time.time())
    for until in range(now + seconds, now + seconds - 20, -1):
        said = f"v1|{Identity(secret).kid}|{until}|{B.encode().hex()}"
        token = f"{said}|{hmac.digest(key, said.encode(), 'sha256').hex()}"
        if reaches_the_server(token):
            return token
    raise AssertionError("no token of twenty is free of long numbers")


def reaches_the_server(token: str) -> bool:
    try:
        shape.checked(f"SELECT '{token}'")
    except Refused:
        return False
    return True


async def test_the_fence_stands_there_too(servers: embedded.Servers, database: Database) -> None:
    """Its functions stay callable, and that alone is no hole; what was opened among ours is one."""
    assert await holes(database) == []
    admin = await asyncpg.connect(_in_shop(servers.database_admin_url))
    for done, undone, says in (
        ("GRANT SELECT ON core.beers TO bfy_reader", "REVOKE SELECT ON core.beers FROM bfy_reader", "may read beers"),
        ("GRANT EXECUTE ON FUNCTION core.once TO PUBLIC", "REVOKE EXECUTE ON FUNCTION core.once FROM PUBLIC", "such as once"),
        ("CREATE TABLE core.new (client_id text)", "DROP TABLE core.new", "not forced on new"),
    ):  # fmt: skip
        await admin.execute(done)
        found = await holes(database)
        await admin.execute(undone)
        assert any(says in hole for hole in found), found
    assert await holes(database) == []
    await admin.close()


def from_file() -> list[tuple[str, str]]:
    """Those of `prove-isolation`; not the ones that only take long, with an idle database to be seen."""
    return [(attack.id, attack.sql) for attack in ours() if attack.kind not in COSTLY]


def filled(sql: str, known: dict[str, str]) -> str:
    for name, value in known.items():
        sql = sql.replace(f"{{{name}}}", value)
    return sql


async def tried(database: Database, sql: str) -> str:
    """All that comes back to A, rows or an error. Nothing else than Refused and Unavailable may be raised."""
    try:
        found = await database.fence.run(A, sql)
    except (Refused, Unavailable) as error:
        return f"{error.message} {error.hint}"
    return repr((found.columns, found.rows))


def leaked(got: str, sql: str) -> bool:
    """A beer of B's, or the name of B where the attack did not say it itself."""
    return f"{canary(B)} " in got or (canary(B) in got and canary(B) not in sql)


async def test_the_server_let_nobody_take_its_functions_away(settings: Settings, database: Database) -> None:
    connection = await asyncpg.connect(settings.database_read_url)
    revoked = await connection.fetchval("SELECT functions_revoked FROM authz.fence")
    await connection.close()
    assert revoked is False
    assert (await database.fence.run(A, "SELECT set_config('bfy.x', 'y', true) AS x")).rows == (("y",),)


async def test_what_b_gets_would_be_known_for_a_leak(database: Database, known: dict[str, str]) -> None:
    """With a token of B that is still good, the attack with one that is not would have worked."""
    assert all(reaches_the_server(known[name]) for name in ("forged", "expired", "stolen"))
    stolen = filled(ATTACKS["an expired token"].replace("{expired}", "{stolen}"), known)
    assert leaked(await tried(database, stolen), stolen)
    assert leaked(repr(await database.fence.run(B, MINE)), MINE)
    assert leaked(repr(await database.fence.run(B, "SELECT name FROM my_profile")), "")
    assert not leaked(repr(await database.fence.run(A, MINE)), MINE)


@pytest.mark.parametrize("name", ATTACKS)
async def test_no_attack_brings_back_a_row_of_somebody_else(
    database: Database, known: dict[str, str], rows_of_b: list[tuple[str, int]], name: str
) -> None:
    sql = filled(ATTACKS[name], known)
    assert not leaked(await tried(database, sql), sql)
    assert pairs(await database.fence.run(B, MINE)) == rows_of_b


async def test_none_of_the_proofs_attacks_does_either(
    database: Database, known: dict[str, str], rows_of_b: list[tuple[str, int]]
) -> None:
    turn = asyncio.Semaphore(AT_ONCE)

    async def fails(name: str, template: str) -> str | None:
        sql = filled(template, known)
        async with turn:
            return name if leaked(await tried(database, sql), sql) else None

    failed = await asyncio.gather(*(fails(*attack) for attack in from_file()))
    assert list(filter(None, failed)) == []
    assert pairs(await database.fence.run(B, MINE)) == rows_of_b


async def test_locks_do_not_outlive_the_query_that_took_them(
    database: Database, rows_of_b: list[tuple[str, int]]
) -> None:
    """Advisory locks stay with the session when a transaction is rolled back, and the table of locks is everybody's."""
    flood = "SELECT count(pg_advisory_lock({start} + n)) FROM generate_series(1, 9000) n"
    await asyncio.gather(*(tried(database, flood.format(start=n * 10_000)) for n in range(4)))
    assert pairs(await database.fence.run(B, MINE)) == rows_of_b


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT query FROM pg_stat_activity",
        "SELECT pg_stat_get_activity(NULL)",
        "SELECT pg_terminate_backend(1)",
        "SELECT pg_cancel_backend(1)",
        "SELECT pg_advisory_lock(1)",
        "SELECT pg_sleep(1)",
        "SELECT pg_logical_emit_message(false, 'x', 'x')",
        "SELECT query_to_xml('EXPLAIN SELECT 1', true, false, '')",
        "SELECT set_config('x.y', 'z', true)",
    ],
)
def test_what_costs_others_without_showing_their_rows_is_for_the_gate_to_refuse(sql: str) -> None:
    """All readers are one role, so that here they may see and end each other's queries."""
    with pytest.raises(Refused):
        gate.passed(sql)
