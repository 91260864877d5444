"""Understands the message without a model: its language, what is wanted, and what the client said yes to."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from msgspec.structs import replace

from beerforyou.answering.turn import Draft, Turn
from beerforyou.reading.read import read as understand
from beerforyou.reading.reading import Context, Reading, Ref

# A message of a buyer has 310 characters at most (tests/evals), and takes a millisecond. Twenty long ones at once would hold
# up everybody else: one after the other, beside the event loop, they don't.
LONG = 400
_aside = ThreadPoolExecutor(1, "reading")


async def read(turn: Turn) -> Draft | None:
    turn.reading = reading = await _understood(turn)
    agreed = _agreed(reading, turn.context)
    turn.caller = replace(turn.caller, language=reading.language, question=reading.question, agreed=agreed)
    return None


async def _understood(turn: Turn) -> Reading:
    given = turn.text, turn.hands.catalogue, turn.context, turn.caller.today
    if len(turn.text) <= LONG:
        return understand(*given)
    return await asyncio.get_running_loop().run_in_executor(_aside, understand, *given)


def _agreed(reading: Reading, context: Context) -> tuple[Ref, ...]:
    """To ask about a brewery, or to pick one, is a yes to it; a bare yes needs an offer that it answers."""
    if reading.tool != "get_website_summary":
        return ()
    return (reading.brewery,) if reading.brewery else context.shown if context.offered else ()
