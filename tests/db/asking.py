"""Messages and runs as the service writes them, for tests that look at the rows."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from beerforyou.db.database import Database
from beerforyou.settings import Settings


async def accept(
    database: Database,
    client: str,
    text: str = "oi",
    conversation_id: UUID | None = None,
    on_busy: str = "enqueue",
    planner: str | None = None,
) -> asyncpg.Record:
    return await database.batch.write(
        "conversations.accept", conversation_id, client, text, ["purchases"], on_busy, 1000, None, b"", planner
    )


async def claim(
    database: Database, run_id: UUID, worker: str = "w", lease_s: float = 30.0, planner: str | None = None
) -> asyncpg.Record:
    return await database.batch.unlocked("runs.claim", run_id, worker, lease_s, planner)


def steps(*numbers: int, kind: str = "model") -> str:
    """As a commit of the ledger has them."""
    step = {"turn": 1, "purpose": "plan", "call": "", "kind": kind, "name": "m", "input": {}, "output": {}, "ms": 1.0}
    more = {"outcome": None, "labels": [], "versions": {}, "usage": {}}
    return msgspec.json.encode([{"seq": n, **step, **more} for n in numbers]).decode()


def told(*types: str, first: int = 2) -> str:
    """Events as a commit of the ledger has them."""
    return msgspec.json.encode([{"seq": n, "type": t, "data": {}} for n, t in enumerate(types, start=first)]).decode()


def record(claim: Mapping[str, Any], first: int = 1, *more: int, events: str = "[]") -> tuple[Any, ...]:
    """What `runs.record` is given: the steps from `first` on."""
    place = claim["conversation_id"], claim["run_id"], claim["fencing_token"]
    return *place, first, steps(first, *more), events


def ending(claim: Mapping[str, Any], text: str | None = "Olá.", status: str = "succeeded") -> tuple[Any, ...]:
    """What `runs.finish` is given by the worker that has the run."""
    kept = "[]", "null", ["client:A"], "{}", '{"input": 1}', "[]", "{}"
    place = claim["conversation_id"], claim["run_id"], claim["fencing_token"]
    return *place, 1, None, "[]", 3, status, "answered", text, *kept


async def end(database: Database, claim: Mapping[str, Any], text: str | None = "Olá.") -> asyncpg.Record:
    return await database.batch.write("runs.finish", *ending(claim, text))


async def waits_for_lock(settings: Settings) -> bool:
    """Whether any session of the database does."""
    connection = await asyncpg.connect(settings.database_admin_url)
    try:
        return bool(
            await connection.fetchval(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
            )
        )
    finally:
        await connection.close()
