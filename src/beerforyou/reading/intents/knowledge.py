"""Questions about words of the trade: what a brewpub, an IPA, a nano brewery is. A table of sentences answers them."""

from __future__ import annotations

from collections.abc import Iterator

from beerforyou.reading.slots.slots import Slots
from beerforyou.reading.words.utterance import Utterance

_ASKING = ("what_is", "difference", "means", "tell_about")
_BESIDES = (
    "brewery",
    "beer",
    "style",
    "dimension",
    "which",
    "that",
    "of",
    "and",
    "exists",
    "hello",
    "thanks",
    "fill",
    "want",
)


def asks_what_it_is(m: Utterance, s: Slots) -> bool:
    """Nothing is in the message but that question and words of the trade."""
    if not m.has(*_ASKING[:3]) or m.has("possessive", "i", "buy", "spend"):
        return False
    named = {i for _, words in _named(m) for i in words}
    return bool(named) and m.covered(*_ASKING, *_BESIDES, besides=named)


def asks_who_answers(m: Utterance, s: Slots) -> bool:
    """ "are you a bot?", and nothing else."""
    said = {i for mark in m.all("identity") for i in range(mark.start, mark.end)}
    also_what = any(mark.start not in said for mark in m.all("help"))
    return bool(said) and not also_what and m.covered("identity", "hello", "fill", "or")


def topics_in(m: Utterance) -> tuple[str, ...]:
    """In the order of the message; of words that lie within others the longer ones."""
    if m.has("identity"):
        return ("assistant",)
    return tuple(dict.fromkeys(topic for topic, _ in _named(m)))


def _named(m: Utterance) -> Iterator[tuple[str, range]]:
    found = [(mention.start, mention.end, mention.name) for mention in m.mentions_of("type")]
    found += [(mark.start, mark.end, mark.value) for mark in m.all("style", "beer_word")]
    end = 0
    for start, stop, topic in sorted(found, key=lambda each: (each[0], -each[1])):
        if start >= end:
            end = stop
            yield topic, range(start, stop)
