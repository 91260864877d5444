"""A run that a worker holds, with all that is needed to begin it."""

from __future__ import annotations

import time
from uuid import UUID

import asyncpg
import msgspec

from beerforyou.db.batch import Batch
from beerforyou.db.rows import from_rows
from beerforyou.runs.lease import Lease
from beerforyou.sentences import Language

EVENTS_A_CLAIM = 1000  # more than a run can have: a planner's five turns, each with 100 sentences and 20 calls


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """Held as long as `fencing_token` is the highest one given out for it.

    `steps` is how many an earlier worker wrote, `events` the number of the last event among them. `deaths` is how many workers
    were lost over it. `previous` is the last run of the conversation that was answered. `profile`, `purchases`, `home` and
    `statistics` are versions of what is known of the client, where there are any.
    """

    run_id: UUID
    conversation_id: UUID
    client_id: str
    fencing_token: int
    deaths: int = 0
    cancelled: bool = False
    waited_s: float = 0.0
    text: str = ""
    scopes: list[str] = []
    previous: UUID | None = None
    name: str = ""
    city: str = ""
    state: str = ""
    country: str = ""
    language: Language = "en"
    time_zone: str | None = None
    purchases: str | None = None
    home: str | None = None
    profile: str | None = None
    statistics: str | None = None
    steps: int = 0
    events: int = 0

    @property
    def first_event(self) -> int:
        """Higher than that of any event of an earlier worker, also of those that only followers have heard."""
        return (self.fencing_token - 1) * EVENTS_A_CLAIM + 1


claim_of = from_rows(Claim)


class Superseded(Exception):
    """Another worker has claimed the run, or may have; whatever this one does is no longer wanted."""


class Cancelled(Exception):
    """Somebody asked for the end of the run."""


async def claim(batch: Batch, run_id: UUID, worker: str, lease: Lease, planner: str) -> Claim | None:
    """None when somebody else has it, its turn in the conversation has not come, or workers with another planner are to have it."""
    sent = time.monotonic()
    try:
        row = await batch.unlocked("runs.claim", run_id, worker, lease.seconds, planner)
    except asyncpg.UniqueViolationError:  # another run of the conversation was claimed at the same moment
        return None
    if row["run_id"] is None:
        return None
    lease.renewed(sent, row["left_s"])
    return claim_of(row)
