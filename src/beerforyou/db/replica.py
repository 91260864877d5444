"""Where tools read: the replica as long as it keeps up, the primary otherwise.

A replica's delay is measured, not asked for: a position of the primary's log, taken at a known time, that the replica has
replayed says that nothing older than that time is missing. A replica that is cut off, stopped or gone shows the same way.
"""

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TypeVar

import asyncpg

from beerforyou.db.failure import answered
from beerforyou.db.pool import Pool
from beerforyou.db.queries import QUERIES
from beerforyou.errors import Busy, Unavailable

T = TypeVar("T")
SAMPLES = 1000  # those of a quarter of an hour; a replica that is away for longer comes back with the newest
log = logging.getLogger(__name__)


class Watch:
    """`fallbacks` counts the reads that went to the primary instead."""

    def __init__(self, primary: Pool, replica: Pool, limit_s: float) -> None:
        self._primary, self._replica, self._limit_s = primary, replica, limit_s
        self._samples: deque[tuple[float, int]] = deque(maxlen=SAMPLES)
        self._complete_until = -limit_s
        self._was_fresh = True
        self.fallbacks = 0
        self._task: asyncio.Task[None] | None = None

    @property
    def behind_s(self) -> float:
        return time.monotonic() - self._complete_until

    @property
    def fresh(self) -> bool:
        fresh = self.behind_s <= self._limit_s
        if fresh != self._was_fresh:
            self._was_fresh = fresh
            log.warning("the replica keeps up again" if fresh else "the replica is behind; the primary is read instead")
        return fresh

    async def start(self) -> None:
        await self._look()
        self._task = asyncio.create_task(self._repeat())

    async def stop(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _repeat(self) -> None:
        while True:
            await asyncio.sleep(min(1.0, self._limit_s / 4))
            await self._look()

    async def _look(self) -> None:
        with contextlib.suppress(Unavailable, asyncpg.PostgresError):
            now = time.monotonic()
            self._samples.append((now, await self._ask(self._primary, "replica.written")))
            replayed = await self._ask(self._replica, "replica.replayed")
            while self._samples and self._samples[0][1] <= replayed:
                self._complete_until = self._samples.popleft()[0]

    async def _ask(self, pool: Pool, query: str) -> int:
        question = pool.ask(self._limit_s, lambda connection: connection.fetchval(QUERIES[query].sql))
        return await answered(question)


class Route:
    """Asks one of two pools of the same login."""

    def __init__(self, primary: Pool, replica: Pool | None = None, watch: Watch | None = None) -> None:
        self._primary, self._replica, self._watch = primary, replica, watch

    async def ask(self, question: Callable[[Pool], Awaitable[T]]) -> T:
        """Raises Unavailable when the primary does not answer either."""
        if self._replica is not None and self._watch is not None:
            if self._watch.fresh:
                try:
                    return await question(self._replica)
                except Busy:
                    raise
                except Unavailable:
                    pass
            self._watch.fallbacks += 1
        return await question(self._primary)
