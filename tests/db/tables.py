"""The tables that hold a client's data, for tests that look at each."""

import asyncpg


async def tables_of_clients(admin: asyncpg.Connection) -> list[str]:
    found = await admin.fetch("SELECT oid::regclass::text AS name FROM authz.tables_of_clients ORDER BY 1")
    assert {"core.clients", "core.purchases", "core.open_runs", "core.ended_runs", "core.ledger", "core.said"} < {
        row["name"] for row in found
    }
    return [row["name"] for row in found]
