"""One process of several ends, by a signal or by force, and its runs and followers go on with the others."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg

from beerforyou.settings import Settings
from tests.api.test_http import rise
from tests.processes.chaos import SHORT, environ
from tests.processes.counters import Counters, Reaper
from tests.processes.customers import Customers, events
from tests.processes.figures import RUNS as RUNS_OF
from tests.processes.fleet import Fleet, Process, fleet
from tests.processes.house import furnish
from tests.processes.mortal import STEPS
from tests.waiting import wait_until

CLIENT = "CHAOS-00"
RUNS = 6


@asynccontextmanager
async def house(
    settings: Settings, logs: Path, replicas: int, workers: int, reaper: Reaper | None = None, **env: str
) -> AsyncIterator[tuple[Fleet, Customers, Counters]]:
    """Where nobody dies by himself, unless there is a reaper."""
    await furnish(settings, [CLIENT])
    async with (
        Counters(reaper or Reaper(0.0, lambda: False), seed=0) as counters,
        fleet(settings, environ(counters) | env, logs, replicas, workers) as processes,
        Customers(settings, processes, [CLIENT], RUNS, seed=0) as customers,
    ):
        yield processes, customers, counters


async def test_a_worker_that_is_told_to_stop_ends_well_and_its_runs_are_answered(
    settings: Settings, tmp_path: Path
) -> None:
    async with house(settings, tmp_path, replicas=1, workers=1) as (processes, customers, counters):
        runs = await asyncio.gather(*(customers.said(CLIENT, None) for _ in range(RUNS)))

        async def all_begun() -> bool:
            return len({marker for marker, _ in counters.calls}) == RUNS

        await wait_until(all_begun, "the worker holds every run")
        (worker,), started = processes.workers, time.monotonic()
        assert await worker.end() == 0
        assert time.monotonic() - started < SHORT["grace_s"] + 3
        await _another(processes, worker)
        await asyncio.gather(*(customers.followed(run) for run in runs))
        ended = await _runs(settings)
        assert [(run["outcome"], run["crashes"]) for run in ended] == [("answered", 0)] * RUNS


async def _runs(settings: Settings) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(settings.database_admin_url)
    try:
        return await connection.fetch(RUNS_OF)
    finally:
        await connection.close()


async def _another(processes: Fleet, worker: Process) -> None:
    """In its place, for what it handed back."""
    worker.keep()
    await worker.ready_again()


class Grudge(Reaper):
    """Whoever comes by at that place dies, so many times."""

    def __init__(self) -> None:
        super().__init__(0.0, lambda: True)
        self.place, self.left = "", 0

    def wants(self, place: str, who: str) -> bool:
        if place != self.place or not self.left:
            return False
        self.left -= 1
        return True


async def test_a_run_that_kills_its_workers_is_given_up_wherever_it_does(settings: Settings, tmp_path: Path) -> None:
    """With -9, as early as it can be: two workers may die, and the third one ends it without going there."""
    grudge, often = Grudge(), {"BEERFORYOU_MAX_CRASHES": "1", "BEERFORYOU_LEASE_S": "1", "BEERFORYOU_SWEEP_S": "0.1"}
    async with house(settings, tmp_path, 1, 2, grudge, **often) as (_, customers, counters):
        for place in ("claim.after", "begin.before", "model1.before"):
            grudge.place, grudge.left = place, 2
            run = await customers.said(CLIENT, None)
            await customers.followed(run)
            (row,) = [row for row in await _runs(settings) if row["run_id"] == run.run_id]
            assert (row["outcome"], grudge.left, counters.calls) == ("error_internal", 0, {}), place
            assert row["crashes"] >= 2, (place, dict(row))


async def test_a_follower_of_a_replica_that_is_killed_goes_on_with_another(settings: Settings, tmp_path: Path) -> None:
    async with house(settings, tmp_path, replicas=2, workers=1) as (processes, customers, _):
        first, second = processes.replicas
        run = await customers.said(CLIENT, None)
        async with aiohttp.ClientSession(headers=customers.headers(CLIENT)) as http:
            seen = await _seen(http, first, run.run_id, last="tool_started")
            first.send(signal.SIGKILL)
            seen += await _seen(http, second, run.run_id, last="finished", after=seen[-1][0])
        assert rise(event[0] for event in seen)
        assert [event[1] for event in seen].count("answer") == 1
        assert [event[1] for event in seen].count("tool_finished") == sum(step.startswith("tool") for step in STEPS)


async def _seen(http: aiohttp.ClientSession, replica: Process, run_id: str, last: str, after: int = 0) -> list[Any]:
    """What the replica tells, up to the first event of that type."""
    found: list[Any] = []
    url = f"{replica.address}/v1/runs/{run_id}/events"
    async with asyncio.timeout(30), http.get(url, headers={"Last-Event-ID": str(after)}) as response:
        async for event in events(response.content):
            found.append(event)
            if event[1] == last:
                return found
    raise AssertionError(f"the stream ended without {last}: {found}")
