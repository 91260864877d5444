"""A run begins when it is its turn: whatever it waits for before that is no crash, and who dies over it is counted all the same."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import asyncpg
import pytest
from msgspec.structs import replace

from beerforyou.conversations.accepting import accept
from beerforyou.db import database
from beerforyou.errors import Unavailable
from beerforyou.house import House, opened
from beerforyou.runs.looking import look
from beerforyou.settings import Settings
from beerforyou.worker.worker import BEGINNING, Worker, working
from tests.waiting import wait_until
from tests.worker.conftest import CLIENT
from tests.worker.test_worker import Held, Steps, ended, lose_the_bell

BURST = 60
EVENT = '[{"seq": 1, "type": "started", "data": {}}]'


@pytest.fixture
async def narrow(alone: Settings) -> AsyncIterator[House]:
    """One connection a pool, room for all, and nobody forgives a single crash."""
    few = replace(alone, database_pool=1, worker_concurrency=200, client_concurrency=1000, max_crashes=0, lease_s=20.0)
    async with opened(few) as house:
        yield house


@asynccontextmanager
async def reads_wait(house: House) -> AsyncIterator[None]:
    """The connections that read as a client are somebody else's."""
    pool = house.database._pools.client
    async with AsyncExitStack() as stack:
        for _ in range(house.settings.database_pool):
            await stack.enter_async_context(pool.acquire(timeout=10))
        yield


async def counted(house: House, *columns: str, where: str = "true") -> list[Any]:
    """Over all runs, or those."""
    admin = await asyncpg.connect(house.settings.database_admin_url)
    try:
        return list(await admin.fetchrow(f"SELECT {', '.join(columns)} FROM core.runs WHERE {where}"))
    finally:
        await admin.close()


CRASHES = ("sum(crashes)", "sum(false_starts)")
RUNNING = "count(*) FILTER (WHERE status = 'running')"


async def test_a_worker_claims_no_more_than_it_can_begin(narrow: House) -> None:
    """A burst that is much larger, while what it reads first is not to be had; then all are answered, and none crashed."""
    narrow.model = model = Held()
    model.go.set()
    runs = [await accept(narrow, CLIENT, "brewpubs em Denver") for _ in range(BURST)]
    async with working(narrow):
        async with reads_wait(narrow):

            async def as_many_as_may() -> bool:
                return await counted(narrow, RUNNING) == [BEGINNING]

            await wait_until(as_many_as_may, "so many are claimed")
            assert model.calls == 0
        for run in runs:
            assert (await ended(narrow, run.run_id)).outcome == "answered"
    assert await counted(narrow, *CRASHES, "max(fencing_token)") == [0, 0, 1]


async def test_runs_that_wait_for_the_model_keep_nobody_from_beginning(narrow: House) -> None:
    narrow.model = model = Held()
    runs = [await accept(narrow, CLIENT, "brewpubs em Denver") for _ in range(BURST)]
    async with working(narrow):

        async def all_asked() -> bool:
            return model.calls == BURST

        await wait_until(all_asked, "the model is asked for all of them")
        model.go.set()
        for run in runs:
            assert (await ended(narrow, run.run_id)).outcome == "answered"


async def test_a_run_that_waited_too_long_to_begin_goes_back_and_did_not_crash(narrow: House) -> None:
    pool, worker = narrow.database._pools.client, Worker(narrow)
    accepted = await accept(narrow, CLIENT, "brewpubs em Denver")
    await lose_the_bell(narrow)
    patience, pool._turns._patience_s = pool._turns._patience_s, 0.05
    async with reads_wait(narrow):
        for _ in range(3):
            with pytest.raises(Unavailable, match="we are busy"):
                await worker.work(accepted.run_id)
            assert await counted(narrow, "max(status)") == ["running"]
            await worker.beat()
            assert await counted(narrow, *CRASHES, "max(status)", "max(started_at)") == [0, 0, "queued", None]
    pool._turns._patience_s = patience
    await worker.work(accepted.run_id)
    assert (await look(narrow.database.as_client(CLIENT), accepted.run_id)).status == "succeeded"


