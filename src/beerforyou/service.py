"""The one place that opens connections, and what API, worker and command line ask of the house.

A question goes in by `accept`, is walked by a worker (`beerforyou.worker`), and is looked at by `run` and `follow`: all
three are views of rows in PostgreSQL. The queue says that there is work (ringing.py), and what happens to a run is
published to those who follow it (following.py).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Literal
from uuid import UUID

import msgspec

from beerforyou import following
from beerforyou.answering.input_guard import check_message
from beerforyou.answering.journal import Event
from beerforyou.backends import queue
from beerforyou.backends.embedded import full, settings_with_servers, watched
from beerforyou.backends.subscriptions import Subscriptions
from beerforyou.backends.valkey import Valkey, unheeded
from beerforyou.blocks import AnyBlock
from beerforyou.catalogue.refresh import Current
from beerforyou.db import database
from beerforyou.errors import Conflict, Gone, NotAllowed, NotFound, SetupError, Unavailable
from beerforyou.idempotency import ONCE, Asked, answered
from beerforyou.llm.connect import connect
from beerforyou.llm.model import Model
from beerforyou.ringing import Bell, Pressure, too_many
from beerforyou.settings import Settings
from beerforyou.tools.tool import SCOPES

log = logging.getLogger(__name__)

CANCEL = "beerforyou:cancel"  # where the ids of runs are published that somebody asked to cancel
FENCE_FRESH_S = 10.0  # how long it is believed that the fence stands; a look costs some milliseconds
BUSY_S = 2.0  # how soon to try again for a client whose runs are all at work

AGAIN = "make room, then do the same again"

OnBusy = Literal["enqueue", "reject", "interrupt"]
Ending = Literal["cancelling", "succeeded", "failed", "cancelled"]


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    run_id: UUID
    conversation_id: UUID
    status: str = "queued"


class Service:
    def __init__(
        self,
        settings: Settings,
        db: database.Database,
        valkey: Valkey,
        subscriptions: Subscriptions,
        doorbell: queue.Queue,
        catalogue: Current,
        model: Model,
    ) -> None:
        self.settings, self.database, self.valkey, self.catalogue, self.model = settings, db, valkey, catalogue, model
        self.subscriptions, self.queue = subscriptions, doorbell
        self.following = following.Following(subscriptions, db.service)
        self.bell = Bell(doorbell)
        self._pressure = Pressure(self.bell, db.service, settings.queue_limit)
        # Not by process id alone: in a container it is the same after a restart.
        self.worker_name = f"{os.uname().nodename}-{os.getpid()}-{secrets.token_hex(4)}"
        self._fence_seen = -FENCE_FRESH_S

    async def accept(
        self,
        client_id: str,
        message: str,
        conversation_id: UUID | None = None,
        scopes: frozenset[str] = SCOPES,
        on_busy: OnBusy = "enqueue",
        asked: Asked = ONCE,
    ) -> Accepted:
        """Commits the message and its run, then rings.

        Raises BadInput, NotAllowed (no such client), NotFound, TooMany, and Conflict (the conversation is busy and
        `on_busy` is reject, or an equal request is under way).
        """
        text = check_message(message, self.settings.max_message_chars)
        await self._pressure.check()
        scopes_text, most = " ".join(sorted(scopes)), self.settings.client_concurrency
        row = await self.database.batch.write(
            "runs.accept", client_id, conversation_id, text, scopes_text, on_busy, most, asked.key, asked.sent
        )
        assert row is not None
        if earlier := answered(row["earlier"]):
            return msgspec.convert(earlier, Accepted)
        if row["refusal"]:
            raise _refusal(row["refusal"], client_id, conversation_id)
        for run_id in row["interrupted"]:
            self._publish(CANCEL, run_id.bytes)
        self._pressure.one_more()
        self.bell.ring(row["run_id"])
        return Accepted(run_id=row["run_id"], conversation_id=row["conversation_id"])

    async def cancel(self, client_id: str, run_id: UUID, asked: Asked = ONCE) -> Ending:
        """Asks for the run's end; it comes before its next step that costs. Returns `cancelling`, or how it had ended.

        Raises NotFound, and Conflict as `accept` does.
        """
        row = await self.database.batch.write("runs.cancel", client_id, run_id, asked.key, asked.sent)
        assert row is not None
        earlier = answered(row["earlier"])
        status = earlier["status"] if earlier else row["status"]
        if status is None:
            raise NotFound(f"there is no run {run_id}", "check the id")
        if status != "cancelling":
            return status
        self._publish(CANCEL, run_id.bytes)
        self.bell.ring(run_id)
        return "cancelling"

    async def run(self, client_id: str, run_id: UUID, steps: bool = False) -> dict[str, Any]:
        """The run as it stands; with `steps`, its ledger too. Raises NotFound, also for another client's."""
        rows = self.database.as_client(client_id)
        row = await rows.fetchrow("runs.run", run_id)
        if row is None:
            raise NotFound(f"there is no run {run_id}", "check the id")
        run = _decoded(row)
        if steps:
            run["steps"] = [_decoded(step) for step in await rows.fetch("runs.steps", run_id)]
        return run

    async def conversation(self, client_id: str, conversation_id: UUID) -> dict[str, Any]:
        rows = await self.database.as_client(client_id).fetch("runs.conversation", conversation_id)
        if not rows:
            raise NotFound(f"there is no conversation {conversation_id}", "check the id")
        return {"conversation_id": conversation_id, "messages": [_decoded(row) for row in rows]}

    async def follow(
        self, client_id: str, run_id: UUID, after: int = 0, idle_s: float = 15.0
    ) -> AsyncGenerator[Event | None]:
        """Committed events after number `after`, as they come, to the last one; None after `idle_s` of silence.

        Raises NotFound and Gone (they are not kept any longer) at once; the events come from what it returns.
        """
        return await self.following.events(self.database.as_client(client_id), run_id, after, idle_s)

    async def ended(self, client_id: str, run_id: UUID, seconds: float, steps: bool = False) -> dict[str, Any]:
        """The run once it has ended, or as it stands after so many seconds. Raises NotFound."""
        with contextlib.suppress(TimeoutError, Gone):
            async with asyncio.timeout(seconds), contextlib.aclosing(await self.follow(client_id, run_id)) as events:
                async for _ in events:
                    pass
        return await self.run(client_id, run_id, steps)

    def publish(self, run_id: UUID, events: Sequence[Event]) -> None:
        """To all who follow the run, wherever they are. Nobody waits for it: the log has the events."""
        if events:
            self._publish(following.channel(run_id), following.encode(events))

    def _publish(self, channel: str, data: bytes) -> None:
        self.valkey("PUBLISH", channel, data).add_done_callback(unheeded)

    async def ready(self) -> dict[str, bool]:
        """Who answers, of those without whom nothing works."""
        checks = {
            "postgresql": self.database.read.fetchrow("catalogue.version"),
            "valkey": self.valkey("PING"),
            "queue": self.queue.ready(),
            "fence": self._fence_stands(),
            "disk": self._disk_has_room(),
        }
        answers = await asyncio.gather(*checks.values(), return_exceptions=True)
        return {name: not isinstance(answer, BaseException) for name, answer in zip(checks, answers, strict=True)}

    async def holes(self) -> list[str]:
        """Where the fence around the clients' data is not as it was laid; there must be none."""
        return [row["hole"] for row in await self.database.read.fetch("checks.holes")]

    async def _disk_has_room(self) -> None:
        """Of the embedded servers: reads go on without any, so nobody else would say. Raises SetupError and OSError."""
        if full(self.settings):
            log.error("the disk of %s is full", self.settings.data)
            raise SetupError("the disk of the embedded servers is full", "make room")

    async def _fence_stands(self) -> None:
        """Looks every `FENCE_FRESH_S`. Raises SetupError."""
        if time.monotonic() - self._fence_seen > FENCE_FRESH_S:
            if holes := await self.holes():
                log.critical("the fence is down: %s", "; ".join(holes))
                raise SetupError(f"the fence is down: {holes[0]}", "run `beerforyou db migrate`")
            self._fence_seen = time.monotonic()


