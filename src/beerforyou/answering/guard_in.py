"""The first step: of the message goes on what a person would see of it."""

from __future__ import annotations

from beerforyou.answering.turn import Draft, Turn
from beerforyou.guards.canonical import visible


async def guard_in(turn: Turn) -> Draft | None:
    """Text that draws nothing is a second message, which a model reads and the client never wrote."""
    turn.text = visible(turn.text).strip()
    return None
