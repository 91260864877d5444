"""Following a run, or all of a conversation: what happens, in order, from any number on, in any process.

News reach this process as they are published, over one connection for all followers, and are passed on as they are. Who
comes looks once into what PostgreSQL keeps; what was missed later is looked up for all of them at once, and no session of it is
held in between.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Set
from contextlib import asynccontextmanager
from itertools import groupby
from typing import Any, Protocol
from uuid import UUID

import msgspec

from beerforyou.backends.subscriptions import Subscriptions
from beerforyou.db.database import ClientReads, Reads
from beerforyou.errors import NotFound
from beerforyou.runs import frames
from beerforyou.runs.frames import News, unpacked
from beerforyou.runs.publishing import channel
from beerforyou.runs.run import Event

LOOK_S = 0.5  # how often to look while the connection is down, or somebody has missed something
SILENT_S = 20.0  # who has heard nothing for so long is looked up: whoever published may have died before it
AT_ONCE = 500  # places that are looked up by one statement
PAGE = 100  # events of a conversation that are read at a time; it may be long

log = logging.getLogger(__name__)


class Sink(Protocol):
    """Where a follower's events go."""

    def write(self, frames: bytes) -> None: ...

    def close(self) -> None:
        """Nothing comes any more."""


class Follower:
    """Has the events of `followed` up to number `after`. What is published before it has looked waits for that."""

    __slots__ = ("_early", "_misses", "_sink", "after", "followed", "heard_at", "over")

    def __init__(self, followed: UUID, after: int, sink: Sink) -> None:
        self.followed, self.after, self._sink = followed, after, sink
        self.over = False
        self.heard_at = time.monotonic()
        self._early: list[bytes] | None = []
        self._misses: Callable[[Follower], None] | None = None

    @property
    def channel(self) -> str:
        return channel(self.followed)

    def begin(self, misses: Callable[[Follower], None]) -> None:
        """`misses` is called when something before what came is missing."""
        self._misses = misses

    def heard(self, news: bytes | None) -> None:
        """What the subscription brings; None when something may have been missed."""
        if (news is None or not self.hear(news)) and self._misses:
            self._misses(self)

    def hear(self, news: bytes) -> bool:
        """False where something before it is missing: it comes again with that."""
        self.heard_at = time.monotonic()
        if self._early is not None:
            self._early.append(news)
            return True
        if self.over:
            return True
        if not news:
            self.end()
            return True
        return self._take(unpacked(news))

    def look(self, events: list[Event]) -> bool:
        """What is kept, which may be known. False where what was heard meanwhile does not join."""
        self.heard_at = time.monotonic()
        self._keep(events)
        early, self._early = self._early or [], None
        return all([self.hear(news) for news in early])

    def end(self) -> None:
        if not self.over:
            self.over = True
            self._sink.close()

    def _take(self, news: News) -> bool:
        if news.needs > self.after:
            return False
        if news.last > self.after:
            self._pass_on(news.frames if news.needs == self.after else frames.after(news.frames, self.after), news.last)
        if news.over:
            self.end()
        return True

    def _pass_on(self, written: bytes, last: int) -> None:
        self.after = last
        self._sink.write(written)

    def _keep(self, events: list[Event]) -> None:
        raise NotImplementedError


class OfRun(Follower):
    __slots__ = ()

    def _keep(self, events: list[Event]) -> None:
        if self.over:
            return
        if fresh := [event for event in events if (event.seq or 0) > self.after]:
            self._pass_on(frames.of_run(fresh), fresh[-1].seq or 0)
        if events and events[-1].type == "finished":
            self.end()


