"""Runs that nobody took, runs whose worker fell silent, a worker that wakes up too late, and one that has to stop."""

import asyncio
import signal
import subprocess
import time
from collections.abc import Callable
from uuid import UUID

import pytest
from msgspec.structs import replace

from beerforyou.conversations.accepting import accept
from beerforyou.conversations.messages import conversation
from beerforyou.house import House, opened
from beerforyou.llm.model import Reply, Request, TextPart, ToolCall
from beerforyou.runs import looking
from beerforyou.runs.cancelling import cancel
from beerforyou.runs.looking import look
from beerforyou.runs.run import Event, Run
from beerforyou.settings import Settings
from beerforyou.usage import Usage
from beerforyou.worker.worker import Worker, work, working
from tests.cli.program import BEERFORYOU, environment
from tests.db.asking import claim
from tests.worker.conftest import CLIENT


class Held:
    """Answers when it is told to."""

    name = "held:"

    def __init__(self, text: str = "Done.") -> None:
        self.text, self.asked, self.go, self.calls = text, asyncio.Event(), asyncio.Event(), 0

    async def generate(self, request: Request, on_text: Callable[[str], None] | None = None) -> Reply:
        self.calls += 1
        self.asked.set()
        await self.go.wait()
        return Reply(parts=(TextPart(self.text),))

    async def close(self) -> None: ...


class Steps(Held):
    """A search, the profile, a sentence; holds still before the call whose number it is given, from 1."""

    def __init__(self, hold: int = 0) -> None:
        super().__init__()
        self.hold = hold

    async def generate(self, request: Request, on_text: Callable[[str], None] | None = None) -> Reply:
        turn = sum(message.role == "tool" for message in request.messages)
        if turn + 1 == self.hold:
            self.asked.set()
            await self.go.wait()
        self.calls += 1
        calls = (ToolCall("a", "search_breweries", {"city": "Denver"}), ToolCall("b", "get_client_profile", {}))
        part = calls[turn] if turn < len(calls) else TextPart("Here they are.")
        return Reply(parts=(part,), usage=Usage(input=10, output=1))


async def ended(house: House, run_id: UUID) -> Run:
    run = await looking.ended(house.following, house.database.as_client(CLIENT), run_id, 20)
    assert run.finished_at, run
    return run


async def kept(house: House, run_id: UUID) -> list[Event]:
    """The events of a run as who comes now is told them, to the last one."""
    async with house.following.events(house.database.as_client(CLIENT), run_id) as events:
        return [event async for event in events]


async def lose_the_bell(house: House) -> None:
    await house.queue.ack(await house.queue.take())


async def test_a_run_that_nobody_was_told_of_is_found(quick: House) -> None:
    accepted = await accept(quick, CLIENT, "oi")
    await lose_the_bell(quick)
    async with working(quick):
        assert (await ended(quick, accepted.run_id)).text


async def test_a_run_whose_worker_fell_silent_is_taken_over_and_answered_once(quick: House, alone: Settings) -> None:
    accepted = await accept(quick, CLIENT, "brewpubs em Denver")
    await lose_the_bell(quick)
    silent, awake = Held("from the silent one"), Held("from the one awake")
    awake.go.set()
    quick.model = silent
    sleeping = asyncio.create_task(work(quick, accepted.run_id))
    await silent.asked.wait()
    async with opened(alone) as other:
        other.model = awake
        async with working(other):
            assert (await ended(other, accepted.run_id)).text == "from the one awake"
    silent.go.set()
    await sleeping
    run = await look(quick.database.as_client(CLIENT), accepted.run_id)
    assert run.text == "from the one awake"
    said = await conversation(quick.database.as_client(CLIENT), accepted.conversation_id)
    assert [message.role for message in said.messages] == ["client", "assistant"]


@pytest.mark.parametrize("step", [1, 2, 3])
async def test_what_was_finished_is_not_paid_again(quick: House, alone: Settings, step: int) -> None:
    """A worker dies before its first, second or third call; the next one makes only the calls that are missing."""
    accepted = await accept(quick, CLIENT, "brewpubs em Denver")
    dead = quick.model = Steps(hold=step)
    dying = asyncio.create_task(work(quick, accepted.run_id))
    await dead.asked.wait()
    async with opened(alone) as other:
        other.model = alive = Steps()
        async with working(other):
            run = await ended(other, accepted.run_id)
    run = await look(quick.database.as_client(CLIENT), accepted.run_id, steps=True)
    assert (dead.calls, alive.calls) == (step - 1, 4 - step)
    assert [(s.seq, s.name) for s in run.steps if s.kind == "tool"] == [
        (2, "search_breweries"),
        (4, "get_client_profile"),
    ]
    assert run.usage["input"] == 30
    events = await kept(quick, accepted.run)
    numbers = [event.seq or 0 for event in events]
    assert numbers == sorted(set(numbers)) and numbers[0] == 1 and numbers[-1] > 1000, "the next one's begin higher"
    assert [event.type for event in events].count("tool_finished") == 2
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)


async def test_a_worker_whose_lease_is_over_pays_for_nothing_more(quick: House) -> None:
    quick.settings = replace(quick.settings, lease_s=0.2)
    model = quick.model = Steps(hold=2)
    accepted = await accept(quick, CLIENT, "brewpubs em Denver")
    working_on = asyncio.create_task(work(quick, accepted.run_id))  # nobody renews its lease
    await model.asked.wait()
    await asyncio.sleep(0.3)
    model.go.set()
    await working_on
    run = await look(quick.database.as_client(CLIENT), accepted.run_id, steps=True)
    assert model.calls == 2  # the second was under way; its tool was not called, nor the model again
    assert [step.kind for step in run.steps] == ["model", "tool", "model"]
    assert run.status == "running"


