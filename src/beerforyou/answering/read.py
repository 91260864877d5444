"""Understands the message without a model: its language, what is wanted, and what the client said yes to."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from msgspec.structs import replace

from beerforyou.answering.turn import Draft, Turn
from beerforyou.reading.read import read as understand
from beerforyou.reading.reading import MOST_DETAILS, Reading, Ref

# A message of a buyer has 310 characters at most (tests/evals), and takes a millisecond. Twenty long ones at once would hold
# up everybody else: one after the other, beside the event loop, they don't.
LONG = 400
_aside = ThreadPoolExecutor(1, "reading")


async def read(turn: Turn) -> Draft | None:
    turn.reading = reading = await _understood(turn)
    agreed = agreed_to(reading)
    turn.caller = replace(turn.caller, language=reading.language, question=reading.question, agreed=agreed)
    return None


async def _understood(turn: Turn) -> Reading:
    given = turn.text, turn.hands.catalogue, turn.context, turn.caller.today, turn.caller.home
    if len(turn.text) <= LONG:
        return understand(*given)
    return await asyncio.get_running_loop().run_in_executor(_aside, understand, *given)


def agreed_to(reading: Reading) -> tuple[Ref, ...]:
    """Who asks for details of a brewery, or picks it, agrees to it and to no other; a yes is read as a pick where it answers
    the offer of the only one. More than are told of at a time are asked about."""
    if reading.tool != "get_website_summary" or len(reading.picks) > MOST_DETAILS:
        return ()
    return (reading.brewery,) if reading.brewery else reading.picks