class OfConversation(Follower):
    """`_under_way`: how far each run was heard from its beginning on, and not from somewhere in the middle. `_ended`: runs whose
    end is among what is kept, so that what was heard of them meanwhile is old.
    """

    __slots__ = ("_ended", "_under_way")

    def __init__(self, followed: UUID, after: int, sink: Sink) -> None:
        super().__init__(followed, after, sink)
        self._under_way: dict[str, int] = {}
        self._ended: frozenset[str] = frozenset()

    def look(self, events: list[Event]) -> bool:
        self._ended = frozenset(event.run_id.hex for event in events if event.run_id and event.type == "finished")
        joined = super().look(events)
        self._ended = frozenset()
        return joined

    def _take(self, news: News) -> bool:
        if not news.run:
            return super()._take(news)
        heard = self._under_way.get(news.run, 0)
        joins = heard == news.needs or news.frames.startswith(b"event: started\n")
        if joins and news.last > heard and news.run not in self._ended:
            self._under_way = {news.run: news.last}  # one runs at a time
            self._sink.write(news.frames)
        return True

    def page(self, events: list[Event]) -> None:
        """Some of what is kept, before the rest of it is looked at."""
        self._keep(events)

    def _keep(self, events: list[Event]) -> None:
        """Last comes what is under way, without a number."""
        if fresh := [event for event in events if event.number > self.after]:
            self._pass_on(frames.of_conversation(fresh), fresh[-1].number)
        if under_way := [event for event in events if not event.number]:
            self._under_way = {event.run_id.hex: event.seq for event in under_way if event.run_id and event.seq}
            self._sink.write(frames.of_conversation(under_way))


class Following:
    """`reads` are those of the service: a follower has shown by his first look that what he follows is his."""

    def __init__(self, subscriptions: Subscriptions, reads: Reads) -> None:
        self._subscriptions, self._reads = subscriptions, reads
        self._followers: set[Follower] = set()
        self._behind: set[Follower] = set()
        self._task: asyncio.Task[None] | None = None
        self._stopped = False

    def stop(self) -> None:
        """The process ends: whoever follows is let go, and continues with another."""
        self._stopped = True
        for follower in tuple(self._followers):
            follower.end()

    async def run(self, rows: ClientReads, run_id: UUID, after: int, sink: Sink) -> Follower:
        """Its events after the run's own number `after`, to the last one. Raises NotFound, before anything is written."""
        follower = OfRun(run_id, after, sink)
        return await self._begun(follower, _kept_of_run(rows, run_id))

    async def new_run(self, run_id: UUID, sink: Sink) -> Follower:
        """The same of one that nobody works on yet, so that there is nothing to look up."""
        return await self._begun(OfRun(run_id, 0, sink), _nothing())

    async def conversation(self, rows: ClientReads, conversation_id: UUID, after: int, sink: Sink) -> Follower:
        """All that happens in a conversation, by its numbers, until it is deleted. Raises NotFound."""
        follower = OfConversation(conversation_id, after, sink)
        return await self._begun(follower, _kept_of_conversation(rows, follower))

    def leave(self, follower: Follower) -> None:
        """Whoever began must, in the end."""
        if follower in self._followers:
            self._followers.remove(follower)
            self._subscriptions.remove(follower.channel, follower.heard)
        self._behind.discard(follower)

    async def end(self, rows: ClientReads, run_id: UUID) -> None:
        """Returns when the run has ended, or this process does. Raises NotFound."""
        ended = _Ended()
        follower = await self.run(rows, run_id, 0, ended)
        try:
            await ended.wait()
        finally:
            self.leave(follower)

    @asynccontextmanager
    async def events(self, rows: ClientReads, run_id: UUID, after: int = 0) -> AsyncGenerator[AsyncGenerator[Event]]:
        """Of a run, for whoever reads them here."""
        inbox = _Inbox()
        follower = await self.run(rows, run_id, after, inbox)
        try:
            yield inbox.events()
        finally:
            self.leave(follower)

    async def _begun(self, follower: Follower, look: Coroutine[Any, Any, list[Event]]) -> Follower:
        self._followers.add(follower)
        follower.begin(self._misses)
        try:
            await self._subscriptions.add(follower.channel, follower.heard)
            if not follower.look(await look) or not self._subscriptions.live:
                self._misses(follower)
        except BaseException:
            look.close()  # of who left before his look, which nobody will await
            self.leave(follower)
            raise
        if self._stopped:
            follower.end()
        self._look_on()
        return follower

    def _misses(self, follower: Follower) -> None:
        if follower in self._followers:
            self._behind.add(follower)
            self._look_on()

    def _look_on(self) -> None:
        if self._task is None:
            self._task = asyncio.create_task(self._keep_looking())

    async def _keep_looking(self) -> None:
        """For all followers together who have missed something, or may have. Twice: it may have been told before it was kept."""
        looked: set[Follower] = set()
        while self._followers:
            missed, self._behind = self._behind, set()
            behind = {f for f in self._followers & (missed | looked | self._late()) if not f.over}
            looked = missed
            try:
                await self._look(behind)
            except Exception as error:  # nothing may end the looking
                log.warning("followers wait for what they missed: %s", error)
                self._behind |= behind & self._followers
            await asyncio.sleep(LOOK_S)
        self._task = None

    def _late(self) -> Set[Follower]:
        if not self._subscriptions.live:
            return self._followers
        silent_since = time.monotonic() - SILENT_S
        return {follower for follower in self._followers if follower.heard_at < silent_since}

    async def _look(self, behind: Iterable[Follower]) -> None:
        """Followers who are at the same place are looked up as one."""
        runs: dict[UUID, list[Follower]] = {}
        talks: dict[tuple[UUID, int], list[Follower]] = {}
        for follower in behind:
            if isinstance(follower, OfRun):
                runs.setdefault(follower.followed, []).append(follower)
            else:
                talks.setdefault((follower.followed, follower.after), []).append(follower)
        for some in _portions(list(runs)):
            for row in await self._reads.fetch("runs.missed", some):
                self._tell(runs[some[row["item"] - 1]], None if row["status"] is None else frames.kept(row))
        for places in _portions(list(talks)):
            ids, afters = [followed for followed, _ in places], [after for _, after in places]
            rows = await self._reads.fetch("conversations.missed", ids, afters, PAGE)
            for item, found in groupby(rows, lambda row: row["item"]):
                kept = list(found)
                self._tell(talks[places[item - 1]], None if kept[0]["last"] is None else _of_conversation(kept))

    def _tell(self, followers: Iterable[Follower], events: list[Event] | None) -> None:
        """No list: it was deleted, and nobody heard it."""
        for follower in followers:
            if events is None:
                follower.end()
            else:
                follower.look(events)
                if isinstance(follower, OfConversation) and len(events) >= PAGE:  # there may be more
                    self._misses(follower)


