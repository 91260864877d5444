"""Answers what needs neither a model nor data: small talk, words of the trade, what is the distributor's; and what may not be
answered."""

from __future__ import annotations

from beerforyou.answering.ends import canned, worded
from beerforyou.answering.turn import Draft, Outcome, Turn
from beerforyou.runs.why import Planned
from beerforyou.sentences import Language, has, say
from beerforyou.settings import Settings

# intents that a sentence of the table answers, and how such a run ends
CANNED: dict[str, tuple[str, Outcome]] = {
    "greeting": ("talk.greeting", "answered"),
    "thanks": ("talk.thanks", "answered"),
    "goodbye": ("talk.goodbye", "answered"),
    "help": ("talk.help", "answered"),
    "decline": ("talk.declined", "answered"),
    "other_client": ("talk.other_client", "refused_privacy"),
}

PREPARED = "a prepared sentence answers it"


async def small_talk(turn: Turn) -> Draft | None:
    draft = _answered(turn)
    if draft:
        turn.decided.planned = Planned(by="reading", why=PREPARED)
    return draft


def _answered(turn: Turn) -> Draft | None:
    reading = turn.read()
    match reading.intent:
        case "person":
            return worded(turn, say("talk.person", turn.language, contact=contact(turn.settings, turn.language)))
        case "distributor":
            told = contact(turn.settings, turn.language)
            return worded(turn, say(f"distributor.{reading.topics[0]}", turn.language, contact=told))
        case "knowledge":
            return worded(turn, " ".join(_known(topic, turn.language) for topic in reading.topics))
    if reading.intent not in CANNED or (reading.leftover and reading.intent != "other_client"):
        return None
    key, outcome = CANNED[reading.intent]
    return canned(turn, key, outcome, name=turn.caller.name)


def contact(settings: Settings, language: Language) -> str:
    """Of the operator, as far as the settings say: "Sol (telefone (19) 3333-4444; segunda a sexta)"."""
    name = settings.operator_name or say("distributor.somebody", language)
    ways = [say(f"distributor.{way}", language, value=value) for way in ("phone", "email", "hours")
            if (value := getattr(settings, f"operator_{way}"))]  # fmt: skip
    return say("distributor.reached", language, name=name, ways="; ".join(ways)) if ways else name


def _known(topic: str, language: Language) -> str:
    return say(key if has(key := f"know.{topic}", language) else "know.none", language)
