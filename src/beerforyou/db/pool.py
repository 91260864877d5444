"""Connections of one login to one server, given out by turns. What waits for one waits as long as it may; what was asked is
answered within seconds, or the server is not there.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, TypeVar

import asyncpg

from beerforyou.db.turns import OURS, Turns, Within

T = TypeVar("T")
Question = Callable[[Any], Awaitable[T]]  # put to a connection


MOST_USES = 100  # until asyncpg sees a connection again, and whether it has been used for long enough
IDLE_S = 300.0  # until it is given back: a rush leaves no connections behind


class Idle(NamedTuple):
    connection: asyncpg.Connection
    uses: int
    since: float


class Pool:
    """`patience_s`: how long anybody waits for a connection, at the most. `direct`: no pooler stands between, so that a
    session is ours as long as the connection is."""

    def __init__(self, pool: asyncpg.Pool, size: int, patience_s: float, direct: bool) -> None:
        self._pool, self._turns, self.direct = pool, Turns(size, patience_s), direct
        self._answers = 0
        self._idle: deque[Idle] = deque()

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
            connection, uses = await self._taken(timeout)
            answered = False
            try:
                yield connection
                self._answers += 1
                answered = True
            finally:
                await self._left(connection, uses + 1 if answered else MOST_USES)
        finally:
            self._turns.give_back()

    async def _taken(self, timeout: float) -> tuple[asyncpg.Connection, int]:
        """The one that was used last, with how often it was used."""
        while self._idle:
            last = self._idle.pop()
            if _is_open(last.connection):
                return last.connection, last.uses
            await self._pool.release(last.connection)
        async with self._heard(timeout):
            return await self._pool.acquire(), 0

    async def _left(self, connection: asyncpg.Connection, uses: int) -> None:
        """asyncpg has a task and a shield for each release; what was answered as usual need not go back to it."""
        now = time.monotonic()
        if _is_open(connection) and connection.is_in_transaction():
            connection.terminate()  # somebody's identity may be in it
        if uses < MOST_USES and _is_open(connection):
            self._idle.append(Idle(connection, uses, now))
        else:
            await self._pool.release(connection)
        if self._idle and now - self._idle[0].since > IDLE_S:
            await self._pool.release(self._idle.popleft().connection)

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
        while self._idle:
            await self._pool.release(self._idle.pop().connection)
        await self._pool.close()


def _is_open(connection: asyncpg.Connection) -> bool:
    try:
        return not connection.is_closed()
    except asyncpg.InterfaceError:  # it ended, and its pool has already taken it back
        return False


class Alone(Pool):
    """A connection that nobody else has: one asks at once, and as long as it takes."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    async def ask(self, seconds: float, question: Question[T], whose: str = OURS) -> T:
        return await question(self._connection)
