"""What a run writes while it walks: steps (the ledger: each model turn and tool result, once) and events.

Followers are told of an event when it happens; it is kept with the step that is written next. Steps wait for each other as
long as nothing is spent: what has been paid for is committed before the next thing is. A worker that may not go on
learns it here, by `Superseded` or `Cancelled`.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
import msgspec

from beerforyou.db.batch import Batch
from beerforyou.errors import Unavailable
from beerforyou.labels import Label
from beerforyou.outside.patience import patiently
from beerforyou.runs.claim import Cancelled, Claim, Superseded
from beerforyou.runs.frames import STARTED, encode, ending
from beerforyou.runs.publishing import Publishing
from beerforyou.runs.run import Event, EventType, StepKind
from beerforyou.seams import through
from beerforyou.usage import Usage

BEHIND_S = 0.2  # how long a step waits, at the most, for another to share its commit
SPOKEN_S = 0.2  # how long a sentence waits for another once one was told; who reads does not see it
BEGUN_S = 0.02  # how long it is not told that a tool has begun: most have ended by then, and both are told at once
NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")  # the escape, and not a backslash that is followed by "u0000"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A step of the ledger, as it is written."""

    seq: int = 0
    turn: int = 0
    purpose: str = ""
    call: str = ""
    kind: StepKind
    name: str
    input: Any
    output: Any
    outcome: Any = None
    ms: float = 0.0
    labels: list[str] = []
    versions: dict[str, str] = {}
    usage: Usage = Usage()

    @property
    def label(self) -> Label:
        return Label(frozenset(self.labels), self.versions)


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """How a run ends: the answer, and all that is kept of how it came to be. JSON is text."""

    status: str
    outcome: str
    text: str | None
    blocks: Any
    context: Any
    labels: list[str]
    versions: dict[str, str]
    usage: Usage
    decisions: Any
    planned: Any = {}


class _Write(NamedTuple):
    """One that was begun, and is repeated until it is known to be committed: a repetition changes nothing. `then` goes with it."""

    query: str
    row: tuple[Any, ...]
    then: Callable[[asyncpg.Record], Awaitable[None]]


