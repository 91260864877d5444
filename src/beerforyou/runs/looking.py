"""Looks at a run of the caller's: as it stands, or once it has ended."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any
from uuid import UUID

import msgspec

from beerforyou.blocks import AnyBlock
from beerforyou.db.database import ClientReads
from beerforyou.errors import Gone, NotFound
from beerforyou.runs.following import Following


async def look(reads: ClientReads, run_id: UUID, steps: bool = False) -> dict[str, Any]:
    """The run as it stands; with `steps`, its ledger too. Raises NotFound, also for another client's."""
    row = await reads.fetchrow("runs.run", run_id)
    if row is None:
        raise NotFound(f"there is no run {run_id}", "check the id")
    run = decoded(row)
    if steps:
        run["steps"] = [decoded(step) for step in await reads.fetch("runs.steps", run_id)]
    return run


async def ended(
    following: Following, reads: ClientReads, run_id: UUID, seconds: float, steps: bool = False
) -> dict[str, Any]:
    """The run once it has ended, or as it stands after so many seconds. Raises NotFound."""
    with contextlib.suppress(TimeoutError, Gone):
        async with asyncio.timeout(seconds), contextlib.aclosing(await following.events(reads, run_id)) as events:
            async for _ in events:
                pass
    return await look(reads, run_id, steps)


_JSON = {"versions", "usage", "decisions", "input", "output"}


def decoded(row: Any) -> dict[str, Any]:
    """A row with its JSON columns decoded and blocks typed."""
    values = {k: msgspec.json.decode(v) if k in _JSON and v is not None else v for k, v in row.items()}
    if "blocks" in values:
        values["blocks"] = msgspec.json.decode(values["blocks"] or "[]", type=list[AnyBlock])
    return values
