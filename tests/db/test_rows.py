"""Row-level security, from the first migration on: a client's rows are seen by nobody else."""

from collections.abc import Callable
from contextlib import suppress

import asyncpg
import pytest

from beerforyou.db.connections import operator
from beerforyou.db.database import Database
from beerforyou.db.queries import QUERIES
from beerforyou.settings import Settings
from tests.db.asking import accept
from tests.db.tables import tables_of_clients

Token = Callable[[str], str]


@pytest.fixture
async def two_clients(settings: Settings, database: Database) -> dict[str, asyncpg.Record]:
    async with operator(settings) as connection:
        for client in ("A", "B"):
            await connection.execute(
                "INSERT INTO clients (client_id, name, city, state, country, postal_code, language) VALUES ($1, $1, '', '', '', '', 'pt')",
                client,
            )
    runs = {client: await accept(database, client, f"de {client}") for client in ("A", "B")}
    return {client: run for client, run in runs.items() if run}


async def test_the_owner_of_a_run_sees_it_and_nobody_else(
    database: Database, two_clients: dict[str, asyncpg.Record]
) -> None:
    run_id = two_clients["A"]["run_id"]
    assert await database.as_client("A").fetchrow("runs.run", run_id)
    assert await database.as_client("B").fetchrow("runs.run", run_id) is None


async def test_select_star_returns_the_callers_rows_alone(
    settings: Settings, two_clients: dict[str, asyncpg.Record], token: Token
) -> None:
    connection = await asyncpg.connect(settings.database_read_url)
    async with connection.transaction():
        await connection.execute("SELECT authz.enter($1)", token("A"))
        assert {row["client_id"] for row in await connection.fetch("SELECT * FROM messages")} == {"A"}
    await connection.close()


async def test_a_connection_that_entered_as_nobody_sees_nothing(settings: Settings, two_clients: object) -> None:
    admin, nobody = (
        await asyncpg.connect(settings.database_admin_url),
        await asyncpg.connect(settings.database_read_url),
    )
    readable = []
    for table in await tables_of_clients(admin):
        with suppress(asyncpg.InsufficientPrivilegeError):
            assert await nobody.fetch(f"SELECT * FROM {table}") == [], table
            readable.append(table)
    assert {"core.ended_runs", "core.purchases"} <= set(readable)
    await admin.close()
    await nobody.close()


async def test_nobody_enters_twice_in_a_transaction(settings: Settings, token: Token) -> None:
    connection = await asyncpg.connect(settings.database_read_url)
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
        async with connection.transaction():
            await connection.execute("SELECT authz.enter($1)", token("A"))
            await connection.execute("SELECT authz.enter($1)", token("B"))
    await connection.close()


async def test_the_identity_ends_with_the_statement(settings: Settings, two_clients: object, token: Token) -> None:
    connection = await asyncpg.connect(settings.database_read_url)
    assert await connection.fetch(
        QUERIES["conversations.page"].as_client, token("A"), two_clients["A"]["conversation_id"], 100, 50
    )  # type: ignore[index]
    assert await connection.fetch("SELECT * FROM messages") == []
    await connection.close()


@pytest.mark.parametrize(
    "write", ["DELETE FROM {}", "UPDATE {} SET client_id = 'A'", "INSERT INTO {} (client_id) VALUES ('A')"]
)
async def test_the_reading_role_cannot_write(settings: Settings, two_clients: object, write: str) -> None:
    admin = await asyncpg.connect(settings.database_admin_url)
    connection = await asyncpg.connect(settings.database_read_url)
    await connection.execute("SET default_transaction_read_only = off")
    for table in await tables_of_clients(admin):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(write.format(table))
    for each in (admin, connection):
        await each.close()


async def test_the_service_role_never_sees_a_purchase(settings: Settings) -> None:
    connection = await asyncpg.connect(settings.database_url)
    for table in ("purchases", "profiles", "beers"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetch(f"SELECT * FROM {table}")
    await connection.close()
