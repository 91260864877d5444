"""The one place that opens connections, and what API, worker and command line ask of the house.

A question goes in by `accept`, is walked by a worker (`beerforyou.worker`), and is looked at by `run` and `follow`: all
three are views of rows in PostgreSQL.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from uuid import UUID

import msgspec

from beerforyou.answering.input_guard import check_message
from beerforyou.answering.journal import Event
from beerforyou.backends.embedded import settings_with_servers
from beerforyou.backends.valkey import Valkey
from beerforyou.blocks import AnyBlock
from beerforyou.catalogue.refresh import Current
from beerforyou.db import database
from beerforyou.errors import NotAllowed, NotFound, SetupError
from beerforyou.llm.connect import connect
from beerforyou.llm.model import Model
from beerforyou.settings import Settings
from beerforyou.tools.tool import SCOPES

log = logging.getLogger(__name__)

FENCE_FRESH_S = 10.0  # how long it is believed that the fence stands; a look costs some milliseconds
POLL_S = 0.5  # how soon a follower sees events that another process committed


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    run_id: UUID
    conversation_id: UUID
    status: str = "queued"


class Service:
    def __init__(
        self, settings: Settings, db: database.Database, valkey: Valkey, catalogue: Current, model: Model
    ) -> None:
        self.settings, self.database, self.valkey, self.catalogue, self.model = settings, db, valkey, catalogue, model
        # Not by process id alone: in a container it is the same after a restart.
        self.worker_name = f"{os.uname().nodename}-{os.getpid()}-{secrets.token_hex(4)}"
        self.doorbell: asyncio.Queue[UUID] = asyncio.Queue()
        self._stopping = False
        self._fence_seen = -FENCE_FRESH_S
        self._followers: dict[UUID, set[asyncio.Event]] = defaultdict(set)

    async def accept(
        self, client_id: str, message: str, conversation_id: UUID | None = None, scopes: frozenset[str] = SCOPES
    ) -> Accepted:
        """Commits the message and its run, then rings. Raises BadInput, NotAllowed (no such client), NotFound."""
        text = check_message(message, self.settings.max_message_chars)
        row = await self.database.batch.write("runs.accept", client_id, conversation_id, text, " ".join(sorted(scopes)))
        assert row is not None
        if not row["client_known"]:
            raise NotAllowed(f"the client {client_id} is not known here", "ask the operator to load it")
        if not row["conversation_known"]:
            raise NotFound(
                f"there is no conversation {conversation_id}", "leave conversation_id out to begin a new one"
            )
        self.doorbell.put_nowait(row["run_id"])
        return Accepted(run_id=row["run_id"], conversation_id=row["conversation_id"])

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
    ) -> AsyncIterator[Event | None]:
        """Committed events after number `after`, as they come, to the last one; None after `idle_s` of silence.

        Raises NotFound at once; the events come from what it returns.
        """
        run = await self.run(client_id, run_id)
        return self._events(client_id, run_id, after, idle_s, ended=run["finished_at"] is not None)

    async def _events(
        self, client_id: str, run_id: UUID, after: int, idle_s: float, ended: bool
    ) -> AsyncIterator[Event | None]:
        rows, rung, silent = self.database.as_client(client_id), asyncio.Event(), 0.0
        self._followers[run_id].add(rung)
        try:
            while not self._stopping:
                rung.clear()
                for row in await rows.fetch("runs.events", run_id, after):
                    after, silent = row["seq"], 0.0
                    yield Event(row["seq"], row["type"], msgspec.json.decode(row["data"]))
                    ended = ended or row["type"] == "finished"
                if ended:
                    return
                silent += await _wait(rung, POLL_S)
                if silent >= idle_s:
                    silent = 0.0
                    yield None
        finally:
            self._followers[run_id].discard(rung)
            if not self._followers[run_id]:
                del self._followers[run_id]

    def stop_following(self) -> None:
        """The process ends: whoever follows is let go, and continues with another."""
        self._stopping = True
        for run_id in list(self._followers):
            self.committed(run_id)

    async def ready(self) -> dict[str, bool]:
        """Who answers, of those without whom nothing works."""
        checks = {
            "postgresql": self.database.read.fetchrow("catalogue.version"),
            "valkey": self.valkey("PING"),
            "fence": self._fence_stands(),
        }
        answers = await asyncio.gather(*checks.values(), return_exceptions=True)
        return {name: not isinstance(answer, BaseException) for name, answer in zip(checks, answers, strict=True)}

    async def holes(self) -> list[str]:
        """Where the fence around the clients' data is not as it was laid; there must be none."""
        return [row["hole"] for row in await self.database.read.fetch("checks.holes")]

    async def _fence_stands(self) -> None:
        """Looks every `FENCE_FRESH_S`. Raises SetupError."""
        if time.monotonic() - self._fence_seen > FENCE_FRESH_S:
            if holes := await self.holes():
                log.critical("the fence is down: %s", "; ".join(holes))
                raise SetupError(f"the fence is down: {holes[0]}", "run `beerforyou db migrate`")
            self._fence_seen = time.monotonic()

    def committed(self, run_id: UUID) -> None:
        """Tells the followers in this process that there are new events."""
        for rung in self._followers.get(run_id, ()):
            rung.set()


@asynccontextmanager
async def prepared(settings: Settings) -> AsyncIterator[Settings]:
    """Settings in which every URL is filled in: the embedded servers run where no URL says otherwise."""
    # Not in a thread: nothing else runs yet, and a Ctrl-C must not come between the start and its handle.
    complete, servers = settings_with_servers(settings)
    with servers or contextlib.nullcontext():
        yield complete


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Service]:
    """A service with everything connected."""
    async with prepared(settings) as complete, AsyncExitStack() as stack:
        db = await database.connect(complete)
        stack.push_async_callback(db.close)
        valkey = await Valkey.connect(complete.valkey_url)
        stack.push_async_callback(valkey.close)
        model = connect(complete)
        stack.push_async_callback(model.close)
        yield Service(complete, db, valkey, await Current.load(db.read), model)


async def _wait(event: asyncio.Event, seconds: float) -> float:
    """How long nothing happened: `seconds`, or 0 when the event did."""
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return seconds
    return 0.0


_JSON = {"versions", "usage", "decisions", "input", "output"}


def _decoded(row: Any) -> dict[str, Any]:
    """A row with its JSON columns decoded and blocks typed."""
    values = {k: msgspec.json.decode(v) if k in _JSON and v is not None else v for k, v in row.items()}
    if "blocks" in values:
        values["blocks"] = msgspec.json.decode(values["blocks"] or "[]", type=list[AnyBlock])
    return values
