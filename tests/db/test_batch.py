"""Writes share a commit, and nobody pays for a neighbour."""

import asyncio
from uuid import uuid4

import asyncpg
import pytest

from beerforyou.db.connections import operator
from beerforyou.db.database import Database
from beerforyou.db.queries import QUERIES
from beerforyou.settings import Settings
from tests.db.asking import accept


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
    rows = await asyncio.gather(*(accept(database, client, f"message {n}") for n in range(200)))
    messages = {}
    for row in rows:
        assert row is not None
        turn = await database.as_client(client).fetchrow("runs.turn", row["run_id"])
        assert turn is not None
        messages[row["run_id"]] = turn["text"]
    assert [messages[row["run_id"]] for row in rows if row] == [f"message {n}" for n in range(200)]
    assert await commits(settings) < 20


async def test_a_write_is_committed_when_it_returns(database: Database, client: str, settings: Settings) -> None:
    row = await accept(database, client, "oi")
    assert row is not None
    other = await asyncpg.connect(settings.database_admin_url)
    assert await other.fetchval("SELECT count(*) FROM core.runs WHERE run_id = $1", row["run_id"]) == 1
    await other.close()


async def test_a_bad_value_costs_only_its_own_writer(database: Database, client: str) -> None:
    good, bad, also_good = await asyncio.gather(
        accept(database, client, "oi"),
        accept(database, client, "NUL \0 inside"),
        accept(database, client, "olá"),
        return_exceptions=True,
    )
    assert isinstance(bad, asyncpg.DataError)
    assert not isinstance(good, BaseException) and not isinstance(also_good, BaseException)


async def test_an_unknown_client_is_told_apart_from_its_neighbours(database: Database, client: str) -> None:
    known, unknown = await asyncio.gather(
        accept(database, client, "oi"),
        accept(database, "nobody", "oi"),
    )
    assert (known["refusal"], unknown["refusal"]) == (None, "client")


async def test_a_conversation_of_somebody_else_is_not_joined(
    database: Database, client: str, settings: Settings
) -> None:
    async with operator(settings) as connection:
        await connection.execute(
            "INSERT INTO clients (client_id, name, city, state, country, postal_code, language) VALUES ('B', 'Bar B', '', '', '', '', 'pt')"
        )
    mine = await accept(database, client, "oi")
    own = await accept(database, client, "de novo", mine["conversation_id"])
    foreign = await accept(database, "B", "deixa eu ver", mine["conversation_id"])
    invented = await accept(database, client, "oi", uuid4())
    assert [row["refusal"] for row in (own, foreign, invented)] == [None, "conversation", "conversation"]


async def test_only_one_of_many_workers_claims_a_run(database: Database, client: str) -> None:
    run = await accept(database, client, "oi")
    claims = [await database.batch.write("runs.claim", run["run_id"], f"w{n}", 30.0) for n in range(5)]
    assert [claim["fencing_token"] for claim in claims if claim] == [1]


async def test_a_worker_whose_lease_ran_out_writes_nothing_any_more(database: Database, client: str) -> None:
    run = await accept(database, client, "oi")
    slow = await database.batch.write("runs.claim", run["run_id"], "slow", -1.0)
    quick = await database.batch.write("runs.claim", run["run_id"], "quick", 30.0)
    assert slow and quick and quick["fencing_token"] == slow["fencing_token"] + 1
    events = '[{"seq": 1, "type": "started", "data": {}}]'
    assert await database.batch.write("runs.record", run["run_id"], slow["fencing_token"], None, events) is None
    assert await database.batch.write("runs.record", run["run_id"], quick["fencing_token"], None, events) is not None


async def test_a_step_on_its_way_is_not_missed_by_who_takes_the_run_over(
    database: Database, client: str, settings: Settings
) -> None:
    """The first worker's commit hangs while its lease ends: the next one waits, and finds the step."""
    run_id = (await accept(database, client, "oi"))["run_id"]
    slow = await database.batch.write("runs.claim", run_id, "slow", 0.0)
    assert slow
    step = (
        '{"seq": 1, "turn": 1, "purpose": "plan", "call": "", "kind": "model", "name": "m", "input": {}, "output": {}, '
        '"ms": 1, "labels": [], "versions": {}, "usage": {}}'
    )
    connection = await asyncpg.connect(settings.database_url)
    transaction = connection.transaction()
    await transaction.start()
    await connection.fetch(QUERIES["runs.record"].sql, [run_id], [slow["fencing_token"]], [step], ["[]"])
    claiming = asyncio.create_task(database.batch.write("runs.claim", run_id, "quick", 30.0))
    assert await asyncio.wait([claiming], timeout=0.3) == (set(), {claiming})
    await transaction.commit()
    quick = await claiming
    assert quick and quick["fencing_token"] == slow["fencing_token"] + 1
    assert len(await database.service.fetch("runs.ledger", run_id)) == 1
    assert await connection.fetch(QUERIES["runs.record"].sql, [run_id], [slow["fencing_token"]], [step], ["[]"]) == []
    await connection.close()
