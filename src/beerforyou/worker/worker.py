"""Many runs at a time in one process: takes what the doorbell names, sweeps up what nobody took, keeps its leases."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

from beerforyou.service import Service
from beerforyou.worker.runner import work

log = logging.getLogger(__name__)


@asynccontextmanager
async def working(service: Service) -> AsyncIterator[None]:
    """A worker runs in this process until the block ends; runs that it holds by then are finished first.

    When the block is cancelled they are left: another worker takes them once their lease is over.
    """
    worker = _Worker(service)
    every = service.settings
    tasks = [
        asyncio.create_task(worker.take()),
        asyncio.create_task(_repeat(every.sweep_s, worker.sweep)),
        asyncio.create_task(_repeat(every.lease_s / 3, worker.renew)),
        asyncio.create_task(_repeat(every.sweep_s, service.catalogue.refresh)),
    ]
    try:
        yield
        tasks[0].cancel()
        await worker.drain()
    finally:
        await _stop([*tasks, *worker.runs.values()])


class _Worker:
    def __init__(self, service: Service) -> None:
        self._service = service
        self._free = asyncio.Semaphore(service.settings.worker_concurrency)
        self.runs: dict[UUID, asyncio.Task[None]] = {}

    async def take(self) -> None:
        while True:
            await self._free.acquire()
            run_id = await self._service.doorbell.get()
            if run_id in self.runs:
                self._free.release()
            else:
                self.runs[run_id] = asyncio.create_task(self._work(run_id))

    async def _work(self, run_id: UUID) -> None:
        try:
            await work(self._service, run_id)
        except Exception:
            # The row is still ours or queued; the sweep rings it again once the lease is over.
            log.exception("run %s could not be worked on", run_id)
        finally:
            del self.runs[run_id]
            self._free.release()

    async def sweep(self) -> None:
        if not self._service.doorbell.empty():
            return  # there is work enough; ringing again would only lengthen the queue
        for row in await self._service.database.service.fetch(
            "runs.waiting", self._service.settings.worker_concurrency
        ):
            self._service.doorbell.put_nowait(row["run_id"])

    async def renew(self) -> None:
        batch, name, lease_s = self._service.database.batch, self._service.worker_name, self._service.settings.lease_s
        await asyncio.gather(*(batch.write("runs.renew", run_id, name, lease_s) for run_id in self.runs))

    async def drain(self) -> None:
        await asyncio.gather(*self.runs.values(), return_exceptions=True)


async def _stop(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _repeat(seconds: float, job: Callable[[], Awaitable[object]]) -> None:
    while True:
        await asyncio.sleep(seconds)
        try:
            await job()
        except Exception:
            log.exception("%s failed; it is tried again in %s s", job.__name__, seconds)
