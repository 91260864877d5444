"""What a run writes while it walks: steps (the ledger: each model turn and tool result, once) and events.

A step is committed before the next one begins. Events are numbered here, committed in order, and only then shown to
those who follow. A worker that lost its run learns it here, by `Superseded`.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Callable, Coroutine
from typing import Any, Literal
from uuid import UUID

import msgspec

from beerforyou.answering.output_guard import presentable
from beerforyou.db.batch import Batch
from beerforyou.labels import Label
from beerforyou.llm.model import Usage

UNSTEPPED_S = 0.02  # how long an event waits for a step to share its commit; nobody sees that delay
NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")  # the escape, and not a backslash that is followed by "u0000"
SENTENCE_END = re.compile(r"(?<=[.!?…])\s+|\n+")


EventType = Literal["started", "tool_started", "tool_finished", "text", "answer", "finished"]


class Event(msgspec.Struct, frozen=True):
    seq: int
    type: EventType
    data: dict[str, Any]


class Step(msgspec.Struct, frozen=True, kw_only=True):
    kind: Literal["model", "tool"]
    name: str
    input: Any
    output: Any
    ms: float
    label: Label = Label()
    usage: Usage = Usage()


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A run that this worker holds, as long as `fence` is the highest number given out for it.

    `steps` and `events` are how many an earlier worker wrote; numbering goes on from there.
    """

    run_id: UUID
    conversation_id: UUID
    client_id: str
    fence: int
    steps: int
    events: int


class Superseded(Exception):
    """Another worker has claimed the run; whatever this one does is no longer wanted."""


class Journal:
    """`on_commit` is called with events that are committed, in order."""

    def __init__(self, batch: Batch, claim: Claim, on_commit: Callable[[list[Event]], None]) -> None:
        self._batch, self._claim, self._on_commit = batch, claim, on_commit
        self._event_seq, self._step_seq = claim.events, claim.steps
        self._events: list[Event] = []
        self._order = asyncio.Lock()
        self._sentence = ""
        self._flush: asyncio.Task[None] | None = None

    def emit(self, type: EventType, **data: Any) -> None:
        """Queues an event; it is committed with the next step, or by itself when that takes longer."""
        self._queue(type, data)
        if self._flush is None or self._flush.done():
            self._flush = asyncio.create_task(self._write_soon())

    def say(self, piece: str) -> None:
        """Text as the model writes it; it leaves by whole sentences."""
        *sentences, self._sentence = SENTENCE_END.split(self._sentence + piece)
        for sentence in sentences:
            self._tell(sentence)

    def end_of_text(self) -> None:
        self._tell(self._sentence)
        self._sentence = ""

    def _tell(self, sentence: str) -> None:
        if text := presentable(sentence):
            self.emit("text", text=text)

    async def step(self, step: Step) -> None:
        self._step_seq += 1
        await _whole(self._write(_row(self._step_seq, step)))

    async def finish(self, answer: dict[str, Any]) -> None:
        """Writes the end of the run together with its last events: never one without the other. Raises Superseded."""
        self.end_of_text()
        await _whole(self._end(answer))

    async def _end(self, answer: dict[str, Any]) -> None:
        async with self._order:
            self._queue("answer", {"text": answer["text"], "blocks": answer["blocks"]})
            self._queue("finished", {"status": answer["status"], "outcome": answer["outcome"]})
            await self._commit("runs.finish", _json(answer))

    def _queue(self, type: EventType, data: dict[str, Any]) -> None:
        self._event_seq += 1
        self._events.append(Event(self._event_seq, type, data))

    async def _write_soon(self) -> None:
        await asyncio.sleep(UNSTEPPED_S)
        with contextlib.suppress(Superseded):  # the next step learns of it
            await _whole(self._write())

    async def _write(self, step: str | None = None) -> None:
        async with self._order:
            if step is not None or self._events:
                await self._commit("runs.record", step)

    async def _commit(self, query: str, what: str | None) -> None:
        events = self._events[:]
        if await self._batch.write(query, self._claim.run_id, self._claim.fence, what, _json(events)) is None:
            raise Superseded(str(self._claim.run_id))
        del self._events[: len(events)]
        self._on_commit(events)


def _row(seq: int, step: Step) -> str:
    return _json({
        "seq": seq, "kind": step.kind, "name": step.name, "input": step.input, "output": step.output, "ms": step.ms,
        "labels": sorted(step.label.audience), "versions": step.label.versions, "usage": step.usage,
    })  # fmt: skip


async def _whole(write: Coroutine[Any, Any, None]) -> None:
    """A time limit may end the waiting, but never half of a write: what is committed is known to be."""
    await asyncio.shield(asyncio.create_task(write))


def _json(value: Any) -> str:
    """PostgreSQL's jsonb knows no NUL; no model or page may break a run with one."""
    return NUL.sub(r"\1", msgspec.json.encode(value).decode())
