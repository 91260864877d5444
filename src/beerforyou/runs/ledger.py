"""What a run has paid for, each thing once: whoever does it asks by a key, and gets what an earlier worker finished under
it rather than doing it again.

What is paid for is in the ledger before the next thing that costs begins; what cost nothing waits with it for the next commit.
What is kept of each kind of work is for its own room to say (`Kind`).
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Generic, NamedTuple, TypeVar

import msgspec

from beerforyou.db.database import Reads
from beerforyou.runs.claim import Claim
from beerforyou.runs.journal import Entry, Journal
from beerforyou.runs.run import Event, StepKind
from beerforyou.seams import through
from beerforyou.usage import Usage

T = TypeVar("T")
decode_steps = msgspec.json.Decoder(list[Entry]).decode
decode_events = msgspec.json.Decoder(list[Event]).decode


class Key(NamedTuple):
    """`turn` of the planner, from 1; what for; and which of several."""

    turn: int
    purpose: str
    call: str = ""


class Kind(NamedTuple, Generic[T]):
    """How work of a kind is written as a step, but for its key and its time, and made of one again. `costs`: money, or it
    changes something outside."""

    name: StepKind
    costs: bool
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
        if kind.costs:
            await self._journal.commit()
        started = time.perf_counter()
        done = await through(f"{kind.name}{self._journal.next_step}", self._journal.run_id, self._spent(do))
        self._keep(key, kind.written(done), started)
        return done

    async def paid(self, key: Key, entry: Entry, started: float) -> None:
        """For work that came to nothing, and will be asked for again; `started` by `time.perf_counter()`."""
        self._keep(key, entry, started)
        await self._journal.commit()

    def _keep(self, key: Key, entry: Entry, started: float) -> None:
        ms = (time.perf_counter() - started) * 1000
        entry = msgspec.structs.replace(entry, turn=key.turn, purpose=key.purpose, call=key.call, ms=ms)
        self._entries[key] = entry
        self.usage += entry.usage
        self._journal.step(entry)

    async def _spent(self, do: Callable[[], Awaitable[T]]) -> T:
        self._journal.go_on()  # with no await between this and the spending
        return await do()


async def so_far(reads: Reads, claim: Claim) -> tuple[Claim, list[Entry]]:
    """How far an earlier worker came, if there was one."""
    if claim.fencing_token == 1:
        return claim, []
    rows = await reads.fetch("runs.ledger", claim.run_id)
    steps = [step for row in rows for step in decode_steps(row["steps"])]
    events = [event for row in rows for event in decode_events(row["events"])]
    last = max((event.seq or 0 for event in events), default=0)
    return msgspec.structs.replace(claim, steps=len(steps), events=last), steps
