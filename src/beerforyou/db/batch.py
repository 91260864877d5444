"""Writes of concurrent runs, committed together.

A write is one call of a query that returns one row, mostly of a function that writes all that belongs together. Those that
come while a batch is being committed make the next one: many calls, one round trip, one commit. `write` returns when that
commit is done; nothing is weaker than alone.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from operator import itemgetter
from typing import Any

import asyncpg

from beerforyou.db.failure import explained
from beerforyou.db.pool import Pool
from beerforyou.db.queries import QUERIES
from beerforyou.errors import Unavailable

LARGEST = 200  # calls a commit; more would hold the connection, and locks, longer than a caller should wait
LONGEST_WRITE_S = 12.0  # of a statement of the service; the database itself gives up after ten
DEADLOCKS = 4  # how often a batch is repeated that PostgreSQL ended for one
PAUSE_S = 0.02  # a commit's time, before the first repetition: a row that is set free goes to whoever comes first, not to who has waited

Row = Sequence[Any]
Waiting = tuple[
    tuple[str, ...], Row, "asyncio.Future[asyncpg.Record]"
]  # in one order, so that two batches lock in one order
order: Callable[[Waiting], tuple[str, ...]] = itemgetter(0)


class _Lane:
    """One query's callers. While a batch is being committed, and until `window_s` after it began, the next one gathers."""

    def __init__(self, pool: Pool, sql: str, window_s: float) -> None:
        self._pool, self._sql, self._window_s = pool, sql, window_s
        self._waiting: list[Waiting] = []
        self._next = 0.0  # when the next batch may begin, by the loop's clock
        self._rests: asyncio.Future[None] | None = None  # while nobody waits
        self._closed = False
        self._task = asyncio.create_task(self._drain())

    def write(self, row: Row) -> asyncio.Future[asyncpg.Record]:
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((tuple(map(str, row[:2])), row, future))
        self._wake()
        return future

    def _wake(self) -> None:
        if self._rests and not self._rests.done():
            self._rests.set_result(None)

    async def _drain(self) -> None:
        """As long as the process lives: a task for each batch would cost as much as the batch."""
        loop = asyncio.get_running_loop()
        while self._waiting or not self._closed:
            if not self._waiting:
                self._rests = loop.create_future()
                await self._rests
                continue
            if (wait := self._next - loop.time()) > 0 and len(self._waiting) < LARGEST:
                await asyncio.sleep(wait)
            self._next = loop.time() + self._window_s
            batch, self._waiting = self._waiting[:LARGEST], self._waiting[LARGEST:]
            batch.sort(key=order)
            await self._commit(batch)

    async def _commit(self, batch: list[Waiting]) -> None:
        try:
            records = await self._written([row for _, row, _ in batch])
        except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as error:
            await self._one_by_one(batch, error)
        except Exception as error:
            for _, _, future in batch:
                if not future.done():
                    future.set_exception(explained(error))
        else:
            for (_, _, future), record in zip(batch, records, strict=True):
                if not future.done():
                    future.set_result(record)

    async def _written(self, rows: list[Row]) -> list[asyncpg.Record]:
        """Two batches that lock the same rows may end each other; what was undone is done again."""
        for n in range(DEADLOCKS):
            with suppress(asyncpg.DeadlockDetectedError):
                return await self._fetched(rows)
            await asyncio.sleep(PAUSE_S * 2**n)
        return await self._fetched(rows)

    async def _fetched(self, rows: list[Row]) -> list[asyncpg.Record]:
        return await self._pool.ask(LONGEST_WRITE_S, lambda connection: connection.fetchmany(self._sql, rows))

    async def _one_by_one(self, batch: list[Waiting], error: Exception) -> None:
        """One item's bad value must not cost its neighbours theirs."""
        if len(batch) == 1:
            if not batch[0][2].done():
                batch[0][2].set_exception(error)
            return
        for item in batch:
            await self._commit([item])

    async def close(self) -> None:
        """After what was asked for."""
        self._closed = True
        self._wake()
        await self._task


class Batch:
    """`await batch.write("runs.record", ...)` is one call of that query's next batch.

    Raises Unavailable when the commit is not known to have happened. Who is cancelled while it waits does not know either.
    """

    def __init__(self, pool: Pool, window_ms: float) -> None:
        self._pool, self._window_s = pool, window_ms / 1000
        self._lanes: dict[str, _Lane] = {}

    def write(self, query: str, *row: Any) -> asyncio.Future[asyncpg.Record]:
        """The query's row."""
        lane = self._lanes.get(query)
        if lane is None:
            lane = self._lanes[query] = _Lane(self._pool, QUERIES[query].sql, self._window_s)
        return lane.write(row)

    async def unlocked(self, query: str, *row: Any) -> asyncpg.Record:
        """The row of a query that knows no conversation, and so no order in which to wait: it says `busy` instead, and is asked again.

        Raises Unavailable, also where what it needs stays locked.
        """
        until = time.monotonic() + LONGEST_WRITE_S
        while (found := await self.write(query, *row))["busy"]:
            if time.monotonic() > until:
                raise Unavailable("the database holds a run locked for too long", "try again in a moment")
            await asyncio.sleep(PAUSE_S)
        return found

    async def alone(self, query: str, *args: Any) -> list[asyncpg.Record]:
        """One statement and its commit, for what is rare or brings more rows or none. Raises Unavailable, as `write` does."""
        try:
            return await self._pool.ask(LONGEST_WRITE_S, lambda connection: connection.fetch(QUERIES[query].sql, *args))
        except Exception as error:
            raise explained(error) from error

    async def close(self) -> None:
        for lane in tuple(self._lanes.values()):
            await lane.close()