async def test_a_worker_that_lives_keeps_a_long_run(quick: House) -> None:
    model = Held()
    quick.model = model
    async with working(quick):
        accepted = await accept(quick, CLIENT, "brewpubs em Denver")
        await model.asked.wait()
        await asyncio.sleep(2)  # more than two leases
        assert (await claim(quick.database, accepted.run, "thief"))["run_id"] is None
        model.go.set()
        assert (await ended(quick, accepted.run_id)).text == "Done."


async def test_a_run_that_takes_too_long_ends(alone: Settings) -> None:
    async with opened(replace(alone, run_timeout_s=0.3)) as house:
        house.model = Held()
        accepted = await accept(house, CLIENT, "brewpubs em Denver")
        await work(house, accepted.run_id)
        run = await look(house.database.as_client(CLIENT), accepted.run_id)
    assert (run.status, run.outcome) == ("failed", "error_timeout")


async def test_a_run_that_kills_its_workers_is_given_up(quick: House) -> None:
    model = quick.model = Held()
    accepted = await accept(quick, CLIENT, "brewpubs em Denver")
    quick.settings = replace(quick.settings, max_crashes=2)
    for _ in range(3):
        assert (await claim(quick.database, accepted.run, "dies", -1.0))["run_id"]
    await work(quick, accepted.run_id)
    run = await look(quick.database.as_client(CLIENT), accepted.run_id)
    assert (run.outcome, model.calls) == ("error_internal", 0)


async def test_a_run_that_waited_too_long_is_not_begun(quick: House) -> None:
    model = quick.model = Held()
    accepted = await accept(quick, CLIENT, "brewpubs em Denver")
    quick.settings = replace(quick.settings, run_expires_s=0.05)
    await asyncio.sleep(0.1)
    await work(quick, accepted.run_id)
    assert ((await look(quick.database.as_client(CLIENT), accepted.run_id)).outcome, model.calls) == (
        "error_timeout",
        0,
    )


async def test_runs_that_are_begun_are_finished_before_the_worker_ends(quick: House) -> None:
    model = Held()
    quick.model = model
    async with working(quick):
        accepted = await accept(quick, CLIENT, "brewpubs em Denver")
        await model.asked.wait()
        asyncio.get_running_loop().call_later(0.2, model.go.set)
    assert (await look(quick.database.as_client(CLIENT), accepted.run_id)).status == "succeeded"


async def test_what_cannot_be_finished_in_time_is_handed_back_and_goes_on_elsewhere(alone: Settings) -> None:
    model, rest = Steps(hold=3), Steps()
    async with opened(replace(alone, grace_s=0.2)) as stops:
        stops.model = model
        async with working(stops):
            accepted = await accept(stops, CLIENT, "brewpubs em Denver")
            await model.asked.wait()
        assert (await look(stops.database.as_client(CLIENT), accepted.run_id)).status == "queued"
    async with opened(replace(alone, sweep_s=60.0)) as other:  # so it is the bell that brings it
        other.model = rest
        async with working(other):
            assert (await ended(other, accepted.run_id)).status == "succeeded"
    assert (model.calls, rest.calls) == (2, 1)


async def test_a_process_of_its_own_takes_what_another_accepted(quick: House) -> None:
    process = await asyncio.create_subprocess_exec(
        BEERFORYOU, "worker", env=environment(quick.settings), stderr=subprocess.PIPE
    )
    accepted = await accept(quick, CLIENT, "oi")
    async with asyncio.timeout(20):
        events = [event.type for event in await kept(quick, accepted.run)]
    assert events[0] == "started" and events[-1] == "finished"
    process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), 20) == 0


async def test_a_run_that_its_worker_lost_is_given_back_although_the_worker_lives(quick: House) -> None:
    """Its lease was over for a moment, so it left the run; then the database hears of it again."""
    quick.settings = replace(quick.settings, lease_s=0.3)
    model = quick.model = Steps(hold=2)
    async with working(quick):
        accepted = await accept(quick, CLIENT, "brewpubs em Denver")
        await model.asked.wait()
        time.sleep(0.5)  # noqa: ASYNC251 (the whole process is still: no heartbeat either)
        model.go.set()
        run = await ended(quick, accepted.run_id)
    assert (run.status, model.calls) == ("succeeded", 3)


async def test_a_run_that_comes_twice_at_once_is_walked_once(quick: House) -> None:
    model = quick.model = Held()
    async with working(quick):
        accepted = await accept(quick, CLIENT, "brewpubs em Denver")
        for _ in range(5):
            quick.bell.ring(accepted.run_id)
        await model.asked.wait()
        await cancel(quick.database.batch, quick.publishing, quick.bell, CLIENT, accepted.run)
        assert (await ended(quick, accepted.run_id)).status == "cancelled"
    assert model.calls == 1


async def test_a_lease_that_was_renewed_too_late_counts_for_new_runs_only(quick: House) -> None:
    """A worker wakes, its heartbeat comes first, and then the run that somebody else has taken meanwhile."""
    quick.settings = replace(quick.settings, lease_s=0.2)
    worker, model = Worker(quick), Steps(hold=2)
    quick.model = model
    accepted = await accept(quick, CLIENT, "brewpubs em Denver")
    slept = asyncio.create_task(worker.work(accepted.run_id))
    await model.asked.wait()
    await asyncio.sleep(0.3)
    await worker.beat()
    model.go.set()
    await slept
    assert model.calls == 2  # the one that was under way, and none after it
