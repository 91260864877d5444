"""A client of the same installation, who must not notice what somebody else sends.

`installed` is `serve` as an operator runs it; `undisturbed` asks it, as another client and as a load balancer would, for as
long as its block lasts. A bare server in a process of its own is asked beside it: what that one takes is the machine's.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from beerforyou.settings import Settings
from tests.api.conftest import THEIRS, bearer
from tests.cli.program import environment
from tests.processes.fleet import Process

HEALTH_S, ANSWER_S = 0.2, 2.0  # what a neighbour may have to wait, on a machine that has nothing else to do
PAUSE_S = 0.05
QUESTION = "quanto gastei este ano?"


class Waits:
    """The longest that anybody waited, in seconds: for `/healthz`, and for an answer."""

    def __init__(self) -> None:
        self.health = self.answer = 0.0
        self.answers = 0
        self.answered = asyncio.Event()  # since it was last cleared


@asynccontextmanager
async def installed(settings: Settings, logs: Path, env: Mapping[str, str] | None = None) -> AsyncIterator[Process]:
    """`serve` with its worker, in a process of its own; `address` and `log` are the process's."""
    process = Process("serve", ("serve", "--port", "0", "--json"), environment(settings) | (env or {}), logs)
    process.keep()
    try:
        await process.ready_again()
        yield process
    finally:
        await process.end()


@asynccontextmanager
async def undisturbed(
    process: Process, settings: Settings, client: str = THEIRS, headers: Mapping[str, str] | None = None
) -> AsyncIterator[Waits]:
    """Fails when a neighbour waited longer than he may. `headers` hold his token where it is not one of ours."""
    waits = Waits()
    asking = [
        asyncio.create_task(job)
        for job in (_health(process, waits), _answers(process, headers or bearer(settings, client, 600), waits))
    ]
    gc.disable()  # what the collector of the tests takes is not the server's: a third of a second on a busy machine
    try:
        yield waits
        await _one_more(waits, asking)
    finally:
        gc.enable()
        for task in asking:
            task.cancel()
        ended = await asyncio.gather(*asking, return_exceptions=True)
    assert all(isinstance(end, asyncio.CancelledError) for end in ended), ended
    said = f"/healthz {waits.health:.3f} s, an answer {waits.answer:.3f} s"
    assert waits.health <= HEALTH_S and waits.answer <= ANSWER_S, said


async def _one_more(waits: Waits, asking: list[asyncio.Task[None]]) -> None:
    """The question that is under way, to its end: one that never comes must not go unseen."""
    waits.answered.clear()
    answered = asyncio.create_task(waits.answered.wait())
    await asyncio.wait([answered, *asking], return_when=asyncio.FIRST_COMPLETED)
    answered.cancel()


class _Watch:
    """Seconds since it was made, but for those that the process and this one waited for a processor meanwhile."""

    def __init__(self, process: Process) -> None:
        self._pids = (process.pid, os.getpid())
        self._started, self._queued = time.perf_counter(), self._waited()

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._started - (self._waited() - self._queued)

    def _waited(self) -> float:
        """The second figure of schedstat: nanoseconds on a run queue. Linux tells it; elsewhere all counts."""
        if sys.platform != "linux":
            return 0.0
        return sum(int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) for pid in self._pids) / 1e9


async def _health(process: Process, waits: Waits) -> None:
    """On connections of their own, as a load balancer's."""
    while True:
        watch = _Watch(process)
        async with aiohttp.ClientSession() as http, http.get(f"{process.address}/healthz") as response:
            assert response.status == 200, await response.text()
        waits.health = max(waits.health, watch.seconds)
        await asyncio.sleep(PAUSE_S)


async def _answers(process: Process, headers: Mapping[str, str], waits: Waits) -> None:
    async with aiohttp.ClientSession(process.address, headers=headers) as http:
        while True:
            watch = _Watch(process)
            async with http.post("/v1/runs", json={"message": QUESTION}) as response:
                assert response.status == 202, await response.text()
                accepted = await response.json()
            url, patience = f"/v1/runs/{accepted['run_id']}", {"prefer": "wait=60"}
            async with http.get(url, headers=patience) as response:
                run = await response.json()
            assert run["outcome"] == "answered", run
            waits.answer, waits.answers = max(waits.answer, watch.seconds), waits.answers + 1
            waits.answered.set()
            await asyncio.sleep(PAUSE_S)
