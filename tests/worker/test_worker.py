"""Runs that nobody took, runs whose worker fell silent, and a worker that wakes up too late."""

import asyncio
import signal
import subprocess
from collections.abc import AsyncIterator, Callable

import pytest
from msgspec.structs import replace

from beerforyou.db.connections import operator
from beerforyou.llm.model import Reply, Request, Text
from beerforyou.service import Service, opened
from beerforyou.settings import Settings
from beerforyou.worker.runner import work
from beerforyou.worker.worker import working
from tests.cli.program import BEERFORYOU, environment

CLIENT = "CLT-00003"


class Held:
    """Answers when it is told to."""

    name = "held:"

    def __init__(self, text: str = "Done.") -> None:
        self.text, self.asked, self.go = text, asyncio.Event(), asyncio.Event()

    async def generate(self, request: Request, on_text: Callable[[str], None] | None = None) -> Reply:
        self.asked.set()
        await self.go.wait()
        return Reply(parts=(Text(self.text),))

    async def close(self) -> None: ...


@pytest.fixture
async def alone(settings: Settings) -> Settings:
    """A database that no other worker sweeps, with one client; sweeps and leases are short."""
    async with operator(settings) as connection:
        await connection.execute(
            "INSERT INTO clients (client_id, name, city, state, country, postal_code, language) VALUES ($1, 'Bar', '', '', '', '', 'pt')",
            CLIENT,
        )
    return replace(settings, sweep_s=0.1, lease_s=0.6)


@pytest.fixture
async def quick(alone: Settings) -> AsyncIterator[Service]:
    async with opened(alone) as service:
        yield service


async def ended(service: Service, run_id: object) -> str:
    async with asyncio.timeout(20):
        while True:
            run = await service.run(CLIENT, run_id)  # type: ignore[arg-type]
            if run["finished_at"]:
                return str(run["text"])
            await asyncio.sleep(0.05)


async def test_a_run_that_nobody_was_told_of_is_found(quick: Service) -> None:
    accepted = await quick.accept(CLIENT, "oi")
    quick.doorbell.get_nowait()  # the bell is lost
    async with working(quick):
        assert await ended(quick, accepted.run_id)


async def test_a_run_whose_worker_fell_silent_is_taken_over_and_answered_once(quick: Service, alone: Settings) -> None:
    accepted = await quick.accept(CLIENT, "brewpubs em Denver")
    quick.doorbell.get_nowait()
    silent, awake = Held("from the silent one"), Held("from the one awake")
    awake.go.set()
    quick.model = silent
    sleeping = asyncio.create_task(work(quick, accepted.run_id))
    await silent.asked.wait()
    async with opened(alone) as other:
        other.model, other.worker_name = awake, "another"
        async with working(other):
            assert await ended(other, accepted.run_id) == "from the one awake"
    silent.go.set()
    await sleeping
    run = await quick.run(CLIENT, accepted.run_id)
    assert run["text"] == "from the one awake"
    conversation = await quick.conversation(CLIENT, accepted.conversation_id)
    assert [message["role"] for message in conversation["messages"]] == ["client", "assistant"]


async def test_a_worker_that_lives_keeps_a_long_run(quick: Service) -> None:
    model = Held()
    quick.model = model
    async with working(quick):
        accepted = await quick.accept(CLIENT, "brewpubs em Denver")
        await model.asked.wait()
        await asyncio.sleep(1.5)  # more than two leases
        assert await quick.database.batch.write("runs.claim", accepted.run_id, "thief", 1.0) is None
        model.go.set()
        assert await ended(quick, accepted.run_id) == "Done."


async def test_a_run_that_takes_too_long_ends(alone: Settings) -> None:
    async with opened(replace(alone, run_timeout_s=0.3)) as service:
        service.model = Held()
        accepted = await service.accept(CLIENT, "brewpubs em Denver")
        await work(service, accepted.run_id)
        run = await service.run(CLIENT, accepted.run_id)
    assert (run["status"], run["outcome"]) == ("failed", "error_timeout")


async def test_runs_that_are_begun_are_finished_before_the_worker_ends(quick: Service) -> None:
    model = Held()
    quick.model = model
    async with working(quick):
        accepted = await quick.accept(CLIENT, "brewpubs em Denver")
        await model.asked.wait()
        asyncio.get_running_loop().call_later(0.2, model.go.set)
    assert (await quick.run(CLIENT, accepted.run_id))["status"] == "succeeded"


async def test_a_process_of_its_own_takes_what_another_accepted(quick: Service) -> None:
    process = await asyncio.create_subprocess_exec(
        BEERFORYOU, "worker", env=environment(quick.settings), stderr=subprocess.PIPE
    )
    accepted = await quick.accept(CLIENT, "oi")
    async with asyncio.timeout(20):
        events = [event.type async for event in await quick.follow(CLIENT, accepted.run_id) if event]
    assert events[0] == "started" and events[-1] == "finished"
    process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), 20) == 0
