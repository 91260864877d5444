"""The doorbell: tells the queue of runs that are committed, and says when there are too many of them.

A ring that fails costs some seconds, never a run: workers sweep up what nobody was told of.
"""

from __future__ import annotations

import asyncio
import logging
import time
from uuid import UUID

from beerforyou.backends.queue import Queue
from beerforyou.db.database import Reads
from beerforyou.errors import BeerForYouError, TooMany

log = logging.getLogger(__name__)

FULL_S = 1.0  # how long a queue that refused is taken for full
LOOK_S = 1.0  # how long a count of the waiting is believed; our own are added to it in between
RETRY_AFTER_S = 5.0


class Bell:
    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._pending: list[UUID] = []
        self._task: asyncio.Task[None] | None = None
        self._full_until = 0.0

    @property
    def full(self) -> bool:
        return time.monotonic() < self._full_until

    def ring(self, run_id: UUID) -> None:
        """Returns at once; runs that are rung together share a message."""
        self._pending.append(run_id)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._put())

    async def _put(self) -> None:
        while self._pending:
            runs, self._pending = self._pending, []
            try:
                await self._queue.put(runs)
            except TooMany:
                self._full_until = time.monotonic() + FULL_S
            except BeerForYouError as error:
                log.warning("%d runs wait for a worker's sweep: %s", len(runs), error.message)

    async def close(self) -> None:
        if self._task is not None:
            await self._task


class Pressure:
    """How many runs wait, over all clients."""

    def __init__(self, bell: Bell, reads: Reads, limit: int) -> None:
        self._bell, self._reads, self._limit = bell, reads, limit
        self._waiting, self._seen = 0, -LOOK_S

    async def check(self) -> None:
        """Raises TooMany, before anything is written."""
        if time.monotonic() - self._seen > LOOK_S:
            self._seen = time.monotonic()
            row = await self._reads.fetchrow("runs.queued", self._limit)
            self._waiting = row["runs"] if row else 0
        if self._bell.full or self._waiting >= self._limit:
            raise too_many("too many requests are waiting for an answer", RETRY_AFTER_S)

    def one_more(self) -> None:
        self._waiting += 1


def too_many(message: str, seconds: float) -> TooMany:
    error = TooMany(message, f"try again in {seconds:g} seconds")
    error.retry_after_s = seconds
    return error
