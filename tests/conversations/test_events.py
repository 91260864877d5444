"""What stays of a conversation: numbered in the order of the commits, without gaps, whoever writes, and the same when repeated."""

import asyncio
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from beerforyou.db.connections import operator
from beerforyou.db.database import Database
from beerforyou.db.queries import QUERIES
from beerforyou.settings import Settings
from tests.db.asking import accept, claim, end, ending, record, waits_for_lock
from tests.waiting import wait_until


@pytest.fixture
async def client(settings: Settings) -> str:
    async with operator(settings) as connection:
        await connection.execute(
            "INSERT INTO clients (client_id, name, city, state, country, postal_code, language) VALUES ('A', 'Bar A', '', '', '', '', 'pt')"
        )
    return "A"


async def log(database: Database, client: str, conversation_id: Any) -> list[tuple[int, str]]:
    rows = await database.as_client(client).fetch("conversations.events", conversation_id, 0, 10_000)
    assert rows[0]["last"] == len(rows)
    return [(row["number"], row["type"]) for row in rows]


async def test_writers_at_once_get_numbers_without_gaps_in_their_order(database: Database, client: str) -> None:
    """Runs, messages, operators and people who take over, in three conversations, and their batches in any order."""
    asked = [await accept(database, client) for _ in range(3)]
    write = database.batch.write

    async def works(run_id: Any) -> list[int]:
        taken = await claim(database, run_id)
        for seq in range(1, 11):
            assert (await write("runs.record", *record(taken, seq)))["held"]
        row = await end(database, taken)
        return [row["answered"], row["ended"]]

    async def talks(conversation_id: Any) -> list[int]:
        return [(await accept(database, client, "e mais?", conversation_id))["number"] for _ in range(10)]

    async def others(conversation_id: Any) -> list[int]:
        return [(await write("conversations.say", conversation_id, client, "oi"))["number"] for _ in range(10)]

    async def hands(conversation_id: Any) -> list[int]:
        return [
            (await write("conversations.hand", conversation_id, client, state, None))["number"]
            for state in ("person", "bot") * 3
        ]

    talking = [run["conversation_id"] for run in asked]
    written = await asyncio.gather(
        *(works(run["run_id"]) for run in asked),
        *map(talks, reversed(talking)),
        *map(others, talking),
        *map(hands, reversed(talking)),
    )
    for numbers in written:
        assert numbers == sorted(numbers)
    for place, conversation_id in enumerate(talking):
        events = await log(database, client, conversation_id)
        mine = [1, *written[place], *written[3 + 2 - place], *written[6 + place], *written[9 + 2 - place]]
        assert sorted(mine) == [number for number, _ in events] == list(range(1, 1 + 1 + 2 + 10 + 10 + 6))
        types = [kind for _, kind in events]
        assert {kind: types.count(kind) for kind in types} == {"message": 21, "answer": 1, "finished": 1, "state": 6}


@pytest.mark.parametrize("again", ["later", "under way"])
@pytest.mark.parametrize("text", ["Olá.", None])
async def test_an_end_that_is_repeated_gets_the_same_numbers(
    database: Database, client: str, settings: Settings, text: str | None, again: str
) -> None:
    """Also where the first one is only committed while the second waits, and a message comes in between."""
    run = await accept(database, client)
    waits = await accept(database, client, "e mais?", run["conversation_id"])
    item = ending(await claim(database, run["run_id"]), text)
    first = await asyncpg.connect(settings.database_url)
    async with first.transaction():
        (row,) = await first.fetch(QUERIES["runs.finish"].sql, *item)
        repeated = asyncio.ensure_future(database.batch.write("runs.finish", *item))
        if again == "under way":
            await wait_until(lambda: waits_for_lock(settings), "the repetition waits")
        else:
            repeated.cancel()
    await first.close()
    assert (row["held"], row["next"]) == (True, waits["run_id"])
    numbers = (3, 4) if text else (None, 3)
    row_again = await (repeated if again == "under way" else database.batch.write("runs.finish", *item))
    assert (
        row_again["held"] and (row_again["answered"], row_again["ended"]) == (row["answered"], row["ended"]) == numbers
    )
    third = await accept(database, client, "mais", run["conversation_id"])
    assert third["number"] == row["ended"] + 1
    row_later = await database.batch.write("runs.finish", *item)
    assert row_later["held"] and (row_later["answered"], row_later["ended"]) == numbers
    types = [kind for _, kind in await log(database, client, run["conversation_id"])]
    assert types == ["message", "message", *(["answer"] if text else []), "finished", "message"]
    said = await database.as_client(client).fetch("conversations.page", run["conversation_id"], 1000, 10)
    answer = [("assistant", 3)] if text else []
    assert [(row["role"], row["number"]) for row in said] == [
        *(("client", 1), ("client", 2), *answer, ("client", third["number"]))
    ]


