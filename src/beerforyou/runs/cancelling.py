"""Asks for the end of a run, wherever it is worked on."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from beerforyou.db.batch import Batch
from beerforyou.errors import NotFound
from beerforyou.runs.bell import Bell
from beerforyou.runs.idempotency import ONCE, Asked, answered
from beerforyou.runs.publishing import Publishing

Ending = Literal["cancelling", "succeeded", "failed", "cancelled"]


async def cancel(
    batch: Batch, publishing: Publishing, bell: Bell, client_id: str, run_id: UUID, asked: Asked = ONCE
) -> Ending:
    """The end comes before the run's next step that costs. Returns `cancelling`, or how it had ended.

    Raises NotFound, and Conflict when an equal request is under way.
    """
    row = await batch.unlocked("runs.cancel", client_id, run_id, asked.key, asked.sent)
    earlier = answered(row["earlier"])
    status: Ending | None = earlier["status"] if earlier else row["status"]
    if status is None:
        raise NotFound(f"there is no run {run_id}", "check the id")
    if status == "cancelling":
        publishing.cancelling(run_id)
        bell.ring(run_id)
    return status
