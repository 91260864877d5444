"""What a run writes while it walks: steps (the ledger: each model turn and tool result, once) and events.

A step is committed before the next one begins. Events are numbered here, committed in order, and only then shown to
those who follow. A worker that may not go on learns it here, by `Superseded` or `Cancelled`.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Callable, Coroutine
from typing import Any, Literal, TypeVar
from uuid import UUID

import asyncpg
import msgspec
import stamina
from msgspec.structs import replace

from beerforyou.db.batch import Batch
from beerforyou.errors import Unavailable
from beerforyou.labels import Label
from beerforyou.runs.run import Event, EventType
from beerforyou.usage import Usage

T = TypeVar("T")

UNSTEPPED_S = 0.02  # how long an event waits for a step to share its commit; nobody sees that delay
NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")  # the escape, and not a backslash that is followed by "u0000"


class Step(msgspec.Struct, frozen=True, kw_only=True):
    turn: int = 0
    purpose: str = ""
    call: str = ""
    kind: Literal["model", "tool"]
    name: str
    input: Any
    output: Any
    outcome: Any = None
    ms: float
    label: Label = Label()
    usage: Usage = Usage()


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A run that this worker holds, as long as `fencing_token` is the highest one given out for it.

    `steps` and `events` are how many an earlier worker wrote; numbering goes on from there. `deaths` is how many workers
    were lost over it. `previous` is the last run of the conversation that was answered.
    """

    run_id: UUID
    conversation_id: UUID
    client_id: str
    fencing_token: int
    steps: int = 0
    events: int = 0
    deaths: int = 0
    cancelled: bool = False
    waited_s: float = 0.0
    previous: UUID | None = None


class Superseded(Exception):
    """Another worker has claimed the run, or may have; whatever this one does is no longer wanted."""


class Cancelled(Exception):
    """Somebody asked for the end of the run."""


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

    async def step(self, step: Step) -> None:
        self._step_seq += 1
        await self._whole(self._write(_row(self._step_seq, step)))

    async def finish(self, answer: dict[str, Any]) -> UUID | None:
        """Writes the end of the run together with its last events: never one without the other. Raises
        Superseded.

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
            row = await self._commit("runs.finish", _json(answer))
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
                row = await self._commit("runs.record", step)
                self._cancelled = self._cancelled or row["cancelled"]

    async def _commit(self, query: str, what: str | None) -> asyncpg.Record:
        events = self._events[:]
        row = await self._written(query, self._claim.run_id, self._claim.fencing_token, what, _json(events))
        if row is None:
            raise Superseded(str(self._claim.run_id))
        del self._events[: len(events)]
        self._on_commit([replace(event, number=n) for event, n in zip(events, row["numbers"] or (), strict=True)])
        return row

    async def _written(self, query: str, *item: Any) -> asyncpg.Record | None:
        """A database that restarts must not cost what was paid for; to repeat one of these writes changes nothing."""
        with contextlib.suppress(Unavailable):
            return await self._batch.write(query, *item)
        async for attempt in stamina.retry_context(Unavailable, attempts=None, timeout=self._patience_s, wait_max=1.0):
            with attempt:
                return await self._batch.write(query, *item)
        raise AssertionError("the last attempt returns or raises")


def _row(seq: int, step: Step) -> str:
    return _json({
        "seq": seq, "turn": step.turn, "purpose": step.purpose, "call": step.call, "kind": step.kind, "name": step.name, "input": step.input, "output": step.output, "outcome": step.outcome,
        "ms": step.ms,
        "labels": sorted(step.label.audience), "versions": step.label.versions, "usage": step.usage,
    })  # fmt: skip


def _json(value: Any) -> str:
    """PostgreSQL's jsonb knows no NUL; no model or page may break a run with one."""
    text = msgspec.json.encode(value).decode()
    return NUL.sub(r"\1", text) if "\\u0000" in text else text  # the pattern is slow on long texts
