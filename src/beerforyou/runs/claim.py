"""A run that a worker holds."""

from __future__ import annotations

import time
from uuid import UUID

import asyncpg
import msgspec

from beerforyou.db.batch import Batch
from beerforyou.runs.lease import Lease


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """Held as long as `fencing_token` is the highest one given out for it.

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


async def claim(batch: Batch, run_id: UUID, worker: str, lease: Lease) -> Claim | None:
    """None when somebody else has it, or its turn in the conversation has not come."""
    sent = time.monotonic()
    try:
        row = await batch.write("runs.claim", run_id, worker, lease.seconds)
    except asyncpg.UniqueViolationError:  # another run of the conversation was claimed at the same moment
        return None
    if row is None:
        return None
    lease.renewed(sent)
    return msgspec.convert(dict(row), Claim)