class Journal:
    """`alive` says whether the lease still holds."""

    def __init__(
        self, batch: Batch, claim: Claim, patience_s: float, alive: Callable[[], bool], publishing: Publishing
    ) -> None:
        self._batch, self._claim, self._publishing = batch, claim, publishing
        self._patience_s, self._alive = patience_s, alive
        self._cancelled = claim.cancelled
        self._steps: list[Entry] = []
        self._step = claim.steps
        self._events: list[Event] = []  # to be kept with the next step
        self._event = claim.first_event - 1
        self._told = claim.events
        self._untold: list[Event] = []  # sentences, and beginnings of tools
        self._telling: asyncio.TimerHandle | None = None
        self._behind: asyncio.TimerHandle | None = None
        self._begun: _Write | None = None
        self._order = asyncio.Lock()
        self._late: asyncio.Task[None] | None = None

    @property
    def run_id(self) -> UUID:
        return self._claim.run_id

    @property
    def next_step(self) -> int:
        return self._step + 1

    def go_on(self) -> None:
        """Before each step that costs something. Raises Cancelled and Superseded."""
        if not self._alive():
            raise Superseded(str(self._claim.run_id))
        if self._cancelled:
            raise Cancelled(str(self._claim.run_id))

    # Events

    def emit(self, type: EventType, **data: Any) -> None:
        """Followers hear of it at once. Sentences are not kept, since the answer has them, nor is the first event of all."""
        event = self._numbered(type, data)
        if type == "text":
            self._say(event)
            return
        if event != STARTED:
            self._events.append(event)
        if type == "tool_started":
            self._untold.append(event)
            self._tell_within(BEGUN_S)
        else:
            self._tell([*self._heard_by_nobody(), event])

    def _numbered(self, type: EventType, data: dict[str, Any]) -> Event:
        self._event += 1
        return Event(seq=self._event, type=type, data=data)

    def _say(self, sentence: Event) -> None:
        """The first one at once; those that come soon after it together."""
        self._untold.append(sentence)
        if self._telling is None:
            self._tell_waiting()

    def _tell_waiting(self) -> None:
        if untold := self._heard_by_nobody():
            self._tell(untold)
            self._tell_within(SPOKEN_S)

    def _tell_within(self, seconds: float) -> None:
        if self._telling:
            self._telling.cancel()
        self._telling = asyncio.get_running_loop().call_later(seconds, self._tell_waiting)

    def _heard_by_nobody(self) -> list[Event]:
        """From here on somebody will."""
        if self._telling:
            self._telling.cancel()
            self._telling = None
        untold, self._untold = self._untold, []
        return untold

    def _tell(self, events: list[Event]) -> None:
        self._publishing.under_way(self._claim.conversation_id, self._claim.run_id, self._told, events)
        self._told = self._event

    # Steps

    def step(self, entry: Entry) -> None:
        """It is committed with the next one, or soon; see `commit`."""
        self._step += 1
        self._steps.append(msgspec.structs.replace(entry, seq=self._step))
        if self._behind is None:
            self._behind = asyncio.get_running_loop().call_later(BEHIND_S, self._commit_late)

    async def commit(self) -> None:
        """Returns when each step is in the ledger. Raises Superseded."""
        async with self._order:
            await self._confirmed()
            if self._steps:
                place = self._claim.conversation_id, self.run_id, self._claim.fencing_token
                self._begun = _Write("runs.record", (*place, *self._pending()), self._recorded)
                await through(f"write{self._step}", self.run_id, self._confirmed())

    async def _recorded(self, row: asyncpg.Record) -> None:
        self._cancelled = self._cancelled or row["cancelled"]

    def _commit_late(self) -> None:
        self._behind = None
        self._late = asyncio.create_task(self._quietly())

    async def _quietly(self) -> None:
        with contextlib.suppress(Superseded, Unavailable):  # whoever writes next learns of it
            await self.commit()

    def _pending(self) -> tuple[int, str | None, str]:
        """The number of the first step, the steps and the events, which are as good as written."""
        if self._behind:
            self._behind.cancel()
            self._behind = None
        steps, self._steps = self._steps, []
        events, self._events = self._events, []
        return self._step - len(steps) + 1, _json(steps) if steps else None, _json(events)

    async def finish(self, end: Ending) -> UUID | None:
        """Writes the end of the run together with its last steps: never one without the other. Raises Superseded.

        Returns the run of the conversation whose turn it is then.
        """
        async with self._order:
            await self._confirmed()
            if untold := self._heard_by_nobody():
                self._tell(untold)
            first, steps, events = self._pending()
            self._event += 2 if end.text else 1
            blocks = _json(end.blocks)
            last = ending(self._event, end.status, end.outcome, end.text, blocks)
            row = (
                self._claim.conversation_id, self.run_id, self._claim.fencing_token, first, steps, events, self._event,
                end.status, end.outcome, end.text, blocks, _json(end.context), end.labels, _json(end.versions), _json(end.usage),
                _json(end.decisions), _json(end.planned),
            )  # fmt: skip
            self._begun = _Write(
                "runs.finish", row, lambda ended: through("publish", self.run_id, self._ended(last, ended))
            )
            ended = await self._confirmed()
            assert ended is not None, "it was begun"
            return ended["next"]

    async def _ended(self, last: list[Event], row: asyncpg.Record) -> None:
        numbers = [number for number in (row["answered"], row["ended"]) if number]
        self._publishing.ended(self._claim.conversation_id, self.run_id, self._told, last, numbers)

    async def afterwards(self, entry: Entry) -> None:
        """A step of a run that has ended, which nobody waits for. It is lost with its worker, and never done twice."""
        self._step += 1
        steps = _json([msgspec.structs.replace(entry, seq=self._step)])
        place = self._claim.conversation_id, self.run_id
        await self._batch.write("runs.afterwards", *place, self._step, steps)

    async def settled(self) -> None:
        """Returns when what was done is written, or known not to be."""
        for timer in (self._telling, self._behind):
            if timer:
                timer.cancel()
        if self._late:
            await self._late
        await self._quietly()

    async def _confirmed(self) -> asyncpg.Record | None:
        """The row of the write that was begun, if one was. A time limit may end the waiting; then it is waited for again."""
        if self._begun is None:
            return None
        row = await self._written(self._begun)
        if not row["held"]:
            raise Superseded(str(self.run_id))
        then, self._begun = self._begun.then, None
        await then(row)
        return row

    async def _written(self, write: _Write) -> asyncpg.Record:
        """A database that restarts must not cost what was paid for."""

        async def attempt() -> asyncpg.Record:
            return await self._batch.write(write.query, *write.row)

        return await patiently(
            attempt,
            lambda error: isinstance(error, Unavailable),
            first_s=0.1,
            longest_s=1.0,
            jitter_s=1.0,
            within_s=self._patience_s,
        )


def _json(value: Any) -> str:
    """PostgreSQL's text knows no NUL; no model or page may break a run with one."""
    text = encode(value).decode()
    return NUL.sub(r"\1", text) if "\\u0000" in text else text  # the pattern is slow on long texts