async def test_batches_over_the_same_conversations_do_not_end_each_other(
    database: Database, client: str, settings: Settings
) -> None:
    """Interrupting, recording, ending and handing over, in opposite orders: nothing needs a deadlock to be resolved. Who is
    older among the conversations has the newer run."""
    first = [await accept(database, client) for _ in range(12)]
    for run in first:
        await end(database, await claim(database, run["run_id"]))
    asked = [await accept(database, client, "e mais?", run["conversation_id"]) for run in reversed(first)]
    claims = [await claim(database, run["run_id"]) for run in asked]
    before = await deadlocks(settings)
    write = database.batch.write
    for seq in range(1, 11):
        jobs = [write("runs.record", *record(taken, seq)) for taken in claims]
        interrupting = [accept(database, client, "não", run["conversation_id"], "interrupt") for run in reversed(asked)]
        handing = [
            write("conversations.hand", run["conversation_id"], client, state, None)
            for run in asked[seq:] + asked[:seq]
            for state in ("person", "bot")
        ]
        ending_one = [end(database, claims.pop())]
        assert None not in await asyncio.gather(*jobs, *interrupting, *handing, *ending_one)
    assert await deadlocks(settings) == before


async def test_claims_cancellations_and_heartbeats_end_nobody_and_are_ended_by_nobody(
    database: Database, client: str, settings: Settings
) -> None:
    """In the order of the runs, which here is the opposite of the conversations': beside who interrupts and hands over."""
    first = [await accept(database, client) for _ in range(60)]
    for run in first:
        await end(database, await claim(database, run["run_id"]))
    before = await deadlocks(settings)
    write, unlocked = database.batch.write, database.batch.unlocked
    for n in range(4):
        asked = [await accept(database, client, "e mais?", run["conversation_id"]) for run in reversed(first)]
        runs = [run["run_id"] for run in asked]
        claiming = [claim(database, run_id, "w") for run_id in runs]
        interrupting = [accept(database, client, "não", run["conversation_id"], "interrupt") for run in first]
        cancelling = [unlocked("runs.cancel", client, run_id, None, b"") for run_id in runs[n::3]]
        handing = [
            write("conversations.hand", run["conversation_id"], client, state, None)
            for run in first
            for state in ("person", "bot")
        ]
        given_back = [
            database.batch.alone("runs.heartbeat", "w", 30.0, some, [None] * len(some), [False] * len(some), None)
            for some in (runs, runs[::-1], [])
        ]
        await asyncio.gather(*claiming, *interrupting, *cancelling, *handing, *given_back)
        await database.batch.alone("runs.leave", "w")
        while waiting := await database.service.fetch("runs.waiting", 1000, -1.0, None, 30.0):
            await asyncio.gather(*(ended(database, row["run_id"]) for row in waiting))
    assert await deadlocks(settings) == before


async def ended(database: Database, run_id: UUID) -> None:
    await end(database, await claim(database, run_id, "last"))


async def deadlocks(settings: Settings) -> int:
    connection = await asyncpg.connect(settings.database_admin_url)
    try:
        await connection.execute("SELECT pg_stat_force_next_flush()")
        return int(
            await connection.fetchval("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        )
    finally:
        await connection.close()


@pytest.mark.parametrize("page", [1, 3, 100])
async def test_what_is_missed_is_told_by_pages(database: Database, client: str, page: int) -> None:
    """Of several conversations in one statement: one that is long, one that has nothing new, one that is gone."""
    run = await accept(database, client)
    quiet, gone = await accept(database, client), await accept(database, client)
    await end(database, await claim(database, run["run_id"]))
    for _ in range(4):
        await accept(database, client, "mais", run["conversation_id"])
    await database.batch.write("conversations.delete", gone["conversation_id"], client)
    talks = [each["conversation_id"] for each in (run, quiet, gone)]
    after, numbers = 0, list[int]()
    while True:
        rows = await database.service.fetch("conversations.missed", talks, [after, 1, 0], page)
        assert [(row["item"], row["last"]) for row in rows if row["item"] != 1] == [(3, None)]
        found = [row["number"] for row in rows if row["item"] == 1]
        if not found:
            break
        assert len(found) <= page
        numbers, after = numbers + found, found[-1]
    assert numbers == [1, 2, 3, 4, 5, 6, 7]
