"""Processes with different models on the same data: a run is for the workers that plan with what it was accepted under."""

import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack
from uuid import UUID

import asyncpg
import pytest
from msgspec.structs import replace

from beerforyou.conversations.accepting import accept
from beerforyou.db.database import Database
from beerforyou.house import House, opened
from beerforyou.runs.cancelling import cancel
from beerforyou.settings import Settings
from beerforyou.worker.worker import Worker, working
from tests.db import asking
from tests.worker.conftest import CLIENT, bring_client
from tests.worker.test_worker import Held, ended

ONE, OTHER = "gemini:gemini-2.5-flash", "compatible:Qwen/Qwen3-4B"


@pytest.fixture
async def houses(alone: Settings) -> AsyncIterator[dict[str, House]]:
    """One of each planner, on the same data; each says who it is."""
    async with AsyncExitStack() as stack:
        built = {}
        for name in (ONE, OTHER):
            there = replace(alone, model=name, gemini_api_key="k", compatible_base_url="http://127.0.0.1:1")
            built[name] = await stack.enter_async_context(opened(there))
            model = Held(f"by {name}")
            model.go.set()
            built[name].model = model
        yield built


async def answers(house: House, runs: Iterable[UUID]) -> set[str | None]:
    return {(await ended(house, run)).text for run in runs}


async def test_each_answers_what_it_accepted(houses: dict[str, House]) -> None:
    async with working(houses[ONE]), working(houses[OTHER]):
        for name, house in houses.items():
            runs = [(await accept(house, CLIENT, f"pergunta {n}")).run for n in range(10)]
            assert await answers(house, runs) == {f"by {name}"}


async def test_the_sweep_of_another_planner_leaves_it(houses: dict[str, House]) -> None:
    """Nobody rings, and only the other sweeps, while a worker of its own lives."""
    mine, other = houses[ONE], Worker(houses[OTHER])
    await Worker(mine).beat()
    accepted = await accept(mine, CLIENT, "oi")
    which = 10, -1.0, OTHER, 0.9
    assert await mine.database.service.fetch("runs.waiting", *which) == []
    await other.work(accepted.run)  # who is told of it all the same
    assert (await mine.database.service.fetch("runs.waiting", 10, -1.0, ONE, 0.9))[0]["run_id"] == accepted.run


async def test_a_run_whose_planner_is_gone_is_taken_by_whoever_there_is(
    houses: dict[str, House], caplog: pytest.LogCaptureFixture
) -> None:
    """All processes got another model: what waits is not lost, and the log says what happened, once."""
    runs = [(await accept(houses[ONE], CLIENT, f"pergunta {n}")).run for n in range(5)]
    with caplog.at_level(logging.WARNING, "beerforyou.worker.worker"):
        async with working(houses[OTHER]):
            assert await answers(houses[OTHER], runs) == {f"by {OTHER}"}
    told = [record.getMessage() for record in caplog.records if ONE in record.getMessage()]
    assert len(told) == 1 and OTHER in told[0]


async def test_a_worker_that_comes_back_finds_what_waits_for_it(houses: dict[str, House]) -> None:
    """Between the end of one and the start of the next with the same model, no other planner takes its runs."""
    mine = houses[ONE]
    mine.model = slow = Held("too late")
    mine.settings = replace(mine.settings, grace_s=0)
    async with working(houses[OTHER]):
        async with working(mine):
            accepted = await accept(mine, CLIENT, "brewpubs em Denver")
            await slow.asked.wait()  # it is handed back in mid-air
        mine.model = quick = Held("in time")
        quick.go.set()
        async with working(mine):
            assert (await ended(mine, accepted.run)).text == "in time"


async def test_a_waiting_run_is_ended_by_whoever_hears_of_it(houses: dict[str, House]) -> None:
    """A cancelled run needs no planner."""
    mine, other = houses[ONE], houses[OTHER]
    await Worker(mine).beat()
    accepted = await accept(mine, CLIENT, "oi")
    async with working(other):
        await cancel(other.database.batch, other.publishing, other.bell, CLIENT, accepted.run)
        assert (await ended(other, accepted.run)).status == "cancelled"


@pytest.mark.parametrize(
    ("accepted", "taker", "lives", "takes"),
    [
        (ONE, ONE, [], True),
        (ONE, OTHER, [ONE], False),
        (ONE, OTHER, [OTHER], True),
        (ONE, OTHER, [], True),
        ("offline:", ONE, ["offline:", ONE], False),
        (None, ONE, [], True),  # by a process of the version before
        (ONE, None, [ONE], True),
    ],
)
async def test_the_row_decides(
    database: Database, settings: Settings, accepted: str | None, taker: str | None, lives: list[str], takes: bool
) -> None:
    await bring_client(settings)
    for planner in lives:
        await database.batch.alone("runs.heartbeat", f"w {planner}", 30.0, [], [], [], planner)
    row = await asking.accept(database, CLIENT, planner=accepted)
    waiting = await database.service.fetch("runs.waiting", 10, -1.0, taker, 30.0)
    assert [found["run_id"] for found in waiting] == ([row["run_id"]] if takes else [])
    assert bool((await asking.claim(database, row["run_id"], planner=taker))["run_id"]) == takes


async def test_processes_of_the_version_before_go_on(settings: Settings) -> None:
    """While one after the other is replaced they name no planner."""
    await bring_client(settings)
    connection = await asyncpg.connect(settings.database_url)
    row = await connection.fetchrow("SELECT * FROM core.accept(NULL, $1, 'oi', '{}', 'enqueue', 9, NULL, '')", CLIENT)
    taken = await connection.fetchrow("SELECT * FROM core.claim($1, 'w', 30)", row["run_id"])
    await connection.close()
    assert taken["run_id"] == row["run_id"]


async def test_each_has_a_queue_of_its_own(houses: dict[str, House]) -> None:
    runs = {name: (await accept(house, CLIENT, "oi")).run for name, house in houses.items()}
    for name, house in houses.items():
        delivery = await house.queue.take()
        assert delivery.run_ids == (runs[name],)
        await house.queue.ack(delivery)
