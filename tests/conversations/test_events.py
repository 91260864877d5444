"""Events by conversation: numbered in the order of the commits, without gaps, whoever writes, and the same when repeated."""

import asyncio
from typing import Any

import asyncpg
import msgspec
import pytest

from beerforyou.db.connections import operator
from beerforyou.db.database import Database
from beerforyou.db.queries import QUERIES
from beerforyou.settings import Settings
from tests.db.asking import accept
from tests.waiting import wait_until

ANSWER = (
    '{"status": "succeeded", "outcome": "answered", "labels": [], "versions": {}, "usage": {}, "decisions": [], '
    '"text": "Olá.", "blocks": [], "context": null}'
)


@pytest.fixture
async def client(settings: Settings) -> str:
    async with operator(settings) as connection:
        await connection.execute(
            "INSERT INTO clients (client_id, name, city, state, country, postal_code, language) VALUES ('A', 'Bar A', '', '', '', '', 'pt')"
        )
    return "A"


def told(*types: str, first: int = 1) -> str:
    return msgspec.json.encode([{"seq": n, "type": t, "data": {}} for n, t in enumerate(types, start=first)]).decode()


async def log(database: Database, client: str, conversation_id: Any) -> list[tuple[int, int | None, str]]:
    rows = await database.as_client(client).fetch("conversations.events", conversation_id, 0, 10_000)
    assert rows[0]["last"] == len(rows)
    return [(row["number"], row["seq"], row["type"]) for row in rows]


async def test_writers_at_once_get_numbers_without_gaps_in_their_order(database: Database, client: str) -> None:
    """A run's commits, messages and operators, in three conversations, and their batches in any order."""
    asked = [await accept(database, client) for _ in range(3)]
    claims = [await database.batch.write("runs.claim", run["run_id"], "w", 30.0) for run in asked]

    async def works(run_id: Any, token: int) -> list[int]:
        numbers: list[int] = []
        for seq in range(1, 21):
            row = await database.batch.write("runs.record", run_id, token, None, told("text", first=seq))
            assert row
            numbers += row["numbers"]
        row = await database.batch.write("runs.finish", run_id, token, ANSWER, told("answer", "finished", first=21))
        assert row
        return numbers + row["numbers"]

    async def talks(conversation_id: Any) -> list[int]:
        return [(await accept(database, client, "e mais?", conversation_id))["number"] for _ in range(10)]

    async def others(conversation_id: Any) -> list[int]:
        rows = [await database.batch.write("conversations.say", client, conversation_id, "oi") for _ in range(10)]
        return [row["number"] for row in rows if row]

    conversations = [run["conversation_id"] for run in asked]
    written = await asyncio.gather(
        *(works(run["run_id"], claim["fencing_token"]) for run, claim in zip(asked, claims, strict=True)),
        *map(talks, reversed(conversations)),
        *map(others, conversations),
    )
    for numbers in written:
        assert numbers == sorted(numbers)
    for place, conversation_id in enumerate(conversations):
        events = await log(database, client, conversation_id)
        assert [number for number, _, _ in events] == list(range(1, 1 + 22 + 10 + 10 + 1))
        mine = [1, *written[place], *written[3 + 2 - place], *written[6 + place]]
        assert sorted(mine) == [number for number, _, _ in events]
        assert [seq for _, seq, _ in events if seq] == list(range(1, 23))


@pytest.mark.parametrize("again", ["later", "under way"])
@pytest.mark.parametrize("query", ["runs.record", "runs.finish"])
async def test_a_commit_that_is_repeated_gets_the_same_numbers(
    database: Database, client: str, settings: Settings, query: str, again: str
) -> None:
    """Also where the first one is only committed while the second waits, and a message comes in between."""
    run = await accept(database, client)
    claim = await database.batch.write("runs.claim", run["run_id"], "w", 30.0)
    assert claim
    events = told("started", "answer", "finished")
    what = ANSWER if query == "runs.finish" else None
    item = run["run_id"], claim["fencing_token"], what, events
    first = await asyncpg.connect(settings.database_url)
    async with first.transaction():
        (row,) = await first.fetch(QUERIES[query].sql, *([column] for column in item))
        repeated = asyncio.create_task(database.batch.write(query, *item))
        if again == "under way":
            await wait_until(lambda: _waits_for_lock(settings), "the repetition waits")
        else:
            repeated.cancel()
    await first.close()
    row_again = await (repeated if again == "under way" else database.batch.write(query, *item))
    assert row_again and row_again["numbers"] == row["numbers"] == [2, 3, 4]
    assert (await accept(database, client, "mais", run["conversation_id"]))["number"] == 5
    third = await database.batch.write(query, *item)
    assert third and third["numbers"] == [2, 3, 4]
    types = [kind for _, _, kind in await log(database, client, run["conversation_id"])]
    assert types == ["message", "started", "answer", "finished", "message"]
    said = await database.as_client(client).fetch("conversations.page", run["conversation_id"], 1000, 10)
    numbers = [(row["role"], row["number"]) for row in said]
    answer = [("assistant", 3)] if query == "runs.finish" else []
    assert numbers == [("client", 1), *answer, ("client", 5)]