async def test_a_run_whose_first_read_is_not_answered_goes_back_and_did_not_crash(
    narrow: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker, accepted = Worker(narrow), await accept(narrow, CLIENT, "brewpubs em Denver")
    await lose_the_bell(narrow)
    admin = await asyncpg.connect(narrow.settings.database_admin_url)
    await admin.execute("BEGIN; LOCK core.clients")  # the database gives up after two seconds by itself
    with monkeypatch.context() as patch:
        patch.setattr(database, "LONGEST_S", 0.2)
        with pytest.raises(Unavailable, match="does not answer"):
            await worker.work(accepted.run_id)
    await admin.close()
    await worker.beat()
    assert await counted(narrow, *CRASHES, "max(status)") == [0, 0, "queued"]
    await worker.work(accepted.run_id)
    assert (await look(narrow.database.as_client(CLIENT), accepted.run_id)).status == "succeeded"


async def test_a_worker_that_stops_hands_back_what_has_not_begun_as_if_it_had_not_been_taken(narrow: House) -> None:
    narrow.settings = replace(narrow.settings, grace_s=0.0)
    accepted = await accept(narrow, CLIENT, "brewpubs em Denver")
    async with reads_wait(narrow), working(narrow):

        async def taken() -> bool:
            return await counted(narrow, RUNNING) == [1]

        await wait_until(taken, "it is claimed")
    assert await counted(narrow, *CRASHES, "max(status)", "max(started_at)") == [0, 0, "queued", None]
    async with working(narrow):
        assert (await ended(narrow, accepted.run_id)).status == "succeeded"


async def test_what_waits_to_begin_waits_for_a_worker_still(narrow: House) -> None:
    """However often it was taken meanwhile: in the end it is told that nobody came to it."""
    narrow.settings = replace(narrow.settings, run_expires_s=0.05, grace_s=0.0)
    accepted = await accept(narrow, CLIENT, "brewpubs em Denver")
    await lose_the_bell(narrow)
    batch, me = narrow.database.batch, narrow.worker_name
    claim = await batch.write("runs.claim", accepted.run_id, me, 20.0)
    assert claim and claim["waited_s"] < 10
    await batch.alone("runs.leave", me)

    async def waited() -> bool:
        again = await batch.write("runs.claim", accepted.run_id, me, 20.0)
        await batch.alone("runs.leave", me)
        return bool(again and again["waited_s"] > 0.05)

    await wait_until(waited, "it counts from the beginning")
    await Worker(narrow).work(accepted.run_id)
    assert (await look(narrow.database.as_client(CLIENT), accepted.run_id)).outcome == "error_timeout"


COUNTS = {  # how it was lost, and whether it had begun: crashes, false starts
    ("silent", True): [1, 0],
    ("silent", False): [0, 1],
    ("to blame", True): [1, 0],
    ("to blame", False): [0, 1],
    ("had to wait", True): [0, 0],
    ("had to wait", False): [0, 0],
    ("told to stop", True): [0, 0],
    ("told to stop", False): [0, 0],
}


async def test_what_counts_and_as_what(quick: House) -> None:
    batch = quick.database.batch
    for (lost, begun), expected in COUNTS.items():
        run_id = (await accept(quick, CLIENT, "oi")).run_id
        claim = await batch.write("runs.claim", run_id, "w", 0.0 if lost == "silent" else 30.0)
        assert claim
        if begun:
            assert await batch.write("runs.record", run_id, claim["fencing_token"], None, EVENT)
        if lost == "told to stop":
            await batch.alone("runs.leave", "w")
        elif lost != "silent":
            await batch.alone("runs.heartbeat", "w", 30.0, [run_id], [claim["fencing_token"]], [lost == "to blame"])
        again = await batch.write("runs.claim", run_id, "another", 30.0)
        counted_of_it = await counted(quick, *CRASHES, where=f"run_id = '{run_id}'")
        assert (counted_of_it, again and again["deaths"]) == (expected, sum(expected)), (lost, begun)


async def test_who_kills_its_workers_is_given_up_whether_it_had_begun_or_not(quick: House) -> None:
    quick.settings = replace(quick.settings, max_crashes=2)
    model, batch = Steps(), quick.database.batch
    quick.model = model
    for begun in ([False] * 3, [True] * 3, [False, True, True], [True, False, False]):
        run_id = (await accept(quick, CLIENT, "oi")).run_id
        for number, has_begun in enumerate(begun, start=1):
            claim = await batch.write("runs.claim", run_id, f"dies {number}", 0.0)
            assert claim
            if has_begun:
                event = EVENT.replace('"seq": 1', f'"seq": {number}')
                await batch.write("runs.record", run_id, claim["fencing_token"], None, event)
        await Worker(quick).work(run_id)
        assert ((await look(quick.database.as_client(CLIENT), run_id)).outcome, model.calls) == (
            "error_internal",
            0,
        ), begun


async def test_a_run_that_is_given_up_costs_the_conversation_no_memory(quick: House) -> None:
    quick.model, batch = Steps(), quick.database.batch
    first = await accept(quick, CLIENT, "brewpubs em Denver")
    await Worker(quick).work(first.run_id)
    second = await accept(quick, CLIENT, "e em Boulder?", first.conversation_id)
    quick.settings = replace(quick.settings, max_crashes=0)
    await batch.write("runs.claim", second.run_id, "dies", 0.0)
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

    async def broken(*_: object) -> None:
        raise AssertionError("of ours")

    with monkeypatch.context() as patch, contextlib.suppress(AssertionError):
        patch.setattr("beerforyou.answering.run.load", broken)
        await worker.work(accepted.run_id)
    await worker.beat()
    assert await counted(quick, *CRASHES, "max(status)") == [0, 1, "queued"]


async def test_what_is_cancelled_in_our_hands_is_not_blamed(narrow: House) -> None:
    accepted, worker = await accept(narrow, CLIENT, "oi"), Worker(narrow)
    async with reads_wait(narrow):
        working_on = asyncio.create_task(worker.work(accepted.run_id))

        async def taken() -> bool:
            return await counted(narrow, RUNNING) == [1]

        await wait_until(taken, "it is claimed")
        working_on.cancel()
        await asyncio.wait([working_on])
    await worker.beat()
    assert await counted(narrow, *CRASHES, "max(status)") == [0, 0, "queued"]
