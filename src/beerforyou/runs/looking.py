"""Looks at a run of the caller's: as it stands, or once it has ended."""

from __future__ import annotations

import asyncio
import contextlib
from uuid import UUID

import msgspec

from beerforyou.db.database import ClientReads
from beerforyou.errors import NotFound
from beerforyou.runs.following import Following
from beerforyou.runs.run import Run, run_of, steps_of


async def look(reads: ClientReads, run_id: UUID, steps: bool = False) -> Run:
    """The run as it stands; with `steps`, its ledger too. Raises NotFound, also for another client's."""
    row = await reads.fetchrow("runs.run", run_id)
    if row is None:
        raise NotFound(f"there is no run {run_id}", "check the id")
    run = run_of(row)
    if not steps:
        return run
    commits = await reads.fetch("runs.steps", run_id)
    return msgspec.structs.replace(run, steps=[step for commit in commits for step in steps_of(commit["steps"])])


async def ended(following: Following, reads: ClientReads, run_id: UUID, seconds: float, steps: bool = False) -> Run:
    """The run once it has ended, or as it stands after so many seconds. Raises NotFound."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await following.end(reads, run_id)
    return await look(reads, run_id, steps)
