"""The first step: reads the message, and answers what needs neither a model nor data."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from beerforyou.answering.composing import canned
from beerforyou.answering.turn import Answer, Outcome, Turn
from beerforyou.reading.read import read as understand
from beerforyou.reading.reading import Context, Reading, Ref

# intents that a sentence of the table answers, and how such a run ends
CANNED: dict[str, tuple[str, Outcome]] = {
    "greeting": ("talk.greeting", "answered"),
    "thanks": ("talk.thanks", "answered"),
    "goodbye": ("talk.goodbye", "answered"),
    "help": ("talk.help", "answered"),
    "person": ("talk.person", "answered"),
    "decline": ("talk.declined", "answered"),
    "other_client": ("talk.other_client", "refused_privacy"),
}


# A message of a buyer has 310 characters at most (tests/evals), and takes a millisecond. Twenty long ones at once would hold
# up everybody else: one after the other, beside the event loop, they don't.
LONG = 400
_aside = ThreadPoolExecutor(1, "reading")


async def read(turn: Turn) -> Answer | None:
    turn.reading = reading = await _understood(turn)
    turn.caller.language = reading.language
    turn.caller.question = reading.question
    turn.caller.agreed = _agreed(reading, turn.context)
    if reading.intent not in CANNED or (reading.leftover and reading.intent != "other_client"):
        return None
    key, outcome = CANNED[reading.intent]
    return canned(turn, key, outcome, name=turn.caller.name)


async def _understood(turn: Turn) -> Reading:
    given = turn.text, turn.caller.catalogue, turn.context, turn.today
    if len(turn.text) <= LONG:
        return understand(*given)
    return await asyncio.get_running_loop().run_in_executor(_aside, understand, *given)


def _agreed(reading: Reading, context: Context) -> tuple[Ref, ...]:
    """To ask about a brewery, or to pick one, is a yes to it; a bare yes needs an offer that it answers."""
    if reading.tool != "get_website_summary":
        return ()
    return (reading.brewery,) if reading.brewery else context.shown if context.offered else ()
