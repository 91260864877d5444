"""Following a run, or all of a conversation: committed events in order, from any number on, in any process.

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
from typing import Any, ClassVar
from uuid import UUID

import msgspec

from beerforyou.backends.subscriptions import Subscriptions
from beerforyou.db.database import ClientReads, Reads
from beerforyou.errors import Gone, NotFound
from beerforyou.runs.run import Event, event_of

LOOK_S = 10.0  # how often to look into the log although nothing was heard: whoever published may have died before it
LOOK_UNHEARD_S = 0.5  # the same, while the connection is down
IDLE_S = 15.0  # proxies cut what is silent for longer than 30 s or a minute
AT_ONCE = 500  # places that are looked up by one statement
PAGE = 100  # events of a conversation that are read at a time; it may be long
STOP = object()
DELETED = b"[]"  # is published of what is there no more

log = logging.getLogger(__name__)
decode = msgspec.json.Decoder(list[Event]).decode


def channel(followed: UUID) -> str:
    """Of a run or a conversation."""
    return f"beerforyou:events:{followed.hex}"


def encode(events: Sequence[Event]) -> bytes:
    return msgspec.json.encode(events)


class _Follower:
    """Has the events of `followed` up to number `after`; what comes is put into the inbox. `over`: nothing comes any more."""

    missed: ClassVar[str]
    last: ClassVar[str] = ""  # the type of event that nothing comes after

    def __init__(self, followed: UUID, after: int) -> None:
        self.followed, self.after, self.over = followed, after, False
        self.inbox: asyncio.Queue[object] = asyncio.Queue()

    def place(self, event: Event) -> int:
        raise NotImplementedError

    async def log(self, rows: ClientReads) -> list[Event]:
        """What there is by now. Raises NotFound and Gone."""
        raise NotImplementedError

    def taken(self, event: Event) -> bool:
        """Whether it is a new one."""
        self.over = self.over or event.type == self.last
        new = self.place(event) > self.after
        self.after = max(self.after, self.place(event))
        return new


class _OfRun(_Follower):
    missed, last = "runs.missed", "finished"

    def place(self, event: Event) -> int:
        return event.seq or 0

    async def log(self, rows: ClientReads) -> list[Event]:
        found = await rows.fetch("runs.events", self.followed, self.after)
        if not found:
            raise NotFound(f"there is no run {self.followed}", "check the id")
        if found[0]["expired"]:
            answer = f"its answer is at /v1/runs/{self.followed}"
            raise Gone(f"the events of run {self.followed} are no longer kept", answer)
        self.over = found[0]["ended"]
        return _events(found)


class _OfConversation(_Follower):
    missed = "conversations.missed"

    def place(self, event: Event) -> int:
        return event.number

    async def log(self, rows: ClientReads) -> list[Event]:
        found = await rows.fetch("conversations.events", self.followed, self.after, PAGE)
        if not found:
            raise NotFound(f"there is no conversation {self.followed}", "check the id")
        if self.after < found[0]["expired"]:
            way = f"read /v1/conversations/{self.followed}, and follow it after its last_event"
            raise Gone(f"events of conversation {self.followed} after number {self.after} are no longer kept", way)
        self.after = min(self.after, found[0]["last"])
        return _events(found)


class Following:
    """`reads` are those of the service: a follower has shown by his first look that what he follows is his."""

    def __init__(self, subscriptions: Subscriptions, reads: Reads) -> None:
        self._subscriptions, self._reads = subscriptions, reads
        self._followers: set[_Follower] = set()
        self._behind: set[_Follower] = set()
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
        """Committed events after the run's own number `after` to the last one, as they come; None after `idle_s` of silence.

        Raises NotFound and Gone (they are not kept any longer) at once, before what it returns is asked for the first event.
        """
        return await self._begun(self._events(rows, _OfRun(run_id, after), idle_s))

    async def of_conversation(
        self, rows: ClientReads, conversation_id: UUID, after: int = 0, idle_s: float = IDLE_S
    ) -> AsyncGenerator[Event | None]:
        """The same of all that happens in a conversation, by its numbers, until it is deleted."""
        return await self._begun(self._events(rows, _OfConversation(conversation_id, after), idle_s))

    async def _begun(self, events: AsyncGenerator[Event | None]) -> AsyncGenerator[Event | None]:
        await anext(events)
        return events

    async def _events(self, rows: ClientReads, follower: _Follower, idle_s: float) -> AsyncGenerator[Event | None]:
        """Begins with None, when it listens and has looked into the log."""
        async with self._heard(follower):
            events: Sequence[Event] = await follower.log(rows)
            yield None
            while not self._stopped:
                for event in events:
                    if follower.taken(event):
                        yield event
                if follower.over:
                    return
                if len(events) >= PAGE:  # there may be more
                    self._misses(follower)
                news = await _next(follower.inbox, idle_s)
                if news is None:
                    yield None
                events = self._fresh(news, follower)

    @contextlib.asynccontextmanager
    async def _heard(self, follower: _Follower) -> AsyncIterator[None]:
        def heard(news: bytes | None) -> None:
            follower.inbox.put_nowait(news) if news else self._misses(follower)

        self._followers.add(follower)
        if self._task is None:
            self._task = asyncio.create_task(self._keep_looking())
        try:
            async with self._subscriptions.listen(channel(follower.followed), heard):
                yield
        finally:
            self._followers.discard(follower)
            self._behind.discard(follower)
            if not self._followers and self._task:
                self._task.cancel()
                self._task = None

    def _misses(self, follower: _Follower) -> None:
        self._behind.add(follower)
        self._missed.set()

    def _fresh(self, news: object, follower: _Follower) -> Sequence[Event]:
        """What came; nothing when there is a gap in it or before it, since it comes again with what is missing."""
        if isinstance(news, bytes):
            events = decode(news)
            if not events:
                follower.over = True
            elif _joins(follower, events):
                return events
            else:
                self._misses(follower)
        return news if isinstance(news, list) else ()

    async def _keep_looking(self) -> None:
        """For all followers together who have missed something, or may have."""
        looked = time.monotonic()
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_UNHEARD_S):
                    await self._missed.wait()
            for_all = not self._subscriptions.live or time.monotonic() - looked > LOOK_S
            looked = time.monotonic() if for_all else looked
            behind = set(self._followers if for_all else self._behind)
            self._behind.clear()
            self._missed.clear()
            try:
                await self._look(behind)
            except Exception as error:  # nothing may end the looking
                log.warning("followers wait for what they missed: %s", error)
                await asyncio.sleep(LOOK_UNHEARD_S)
                for follower in behind & self._followers:
                    self._misses(follower)

    async def _look(self, behind: Iterable[_Follower]) -> None:
        """Followers who are at the same place are looked up as one."""
        by_place: dict[tuple[str, UUID, int], list[_Follower]] = {}
        for follower in behind:
            by_place.setdefault((follower.missed, follower.followed, follower.after), []).append(follower)
        for query, limits in ((_OfRun.missed, ()), (_OfConversation.missed, (PAGE,))):
            places = [place for place in by_place if place[0] == query]
            for first in range(0, len(places), AT_ONCE):
                some = places[first : first + AT_ONCE]
                ids, afters = [followed for _, followed, _ in some], [after for _, _, after in some]
                rows = await self._reads.fetch(query, ids, afters, *limits)
                for item, found in groupby(rows, lambda row: row["item"]):
                    _tell(by_place[some[item - 1]], _events(found))


def _tell(followers: Iterable[_Follower], events: list[Event]) -> None:
    """No events: it was deleted, and nobody heard it."""
    for follower in followers:
        follower.inbox.put_nowait(events or DELETED)


async def _next(inbox: asyncio.Queue[object], seconds: float) -> object:
    try:
        async with asyncio.timeout(seconds):
            return await inbox.get()
    except TimeoutError:
        return None


def _joins(follower: _Follower, events: Sequence[Event]) -> bool:
    first, last = follower.place(events[0]), follower.place(events[-1])
    return first <= follower.after + 1 and last - first == len(events) - 1


def _events(rows: Iterable[Any]) -> list[Event]:
    return [event_of(row) for row in rows if row["number"] is not None]