@asynccontextmanager
async def prepared(settings: Settings, *, keep: bool = False) -> AsyncIterator[Settings]:
    """Settings in which every URL is filled in: the embedded servers run where no URL says otherwise. `keep`: those that
    die are started again."""
    # Not in a thread: nothing else runs yet, and a Ctrl-C must not come between the start and its handle.
    complete, servers = settings_with_servers(settings)
    with servers or contextlib.nullcontext():
        try:
            async with watched(servers) if servers and keep else contextlib.nullcontext():
                yield complete
        except Unavailable as error:
            if full(complete):
                raise Unavailable(f"the disk of {settings.data} is full: {error.message}", AGAIN) from None
            raise


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Service]:
    """A service with everything connected."""
    async with prepared(settings, keep=True) as complete, AsyncExitStack() as stack:
        db = await database.connect(complete)
        stack.push_async_callback(db.close)
        valkey = await Valkey.connect(complete.valkey_url)
        stack.push_async_callback(valkey.close)
        subscriptions = await Subscriptions.connect(complete.valkey_url)
        stack.push_async_callback(subscriptions.close)
        doorbell = await queue.connect(complete)
        stack.push_async_callback(doorbell.close)
        model = connect(complete)
        stack.push_async_callback(model.close)
        service = Service(complete, db, valkey, subscriptions, doorbell, await Current.load(db.read), model)
        stack.push_async_callback(service.bell.close)
        yield service


def _refusal(why: str, client_id: str, conversation_id: UUID | None) -> Exception:
    match why:
        case "client":
            return NotAllowed(f"the client {client_id} is not known here", "ask the operator to load it")
        case "conversation":
            hint = "leave conversation_id out to begin a new one"
            return NotFound(f"there is no conversation {conversation_id}", hint)
        case "many":
            return too_many("too many of your messages are waiting for an answer", BUSY_S)
        case _:
            hint = "wait for the answer before, or send on_busy as enqueue or interrupt"
            return Conflict(f"conversation {conversation_id} is busy with another message", hint)


_JSON = {"versions", "usage", "decisions", "input", "output"}


def _decoded(row: Any) -> dict[str, Any]:
    """A row with its JSON columns decoded and blocks typed."""
    values = {k: msgspec.json.decode(v) if k in _JSON and v is not None else v for k, v in row.items()}
    if "blocks" in values:
        values["blocks"] = msgspec.json.decode(values["blocks"] or "[]", type=list[AnyBlock])
    return values
