"""Typing mistakes in names: what nobody knows, and stands where a name stands, takes the catalogue's spelling.

Only a word in the position of a place (after "in", beside a state, beside "breweries") is compared with places, and
only one in the position of a brewery's name with breweries: compared with all, every strange word is near to some name.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from msgspec.structs import replace

from beerforyou.catalogue.names import brewery_key, fold
from beerforyou.reading.slots.place_sense import is_about_breweries, is_led
from beerforyou.reading.slots.places import KINDS
from beerforyou.reading.words.lexicon import small_words
from beerforyou.reading.words.text import TRADE
from beerforyou.reading.words.utterance import Utterance

_ASKS_ABOUT_ONE = ("tell_about", "website", "summary", "makes", "what_is", "where", "exists", "named", "find", "buy", "spend", "yes")  # fmt: skip
_MOST = 3  # strange words looked up: a message with more is no misspelt question


def respelt(m: Utterance) -> Utterance:
    if not m.has_unknown and not m.has("correction"):
        return m
    spelling: dict[int, str] = {}
    for i in _strange(m):
        if i not in spelling:
            spelling |= _place(m, i) or _brewery(m, i)
    if not spelling:
        return m
    words = [replace(word, plain=spelling.get(i, m.plain[i])) for i, word in enumerate(m.words)]
    return Utterance(words, m.lookups, m.language)


def _strange(m: Utterance) -> list[int]:
    named = {i for mention in m.mentions if not mention.short for i in range(mention.start, mention.end)}
    long = (i for i, word in enumerate(m.plain) if len(word) > 3 and i not in named)
    return list(islice((i for i in long if _may_be_misspelt(m, i)), _MOST))


def _may_be_misspelt(m: Utterance, i: int) -> bool:
    return m.is_strange(i) or _is_half_a_name(m, i)


def _is_half_a_name(m: Utterance, i: int) -> bool:
    """ "san digo": "I mean" in Portuguese, but not right after half a name."""
    half = i > 0 and not m.at(i - 1) and not m.is_function(i - 1) and not m.mention_at("city", i - 1)
    return m.at(i) == {"correction"} and half and not m.words[i].begins_clause


def _place(m: Utterance, i: int) -> dict[int, str]:
    if not _stands_as_place(m, i):
        return {}
    for span in _spans(m, i):
        if len(span) == 1 and (_is_in_longer_name(m, i) or _is_half_a_name(m, i)):
            continue
        for kind in KINDS:
            found = m.lookups.nearest(kind, " ".join(m.plain[span.start : span.stop]))
            if found and (spelling := _same_length(span, fold(found))):
                return spelling
    return {}


def _is_in_longer_name(m: Utterance, i: int) -> bool:
    """ "Atlântida Nova" is not Atlanta."""
    goes_on = i + 1 < len(m) and m.is_name_like(i) and m.is_name_like(i + 1)
    return goes_on and not m.mentions_from(i + 1, *KINDS)


def _stands_as_place(m: Utterance, i: int) -> bool:
    """After "in", beside "breweries" ("breweries from X" included), after a city, or before a state."""
    beside = any(is_about_breweries(m, j) for j in (i - 1, i + 1, i - 2 if m.ends(i, "of") else i))
    city = m.mention_at("city", i - 1)
    after_city = m.has_at(i - 1, "place_city") or (city is not None and city.end == i)
    before_state = bool(m.mentions_from(i + 1, "state", "country"))
    return is_led(m, i) or is_led(m, i - 1) or beside or after_city or (before_state and (i == 0 or m.is_known(i - 1)))


def _brewery(m: Utterance, i: int) -> dict[int, str]:
    third_person = m.has("third_person") or not small_words("did").isdisjoint(m.plain)
    about_somebody = third_person and m.has("buy", "spend") and not m.has("i", "self")
    class_of_names = m.has("named") and m.has("breweries_all")  # "cervejarias com nome de santo" asks for no one's name
    if about_somebody or class_of_names or not m.has(*_ASKS_ABOUT_ONE):
        return {}
    for span in _spans(m, i):
        single = len(span) == 1
        if single and not (
            m.ends(i, "of_or_with", "tell_about", "named", "yes") or m.is_name_like(i) or m.word(i + 1) in TRADE
        ):
            continue
        if found := m.lookups.nearest("brewery", " ".join(m.plain[span.start : span.stop])):
            return _same_length(span, brewery_key(found))
    return {}


def _spans(m: Utterance, i: int) -> Iterator[range]:
    """The strange word with the capitals around it, with the next word, with the one before, and alone."""
    for span in (_titled(m, i), range(i, i + 2), range(i - 1, i + 1)):
        if span and span.start >= 0 and span.stop <= len(m) and all(_may_be_name(m, j) for j in span):
            yield span
    yield range(i, i + 1)


def _titled(m: Utterance, i: int) -> range:
    """The run of words with capitals that word `i` is in."""
    start, end = i, i + 1
    while m.is_name_like(i) and start > 1 and m.is_name_like(start - 1):
        start -= 1
    while m.is_name_like(i) and end < len(m) and m.is_name_like(end):
        end += 1
    return range(start, end) if end - start > 2 else range(0)


def _may_be_name(m: Utterance, i: int) -> bool:
    return (
        not m.is_own_function(i)
        and not m.has_at(i, "brewery", "of_or_with", "tell_about", "website", "number")
        and m.plain[i] not in TRADE
    )


def _same_length(span: range, name: str) -> dict[int, str]:
    words = name.split()
    return dict(zip(span, words, strict=True)) if len(words) == len(span) else {}
