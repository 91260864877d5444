"""Writes share a commit, and nobody pays for a neighbour."""

import asyncio
from uuid import uuid4

import asyncpg
import pytest

from beerforyou.db.connections import operator
from beerforyou.db.database import Database
from beerforyou.settings import Settings


@pytest.fixture
async def client(settings: Settings) -> str:
    async with operator(settings) as connection:
        await connection.execute(
            "INSERT INTO clients (client_id, name, city, state, country, postal_code, language) VALUES ('A', 'Bar A', '', '', '', '', 'pt')"
        )
    return "A"


async def commits(settings: Settings) -> int:
    connection = await asyncpg.connect(settings.database_admin_url)
    try:
        await connection.execute("SELECT pg_stat_clear_snapshot()")
        return await connection.fetchval("SELECT count(DISTINCT xmin::text) FROM core.runs")
    finally:
        await connection.close()


async def test_concurrent_writers_share_commits_and_each_gets_its_own_row(
    database: Database, client: str, settings: Settings
) -> None:
    rows = await asyncio.gather(
        *(database.batch.write("runs.accept", client, None, f"message {n}", "purchases") for n in range(200))
    )
    messages = {}
    for row in rows:
        assert row is not None
        turn = await database.as_client(client).fetchrow("runs.turn", row["run_id"], 0)
        assert turn is not None
        messages[row["run_id"]] = turn["text"]
    assert [messages[row["run_id"]] for row in rows if row] == [f"message {n}" for n in range(200)]
    assert await commits(settings) < 20


async def test_a_write_is_committed_when_it_returns(database: Database, client: str, settings: Settings) -> None:
    row = await database.batch.write("runs.accept", client, None, "oi", "purchases")
    assert row is not None
    other = await asyncpg.connect(settings.database_admin_url)
    assert await other.fetchval("SELECT count(*) FROM core.runs WHERE run_id = $1", row["run_id"]) == 1
    await other.close()


async def test_a_bad_value_costs_only_its_own_writer(database: Database, client: str) -> None:
    good, bad, also_good = await asyncio.gather(
        database.batch.write("runs.accept", client, None, "oi", "purchases"),
        database.batch.write("runs.accept", client, None, "NUL \0 inside", "purchases"),
        database.batch.write("runs.accept", client, None, "olá", "purchases"),
        return_exceptions=True,
    )
    assert isinstance(bad, asyncpg.DataError)
    assert not isinstance(good, BaseException) and not isinstance(also_good, BaseException)


async def test_an_unknown_client_is_told_apart_from_its_neighbours(database: Database, client: str) -> None:
    known, unknown = await asyncio.gather(
        database.batch.write("runs.accept", client, None, "oi", "purchases"),
        database.batch.write("runs.accept", "nobody", None, "oi", "purchases"),
    )
    assert known and known["client_known"]
    assert unknown and not unknown["client_known"]


async def test_a_conversation_of_somebody_else_is_not_joined(
    database: Database, client: str, settings: Settings
) -> None:
    async with operator(settings) as connection:
        await connection.execute(
            "INSERT INTO clients (client_id, name, city, state, country, postal_code, language) VALUES ('B', 'Bar B', '', '', '', '', 'pt')"
        )
    mine = await database.batch.write("runs.accept", client, None, "oi", "purchases")
    assert mine is not None
    own = await database.batch.write("runs.accept", client, mine["conversation_id"], "de novo", "purchases")
    foreign = await database.batch.write("runs.accept", "B", mine["conversation_id"], "deixa eu ver", "purchases")
    invented = await database.batch.write("runs.accept", client, uuid4(), "oi", "purchases")
    assert own and own["conversation_known"]
    assert foreign and not foreign["conversation_known"]
    assert invented and not invented["conversation_known"]


async def test_only_one_of_many_workers_claims_a_run(database: Database, client: str) -> None:
    run = await database.batch.write("runs.accept", client, None, "oi", "purchases")
    assert run is not None
    claims = [await database.batch.write("runs.claim", run["run_id"], f"w{n}", 30.0) for n in range(5)]
    assert [claim["fence"] for claim in claims if claim] == [1]


async def test_a_worker_whose_lease_ran_out_writes_nothing_any_more(database: Database, client: str) -> None:
    run = await database.batch.write("runs.accept", client, None, "oi", "purchases")
    assert run is not None
    slow = await database.batch.write("runs.claim", run["run_id"], "slow", -1.0)
    quick = await database.batch.write("runs.claim", run["run_id"], "quick", 30.0)
    assert slow and quick and quick["fence"] == slow["fence"] + 1
    events = '[{"seq": 1, "type": "started", "data": {}}]'
    assert await database.batch.write("runs.record", run["run_id"], slow["fence"], None, events) is None
    assert await database.batch.write("runs.record", run["run_id"], quick["fence"], None, events) is not None
