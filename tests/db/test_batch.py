"""Writes share a commit, and nobody pays for a neighbour."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import msgspec
import pytest

from beerforyou.db import batch
from beerforyou.db.connections import operator
from beerforyou.db.database import Database
from beerforyou.db.queries import QUERIES
from beerforyou.errors import Unavailable
from beerforyou.settings import Settings
from tests.db.asking import accept, claim, end, ending, record, told, waits_for_lock
from tests.waiting import wait_until


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
        return await connection.fetchval("SELECT count(DISTINCT xmin::text) FROM core.open_runs")
    finally:
        await connection.close()


async def test_concurrent_writers_share_commits_and_each_gets_its_own_row(
    database: Database, client: str, settings: Settings
) -> None:
    rows = await asyncio.gather(*(accept(database, client, f"message {n}") for n in range(200)))
    admin = await asyncpg.connect(settings.database_admin_url)
    asked = dict(await admin.fetch("SELECT run_id, question FROM core.open_runs"))
    await admin.close()
    assert [asked[row["run_id"]] for row in rows] == [f"message {n}" for n in range(200)]
    assert await commits(settings) < 20


async def test_claims_that_come_at_once_share_a_commit_and_each_gets_its_own_run(
    database: Database, client: str
) -> None:
    runs = [(await accept(database, client, f"message {n}"))["run_id"] for n in range(30)]
    claims = await asyncio.gather(*(claim(database, run_id) for run_id in reversed(runs)))
    assert [(row["run_id"], row["text"]) for row in reversed(claims)] == [
        (run_id, f"message {n}") for n, run_id in enumerate(runs)
    ]


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


@pytest.mark.parametrize("workers", [2, 20, 201])
async def test_only_one_of_many_workers_claims_a_run(database: Database, client: str, workers: int) -> None:
    """In one batch or several, which wait for each other; and nobody gets it who comes later."""
    run_id = (await accept(database, client, "oi"))["run_id"]
    claims = await asyncio.gather(*(claim(database, run_id, f"w{n}") for n in range(workers)))
    claims += [await claim(database, run_id, f"late {n}") for n in range(3)]
    assert [row["fencing_token"] for row in claims if row["run_id"]] == [1]


@pytest.mark.parametrize("waiting", [2, 5])
async def test_one_run_of_a_conversation_is_at_work_at_a_time_in_the_order_of_the_questions(
    database: Database, client: str, settings: Settings, waiting: int
) -> None:
    first = await accept(database, client, "message 0")
    for n in range(1, waiting):
        await accept(database, client, f"message {n}", first["conversation_id"])
    elsewhere = await accept(database, client, "elsewhere")
    runs = [row["run_id"] for row in await database.service.fetch("runs.waiting", 100, -1.0, None, 30.0)]
    assert runs == [first["run_id"], elsewhere["run_id"]], "nobody is sent to one whose turn has not come"
    admin = await asyncpg.connect(settings.database_admin_url)
    every = [row["run_id"] for row in await admin.fetch("SELECT run_id FROM core.open_runs ORDER BY run_id")]
    await admin.close()
    walked: list[str] = []
    while True:
        claims = await asyncio.gather(*(claim(database, run_id) for run_id in every))
        taken = [row for row in claims if row["run_id"]]
        if not taken:
            break
        assert len({row["conversation_id"] for row in taken}) == len(taken)
        for row in taken:
            walked.append(row["text"])
            await end(database, row)
    assert [text for text in walked if text != "elsewhere"] == [f"message {n}" for n in range(waiting)]
    assert "elsewhere" in walked


async def test_a_claim_brings_all_that_a_worker_needs(database: Database, client: str) -> None:
    first = await accept(database, client, "oi")
    taken = await claim(database, first["run_id"], lease_s=30.0)
    assert (taken["client_id"], taken["name"], taken["language"], taken["scopes"]) == (
        "A",
        "Bar A",
        "pt",
        ["purchases"],
    )
    assert (taken["text"], taken["previous"], taken["deaths"], taken["cancelled"]) == ("oi", None, 0, False)
    assert 29 < taken["left_s"] <= 30 and taken["waited_s"] >= 0
    await end(database, taken)
    failed = await accept(database, client, "e agora?", first["conversation_id"])
    await end(database, await claim(database, failed["run_id"]), text=None)
    third = await accept(database, client, "e depois?", first["conversation_id"])
    assert (await claim(database, third["run_id"]))["previous"] == first["run_id"], "the last one that was answered"


async def test_a_worker_whose_lease_ran_out_writes_nothing_any_more(database: Database, client: str) -> None:
    run = await accept(database, client, "oi")
    slow = await claim(database, run["run_id"], "slow", -1.0)
    quick = await claim(database, run["run_id"], "quick")
    assert (quick["fencing_token"], quick["deaths"]) == (slow["fencing_token"] + 1, 1)
    write = database.batch.write
    assert not (await write("runs.record", *record(slow)))["held"]
    assert not (await write("runs.finish", *ending(slow)))["held"]
    assert await database.service.fetch("runs.ledger", run["run_id"]) == []
    assert (await write("runs.record", *record(quick)))["held"]
    assert (await write("runs.finish", *ending(quick)))["held"]
    assert not (await write("runs.record", *record(slow, 2)))["held"]
    assert not (await write("runs.finish", *ending(slow, "Late.")))["held"]
    found = await database.as_client(client).fetchrow("runs.run", run["run_id"])
    assert found and found["text"] == "Olá."


async def test_a_step_on_its_way_is_not_missed_by_who_takes_the_run_over(
    database: Database, client: str, settings: Settings
) -> None:
    """The first worker's commit hangs while its lease ends: the next one waits, and finds the step."""
    run_id = (await accept(database, client, "oi"))["run_id"]
    slow = await claim(database, run_id, "slow", -1.0)
    connection = await asyncpg.connect(settings.database_url)
    transaction = connection.transaction()
    await transaction.start()
    await connection.fetch(QUERIES["runs.record"].sql, *record(slow))
    claiming = asyncio.create_task(claim(database, run_id, "quick"))
    assert await asyncio.wait([claiming], timeout=0.3) == (set(), {claiming})
    await transaction.commit()
    quick = await claiming
    assert quick["fencing_token"] == slow["fencing_token"] + 1
    assert len(await database.service.fetch("runs.ledger", run_id)) == 1
    (again,) = await connection.fetch(QUERIES["runs.record"].sql, *record(slow, 2))
    assert not again["held"]
    await connection.close()


