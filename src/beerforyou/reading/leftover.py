"""The words that neither intent nor slots account for: two messages are the same question only if these are equal too.

A word is told by its first meaning where it has one, so that "site" and "página" are equal; else by itself.
"""

from __future__ import annotations

from beerforyou.reading.message import Message
from beerforyou.reading.reading import Intent
from beerforyou.reading.slots import Slots

# What an intent says already, or what is said by the slots beside it.
_SEARCHING = frozenset((
    "brewery", "breweries_all", "find", "exists", "want", "in_place", "of", "of_or_with", "near", "here", "from_here",
    "within", "distance", "place_word", "city_word", "state_word", "craft", "only", "and_what_about", "fill", "place", "name",
    "named", "relative", "that", "which",
))  # fmt: skip
_EXPLAINED: dict[Intent, frozenset[str]] = {
    "search": _SEARCHING | {"where", "buy", "will_buy", "i", "self", "possessive", "already", "including", "more", "page"},
    "recommend": _SEARCHING
    | {"recommend", "new", "not", "yet", "without", "already", "buy", "keep", "my_list", "i", "self", "possessive", "should",
       "my_business", "for_whom", "will_buy", "past", "they_bought"},
    "accept": frozenset(("yes", "ack", "ordinal", "number", "last", "option", "it", "all_of_them", "tell_more", "tell_about",
                         "thanks", "shown", "place", "in_place", "of", "fill")),
    "details": frozenset(("tell_about", "tell_more", "name", "place", "of", "of_or_with", "in_place", "it", "yes", "what_is",
                          "website")),
    "own_data": frozenset(("buy", "i", "self", "possessive", "past", "spend", "purchases", "order", "how_many", "most", "least",
                           "top", "style", "dimension", "beer", "brewery", "of", "of_or_with", "in_place", "place", "name",
                           "which", "that", "find", "number")),
    "statistics": frozenset(("popular", "everyone", "clients", "buy", "most", "least", "top", "style", "dimension", "beer",
                             "brewery", "of", "of_or_with", "in_place", "place", "which", "that", "how_many", "spend", "number")),
}  # fmt: skip
_ALL_EXPLAINED = frozenset(("profile", "decline", "thanks", "goodbye", "greeting", "help", "person", "other_client"))


def leftover_of(s: Slots, intent: Intent) -> tuple[str, ...]:
    m = s.m
    if intent in _ALL_EXPLAINED:
        return ()
    explained = _EXPLAINED.get(intent, frozenset()) | {"courtesy", "hello", "thanks"}
    spans = [(place.start, place.end) for place in s.places]
    spans += [(mention.start, mention.end) for mention in s.type_mentions]
    spans += [(period.start, period.end) for period in s.periods]
    spans += [(name.start, name.end) for name in s.names if m.has_at(name.start, "name")]
    taken = {i for start, end in spans for i in range(start, end)}
    rest = [i for i in range(len(m)) if i not in taken and explained.isdisjoint(m.at(i)) and not m.is_function(i)]
    return tuple(dict.fromkeys(_canonical(m, i) for i in rest if not (intent != "off_topic" and m.plain[i].isdigit())))


def _canonical(m: Message, i: int) -> str:
    return min(m.at(i), default=m.plain[i])
