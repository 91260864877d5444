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
from beerforyou.runs.journal import Entry, Journal
from beerforyou.runs.run import StepKind
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
    written: Callable[[T], Entry]
    read: Callable[[Entry], T]


class Ledger:
    """`usage` and `spent_s` are of all steps, those of earlier workers too."""

    def __init__(self, journal: Journal, entries: Iterable[Entry] = ()) -> None:
        self._journal = journal
        entries = tuple(entries)
        self._entries = {Key(entry.turn, entry.purpose, entry.call): entry for entry in entries}
        self.usage = sum((entry.usage for entry in entries), Usage())
        self.spent_s = sum(entry.ms for entry in entries) / 1000

    async def once(self, key: Key, kind: Kind[T], do: Callable[[], Awaitable[T]]) -> T:
        """What was done under the key, or is now. Raises Cancelled and Superseded before anything is spent."""
        if entry := self._entries.get(key):
            return kind.read(entry)
        started = time.perf_counter()
        done = await through(f"{kind.name}{self._journal.next_step}", self._journal.run_id, self._spent(do))
        await self.keep(key, kind.written(done), started)
        return done

    async def keep(self, key: Key, entry: Entry, started: float) -> None:
        """Of work that is done already; `started` by `time.perf_counter()`."""
        ms = (time.perf_counter() - started) * 1000
        entry = msgspec.structs.replace(entry, turn=key.turn, purpose=key.purpose, call=key.call, ms=ms)
        self._entries[key] = entry
        self.usage += entry.usage
        await through(f"write{self._journal.next_step}", self._journal.run_id, self._journal.step(entry))

    async def _spent(self, do: Callable[[], Awaitable[T]]) -> T:
        self._journal.go_on()  # with no await between this and the spending
        return await do()


async def so_far(reads: Reads, claim: Claim) -> tuple[Claim, list[Entry]]:
    """How far an earlier worker came, if there was one."""
    if claim.fencing_token == 1:
        return claim, []
    steps = [_entry(row) for row in await reads.fetch("runs.ledger", claim.run_id)]
    last = await reads.fetchrow("runs.last_event", claim.run_id)
    assert last is not None, "an aggregate has a row"
    return msgspec.structs.replace(claim, steps=len(steps), events=last["seq"]), steps


def _entry(row: Any) -> Entry:
    """A row of `runs.ledger`."""
    return Entry(
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
