"""A run is claimed when it can begin: whatever it waits for after that is no crash, and who dies over it is counted."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from msgspec.structs import replace

from beerforyou.conversations.accepting import Accepted, accept
from beerforyou.db import database
from beerforyou.errors import Unavailable
from beerforyou.house import House, opened
from beerforyou.runs.looking import look
from beerforyou.settings import Settings
from beerforyou.worker.worker import Worker, working
from tests.db.asking import claim, end, record
from tests.waiting import wait_until
from tests.worker.conftest import CLIENT
from tests.worker.test_worker import Held, Steps, ended, lose_the_bell

BURST, ROOM = 60, 7


@pytest.fixture
async def narrow(alone: Settings) -> AsyncIterator[House]:
    """One connection a pool, room for all, and nobody forgives a single crash."""
    few = replace(alone, database_pool=1, worker_concurrency=200, client_concurrency=1000, max_crashes=0, lease_s=20.0)
    async with opened(few) as house:
        yield house


async def follow_up(house: House) -> Accepted:
    """One that reads before it begins: Valkey has lost what its conversation remembers. Nobody is told of it."""
    first = await accept(house, CLIENT, "oi")
    await lose_the_bell(house)
    await Worker(house).work(first.run)
    await house.valkey("FLUSHDB")
    accepted = await accept(house, CLIENT, "brewpubs em Denver", first.conversation_id)
    await lose_the_bell(house)
    return accepted


@asynccontextmanager
async def reads_wait(house: House) -> AsyncIterator[None]:
    """The connections that read as a client are somebody else's."""
    pool = house.database._pools.client
    async with AsyncExitStack() as stack:
        for _ in range(house.settings.database_pool):
            await stack.enter_async_context(pool.acquire(timeout=10))
        yield


async def counted(house: House, *columns: str, of: UUID | None = None) -> list[Any]:
    """Over all runs, or that one."""
    admin = await asyncpg.connect(house.settings.database_admin_url)
    try:
        where = f"run_id = '{of}'" if of else "true"
        return list(await admin.fetchrow(f"SELECT {', '.join(columns)} FROM core.runs WHERE {where}"))
    finally:
        await admin.close()


RUNNING = "count(*) FILTER (WHERE status = 'running')"
AS_IF_IT_HAD_NOT_BEEN_TAKEN = [0, "queued", None]
HOW_IT_STANDS = ("crashes", "status", "started_at")


async def test_a_worker_claims_no_more_than_it_has_room_for(narrow: House) -> None:
    """A burst that is much larger, while a model holds all that have begun; then all are answered, and none crashed."""
    narrow.settings = replace(narrow.settings, worker_concurrency=ROOM)
    narrow.model = model = Held()
    runs = [await accept(narrow, CLIENT, "brewpubs em Denver") for _ in range(BURST)]
    async with working(narrow):

        async def as_many_as_may() -> bool:
            return model.calls == ROOM

        await wait_until(as_many_as_may, "so many have begun")
        narrow.bell.ring(runs[-1].run)  # whoever is rung for again is not taken either
        await accept(narrow, CLIENT, "oi")
        assert await counted(narrow, RUNNING) == [ROOM]
        model.go.set()
        for run in runs:
            assert (await ended(narrow, run.run)).outcome == "answered"
    assert await counted(narrow, "sum(crashes)", "max(fencing_token)") == [0, 1]


async def test_runs_that_wait_for_the_model_keep_nobody_from_beginning(narrow: House) -> None:
    narrow.model = model = Held()
    runs = [await accept(narrow, CLIENT, "brewpubs em Denver") for _ in range(BURST)]
    async with working(narrow):

        async def all_asked() -> bool:
            return model.calls == BURST

        await wait_until(all_asked, "the model is asked for all of them")
        model.go.set()
        for run in runs:
            assert (await ended(narrow, run.run)).outcome == "answered"


async def test_a_run_that_waited_too_long_to_begin_goes_back_and_did_not_crash(narrow: House) -> None:
    pool, worker, accepted = narrow.database._pools.client, Worker(narrow), await follow_up(narrow)
    patience, pool._turns._patience_s = pool._turns._patience_s, 0.05
    async with reads_wait(narrow):
        for _ in range(3):
            with pytest.raises(Unavailable, match="we are busy"):
                await worker.work(accepted.run)
            assert await counted(narrow, "status", of=accepted.run) == ["running"]
            await worker.beat()
            assert await counted(narrow, *HOW_IT_STANDS, of=accepted.run) == AS_IF_IT_HAD_NOT_BEEN_TAKEN
    pool._turns._patience_s = patience
    await worker.work(accepted.run)
    assert (await look(narrow.database.as_client(CLIENT), accepted.run)).status == "succeeded"