async def _nothing() -> list[Event]:
    return []


async def _kept_of_run(rows: ClientReads, run_id: UUID) -> list[Event]:
    row = await rows.fetchrow("runs.events", run_id)
    if row is None:
        raise NotFound(f"there is no run {run_id}", "check the id")
    return frames.kept(row)


async def _kept_of_conversation(rows: ClientReads, follower: OfConversation) -> list[Event]:
    """The last page; those before it are passed on as they are read, since it may be long. A follower who claims to have more than
    there is has all there is.
    """
    found = await rows.fetch("conversations.events", follower.followed, follower.after, PAGE)
    if not found:
        raise NotFound(f"there is no conversation {follower.followed}", "check the id")
    follower.after = min(follower.after, found[0]["last"])
    events = _of_conversation(found)
    while len(events) == PAGE:
        follower.page(events)
        events = _of_conversation(await rows.fetch("conversations.events", follower.followed, follower.after, PAGE))
    working = await rows.fetchrow("conversations.under_way", follower.followed)
    return events + frames.of(working["run_id"], frames.kept(working)) if working else events


def _of_conversation(rows: Iterable[Any]) -> list[Event]:
    return [
        Event(number=row["number"], run_id=row["run_id"], type=row["type"], data=msgspec.json.decode(row["data"]))
        for row in rows
        if row["number"] is not None
    ]


def _portions(places: list[Any]) -> Iterable[list[Any]]:
    return (places[first : first + AT_ONCE] for first in range(0, len(places), AT_ONCE))


class _Ended:
    """Wants to know the end, and nothing else."""

    def __init__(self) -> None:
        self._ended = asyncio.Event()
        self.wait = self._ended.wait
        self.close = self._ended.set

    def write(self, frames: bytes) -> None: ...


class _Inbox:
    """For a reader in this process."""

    def __init__(self) -> None:
        self._written: asyncio.Queue[bytes] = asyncio.Queue()
        self.write = self._written.put_nowait

    def close(self) -> None:
        self.write(b"")

    async def events(self) -> AsyncGenerator[Event]:
        while written := await self._written.get():
            for event in frames.parsed(written):
                yield event
