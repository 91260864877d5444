"""Following a run: its committed events in order, from any number on, in any process.

Events reach this process as they are published, over one connection for all followers. Who comes looks once into the log in
PostgreSQL; what was missed later is looked up for all of them at once, and no session of it is held in between.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from itertools import groupby
from typing import Any
from uuid import UUID

import msgspec

from beerforyou.backends.subscriptions import Subscriptions
from beerforyou.db.database import ClientReads, Reads
from beerforyou.errors import Gone, NotFound
from beerforyou.runs.journal import Event

LOOK_S = 10.0  # how often to look into the log although nothing was heard: whoever published may have died before it
LOOK_UNHEARD_S = 0.5  # the same, while the connection is down
IDLE_S = 15.0  # proxies cut what is silent for longer than 30 s or a minute
AT_ONCE = 500  # runs that are looked up by one statement
STOP = object()

log = logging.getLogger(__name__)
decode = msgspec.json.Decoder(list[Event]).decode


def channel(run_id: UUID) -> str:
    return f"beerforyou:run:{run_id.hex}"


def encode(events: Sequence[Event]) -> bytes:
    return msgspec.json.encode(events)


class _Follower:
    """Has the events of a run up to number `after`; what comes is put into the inbox."""

    def __init__(self, run_id: UUID, after: int) -> None:
        self.run_id, self.after = run_id, after
        self.inbox: asyncio.Queue[object] = asyncio.Queue()


class Following:
    """`reads` are those of the service: a follower has shown by his first look that the run is his."""

    def __init__(self, subscriptions: Subscriptions, reads: Reads) -> None:
        self._subscriptions, self._reads = subscriptions, reads
        self._followers: set[_Follower] = set()
        self._missed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._stopped = False

    def stop(self) -> None:
        """The process ends: whoever follows is let go, and continues with another."""
        self._stopped = True
        for follower in self._followers:
            follower.inbox.put_nowait(STOP)

    async def events(
        self, rows: ClientReads, run_id: UUID, after: int = 0, idle_s: float = IDLE_S
    ) -> AsyncGenerator[Event | None]:
        """Committed events after number `after` to the last one, as they come; None after `idle_s` of silence.

        Raises NotFound and Gone (they are not kept any longer) at once, before what it returns is asked for the first event.
        """
        events = self._events(rows, _Follower(run_id, after), idle_s)
        await anext(events)
        return events

    async def _events(self, rows: ClientReads, follower: _Follower, idle_s: float) -> AsyncGenerator[Event | None]:
        """Begins with None, when it listens and has looked into the log."""
        async with self._heard(follower):
            events: Sequence[Event]
            events, ended = await _log(rows, follower)
            yield None
            while not self._stopped:
                for event in events:
                    ended = ended or event.type == "finished"
                    if event.seq > follower.after:
                        follower.after = event.seq
                        yield event
                if ended:
                    return
                news = await _next(follower.inbox, idle_s)
                if news is None:
                    yield None
                events = self._fresh(news, follower)

    @contextlib.asynccontextmanager
    async def _heard(self, follower: _Follower) -> AsyncIterator[None]:
        def heard(news: bytes | None) -> None:
            follower.inbox.put_nowait(news) if news else self._missed.set()

        self._followers.add(follower)
        if self._task is None:
            self._task = asyncio.create_task(self._keep_looking())
        try:
            async with self._subscriptions.listen(channel(follower.run_id), heard):
                yield
        finally:
            self._followers.discard(follower)
            if not self._followers and self._task:
                self._task.cancel()
                self._task = None

    def _fresh(self, news: object, follower: _Follower) -> Sequence[Event]:
        """What came; nothing when there is a gap before it, since it comes again with what is missing."""
        if isinstance(news, bytes):
            events = decode(news)
            if events[0].seq <= follower.after + 1:
                return events
            self._missed.set()
        return news if isinstance(news, list) else ()

    async def _keep_looking(self) -> None:
        """For all followers together, when one has missed something, or may have."""
        looked = time.monotonic()
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_UNHEARD_S):
                    await self._missed.wait()
            if self._missed.is_set() or not self._subscriptions.live or time.monotonic() - looked > LOOK_S:
                self._missed.clear()
                looked = time.monotonic()
                try:
                    await self._look()
                except Exception as error:  # nothing may end the looking
                    log.warning("followers wait for what they missed: %s", error)
                    await asyncio.sleep(LOOK_UNHEARD_S)
                    self._missed.set()

    async def _look(self) -> None:
        followed: dict[UUID, int] = {}
        for follower in self._followers:
            followed[follower.run_id] = min(follower.after, followed.get(follower.run_id, follower.after))
        run_ids = list(followed)
        for first in range(0, len(run_ids), AT_ONCE):
            some = run_ids[first : first + AT_ONCE]
            rows = await self._reads.fetch("runs.missed", some, [followed[run_id] for run_id in some])
            self._tell({run_id: _decoded(found) for run_id, found in groupby(rows, lambda row: row["run_id"])})

    def _tell(self, events: dict[UUID, list[Event]]) -> None:
        for follower in self._followers if events else ():
            if news := events.get(follower.run_id):
                follower.inbox.put_nowait(news)


async def _next(inbox: asyncio.Queue[object], seconds: float) -> object:
    try:
        async with asyncio.timeout(seconds):
            return await inbox.get()
    except TimeoutError:
        return None


async def _log(rows: ClientReads, follower: _Follower) -> tuple[list[Event], bool]:
    """What there is by now, and whether the run has ended. Raises NotFound and Gone."""
    found = await rows.fetch("runs.events", follower.run_id, follower.after)
    if not found:
        raise NotFound(f"there is no run {follower.run_id}", "check the id")
    if found[0]["expired"]:
        answer = f"its answer is at /v1/runs/{follower.run_id}"
        raise Gone(f"the events of run {follower.run_id} are no longer kept", answer)
    return _decoded(row for row in found if row["seq"] is not None), found[0]["ended"]


def _decoded(rows: Iterable[Any]) -> list[Event]:
    return [Event(row["seq"], row["type"], msgspec.json.decode(row["data"])) for row in rows]