async def test_a_run_whose_first_read_is_not_answered_goes_back_and_did_not_crash(
    narrow: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker, accepted = Worker(narrow), await follow_up(narrow)
    admin = await asyncpg.connect(narrow.settings.database_admin_url)
    await admin.execute("BEGIN; LOCK core.ended_runs")  # the database gives up after two seconds by itself
    with monkeypatch.context() as patch:
        patch.setattr(database, "LONGEST_S", 0.2)
        with pytest.raises(Unavailable, match="does not answer"):
            await worker.work(accepted.run)
    await admin.close()
    await worker.beat()
    assert await counted(narrow, *HOW_IT_STANDS, of=accepted.run) == AS_IF_IT_HAD_NOT_BEEN_TAKEN
    await worker.work(accepted.run)
    assert (await look(narrow.database.as_client(CLIENT), accepted.run)).status == "succeeded"


async def test_a_claim_whose_answer_is_lost_goes_back_and_did_not_crash(
    narrow: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker does not know by which fencing token it has the run, or whether it has it."""
    worker, accepted, write = Worker(narrow), await accept(narrow, CLIENT, "oi"), narrow.database.batch.write

    async def lost(*item: Any) -> None:
        await write(*item)
        raise Unavailable("the database did not confirm a write", "try again")

    with monkeypatch.context() as patch:
        patch.setattr(narrow.database.batch, "write", lost)
        with pytest.raises(Unavailable):
            await worker.work(accepted.run)
    assert await counted(narrow, "status") == ["running"]
    await worker.beat()
    assert await counted(narrow, *HOW_IT_STANDS) == AS_IF_IT_HAD_NOT_BEEN_TAKEN
    await worker.work(accepted.run)
    assert (await look(narrow.database.as_client(CLIENT), accepted.run)).status == "succeeded"


async def test_a_worker_that_stops_hands_back_what_has_not_begun_as_if_it_had_not_been_taken(narrow: House) -> None:
    narrow.settings = replace(narrow.settings, grace_s=0.0)
    accepted = await follow_up(narrow)
    async with reads_wait(narrow), working(narrow):

        async def taken() -> bool:
            return await counted(narrow, RUNNING) == [1]

        narrow.bell.ring(accepted.run)
        await wait_until(taken, "it is claimed")
    assert await counted(narrow, *HOW_IT_STANDS, of=accepted.run) == AS_IF_IT_HAD_NOT_BEEN_TAKEN
    async with working(narrow):
        assert (await ended(narrow, accepted.run)).status == "succeeded"


@pytest.mark.parametrize("back", ["it is handed back", "it is dropped"])
async def test_what_waits_to_begin_waits_for_a_worker_still(narrow: House, back: str) -> None:
    """However often it was taken meanwhile: in the end it is told that nobody came to it."""
    narrow.settings = replace(narrow.settings, run_expires_s=0.05)
    accepted, model = await accept(narrow, CLIENT, "brewpubs em Denver"), Steps()
    narrow.model = model
    batch, me = narrow.database.batch, "w"

    async def goes_back() -> None:
        if back == "it is handed back":
            await batch.alone("runs.leave", me)
        else:
            await batch.alone("runs.heartbeat", me, 20.0, [accepted.run], [None], [False], None)

    async def waited() -> bool:
        taken = await claim(narrow.database, accepted.run, me)
        await goes_back()
        return bool(taken["waited_s"] > 0.05)

    await wait_until(waited, "it counts from the beginning")
    await Worker(narrow).work(accepted.run)
    run = await look(narrow.database.as_client(CLIENT), accepted.run)
    assert (run.outcome, model.calls) == ("error_timeout", 0)


async def test_what_was_paid_for_is_not_lost_to_a_long_wait_for_the_next_worker(narrow: House) -> None:
    """It had a worker: from then on its time is counted by what was done for it."""
    run_id, database = (await accept(narrow, CLIENT, "brewpubs em Denver")).run, narrow.database
    first = await claim(database, run_id)
    assert (await database.batch.write("runs.record", *record(first)))["held"]
    await database.batch.alone("runs.leave", "w")
    assert (await claim(database, run_id))["waited_s"] == first["waited_s"]


COUNTS = {"silent": 1, "to blame": 1, "had to wait": 0, "told to stop": 0}


@pytest.mark.parametrize("steps", [False, True])
@pytest.mark.parametrize("lost", COUNTS)
async def test_what_counts_as_a_crash(quick: House, lost: str, steps: bool) -> None:
    batch, run_id = quick.database.batch, (await accept(quick, CLIENT, "oi")).run
    taken = await claim(quick.database, run_id, "w", -1.0 if lost == "silent" else 30.0)
    if steps:
        assert (await batch.write("runs.record", *record(taken)))["held"]
    if lost == "told to stop":
        await batch.alone("runs.leave", "w")
    elif lost != "silent":
        await batch.alone("runs.heartbeat", "w", 30.0, [run_id], [taken["fencing_token"]], [lost == "to blame"], None)
    again = await claim(quick.database, run_id, "another")
    assert (again["deaths"], again["fencing_token"]) == (COUNTS[lost], 2)


@pytest.mark.parametrize("others", ["another token", "another worker", "ended"])
async def test_who_drops_what_is_not_his_any_more_changes_nothing(quick: House, others: str) -> None:
    batch, run_id = quick.database.batch, (await accept(quick, CLIENT, "oi")).run
    token = (await claim(quick.database, run_id, "w", -1.0))["fencing_token"]
    again = await claim(quick.database, run_id, "another" if others == "another worker" else "w")
    assert again["fencing_token"] == token + 1
    if others == "ended":
        await end(quick.database, again)
    before = await counted(quick, *HOW_IT_STANDS)
    await batch.alone("runs.heartbeat", "w", 30.0, [run_id], [token], [True], None)
    assert await counted(quick, *HOW_IT_STANDS) == before


async def test_who_kills_its_workers_is_given_up_whether_they_wrote_anything_or_not(quick: House) -> None:
    quick.settings = replace(quick.settings, max_crashes=2)
    model, batch = Steps(), quick.database.batch
    quick.model = model
    for wrote in ([False] * 3, [True] * 3, [False, True, True], [True, False, False]):
        run_id = (await accept(quick, CLIENT, "oi")).run
        for number, has_written in enumerate(wrote, start=1):
            taken = await claim(quick.database, run_id, f"dies {number}", -1.0)
            if has_written:
                assert (await batch.write("runs.record", *record(taken, number)))["held"]
        await Worker(quick).work(run_id)
        outcome = (await look(quick.database.as_client(CLIENT), run_id)).outcome
        assert (outcome, model.calls) == ("error_internal", 0), wrote


async def test_a_run_that_is_given_up_costs_the_conversation_no_memory(quick: House) -> None:
    quick.model = Steps()
    first = await accept(quick, CLIENT, "brewpubs em Denver")
    await Worker(quick).work(first.run_id)
    second = await accept(quick, CLIENT, "e em Boulder?", first.conversation_id)
    quick.settings = replace(quick.settings, max_crashes=0)
    await claim(quick.database, second.run, "dies", -1.0)
    await Worker(quick).work(second.run_id)
    assert (await look(quick.database.as_client(CLIENT), second.run_id)).outcome == "error_internal"
    third, asked = await accept(quick, CLIENT, "e em Austin?", first.conversation_id), []

    class Listening(Steps):
        async def generate(self, request: Any, on_text: Any = None) -> Any:
            asked.append(request)
            return await super().generate(request, on_text)

    quick.model = Listening()
    await Worker(quick).work(third.run_id)
    assert "brewpubs em Denver" in str(asked[0].messages)


async def test_a_failure_of_ours_that_nobody_foresaw_counts(quick: House, monkeypatch: pytest.MonkeyPatch) -> None:
    accepted, worker = await accept(quick, CLIENT, "oi"), Worker(quick)

    def broken(*_: object) -> None:
        raise AssertionError("of ours")

    with monkeypatch.context() as patch, pytest.raises(AssertionError, match="of ours"):
        patch.setattr("beerforyou.answering.run.load", broken)
        await worker.work(accepted.run)
    await worker.beat()
    assert await counted(quick, "crashes", "status") == [1, "queued"]


async def test_what_is_cancelled_in_our_hands_is_not_blamed(narrow: House) -> None:
    accepted, worker = await follow_up(narrow), Worker(narrow)
    async with reads_wait(narrow):
        working_on = asyncio.create_task(worker.work(accepted.run))

        async def taken() -> bool:
            return await counted(narrow, RUNNING) == [1]

        await wait_until(taken, "it is claimed")
        working_on.cancel()
        await asyncio.wait([working_on])
    await worker.beat()
    assert await counted(narrow, *HOW_IT_STANDS, of=accepted.run) == AS_IF_IT_HAD_NOT_BEEN_TAKEN
