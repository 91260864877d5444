"""The words that neither intent nor slots account for: two messages are the same question only if these are equal too.

A word is told by its first meaning where it has one, so that "site" and "página" are equal; else by itself.
"""

from __future__ import annotations

from beerforyou.reading.names import LIKELY
from beerforyou.reading.reading import Intent, Question
from beerforyou.reading.slots import Slots
from beerforyou.reading.utterance import Utterance

# What a search says already, or says by the slots beside it.
_SEARCHING = frozenset({
    "brewery", "breweries_all", "find", "exists", "want", "in_place", "of", "of_or_with", "near", "here", "from_here",
    "within", "distance", "place_word", "city_word", "state_word", "craft", "and_what_about", "place", "name", "named",
    "relative", "that", "which", "where", "self", "i", "possessive", "courtesy", "fill", "hello", "thanks", "yes", "ack",
})  # fmt: skip
_ASKING_DATA = frozenset({
    "buy", "i", "self", "possessive", "past", "spend", "purchases", "order", "how_many", "style", "dimension", "beer",
    "brewery", "of", "of_or_with", "in_place", "place", "name", "which", "that", "find", "number", "distinct", "courtesy",
    "hello", "thanks", "fill", "and_what_about",
})  # fmt: skip
_EXPLAINED: dict[Intent, frozenset[str]] = {
    "search": _SEARCHING | {"buy", "will_buy", "already", "including", "more", "page"},
    "recommend": _SEARCHING
    | {"recommend", "new", "not", "yet", "without", "already", "buy", "keep", "my_list", "should", "my_business",
       "for_whom", "will_buy", "past", "they_bought", "supply"},
    "details": frozenset({
        "tell_about", "tell_more", "name", "place", "of", "of_or_with", "in_place", "it", "yes", "what_is", "website",
        "courtesy", "hello", "thanks", "ack", "more", "most",
    }),
    "own_data": _ASKING_DATA,
    "statistics": _ASKING_DATA | {"popular", "everyone", "clients"},
}  # fmt: skip
_RANKING = frozenset({"most", "least", "top"})
_SAYS_ALL = frozenset(
    {
        "distributor",
        "knowledge",
        "profile",
        "decline",
        "thanks",
        "goodbye",
        "greeting",
        "help",
        "person",
        "other_client",
        "facts",
        "compare",
        "why",
        "accept",
    }
)
# Small words that make another question of the same slots: "quando comprei", "não comprei", "já comprei".
_TURNING = ("not", "yet", "without", "already", "only", "including", "most", "least")
_TURNING_WORDS = frozenset({"quando", "when", "why", "porque", "como", "how", "onde", "where", "quem", "who"})


def leftover_of(s: Slots, intent: Intent, question: Question | None) -> tuple[str, ...]:
    if intent in _SAYS_ALL:
        return ()
    explained = _EXPLAINED.get(intent, frozenset({"courtesy"}))
    if question and question.by:
        explained |= _RANKING
    taken = _taken(s)
    rest = [i for i in range(len(s.m)) if i not in taken and not _is_explained(s.m, i, explained)]
    return tuple(dict.fromkeys(min(s.m.at(i), default=s.m.plain[i]) for i in rest))


def _is_explained(m: Utterance, i: int, explained: frozenset[str]) -> bool:
    if m.has_at(i, *_TURNING):
        return not explained.isdisjoint(m.at(i).intersection(_TURNING))
    if not explained.isdisjoint(m.at(i)):
        return True
    return m.is_function(i) and m.plain[i] not in _TURNING_WORDS


def _taken(s: Slots) -> set[int]:
    """The words of slots, the number of results included."""
    spans = [(place.start, place.end) for place in s.places]
    spans += [(mention.start, mention.end) for mention in s.type_mentions]
    spans += [(period.start, period.end) for period in s.periods]
    spans += [(name.start, name.end) for name in s.names if name.sure >= LIKELY]
    digits = {i for i, word in enumerate(s.m.plain) if word.isdigit()}
    return {i for start, end in spans for i in range(start, end)} | digits
