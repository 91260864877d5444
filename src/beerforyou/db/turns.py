"""Who waits, and for how long. Waiting for a place of our own is no failure of a server, so that what it takes is counted
apart from what an answer takes.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar, Token
from typing import Any

from beerforyou.errors import Busy, Unavailable

OURS = ""  # whose turn it is of what is asked for all: little, and others depend on it
TICKS = 12  # of a time limit; to read an answer takes a loop that is late some rounds, a statement has some answers

_limit: ContextVar[WorkLimit | None] = ContextVar("_limit", default=None)


class Turns:
    """So many places. Clients get one in rotation, each client's own in the order in which they came, `OURS` before them."""

    def __init__(self, places: int, patience_s: float) -> None:
        self._free, self._patience_s = places, patience_s
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    async def take(self, whose: str) -> None:
        """Raises Busy, and Unavailable when `fail` says so."""
        if self._free:
            self._free -= 1
            return
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(whose, deque()).append(mine)
        try:
            with _work_stands_still():
                async with asyncio.timeout(self._patience_s):
                    await mine
        except BaseException as error:
            if mine.done() and not mine.cancelled() and mine.exception() is None:
                self.give_back()  # it came too late
            if isinstance(error, TimeoutError):
                raise self._too_many() from None
            raise

    def give_back(self) -> None:
        """The next one's turn."""
        while self._waiting:
            next_one = self._next()
            if not next_one.done():  # one who left
                next_one.set_result(None)
                return
        self._free += 1

    def fail(self, message: str, hint: str) -> None:
        """For all who wait, there is nothing to wait for."""
        waiting, self._waiting = self._waiting, OrderedDict()
        for one in (one for queue in waiting.values() for one in queue if not one.done()):
            one.set_exception(Unavailable(message, hint))

    def _next(self) -> asyncio.Future[None]:
        whose = OURS if OURS in self._waiting else next(iter(self._waiting))
        queue = self._waiting[whose]
        first = queue.popleft()
        if queue:
            self._waiting.move_to_end(whose)
        else:
            del self._waiting[whose]
        return first

    def _too_many(self) -> Busy:
        waiting = sum(map(len, self._waiting.values()))
        return Busy(f"we are busy: {waiting} questions wait for a connection to the database", "try again in a moment")


class Within:
    """`async with Within(seconds)`: for an answer from outside. Raises TimeoutError.

    Counted in ticks: a loop that was late itself has looked for the answer as often by the last of them.
    """

    def __init__(self, seconds: float) -> None:
        self._limit, self._tick_s, self._left = asyncio.timeout(None), seconds / TICKS, TICKS

    async def __aenter__(self) -> None:
        await self._limit.__aenter__()
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(self._tick_s, self._tick)

    async def __aexit__(self, *ended: Any) -> None:
        self._timer.cancel()
        await self._limit.__aexit__(*ended)

    def _tick(self) -> None:
        self._left -= 1
        if self._left:
            self._timer = self._loop.call_later(self._tick_s, self._tick)
        else:
            self._limit.reschedule(self._loop.time())


class WorkLimit:
    """`async with WorkLimit(seconds)`: a time limit that stands still while a turn is waited for. Raises TimeoutError."""

    def __init__(self, seconds: float) -> None:
        self._limit, self._waiting, self._left = asyncio.timeout(seconds), 0, seconds
        self._token: Token[WorkLimit | None] | None = None

    async def __aenter__(self) -> None:
        self._token = _limit.set(self)
        await self._limit.__aenter__()

    async def __aexit__(self, *ended: Any) -> None:
        assert self._token
        _limit.reset(self._token)
        self._token = None
        await self._limit.__aexit__(*ended)

    @contextmanager
    def stands_still(self) -> Iterator[None]:
        """For several who wait at once, until the last of them has a turn."""
        now = asyncio.get_running_loop().time
        if self._counts and not self._waiting:
            self._left = (self._limit.when() or now()) - now()
            self._limit.reschedule(None)
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1
            if self._counts and not self._waiting:
                self._limit.reschedule(now() + self._left)

    @property
    def _counts(self) -> bool:
        return self._token is not None and not self._limit.expired()


def _work_stands_still() -> AbstractContextManager[None]:
    limit = _limit.get()
    return limit.stands_still() if limit else nullcontext()
