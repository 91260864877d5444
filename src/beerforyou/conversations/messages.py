"""Reads a conversation of the caller's."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from beerforyou.db.database import ClientReads
from beerforyou.errors import NotFound
from beerforyou.runs.looking import decoded


async def conversation(reads: ClientReads, conversation_id: UUID) -> dict[str, Any]:
    rows = await reads.fetch("runs.conversation", conversation_id)
    if not rows:
        raise NotFound(f"there is no conversation {conversation_id}", "check the id")
    return {"conversation_id": conversation_id, "messages": [decoded(row) for row in rows]}