@pytest.mark.parametrize("times", [1, 4])
async def test_what_is_recorded_again_is_there_once(database: Database, client: str, times: int) -> None:
    taken = await claim(database, (await accept(database, client, "oi"))["run_id"])
    for _ in range(times):
        rows = await asyncio.gather(
            database.batch.write("runs.record", *record(taken, 1, 2, events=told("tool_started"))),
            database.batch.write("runs.record", *record(taken, 3)),
        )
        assert all(row["held"] for row in rows)
    found = await database.service.fetch("runs.ledger", taken["run_id"])
    assert [row["seq"] for row in found] == [1, 3]
    steps = await database.as_client(client).fetch("runs.steps", taken["run_id"])
    assert [step["seq"] for row in steps for step in msgspec.json.decode(row["steps"])] == [1, 2, 3]


async def test_who_records_hears_that_somebody_wants_no_answer_any_more(database: Database, client: str) -> None:
    taken = await claim(database, (await accept(database, client, "oi"))["run_id"])
    assert (await database.batch.write("runs.record", *record(taken)))["cancelled"] is False
    await database.batch.write("runs.cancel", client, taken["run_id"], None, b"")
    assert (await database.batch.write("runs.record", *record(taken, 2)))["cancelled"] is True


def of_run(query: str, client: str, run_id: UUID) -> tuple[Any, ...]:
    return (run_id, "w", 30.0, None) if query == "runs.claim" else (client, run_id, None, b"")


@asynccontextmanager
async def locked(settings: Settings, run_id: UUID) -> AsyncIterator[None]:
    other = await asyncpg.connect(settings.database_admin_url)
    async with other.transaction():
        await other.fetch("SELECT FROM core.open_runs WHERE run_id = $1 FOR UPDATE", run_id)
        yield
    await other.close()


@pytest.mark.parametrize("query", ["runs.claim", "runs.cancel"])
@pytest.mark.parametrize("which", [0, 1, 2])
async def test_who_knows_no_conversation_waits_for_no_row_and_holds_up_nobody(
    database: Database, client: str, settings: Settings, query: str, which: int
) -> None:
    """Somebody has the row of one run; the others of the batch are done meanwhile, and it is when he has let go."""
    runs = [(await accept(database, client))["run_id"] for _ in range(3)]
    async with locked(settings, runs[which]):
        rows = [
            asyncio.ensure_future(database.batch.unlocked(query, *of_run(query, client, run_id))) for run_id in runs
        ]
        held = rows.pop(which)
        done = await asyncio.gather(*rows)
        assert not held.done() and not await waits_for_lock(settings)
    for row in (*done, await held):
        assert row["run_id"] if query == "runs.claim" else row["status"] == "cancelling"


@pytest.mark.parametrize("query", ["runs.claim", "runs.cancel"])
async def test_a_run_that_stays_locked_is_said_to_be_so(
    database: Database, client: str, settings: Settings, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    monkeypatch.setattr(batch, "LONGEST_WRITE_S", 0.1)
    run_id = (await accept(database, client))["run_id"]
    async with locked(settings, run_id):
        with pytest.raises(Unavailable, match="locked"):
            await database.batch.unlocked(query, *of_run(query, client, run_id))


@pytest.mark.parametrize("rounds", [1, 3])
async def test_a_batch_that_postgres_ended_for_a_deadlock_is_done_again(
    database: Database, client: str, settings: Settings, rounds: int
) -> None:
    """Another session locks two conversations of a batch in the wrong order: one of the two is ended."""
    talks = sorted([(await accept(database, client))["conversation_id"] for _ in range(2)], key=str)
    other = await asyncpg.connect(settings.database_admin_url)
    await other.execute(
        "SET search_path = core; SET deadlock_timeout = '5s'"
    )  # so it is the batch that finds it, and is ended
    for _ in range(rounds):
        transaction = other.transaction()
        await transaction.start()
        lock = "SELECT FROM conversations WHERE conversation_id = $1 FOR UPDATE"
        await other.fetch(lock, talks[1])
        said = [asyncio.ensure_future(database.batch.write("conversations.say", talk, client, "oi")) for talk in talks]
        await wait_until(lambda: waits_for_lock(settings), "the batch has the first, and waits for the second")
        await other.fetch(lock, talks[0])
        await transaction.commit()
        assert all([(await row)["number"] for row in said])
    await other.close()
    for talk in talks:
        events = await database.as_client(client).fetch("conversations.events", talk, 0, 100)
        assert [row["number"] for row in events] == list(range(1, rounds + 2))
