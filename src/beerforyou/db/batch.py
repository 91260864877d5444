"""Writes of concurrent runs, committed together.

A write query takes one array per column and returns one row per item (`item`, from 1), so that a hundred callers cost
one statement, one round trip and one commit. `write` returns when that commit is done; nothing is weaker than alone.
"""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

import asyncpg

from beerforyou.db.failure import explained
from beerforyou.db.pool import Pool
from beerforyou.db.queries import QUERIES

LARGEST = 500  # items a statement; more would hold the connection longer than a caller should wait
LONGEST_WRITE_S = 12.0  # of a statement of the service; the database itself gives up after ten
DEADLOCKS = 2  # how often a statement is repeated that PostgreSQL ended for one

Row = Sequence[Any]


class _Lane:
    """One query's callers. While a batch is being committed, the next one gathers."""

    def __init__(self, pool: Pool, sql: str, window_s: float) -> None:
        self._pool, self._sql, self._window_s = pool, sql, window_s
        self._waiting: list[tuple[Row, asyncio.Future[asyncpg.Record | None]]] = []
        self._task: asyncio.Task[None] | None = None

    async def write(self, row: Row) -> asyncpg.Record | None:
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((row, future))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._drain())
        return await asyncio.shield(future)

    async def _drain(self) -> None:
        while self._waiting:
            if self._window_s and len(self._waiting) < LARGEST:
                await asyncio.sleep(self._window_s)
            batch, self._waiting = self._waiting[:LARGEST], self._waiting[LARGEST:]
            await self._commit(batch)

    async def _commit(self, batch: list[tuple[Row, "asyncio.Future[asyncpg.Record | None]"]]) -> None:
        try:
            records = await self._written(zip(*(row for row, _ in batch), strict=True))
        except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as error:
            await self._one_by_one(batch, error)
        except Exception as error:
            for _, future in batch:
                future.set_exception(explained(error))
        else:
            answers = {record["item"]: record for record in records}
            for number, (_, future) in enumerate(batch, start=1):
                future.set_result(answers.get(number))

    async def _written(self, columns: Iterable[Row]) -> list[asyncpg.Record]:
        """Two batches that lock the same rows may end each other; what was undone is done again."""
        columns = tuple(columns)
        for _ in range(DEADLOCKS):
            with suppress(asyncpg.DeadlockDetectedError):
                return await _fetched(self._pool, self._sql, *columns)
        return await _fetched(self._pool, self._sql, *columns)

    async def _one_by_one(
        self, batch: list[tuple[Row, "asyncio.Future[asyncpg.Record | None]"]], error: Exception
    ) -> None:
        """One item's bad value must not cost its neighbours theirs."""
        if len(batch) == 1:
            batch[0][1].set_exception(error)
            return
        for item in batch:
            await self._commit([item])

    async def close(self) -> None:
        if self._task is not None:
            await self._task


class Batch:
    """`await batch.write("runs.accept", ...)` is one item of that query's next batch.

    Returns the item's row, or None when the query gave it none. Raises Unavailable when the commit is not known to
    have happened.
    """

    def __init__(self, pool: Pool, window_ms: float) -> None:
        self._pool, self._window_s = pool, window_ms / 1000
        self._lanes: dict[str, _Lane] = {}

    async def write(self, query: str, *row: Any) -> asyncpg.Record | None:
        lane = self._lanes.get(query)
        if lane is None:
            lane = self._lanes[query] = _Lane(self._pool, QUERIES[query].sql, self._window_s)
        return await lane.write(row)

    async def alone(self, query: str, *args: Any) -> list[asyncpg.Record]:
        """One statement and its commit, for what is rare or cannot be gathered. Raises Unavailable, as `write` does."""
        try:
            return await _fetched(self._pool, QUERIES[query].sql, *args)
        except Exception as error:
            raise explained(error) from error

    async def close(self) -> None:
        for lane in tuple(self._lanes.values()):
            await lane.close()


async def _fetched(pool: Pool, sql: str, *args: Any) -> list[asyncpg.Record]:
    return await pool.ask(LONGEST_WRITE_S, lambda connection: connection.fetch(sql, *args))
