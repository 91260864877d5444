"""Answers what needs neither a model nor data, and what may not be answered."""

from __future__ import annotations

from beerforyou.answering.ends import canned
from beerforyou.answering.turn import Draft, Outcome, Turn

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


async def small_talk(turn: Turn) -> Draft | None:
    reading = turn.read()
    if reading.intent not in CANNED or (reading.leftover and reading.intent != "other_client"):
        return None
    key, outcome = CANNED[reading.intent]
    return canned(turn, key, outcome, name=turn.caller.name)
