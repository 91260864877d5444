"""Who plans: how many runs of the last days, and what a model made of a sample of those that the reading planned."""

from __future__ import annotations

from typing import Any

import msgspec

from beerforyou.db.database import Reads


class Plans(msgspec.Struct, frozen=True, kw_only=True):
    """`share`: of all that were planned or answered, by the reading. `why`: who, why, how many. Of `shadows`: how many the model
    planned too (`compared`), how many of these otherwise, with what it cost in tokens, and the newest such `runs` to look at.
    """

    days: int
    runs: int
    share: float
    why: list[dict[str, Any]]
    shadows: dict[str, Any]


async def plans(reads: Reads, days: int) -> Plans:
    why = [dict(row) for row in await reads.fetch("runs.planned", days)]
    (shadows,) = await reads.fetch("runs.shadows", days)
    known = {by: sum(row["runs"] for row in why if row["by"] == by) for by in ("reading", "model", "rule")}
    runs = sum(known.values())
    return Plans(days=days, runs=runs, share=known["reading"] / max(1, runs), why=why, shadows=dict(shadows))
