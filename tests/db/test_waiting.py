"""Waiting for a connection is no failure of the server; a server that does not answer is one, and is noticed in time."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from typing import Any

import psutil
import pytest
from msgspec.structs import replace

from beerforyou.db import batch, database
from beerforyou.db.database import Database, Reads, connect
from beerforyou.db.failure import answered
from beerforyou.db.identity import Identity
from beerforyou.db.turns import OURS, Turns, Within, WorkLimit
from beerforyou.errors import Busy, Unavailable
from beerforyou.settings import Settings
from tests.conftest import FreshSettings
from tests.db.asking import accept
from tests.waiting import wait_until

SHORT_S = 1.0  # what an answer may take here; a busy disk may need a good part of it
CLIENT = "CLT-00001"
Ask = Callable[[Database], Awaitable[object]]

ASKS: dict[str, Ask] = {
    "a public read": lambda db: db.read.fetchrow("catalogue.version"),
    "a read of the service": lambda db: db.service.fetchrow("runs.queued", 1),
    "a read as a client": lambda db: db.as_client(CLIENT).fetchrow("clients.profile"),
    "a tool's read": lambda db: db.for_tools(CLIENT).fetch("clients.profile"),
    "statistics": lambda db: db.statistics.fetchrow("catalogue.version"),
    "a model's SQL": lambda db: db.fence.run(CLIENT, "SELECT 1 AS n"),
    "a write of many": lambda db: accept(db, CLIENT),
    "a write alone": lambda db: db.batch.alone("runs.heartbeat", "w", 30.0, [], [], [], None),
}


@pytest.fixture(scope="module")
async def place(fresh_settings: FreshSettings) -> AsyncIterator[Settings]:
    async with fresh_settings() as settings:
        yield settings


@pytest.fixture(params=[1, 2])
async def few(
    place: Settings, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Database]:
    """So many connections a pool, all of which have been used; an answer may take SHORT_S, of whomever."""
    monkeypatch.setattr(database, "LONGEST_S", SHORT_S)
    monkeypatch.setattr(batch, "LONGEST_WRITE_S", SHORT_S)
    few = await connect(replace(place, database_pool=request.param, sql_timeout_s=SHORT_S))
    few.read, few.service, few.statistics = (
        Reads(where, SHORT_S) for where in (few._pools.client, few._pools.service, few._pools.tools)
    )
    async with held(few):
        pass
    yield few
    await few.close()


@asynccontextmanager
async def held(few: Database) -> AsyncIterator[None]:
    """Every connection of every pool is somebody's until the block ends."""
    pools = (few._pools.service, few._pools.client, few._pools.sql._primary)
    async with AsyncExitStack() as stack:
        for one in pools:
            for _ in range(one._turns._free):
                connection = await stack.enter_async_context(one.acquire(timeout=10))
                await connection.fetchval("SELECT 1")
        yield


@contextmanager
def standing_still(settings: Settings) -> Iterator[None]:
    """The whole PostgreSQL is there and says nothing."""
    pid = int((settings.data / "servers/postgres/postmaster.pid").read_text().split()[0])
    processes = [psutil.Process(pid), *psutil.Process(pid).children()]
    _send(processes, signal.SIGSTOP)
    try:
        yield
    finally:
        _send(processes, signal.SIGCONT)


def _send(processes: list[psutil.Process], signum: signal.Signals) -> None:
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process.pid, signum)


def waiting(few: Database) -> int:
    pools = (few._pools.service, few._pools.client, few._pools.sql._primary)
    return sum(len(queue) for one in pools for queue in one._turns._waiting.values())


async def so_many_wait(few: Database, number: int) -> None:
    async def all_wait() -> bool:
        return waiting(few) == number

    await wait_until(all_wait, f"{number} wait for a connection")


