"""Small talk and answers: messages whose every word is a yes, a no, a greeting, a finger pointing at what was shown."""

from __future__ import annotations

from beerforyou.catalogue.brewery import Place
from beerforyou.reading.message import Message
from beerforyou.reading.names import POSSIBLE
from beerforyou.reading.slots import Slots

_POINTING = {"a", "o", "as", "os", "the", "that", "aquela", "aquele", "essa", "esse"}


def declines(m: Message, s: Slots) -> bool:
    return m.has("no") and m.covered("no", "not", "thanks", "ack") and not m.has("ordinal")


def thanks(m: Message, s: Slots) -> bool:
    begins_with_yes = m.has_at(0, "yes") and not m.has_at(0, "thanks", "ack")
    return m.has("thanks") and m.covered("thanks", "ack", "hello", "bye") and not begins_with_yes


def leaves(m: Message, s: Slots) -> bool:
    return m.has("bye") and m.covered("bye", "thanks", "ack", "hello")


def greets(m: Message, s: Slots) -> bool:
    return m.has("hello") and m.covered("hello", "thanks", "ack")


def asks_for_help(m: Message, s: Slots) -> bool:
    return m.has("help") and m.covered("help", "hello", "not", "fill")


def accepts(m: Message, s: Slots) -> bool:
    if m.has("about_me", "profile"):
        return False
    if m.has("tell_more") and m.covered("tell_more", "tell_about", "it", "yes", "last", "option", "summary", "shown"):
        return True
    yes = m.has("yes", "ack", "all_of_them", "it") and not m.has_at(0, "no")
    return yes and m.covered(
        "yes", "ack", "all_of_them", "tell_more", "tell_about", "it", "thanks", "option", "shown", "number"
    )


def wants_more(m: Message, s: Slots) -> bool:
    """The next page: "mais", "any others?"."""
    if m.has("tell_more", "ordinal", "help") or not m.has("more"):
        return False
    return m.covered("more", "page", "find", "yes", "ack", "option", "thanks", "brewery", "exists", "not")


def points(m: Message, s: Slots) -> bool:
    """ "a segunda", "#3", "the last one", "sim, a 2 e a 3"."""
    if m.has_at(0, "no") and not m.has("ordinal"):
        return False
    if any(set(word.gap.strip()) - set(".,;:!?#()&") for word in m.words) or m.has("unit", "weekday") or s.periods:
        return False
    digits = [i for i, word in enumerate(m.plain) if word.isdigit() and len(word) < 3]
    numbered = digits or m.has("ordinal", "last") or (m.has("number") and (m.has("option") or len(m) < 3))
    return bool(numbered) and m.covered(
        "ordinal", "number", "last", "option", "yes", "ack", "it", "thanks", "tell_more", "tell_about", "all_of_them",
        "shown", "and_what_about", "website", "summary", besides=digits,
    )  # fmt: skip


def points_at_place(m: Message, s: Slots) -> bool:
    """ "a de Denver", "the one in Denver", "the brewpub"."""
    if len(m) < 2 or m.plain[0] not in _POINTING or (s.place == Place() and not s.type):
        return False
    typed = {i for mention in s.type_mentions for i in range(mention.start, mention.end)}
    plural = any(m.plain[i].endswith("s") for i in typed)
    one = m.plain[1] in {"de", "do", "da", "one"} or (typed and not plural)
    return bool(one) and m.covered("place", besides={i for i, word in enumerate(m.plain) if word == "one"} | typed)


def picks_by_name(m: Message, s: Slots) -> bool:
    """ "sim, a Stone", "the Pizza Port one": a yes, or a finger, and a brewery's name."""
    name = s.name(POSSIBLE)
    if name is None or m.has("brewery"):
        return False
    said = m.has("yes") or (m.plain[0] in _POINTING and m.plain[-1] == "one")
    rest = [i for i, word in enumerate(m.plain) if word == "one"]
    return said and m.covered("yes", "ack", "tell_about", "thanks", besides=[*range(name.start, name.end), *rest])
