"""Connections of one login to one server, given out by turns. What waits for one waits as long as it may; what was asked is
answered within seconds, or the server is not there.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, TypeVar

import asyncpg

from beerforyou.db.turns import OURS, Turns, Within

T = TypeVar("T")
Question = Callable[[Any], Awaitable[T]]  # put to a connection
IDLE_S = 300.0  # how long a connection is kept that nobody uses; but for one
SWEEP_S = 60.0
GOODBYE_S = 1.5


class _Held(NamedTuple):
    """A connection that nobody uses, since `idle_since`, after it was used `uses` times."""

    connection: asyncpg.Connection
    uses: int
    idle_since: float


class Pool:
    """`patience_s`: how long anybody waits for a connection, at the most. `direct`: no pooler stands between, so that a
    session is ours as long as the connection is. A connection is given up after `most_uses`, and when nobody used it for a while.

    asyncpg's own pool costs a task, a shield and a proxy at each use: twice what a short statement does.
    """

    def __init__(
        self,
        connect: Callable[[], Awaitable[asyncpg.Connection]],
        size: int,
        patience_s: float,
        direct: bool,
        most_uses: int,
        first: asyncpg.Connection | None = None,
    ) -> None:
        self._connect, self._most_uses = connect, most_uses
        self._turns, self.direct = Turns(size, patience_s), direct
        # The one that was used last is taken first, so that the others can go.
        self._idle = [_Held(first, 0, time.monotonic())] if first else []
        self._used: set[asyncpg.Connection] = set()
        self._answers = 0
        self._sweep = asyncio.get_running_loop().call_later(SWEEP_S, self._give_up_idle)

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
            held = self._idle.pop() if self._idle else await self._new(timeout)
            while held.connection.is_closed():
                held = self._idle.pop() if self._idle else await self._new(timeout)
            self._used.add(held.connection)
            usable = False
            try:
                yield held.connection
                self._answers += 1
                usable = True
            except asyncpg.PostgresError:  # an answer, too
                usable = True
                raise
            finally:
                self._used.discard(held.connection)
                self._take_back(held, usable)
        finally:
            self._turns.give_back()

    async def _new(self, seconds: float) -> _Held:
        async with self._heard(seconds):
            return _Held(await self._connect(), 0, 0.0)

    def _take_back(self, held: _Held, usable: bool) -> None:
        """One that is in the middle of something is of no use to anybody."""
        connection, uses = held.connection, held.uses + 1
        if connection.is_closed():
            return
        if not usable or uses >= self._most_uses or connection.is_in_transaction():
            connection.terminate()
        else:
            self._idle.append(_Held(connection, uses, time.monotonic()))

    def _give_up_idle(self) -> None:
        self._sweep = asyncio.get_running_loop().call_later(SWEEP_S, self._give_up_idle)
        since = time.monotonic() - IDLE_S
        old = [held for held in self._idle[:-1] if held.idle_since < since]
        self._idle = [held for held in self._idle if held not in old]
        for held in old:
            held.connection.terminate()

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
        self._sweep.cancel()
        self._turns.fail("the database is being left", "start again")
        connections = [held.connection for held in self._idle] + list(self._used)
        self._idle = []
        await asyncio.gather(
            *(connection.close(timeout=GOODBYE_S) for connection in connections), return_exceptions=True
        )


class Alone(Pool):
    """A connection that nobody else has: one asks at once, and as long as it takes."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    async def ask(self, seconds: float, question: Question[T], whose: str = OURS) -> T:
        return await question(self._connection)