async def test_whoever_asks_waits_for_a_connection_longer_than_for_an_answer(
    few: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nobody says who he is before it is his turn: that is believed for half a minute only."""
    said, token = [], Identity.token
    monkeypatch.setattr(Identity, "token", lambda self, client_id: said.append(client_id) or token(self, client_id))
    async with held(few):
        asking = {asyncio.create_task(ask(few), name=name) for name, ask in ASKS.items()}
        await so_many_wait(few, len(ASKS))
        assert await asyncio.wait(asking, timeout=1.2 * SHORT_S) == (set(), asking)
        assert not said
    await asyncio.gather(*asking)


async def test_a_server_that_stands_still_is_noticed_by_all_who_ask_and_wait(few: Database, place: Settings) -> None:
    asks = {f"{name} {number}": ask for name, ask in ASKS.items() for number in range(6)}
    with standing_still(place):
        async with asyncio.timeout(60):  # guards the suite; one after the other they would take longer still
            answers = await asyncio.gather(*(ask(few) for ask in asks.values()), return_exceptions=True)
    for name, answer in zip(asks, answers, strict=True):
        assert isinstance(answer, Unavailable) and not isinstance(answer, Busy), (name, answer)
    await asyncio.gather(*(_answers_again(few, ask) for ask in ASKS.values()))


async def _answers_again(few: Database, ask: Ask) -> None:
    async def answers() -> bool:
        with suppress(Unavailable):
            await ask(few)
            return True
        return False

    await wait_until(answers, "the server is asked again")


async def test_a_query_that_a_server_stands_still_over_is_not_the_one_to_blame(few: Database, place: Settings) -> None:
    assert (await few.fence.run(CLIENT, "SELECT 1 AS n")).rows == ((1,),)
    with standing_still(place), pytest.raises(Unavailable, match="does not answer"):
        await few.fence.run(CLIENT, "SELECT 1 AS n")
    assert (await few.fence.run(CLIENT, "SELECT 1 AS n")).rows == ((1,),)


@pytest.mark.parametrize("few", [2], indirect=True)
async def test_who_waits_behind_one_lost_connection_is_answered_by_the_other(few: Database) -> None:
    """Only when nobody is answered is there nothing to wait for."""
    pool = few._pools.client
    never = asyncio.create_task(answered(pool.ask(SHORT_S, lambda _: asyncio.Event().wait())))
    await asyncio.sleep(0)
    others = [few.as_client(CLIENT).fetch("clients.profile") for _ in range(20)]
    assert await asyncio.gather(*others) == [[]] * 20
    with pytest.raises(Unavailable):
        await never


async def test_a_server_that_ends_what_it_was_asked_is_unavailable(few: Database) -> None:
    async def ended_by_the_operator(connection: Any) -> None:
        await connection.fetchval("SELECT pg_terminate_backend(pg_backend_pid())")

    with pytest.raises(Unavailable) as caught:
        await answered(few._pools.client.ask(3.0, ended_by_the_operator))
    assert not isinstance(caught.value, Busy)
    assert await few.as_client(CLIENT).fetch("clients.profile") == []


async def test_who_waited_as_long_as_a_run_may_take_hears_that_we_are_busy(place: Settings) -> None:
    few = await connect(replace(place, database_pool=1, run_timeout_s=0.1))
    try:
        async with held(few):
            answers = await asyncio.gather(*(ask(few) for ask in ASKS.values()), return_exceptions=True)
        for name, answer in zip(ASKS, answers, strict=True):
            assert isinstance(answer, Busy) and "we are busy" in answer.message, (name, answer)
        await asyncio.gather(*(_answers_again(few, ask) for ask in ASKS.values()))
    finally:
        await few.close()


async def test_who_leaves_the_queue_costs_nobody_a_turn(few: Database) -> None:
    def reading() -> asyncio.Task[Any]:
        return asyncio.create_task(few.as_client(CLIENT).fetch("clients.profile"))

    async with held(few):
        leaves, stays = [reading() for _ in range(10)], [reading() for _ in range(3)]
        await so_many_wait(few, 13)
        for task in leaves:
            task.cancel()
    assert await asyncio.gather(*stays) == [[]] * 3
    assert await asyncio.gather(*(reading() for _ in range(5))) == [[]] * 5


async def order(turns: Turns, *askers: str) -> list[str]:
    """In which order they get the one place that is taken."""
    served: list[str] = []

    async def ask(whose: str) -> None:
        await turns.take(whose.partition(" ")[0])
        served.append(whose)
        turns.give_back()

    await turns.take(OURS)
    asking = [asyncio.create_task(ask(whose)) for whose in askers]
    await asyncio.sleep(0)
    turns.give_back()
    await asyncio.gather(*asking)
    return served


async def test_one_client_gets_its_turns_in_the_order_in_which_it_asked() -> None:
    assert await order(Turns(1, 60), "A 1", "A 2", "A 3") == ["A 1", "A 2", "A 3"]


async def test_a_client_that_asks_a_lot_waits_behind_itself() -> None:
    assert await order(Turns(1, 60), "A 1", "A 2", "A 3", "B 1", "C 1", "B 2") == [
        *("A 1", "B 1", "C 1", "A 2", "B 2", "A 3")
    ]


async def test_what_is_asked_for_all_goes_first() -> None:
    assert await order(Turns(1, 60), "A 1", "B 1", " 1", " 2") == [" 1", " 2", "A 1", "B 1"]


async def test_a_turn_that_comes_when_nobody_is_there_any_more_goes_to_the_next() -> None:
    turns = Turns(1, 60)
    await turns.take("A")
    leaves, stays = asyncio.create_task(turns.take("A")), asyncio.create_task(turns.take("A"))
    await asyncio.sleep(0)
    turns.give_back()
    leaves.cancel()  # its turn has come, and it has not heard of it
    await asyncio.wait([leaves])
    await stays
    assert leaves.cancelled()


async def test_an_answer_that_is_there_counts_although_we_were_too_busy_to_read_it(few: Database) -> None:
    async def slow_to_read(connection: Any) -> int:
        asking = asyncio.create_task(connection.fetchval("SELECT 1"))
        await asyncio.sleep(0)
        time.sleep(0.6)  # noqa: ASYNC251 (the whole process is still)
        return await asking

    assert await few._pools.client.ask(0.2, slow_to_read) == 1


async def test_an_answer_that_does_not_come_ends_the_waiting() -> None:
    with pytest.raises(TimeoutError):
        async with Within(0.05):
            await asyncio.Event().wait()


async def test_a_tool_s_time_stands_still_while_it_waits_for_its_turn(few: Database) -> None:
    async def worked() -> list[Any]:
        async with WorkLimit(0.5):
            rows = few.for_tools(CLIENT)
            return await asyncio.gather(rows.fetch("clients.profile"), rows.fetch("clients.profile"))

    async with held(few):
        working = asyncio.create_task(worked())
        await so_many_wait(few, 2)
        assert await asyncio.wait([working], timeout=0.8) == (set(), {working})
    assert await working == [[], []]


@pytest.mark.parametrize("before", [False, True])
async def test_and_goes_on_afterwards(before: bool) -> None:
    turns = Turns(1, 60)
    await turns.take("A")
    asyncio.get_running_loop().call_later(0.1, turns.give_back)
    with pytest.raises(TimeoutError):
        async with WorkLimit(0.05):
            if before:
                await turns.take("A")
            await asyncio.Event().wait()
