"""Small talk and answers: messages whose every word is a yes, a no, a greeting, a finger pointing at what was shown."""

from __future__ import annotations

from beerforyou.catalogue.brewery import Place
from beerforyou.reading.intents.picks import says_only
from beerforyou.reading.slots.names import LIKELY, POSSIBLE
from beerforyou.reading.slots.slots import Slots
from beerforyou.reading.words.lexicon import small_words
from beerforyou.reading.words.utterance import Utterance

_POINTING = small_words("finger")
_STAND_IN = small_words("stand_in_last")  # "the Stone one"


def declines(m: Utterance, s: Slots) -> bool:
    if not m.has("no") or m.has("ordinal"):
        return False
    in_one = m.has_at(0, "no") and not any(word.begins_clause for word in m.words[1:])  # "não, me fala mais" is no no
    more = ("tell_more", "tell_about", "it", "shown") if in_one else ()
    return m.covered("no", "not", "thanks", "ack", *more)


def thanks(m: Utterance, s: Slots) -> bool:
    says_yes = m.has_at(0, "yes") and not m.has_at(0, "thanks", "ack")
    return m.has("thanks") and m.covered("thanks", "ack", "hello", "bye") and not says_yes


def leaves(m: Utterance, s: Slots) -> bool:
    return m.has("bye") and m.covered("bye", "thanks", "ack", "hello")


def greets(m: Utterance, s: Slots) -> bool:
    return m.has("hello") and m.covered("hello", "thanks", "ack")


def asks_for_help(m: Utterance, s: Slots) -> bool:
    return m.has("help") and m.covered("help", "hello", "not", "fill")


def wants_more(m: Utterance, s: Slots) -> bool:
    """The next page: "mais", "any others?", "mais 3", "não gostei, manda outras"."""
    if m.has(
        "tell_more", "ordinal", "help", "other_type", "similar", "nearest", "farthest", "has", "near", "here"
    ) or not m.has("more", "dislike"):
        return False
    numbers = [i for i, word in enumerate(m.plain) if word.isdigit() and len(word) < 3]
    return m.covered(
        "more", "page", "find", "yes", "ack", "option", "thanks", "brewery", "exists", "not", "number", "dislike",
        "show_again", "recommend", besides=numbers,
    )  # fmt: skip


def accepts(m: Utterance, s: Slots) -> bool:
    if m.has("about_me", "profile") or m.has_at(0, "no") or _names_brewery(m, s):
        return False
    said = ("yes", "ack", "noted", "tell_more", "tell_about", "it", "thanks", "option", "shown", "all_of_them", "summary",
            "pointing", "chooses")  # fmt: skip
    if m.has("thanks") and not m.has("yes", "tell_more"):
        return False
    yes = m.has("yes", "ack", "noted", "tell_more", "all_of_them") or (m.has("it") and not m.asks)
    return yes and says_only(m, *said)


def _names_brewery(m: Utterance, s: Slots) -> bool:
    """ "Founders! Tell me more": an ordinary word, but one that is a brewery's name and has a capital."""
    name = s.name(POSSIBLE)
    return name is not None and bool(name.ids) and m.words[name.start].capital and m.has("tell_more", "summary")


def points_at_place(m: Utterance, s: Slots) -> bool:
    """ "a de Denver", "the one in Denver", "the brewpub"."""
    first = next((i for i in range(len(m)) if not m.has_at(i, "yes")), 0)
    if m.word(first) not in _POINTING or first + 1 == len(m) or (s.place == Place() and not s.type):
        return False
    typed = [i for mention in s.type_mentions for i in range(mention.start, mention.end)]
    singular = bool(typed) and not any(m.plain[i].endswith("s") for i in typed)
    of = (
        m.plain[first + 1] in small_words("finger_of")
        or m.plain[-1] in _STAND_IN
        or " ".join(m.plain[first : first + 2]) in small_words("finger_that")
    )
    return (of or singular) and says_only(
        m, "place", "where", "in_place", "of", "pointing", "it", "yes", besides=(*_ones(m), *typed)
    )


def picks_by_name(m: Utterance, s: Slots) -> bool:
    """ "sim, a Stone", "the Pizza Port one": a yes, or a finger, and a brewery's name."""
    name = s.name(POSSIBLE)
    if name is None or m.has("brewery"):
        return False
    if name.sure < LIKELY and not m.words[name.start].capital and m.word(name.start - 1) not in _POINTING:
        return False
    said = m.has("yes") or (m.plain[0] in _POINTING and m.plain[-1] in _STAND_IN)
    besides = (*range(name.start, name.end), *_ones(m))
    return said and m.covered("yes", "ack", "tell_about", "thanks", besides=besides)


def _ones(m: Utterance) -> list[int]:
    return [i for i, word in enumerate(m.plain) if word in _STAND_IN]
