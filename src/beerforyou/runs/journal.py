"""What a run writes while it walks: steps (the ledger: each model turn and tool result, once) and events.

A step is committed before the next one begins. Events are numbered here, committed in order, and only then shown to
those who follow. A worker that may not go on learns it here, by `Superseded` or `Cancelled`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
import msgspec
from msgspec.structs import replace

from beerforyou.db.batch import Batch
from beerforyou.errors import Unavailable
from beerforyou.labels import Label
from beerforyou.outside.patience import patiently
from beerforyou.runs.claim import Cancelled, Claim, Superseded
from beerforyou.runs.run import Event, EventType, StepKind
from beerforyou.seams import through
from beerforyou.usage import Usage

T = TypeVar("T")

UNSTEPPED_S = 0.02  # how long an event waits for a step to share its commit; nobody sees that delay
NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")  # the escape, and not a backslash that is followed by "u0000"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A step of the ledger, as it is written."""

    turn: int = 0
    purpose: str = ""
    call: str = ""
    kind: StepKind
    name: str
    input: Any
    output: Any
    outcome: Any = None
    ms: float = 0.0
    label: Label = Label()
    usage: Usage = Usage()


class Journal:
    """`on_commit` is called with events that are committed, in order. `alive` says whether the lease still holds."""

    def __init__(
        self,
        batch: Batch,
        claim: Claim,
        patience_s: float,
        alive: Callable[[], bool],
        on_commit: Callable[[list[Event]], None],
    ) -> None:
        self._batch, self._claim, self._on_commit = batch, claim, on_commit
        self._patience_s, self._alive = patience_s, alive
        self._event_seq, self._step_seq = claim.events, claim.steps
        self._events: list[Event] = []
        self._order = asyncio.Lock()
        self._cancelled = claim.cancelled
        self._flush: asyncio.Task[None] | None = None
        self._writes: set[asyncio.Task[Any]] = set()

    @property
    def run_id(self) -> UUID:
        return self._claim.run_id

    @property
    def next_step(self) -> int:
        return self._step_seq + 1

    def go_on(self) -> None:
        """Before each step that costs something. Raises Cancelled and Superseded."""
        if not self._alive():
            raise Superseded(str(self._claim.run_id))
        if self._cancelled:
            raise Cancelled(str(self._claim.run_id))

    def emit(self, type: EventType, **data: Any) -> None:
        """Queues an event; it is committed with the next step, or by itself when that takes longer."""
        self._queue(type, data)
        if self._flush is None or self._flush.done():
            self._flush = asyncio.create_task(self._write_soon())

    async def step(self, entry: Entry) -> None:
        self._step_seq += 1
        await self._whole(self._write(_row(self._step_seq, entry)))

    async def finish(self, answer: dict[str, Any]) -> UUID | None:
        """Writes the end of the run together with its last events: never one without the other. Raises Superseded.

        Returns the run of the conversation whose turn it is then.
        """
        return await self._whole(self._end(answer))

    async def settled(self) -> None:
        """Returns when nothing is being written."""
        await asyncio.gather(*self._writes, return_exceptions=True)

    async def _end(self, answer: dict[str, Any]) -> UUID | None:
        async with self._order:
            if answer["text"]:
                self._queue("answer", {"text": answer["text"], "blocks": answer["blocks"]})
            self._queue("finished", {"status": answer["status"], "outcome": answer["outcome"]})
            row, events = await self._commit("runs.finish", _json(answer))
            await through("publish", self.run_id, self._publish(events))
            return row["next"]

    async def _whole(self, write: Coroutine[Any, Any, T]) -> T:
        """A time limit may end the waiting, but never half of a write: what is committed is known to be."""
        task = asyncio.create_task(write)
        self._writes.add(task)
        task.add_done_callback(self._writes.discard)
        return await asyncio.shield(task)

    def _queue(self, type: EventType, data: dict[str, Any]) -> None:
        self._event_seq += 1
        self._events.append(Event(run_id=self._claim.run_id, seq=self._event_seq, type=type, data=data))

    async def _write_soon(self) -> None:
        await asyncio.sleep(UNSTEPPED_S)
        with contextlib.suppress(Superseded):  # the next step learns of it
            await self._whole(self._write())

    async def _write(self, step: str | None = None) -> None:
        async with self._order:
            if step is not None or self._events:
                row, events = await self._commit("runs.record", step)
                self._on_commit(events)
                self._cancelled = self._cancelled or row["cancelled"]

    async def _commit(self, query: str, what: str | None) -> tuple[asyncpg.Record, list[Event]]:
        events = self._events[:]
        row = await self._written(query, self._claim.run_id, self._claim.fencing_token, what, _json(events))
        if row is None:
            raise Superseded(str(self._claim.run_id))
        del self._events[: len(events)]
        return row, [replace(event, number=n) for event, n in zip(events, row["numbers"] or (), strict=True)]

    async def _publish(self, events: list[Event]) -> None:
        self._on_commit(events)

    async def _written(self, query: str, *item: Any) -> asyncpg.Record | None:
        """A database that restarts must not cost what was paid for; to repeat one of these writes changes nothing."""
        return await patiently(
            partial(self._batch.write, query, *item),
            lambda error: isinstance(error, Unavailable),
            first_s=0.1,
            longest_s=1.0,
            jitter_s=1.0,
            within_s=self._patience_s,
        )


def _row(seq: int, entry: Entry) -> str:
    return _json({
        "seq": seq, "turn": entry.turn, "purpose": entry.purpose, "call": entry.call, "kind": entry.kind, "name": entry.name, "input": entry.input, "output": entry.output, "outcome": entry.outcome,
        "ms": entry.ms,
        "labels": sorted(entry.label.audience), "versions": entry.label.versions, "usage": entry.usage,
    })  # fmt: skip


def _json(value: Any) -> str:
    """PostgreSQL's jsonb knows no NUL, and UTF-8 no half of a character; no model or page may break a run with one."""
    try:
        text = msgspec.json.encode(value).decode()
    except UnicodeEncodeError:
        text = json.dumps(msgspec.to_builtins(value), ensure_ascii=False).encode(errors="replace").decode()
    return NUL.sub(r"\1", text) if "\\u0000" in text else text  # the pattern is slow on long texts
