"""Many runs at a time in one process: takes what the queue names, sweeps up what nobody took, keeps its lease, and hands
back what it cannot finish in time when it is told to stop.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from uuid import UUID

from beerforyou.answering.run import Attempt
from beerforyou.backends.queue import Delivery
from beerforyou.errors import BeerForYouError
from beerforyou.house import House
from beerforyou.runs.lease import Lease
from beerforyou.runs.publishing import CANCEL
from beerforyou.seams import through
from beerforyou.webhooks.delivery import Postman
from beerforyou.worker.housekeeping import keep_house

log = logging.getLogger(__name__)

HOUSEKEEPING_S = 60.0
TAKE_AGAIN_S = 1.0  # after an error that nobody foresaw
POST_S = 1.0  # how often to look for webhooks that are due, while there is reason to


@asynccontextmanager
async def working(house: House) -> AsyncIterator[None]:
    """A worker runs in this process until the block ends. Runs that it holds by then get the grace period; those that are
    not finished in it go on with another worker.

    When the block is cancelled they are left: another worker takes them once the lease is over.
    """
    worker, settings = Worker(house), house.settings
    await worker.beat()
    postman, begun = Postman(house.database, settings), asyncio.get_running_loop().time()
    tasks = [
        asyncio.create_task(_repeat(TAKE_AGAIN_S, worker.take, begun)),
        *(
            asyncio.create_task(_repeat(seconds, job, begun))
            for seconds, job in (
                (settings.sweep_s, worker.sweep),
                (settings.lease_s / 3, worker.beat),
                (settings.sweep_s, house.catalogue.refresh),
                (POST_S, lambda: postman.go_round(worker.has_ended_runs())),
                (HOUSEKEEPING_S, lambda: keep_house(house)),
            )
        ),
    ]
    try:
        async with house.subscriptions.listen(CANCEL, worker.heard):
            yield
            await _stop(tasks[:1])
            await worker.drain(settings.grace_s)
    finally:
        await _stop([*tasks, *worker.tasks, *worker.afterwards])
        await postman.close()


async def work(house: House, run_id: UUID) -> None:
    """One run, here and now; for who asks and waits in one process."""
    await Worker(house).work(run_id)


class Worker:
    def __init__(self, house: House) -> None:
        self._house = house
        self._lease = Lease(house.settings.lease_s)
        self._free = asyncio.Semaphore(house.settings.worker_concurrency)
        self._attempts: dict[UUID, Attempt] = {}
        self._dropped: dict[UUID, tuple[int | None, bool]] = {}
        self._acks: set[asyncio.Task[None]] = set()
        self.tasks: set[asyncio.Task[None]] = set()
        self.afterwards: set[asyncio.Task[None]] = set()
        self._ended_some = False
        self._adopted: set[str] = set()

    async def work(self, run_id: UUID) -> None:
        """One run, from beginning to end. Raises Unavailable when the database does not answer for too long."""
        attempt = self._attempts[run_id] = Attempt(self._house, self._lease, run_id)
        await self._through(attempt)

    async def _through(self, attempt: Attempt) -> None:
        try:
            await attempt.work()
        finally:
            await attempt.settled()
            self._ended_some = True
            del self._attempts[attempt.run_id]
            if not attempt.over:  # it may still be ours by the database, and goes back with the next heartbeat
                self._dropped[attempt.run_id] = attempt.fencing_token, attempt.blamed

    async def take(self) -> None:
        """Takes no message before there is room for a run."""
        while True:
            await self._free.acquire()
            try:
                delivery = await self._house.queue.take()
            except BaseException:
                self._free.release()
                raise
            self._free.release()
            attempts = [attempt for run_id in delivery.run_ids if (attempt := await self._begin(run_id))]
            ack = asyncio.create_task(self._ack(delivery, attempts))
            self._acks.add(ack)
            ack.add_done_callback(self._acks.discard)

    async def sweep(self) -> None:
        """Nothing is swept while there is no room, and no more than there is room for."""
        reads, settings = self._house.database.service, self._house.settings
        room = settings.worker_concurrency - len(self.tasks)
        which = room, settings.sweep_s, settings.planner, self._lease.seconds
        for row in await reads.fetch("runs.waiting", *which) if room else []:
            self._tell(row["planner"])
            await self._begin(row["run_id"])

    def has_ended_runs(self) -> bool:
        """Since it was asked last."""
        some, self._ended_some = self._ended_some, False
        return some

    async def beat(self) -> None:
        sent, house, dropped = time.monotonic(), self._house, dict(self._dropped)
        tokens, blamed = [token for token, _ in dropped.values()], [blamed for _, blamed in dropped.values()]
        rows = await house.database.batch.alone(
            "runs.heartbeat",
            house.worker_name,
            self._lease.seconds,
            list(dropped),
            tokens,
            blamed,
            house.settings.planner,
        )
        self._lease.renewed(sent, self._lease.seconds)
        self._dropped = dict(self._dropped.items() - dropped.items())
        self._cancel(row["run_id"] for row in rows)

    def heard(self, run_id: bytes | None) -> None:
        """Somebody asked to cancel a run, of this worker or another. What is missed comes with the next heartbeat."""
        if run_id is not None:
            self._cancel([UUID(bytes=run_id)])

    async def drain(self, seconds: float) -> None:
        """Finishes what is held, or hands it back after so many seconds."""
        if self.tasks:
            await asyncio.wait(self.tasks, timeout=seconds)
        await _stop(self.tasks)
        await asyncio.gather(*self._acks, return_exceptions=True)
        try:
            rows = await self._house.database.batch.alone("runs.leave", self._house.worker_name)
        except BeerForYouError as error:
            log.warning("runs are left until the lease is over: %s", error.message)
            return
        for row in rows:
            self._house.bell.ring(row["run_id"])

    def _cancel(self, run_ids: Iterable[UUID]) -> None:
        for run_id in run_ids:
            if attempt := self._attempts.get(run_id):
                attempt.cancel()

    def _tell(self, planner: str | None) -> None:
        """Once of each: all processes of an installation are meant to plan with the same model, or to have workers of their own."""
        ours = self._house.settings.planner
        if planner and planner != ours and planner not in self._adopted:
            self._adopted.add(planner)
            log.warning("runs accepted for %s, of which no worker lives, are planned with %s", planner, ours)

    async def _begin(self, run_id: UUID) -> Attempt | None:
        """Waits for room: none is claimed that could not begin at once."""
        await self._free.acquire()
        if run_id in self._attempts:  # the sweep and the queue may bring the same run in the same moment
            self._free.release()
            return None
        attempt = self._attempts[run_id] = Attempt(self._house, self._lease, run_id)
        task = asyncio.create_task(self._work(attempt))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        await asyncio.sleep(0)  # it begins
        return attempt

    async def _work(self, attempt: Attempt) -> None:
        try:
            await self._through(attempt)
        except BeerForYouError as error:
            log.warning("run %s goes to another worker: %s", attempt.run_id, error.message)
        except Exception:
            log.exception("run %s could not be worked on", attempt.run_id)
        finally:
            self._free.release()
        if attempt.afterwards:
            task = asyncio.create_task(attempt.afterwards())
            self.afterwards.add(task)
            task.add_done_callback(self.afterwards.discard)

    async def _ack(self, delivery: Delivery, attempts: list[Attempt]) -> None:
        """Once it is known of each run whether it is ours: the row has the lease, and the message has done its work."""
        for attempt in attempts:
            await attempt.claimed.wait()
        await through("ack", delivery.run_ids[0], self._house.queue.ack(delivery))


async def _stop(tasks: Iterable[asyncio.Task[None]]) -> None:
    tasks = list(tasks)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _repeat(seconds: float, job: Callable[[], Awaitable[object]], begun: float) -> None:
    """At so many seconds after `begun`, twice as many, and so on: what is done every so often wakes the process up together."""
    clock = asyncio.get_running_loop().time
    while True:
        try:
            await job()
        except BeerForYouError as error:
            log.warning("%s; it is tried again in %g s", error.message, seconds)
        except Exception:
            log.exception("%s failed; it is tried again in %g s", job.__name__, seconds)
        await asyncio.sleep(seconds - (clock() - begun) % seconds)
