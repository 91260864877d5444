"""What a run has paid for, each thing once: whoever does it asks by a key, and gets what an earlier worker finished under
it rather than doing it again.

A step is in the ledger before the next thing that costs begins. What is kept of each kind of work is for its own room to
say (`Kind`).
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from beerforyou.db.database import Reads
from beerforyou.labels import Label
from beerforyou.runs.claim import Claim
from beerforyou.runs.journal import Journal, Step, StepKind
from beerforyou.seams import through
from beerforyou.usage import Usage

T = TypeVar("T")


class Key(NamedTuple):
    """`turn` of the planner, from 1; what for; and which of several."""

    turn: int
    purpose: str
    call: str = ""


class Kind(NamedTuple, Generic[T]):
    """How work of a kind is written as a step, but for its key and its time, and made of one again."""

    name: StepKind
    written: Callable[[T], Step]
    read: Callable[[Step], T]


class Ledger:
    """`usage` and `spent_s` are of all steps, those of earlier workers too."""

    def __init__(self, journal: Journal, steps: Iterable[Step] = ()) -> None:
        self._journal = journal
        self._steps = {Key(step.turn, step.purpose, step.call): step for step in steps}
        self.usage = sum((step.usage for step in steps), Usage())
        self.spent_s = sum(step.ms for step in steps) / 1000

    async def once(self, key: Key, kind: Kind[T], do: Callable[[], Awaitable[T]]) -> T:
        """What was done under the key, or is now. Raises Cancelled and Superseded before anything is spent."""
        if step := self._steps.get(key):
            return kind.read(step)
        started = time.perf_counter()
        done = await through(f"{kind.name}{self._journal.next_step}", self._journal.run_id, self._spent(do))
        await self.keep(key, kind.written(done), started)
        return done

    async def keep(self, key: Key, step: Step, started: float) -> None:
        """Of work that is done already; `started` by `time.perf_counter()`."""
        ms = (time.perf_counter() - started) * 1000
        step = msgspec.structs.replace(step, turn=key.turn, purpose=key.purpose, call=key.call, ms=ms)
        self._steps[key] = step
        self.usage += step.usage
        await through(f"write{self._journal.next_step}", self._journal.run_id, self._journal.step(step))

    async def _spent(self, do: Callable[[], Awaitable[T]]) -> T:
        self._journal.go_on()  # with no await between this and the spending
        return await do()


async def so_far(reads: Reads, claim: Claim) -> tuple[Claim, list[Step]]:
    """How far an earlier worker came, if there was one."""
    if claim.fence == 1:
        return claim, []
    steps = [_step(row) for row in await reads.fetch("runs.ledger", claim.run_id)]
    last = await reads.fetchrow("runs.last_event", claim.run_id)
    assert last is not None, "an aggregate has a row"
    return msgspec.structs.replace(claim, steps=len(steps), events=last["seq"]), steps


def _step(row: Any) -> Step:
    """A row of `runs.ledger`."""
    return Step(
        turn=row["turn"],
        purpose=row["purpose"],
        call=row["call"],
        kind=row["kind"],
        name=row["name"],
        input=msgspec.json.decode(row["input"]),
        output=msgspec.json.decode(row["output"]),
        outcome=msgspec.json.decode(row["outcome"] or "null"),
        ms=row["ms"],
        label=Label(frozenset(row["labels"]), msgspec.json.decode(row["versions"])),
        usage=msgspec.json.decode(row["usage"], type=Usage),
    )
