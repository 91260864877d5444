"""The words that neither intent nor slots used, exactly: two messages are the same question only if these are equal too.

A word is used by the slot that it gave a value, or as a keyword of the very intent that was read. All others that say
something are left over; function words are, too, where they turn what is asked ("não", "quando", "only").
"""

from __future__ import annotations

from collections.abc import Iterable, Set

from beerforyou.reading.asking.evidence import words_of_marks
from beerforyou.reading.intents.searches import used_by_search
from beerforyou.reading.reading import Intent
from beerforyou.reading.slots.names import LIKELY
from beerforyou.reading.slots.slots import Slots
from beerforyou.reading.words.lexicon import small_words
from beerforyou.reading.words.utterance import Utterance

# What a search says already, or says by the slots beside it.
_SEARCHING = frozenset({
    "brewery", "breweries_all", "find", "exists", "want", "in_place", "of", "of_or_with", "near", "here", "from_here",
    "within", "distance", "place_word", "city_word", "state_word", "craft", "and_what_about", "place", "name", "named",
    "relative", "that", "which", "where", "self", "only", "leave_out", "several", "makes", "all_of_them", "show_again", "beer",
 "i", "possessive", "courtesy", "fill", "hello", "thanks", "yes", "ack",
})  # fmt: skip
# Around a question about purchases; what purchases do not know ("vendi", "margem", "estoque") is none of them.
_DATA = frozenset({"bought", "frames", "shows", "purchases", "i", "self", "hello", "thanks", "my_business"})
_KEYWORDS: dict[Intent, frozenset[str]] = {
    "search": _SEARCHING | {"buy", "will_buy", "already", "including", "more", "page"},
    "recommend": _SEARCHING
    | {"recommend", "new", "not", "yet", "without", "already", "buy", "keep", "my_list", "should", "my_business",
       "for_whom", "will_buy", "past", "they_bought", "supply"},
    "details": frozenset({
        "tell_about", "tell_more", "name", "place", "of", "of_or_with", "in_place", "it", "yes", "what_is", "website",
        "hello", "thanks", "ack", "more", "most",
    }),
    "own_data": _DATA,
    "statistics": _DATA | {"popular", "everyone", "clients", "buyer", "they_buy", "they_bought", "business", "who", "buy", "growing", "beside_all",
                           "above_average"},
}  # fmt: skip
# Said of all clients, though they also turn or point in other questions.
_OF_EVERYONE = frozenset({
    "everyone", "clients", "popular", "buyer", "they_buy", "they_bought", "who", "growing", "beside_all", "above_average",
})  # fmt: skip
_DATA_INTENTS = frozenset({"own_data", "statistics"})
_SAYS_ALL = frozenset({
    "profile", "decline", "thanks", "goodbye", "greeting", "help", "person", "other_client", "distributor", "knowledge",
    "facts", "compare", "why", "accept",
})  # fmt: skip
# Small words that make another question of the same slots: "quando comprei", "não comprei", "já comprei".
_TURNING = ("not", "yet", "without", "already", "only", "including", "most", "least")
_TURNING_WORDS = small_words("manner_asked")


def leftover_of(s: Slots, intent: Intent, used: Set[int]) -> tuple[str, ...]:
    """`used`: the words of the slots of a question about purchases."""
    if intent in _SAYS_ALL:
        return ()
    m, keywords = s.m, _KEYWORDS.get(intent, frozenset())
    if intent in _DATA_INTENTS:
        sums = [mark for mark in m.all("aggregate") if mark.value in ("change", "share")]  # "go up" is no small words
        times = {i for i in s.times.unknown if not m.is_function(i)}  # what is not understood of them is never dropped
        unclear = words_of_marks(*sums) | times
        return _said(m, (i for i in range(len(m)) if i not in used and (i in unclear or _is_open(m, i, keywords))))
    keywords |= {"courtesy"}
    taken, open_ = (used_by_search(s), _unheeded(s)) if intent in ("search", "recommend") else (_taken(s), set())
    return _said(m, (i for i in range(len(m)) if i in open_ or (i not in taken and not _is_explained(m, i, keywords))))


def _unheeded(s: Slots) -> set[int]:
    """What is asked of breweries and no catalogue knows, whatever else these words say."""
    taken = used_by_search(s)
    between = {mark.start for mark in s.m.all("between")} if s.more_places else set()  # not the one or the other
    return set(s.wishes) | between | {mark.start for mark in s.m.all("container") if mark.start not in taken}


def content(m: Utterance) -> list[int]:
    """The words that say something of their own."""
    return [i for i in range(len(m)) if m.has_at(i, "turning") or not (m.is_function(i) or m.has_at(i, "courtesy"))]


def unread(whole: Utterance, asking: Utterance) -> tuple[str, ...]:
    """The content of the sentences around the one that asks."""
    read = {id(word) for word in asking.words}
    return _said(whole, (i for i in content(whole) if id(whole.words[i]) not in read))


def _said(m: Utterance, positions: Iterable[int]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(m.plain[i] for i in positions))


def _is_open(m: Utterance, i: int, keywords: frozenset[str]) -> bool:
    said = m.at(i)
    if "turning" in said or "pointing" in said or "beyond" in said:
        return not keywords & said & _OF_EVERYONE
    idle = i not in m.guessed and ("courtesy" in said or m.is_function(i))  # "fraco" is no misspelt "faço"
    return keywords.isdisjoint(said) and not idle


def _is_explained(m: Utterance, i: int, keywords: frozenset[str]) -> bool:
    if m.has_at(i, *_TURNING):
        return not keywords.isdisjoint(m.at(i).intersection(_TURNING))
    if not keywords.isdisjoint(m.at(i)):
        return True
    return m.is_function(i) and m.plain[i] not in _TURNING_WORDS


def _taken(s: Slots) -> set[int]:
    """The words of slots, the number of results included."""
    spans = [(place.start, place.end) for place in s.places]
    spans += [(mention.start, mention.end) for mention in s.type_mentions]
    spans += [(period.start, period.end) for period in s.periods]
    spans += [(name.start, name.end) for name in s.names if name.sure >= LIKELY]
    digits = {i for i, word in enumerate(s.m.plain) if word.isdigit()}
    return {i for start, end in spans for i in range(start, end)} | digits | s.denials.words | s.denials.wishes
