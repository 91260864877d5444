"""Connections of one login to one server, given out by turns. What waits for one waits as long as it may; what was asked is
answered within seconds, or the server is not there.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import asyncpg

from beerforyou.db.turns import OURS, Turns, Within

T = TypeVar("T")
Question = Callable[[Any], Awaitable[T]]  # put to a connection


class Pool:
    """`patience_s`: how long anybody waits for a connection, at the most. `direct`: no pooler stands between, so that a
    session is ours as long as the connection is."""

    def __init__(self, pool: asyncpg.Pool, size: int, patience_s: float, direct: bool) -> None:
        self._pool, self._turns, self.direct = pool, Turns(size, patience_s), direct
        self._answers = 0

    async def ask(self, seconds: float, question: Question[T], whose: str = OURS) -> T:
        """Raises Busy, TimeoutError when there is no answer within so many seconds, and whatever else the server answers.

        A connection that does not answer is given up: else its pool would wait for it, for ever.
        """
        async with self.acquire(timeout=seconds, whose=whose) as connection, self._heard(seconds):
            try:
                return await question(connection)
            except BaseException as error:
                if not isinstance(error, Exception):  # the time is over, or nobody wants it any more
                    connection.terminate()
                raise

    @asynccontextmanager
    async def acquire(self, *, timeout: float, whose: str = OURS) -> AsyncIterator[asyncpg.Connection]:
        """Raises Busy, and TimeoutError when the server lets nobody in for so many seconds: it is not the time of waiting."""
        await self._turns.take(whose)
        try:
            async with self._heard(timeout):
                connection = await self._pool.acquire()
            try:
                yield connection
                self._answers += 1
            finally:
                await self._pool.release(connection)
        finally:
            self._turns.give_back()

    @asynccontextmanager
    async def _heard(self, seconds: float) -> AsyncIterator[None]:
        """Who waits behind a question that nobody answers, while nobody else is answered either, learns it too."""
        before = self._answers
        try:
            async with Within(seconds):
                yield
        except TimeoutError:
            if self._answers == before:
                self._turns.fail("the database does not answer", "try again in a moment")
            raise

    async def close(self) -> None:
        self._turns.fail("the database is being left", "start again")
        await self._pool.close()


class Alone(Pool):
    """A connection that nobody else has: one asks at once, and as long as it takes."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    async def ask(self, seconds: float, question: Question[T], whose: str = OURS) -> T:
        return await question(self._connection)
