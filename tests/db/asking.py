"""A message as the service writes it, for tests that look at the rows."""

from uuid import UUID

import asyncpg

from beerforyou.db.database import Database


async def accept(
    database: Database, client: str, text: str = "oi", conversation_id: UUID | None = None
) -> asyncpg.Record:
    row = await database.batch.write(
        "conversations.accept", conversation_id, client, text, ["purchases"], "enqueue", 1000, None, b""
    )
    assert row is not None
    return row
