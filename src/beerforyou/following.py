"""Following a run: its committed events in order, from any number on, in any process.

Events reach this process as they are published, over one connection for all followers; the log in PostgreSQL fills in
what was missed, and no session of it is held in between.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from uuid import UUID

import msgspec

from beerforyou.answering.journal import Event
from beerforyou.backends.subscriptions import Subscriptions
from beerforyou.db.database import ClientReads

LOOK_S = 10.0  # how often to look into the log although nothing was heard: whoever published may have died before it
LOOK_UNHEARD_S = 0.5  # the same, while the connection is down
STOP = object()

decode = msgspec.json.Decoder(list[Event]).decode


def channel(run_id: UUID) -> str:
    return f"beerforyou:run:{run_id.hex}"


def encode(events: Sequence[Event]) -> bytes:
    return msgspec.json.encode(events)


class Following:
    def __init__(self, subscriptions: Subscriptions) -> None:
        self._subscriptions = subscriptions
        self._inboxes: set[asyncio.Queue[object]] = set()
        self._stopped = False

    def stop(self) -> None:
        """The process ends: whoever follows is let go, and continues with another."""
        self._stopped = True
        for inbox in self._inboxes:
            inbox.put_nowait(STOP)

    async def events(
        self, rows: ClientReads, run_id: UUID, after: int, idle_s: float, ended: bool
    ) -> AsyncGenerator[Event | None]:
        """Events after number `after` to the last one, as they come; None after `idle_s` of silence.

        `ended`: the run has, so that there is nothing to wait for.
        """
        inbox: asyncio.Queue[object] = asyncio.Queue()
        async with self._heard(run_id, inbox):
            batch, silent = await _log(rows, run_id, after), 0.0
            while not self._stopped:
                for event in batch:
                    ended = ended or event.type == "finished"
                    if event.seq > after:
                        after, silent = event.seq, 0.0
                        yield event
                if ended:
                    return
                patience = min(idle_s, LOOK_S if self._subscriptions.live else LOOK_UNHEARD_S)
                news = await _next(inbox, patience)
                silent += patience if news is None else 0.0
                if silent >= idle_s:
                    silent = 0.0
                    yield None
                fresh = _fresh(news, after)
                batch = await _log(rows, run_id, after) if fresh is None else fresh

    @contextlib.asynccontextmanager
    async def _heard(self, run_id: UUID, inbox: asyncio.Queue[object]) -> AsyncIterator[None]:
        self._inboxes.add(inbox)
        try:
            async with self._subscriptions.listen(channel(run_id), inbox.put_nowait):
                yield
        finally:
            self._inboxes.discard(inbox)


def _fresh(news: object, after: int) -> list[Event] | None:
    """What was published; None when only the log can say, as there is a gap."""
    if not isinstance(news, bytes):
        return None
    events = decode(news)
    return events if events[0].seq <= after + 1 else None


async def _next(inbox: asyncio.Queue[object], seconds: float) -> object:
    try:
        async with asyncio.timeout(seconds):
            return await inbox.get()
    except TimeoutError:
        return None


async def _log(rows: ClientReads, run_id: UUID, after: int) -> list[Event]:
    found = await rows.fetch("runs.events", run_id, after)
    return [Event(row["seq"], row["type"], msgspec.json.decode(row["data"])) for row in found]