async def _waits_for_lock(settings: Settings) -> bool:
    connection = await asyncpg.connect(settings.database_admin_url)
    try:
        return bool(
            await connection.fetchval(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
            )
        )
    finally:
        await connection.close()


async def test_what_is_new_beside_what_was_committed_gets_the_next_numbers(database: Database, client: str) -> None:
    run = await accept(database, client)
    claim = await database.batch.write("runs.claim", run["run_id"], "w", 30.0)
    assert claim
    write = database.batch.write
    await write("runs.record", run["run_id"], claim["fencing_token"], None, told("started", "text"))
    await accept(database, client, "mais", run["conversation_id"])
    row = await write("runs.record", run["run_id"], claim["fencing_token"], None, told("started", "text", "text"))
    assert row and row["numbers"] == [2, 3, 5]


async def test_batches_over_the_same_conversations_do_not_end_each_other(
    database: Database, client: str, settings: Settings
) -> None:
    """Interrupting, recording and handing over, in opposite orders: nothing needs a deadlock to be resolved."""
    asked = [await accept(database, client) for _ in range(12)]
    claims = [await database.batch.write("runs.claim", run["run_id"], "w", 30.0) for run in asked]
    before = await deadlocks(settings)
    write = database.batch.write
    for seq in range(1, 11):
        jobs = [
            write("runs.record", run["run_id"], claim["fencing_token"], None, told("text", first=seq))
            for run, claim in zip(asked, claims, strict=True)
        ]
        interrupting = [
            write("conversations.accept", client, run["conversation_id"], "não", "", "interrupt", 1000, None, b"")
            for run in reversed(asked)
        ]
        handing = [
            write("conversations.hand", client, run["conversation_id"], "bot", None)
            for run in asked[seq:] + asked[:seq]
        ]
        assert None not in await asyncio.gather(*jobs, *interrupting, *handing)
    assert await deadlocks(settings) == before


async def deadlocks(settings: Settings) -> int:
    connection = await asyncpg.connect(settings.database_admin_url)
    try:
        await connection.execute("SELECT pg_stat_force_next_flush()")
        return int(
            await connection.fetchval("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        )
    finally:
        await connection.close()


async def test_what_is_expired_leaves_the_messages_and_their_numbers(database: Database, client: str) -> None:
    run = await accept(database, client)
    claim = await database.batch.write("runs.claim", run["run_id"], "w", 30.0)
    assert claim
    await database.batch.write("runs.finish", run["run_id"], claim["fencing_token"], ANSWER, told("answer", "finished"))
    waiting = await accept(database, client, "mais", run["conversation_id"])
    reads = database.as_client(client)
    await database.batch.alone("housekeeping.expire_events", 1.0)
    await database.batch.alone("housekeeping.expire_messages", 1.0)
    assert len(await reads.fetch("conversations.events", run["conversation_id"], 0, 100)) == 4
    await database.batch.alone("housekeeping.expire_events", 0.0)
    rows = await reads.fetch("conversations.events", run["conversation_id"], 0, 100)
    assert [(row["number"], row["expired"]) for row in rows] == [(1, 3), (4, 3)]
    await database.batch.alone("housekeeping.expire_messages", 0.0)
    (row,) = await reads.fetch("conversations.events", run["conversation_id"], 0, 100)
    assert (row["number"], row["expired"], row["last"]) == (None, 4, 4)
    said = await reads.fetch("conversations.page", run["conversation_id"], 1000, 10)
    assert [row["number"] for row in said] == [1, 2, 4]
    assert (await accept(database, client, "mais", run["conversation_id"]))["number"] == waiting["number"] + 1
