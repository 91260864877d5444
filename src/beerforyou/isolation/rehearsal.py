"""A short version of the proof that changes nothing: some attacks as a client that is there, on another that is."""

from __future__ import annotations

from beerforyou.db.connections import operator
from beerforyou.db.database import Database
from beerforyou.db.queries import QUERIES
from beerforyou.isolation.attack import VIEWS, ours, tried
from beerforyou.settings import Settings

EVERY = 8  # of the attacks, this one and its like: about thirty, a second
FIRST = "SELECT min(client_id) FROM clients"


async def real_params(settings: Settings, client_id: str) -> dict[str, str]:
    """What attacks may name, from the rows that are there. Needs the administrator's URL for the other's part."""
    params = VIEWS | {"own_id": client_id}
    if not settings.database_admin_url:
        return params
    async with operator(settings) as connection:
        row = await connection.fetchrow(QUERIES["canaries.somebody_else"].sql, client_id)
    if row is None:
        return params
    return params | {"other_id": row["client_id"], "other_name": row["name"], "canary": row["beer"] or row["name"]}


async def rehearse(settings: Settings, db: Database) -> tuple[int, list[str]]:
    """How many attacks were tried, and what they brought back. None without a client."""
    async with operator(settings) as connection:
        client_id = await connection.fetchval(FIRST)
    if client_id is None:
        return 0, []
    params, attacks = await real_params(settings, client_id), ours()[::EVERY]
    done = [await tried(db.fence, client_id, attack, params, with_gate=False) for attack in attacks]
    return len(done), [f"{found.id} brought back another client's data" for found in done if found.verdict == "leak"]
