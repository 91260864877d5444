"""What is most likely meant when no rule was sure: a number is counted in purchases, a place is searched in."""

from __future__ import annotations

from beerforyou.reading.slots.slots import Slots
from beerforyou.reading.words.lexicon import small_words
from beerforyou.reading.words.utterance import Utterance

_SHORT = 6  # words of a message that only changes the question before it: "break it down by month"


def guesses_statistics(m: Utterance, s: Slots) -> bool:
    return m.has("everyone", "clients") and m.has("top", "most", "least", "popular", "how_many")


def guesses_own_data(m: Utterance, s: Slots) -> bool:
    if s.place.city or s.type:
        return False
    if m.has("how_many") and m.has("style") and not m.has("brewery", "everyone", "clients", "popular", "business"):
        return True  # "how much on stouts"
    dated = any(not m.has_at(period.end - 1, "relative_day") for period in s.periods)  # "today" begins any story
    counts = dated and (s.mine or m.has("how_many", "most", "least", "top")) and not m.has("business")
    grouped = any(mark.value not in {"beer", "brewery", "type"} for mark in m.all("dimension"))
    idle = m.has("brewery", "hello", "thanks", "bye", "no")
    return counts or (len(m) <= _SHORT and grouped and not idle)


def guesses_search(m: Utterance, s: Slots) -> bool:
    counts = m.has("how_many") or m.word(0) in small_words("who_or_when")
    return m.asks and any(span.led for span in s.places) and not counts
