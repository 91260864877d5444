"""What no tool does: attacks, people to talk to, and everything that is not about beer."""

from __future__ import annotations

from beerforyou.reading.slots.names import LIKELY, SURE
from beerforyou.reading.slots.slots import Slots
from beerforyou.reading.words.utterance import Utterance


def attacks(m: Utterance, s: Slots) -> bool:
    return m.has("attack")


def wants_person(m: Utterance, s: Slots) -> bool:
    if m.has("human") and not m.has("help", "brewery", "buy", "spend"):
        return True
    if not m.has("person") or s.name(LIKELY) or m.has("brewery", "third_person", "spend"):
        return False
    return m.has("talk") or m.covered("person", "talk", "hello")


def is_off_topic(m: Utterance, s: Slots) -> bool:
    if s.type or s.name(SURE) or m.has("brewery", "popular", "history", "profile", "my_list", "my_business"):
        return False
    own = m.has("i", "self") and m.has("buy", "spend")
    return (m.has("off_topic") and not own) or _looks_for_restaurant(m)


def _looks_for_restaurant(m: Utterance) -> bool:
    return m.has("business") and m.covered(
        "business", "place", "find", "exists", "good", "recommend", "most", "in_place"
    )
