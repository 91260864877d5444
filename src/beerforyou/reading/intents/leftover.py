"""The words that neither intent nor slots used, exactly: two messages are the same question only if these are equal too.

A word is used by the slot that it gave a value, or as a keyword of the very intent that was read. All others that say
something are left over; function words are, too, where they turn what is asked ("não", "quando", "only").
"""

from __future__ import annotations

from collections.abc import Iterable, Set

from beerforyou.reading.asking.evidence import NONE, words_of_marks
from beerforyou.reading.intents.breweries import asked_about
from beerforyou.reading.intents.search_words import used_by_details, used_by_search
from beerforyou.reading.reading import Intent
from beerforyou.reading.slots.slots import Slots
from beerforyou.reading.words.lexicon import small_words
from beerforyou.reading.words.utterance import Utterance

# Around a question about purchases; what purchases do not know ("vendi", "margem", "estoque") is none of them.
_DATA = frozenset({"bought", "frames", "shows", "purchases", "i", "self", "hello", "thanks", "my_business"})
_KEYWORDS: dict[Intent, frozenset[str]] = {
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
_SEARCHES = frozenset({"search", "recommend"})
# Small words and fillers of a search that say something all the same: "near Ohio", "not", "with a menu".
_HOW = small_words("manner_asked")
_TELLING = ("turning", "near", "within", "use", "past", "already")


def leftover_of(s: Slots, intent: Intent, used: Set[int]) -> tuple[str, ...]:
    """`used`: the words of the slots of a question about purchases."""
    if intent in _SAYS_ALL:
        return ()
    m = s.m
    if intent in _DATA_INTENTS:
        keywords = _KEYWORDS[intent]
        sums = [mark for mark in m.all("aggregate") if mark.value in ("change", "share")]  # "go up" is no small words
        times = {i for i in s.times.unknown if not m.is_function(i)}  # what is not understood of them is never dropped
        unclear = words_of_marks(*sums) | times
        return _said(m, (i for i in range(len(m)) if i not in used and (i in unclear or _is_open(m, i, keywords))))
    if intent in _SEARCHES:
        return left_by_search(s, used_by_search(s, intent) | s.denials.wishes)
    taken = (used_by_details(s, asked_about(s)) if intent == "details" else NONE) | s.denials.wishes
    return _said(m, (i for i in range(len(m)) if i not in taken and _is_telling(m, i, "courtesy")))


def left_by_search(s: Slots, used: Set[int]) -> tuple[str, ...]:
    """What is asked of breweries and no catalogue knows, whatever else these words say, and what says something more."""
    m = s.m
    mine = (mark.start for mark in m.all("my_list") if m.has_at(mark.end - 1, "brewery"))  # no others are to be found
    wishes = {
        *s.wishes,
        *(i for i in mine if i not in used),
        *(mark.start for mark in m.all("container") if mark.start not in s.wanted.words),
    }
    return _said(
        m, (i for i in range(len(m)) if i in wishes or (i not in used and _is_telling(m, i, "courtesy", "fill")))
    )


def denied(s: Slots) -> tuple[str, ...]:
    """What is not wanted, and is no slot: "não quero o site, só saber onde fica"."""
    return _said(s.m, sorted(s.denials.wishes))


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


def _is_telling(m: Utterance, i: int, *idle: str) -> bool:
    """Does it say something of its own? `idle` are words that only stand around."""
    return not (m.is_function(i) or m.has_at(i, *idle)) or m.has_at(i, *_TELLING) or m.plain[i] in _HOW
