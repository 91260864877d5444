"""Questions about one brewery or several that the catalogue answers for nothing: what is asked of it, side by side, and why it
was shown. Each word of such a question must be known to be part of one; else it is another question.
"""

from __future__ import annotations

from typing import Literal, get_args

from beerforyou.catalogue.brewery import Place
from beerforyou.catalogue.names import brewery_key
from beerforyou.reading.intents.picks import (
    ON_THE_WEB,
    each_name,
    says_only,
    without_parts,
)
from beerforyou.reading.slots.fingers import fingers_in, words_of
from beerforyou.reading.slots.names import LIKELY, Name
from beerforyou.reading.slots.slots import Slots
from beerforyou.reading.words.utterance import Utterance

Attribute = Literal[
    "phone", "address", "website", "type", "distance", "bought", "since", "miles", "hours", "beers", "other"
]
ATTRIBUTES: tuple[Attribute, ...] = get_args(Attribute)
_AND_THE_NEAREST = 2  # fingers: one for "the nearest", and more for whom
_BY_DISTANCE = ("nearest", "farthest")
_HOW_FAR = frozenset({"distance", "miles"})
_OWN = frozenset({"bought", "since"})  # of somebody: a question without a brewery is about all purchases

_ASKING = ("pointing", "asking", "asks", "it", "shown", "option", "thanks", "hello", "yes", "ack", "tell_about", "and_what_about",
           "corrects", "already", "joining")  # fmt: skip
_FROM_HERE = ("here", "from_here", "my_business", "self", "possessive")
_WHEN = ("weekday", "relative_day", "unit")
_COMPARING = (
    "pointing",
    "compares",
    "comparing",
    "it",
    "shown",
    "option",
    "thanks",
    "yes",
    "ack",
    "and",
    "all_of",
    "brewery",
    "joining",
    "which",
)
_WHY = ("pointing", "why", "tell_about", "explaining", "it", "shown", "thanks", "ack", "brewery", "best")
_BEST = ("pointing", "best", "choosing", "it", "shown", "thanks", "ack", "why", "brewery", "and_what_about")


_NAMESAKES = 8  # houses of one brewer that a name may mean; more is an ordinary word


def asked(m: Utterance) -> tuple[Attribute, ...]:
    """In the order of the message; a word within a longer phrase is the phrase's ("endereço do site" is no address)."""
    if not m.has("asks", *_BY_DISTANCE):
        return ()
    marks = [mark for mark in m.all("asks") if not _picks(m, mark.start)]
    whole = without_parts(marks, marks)
    said = {mark.value for mark in whole} | ({"distance"} if asks_nearest(m) else set[str]())
    makes_this = "beers" in said and said & {"hours", "type"} == {"type"}  # "what kind of beers"
    return tuple(
        each for each in ATTRIBUTES if each in said and not (makes_this and each == "type") and not _implied(each, said)
    )


def _picks(m: Utterance, i: int) -> bool:
    """ "a que fica mais longe" picks one, and does not ask whether it is far."""
    return m.has_at(i, *_BY_DISTANCE)


def asks_nearest(m: Utterance) -> bool:
    """ "qual delas fica mais perto?" """
    if not m.has(*_BY_DISTANCE) or m.has("brewery"):
        return False
    return any(not m.is_beside(mark.start - 1, "superlative") for mark in m.all("which"))  # not "a que fica mais perto"


def _implied(attribute: str, said: set[str]) -> bool:
    """ "desde quando compro" asks more than whether."""
    return attribute == "bought" and "since" in said


def asks_facts(m: Utterance, s: Slots) -> bool:
    """ "qual o telefone?", "how far is it?", "onde fica a segunda?", "do I already buy from Freetail?" """
    asks = asked(m) or (("type",) if _asks_whether(m, s) else ())
    if not asks or m.has("breweries_all", "compares") or m.has("tell_more"):
        return False
    if asks == ("website",) and m.has("reads_site", "summary"):
        return False
    items, names = s.fingers, certain_names(s)
    besides = words_of(items) | {i for name in names for i in range(name.start, name.end)}
    of_own = not _OWN.isdisjoint(asks)
    there = of_own and any(m.is_beside(i, "there") for i in range(len(m)))
    pointed = bool(items) or m.has("it") or there
    if not (pointed or names) and (m.has("brewery", "i") or "beers" in asks):
        return False
    if names and not ON_THE_WEB.isdisjoint(asks):
        return False  # to ask of a brewery by name what only the web knows is to ask for details
    whose = m.has("it") or there or (items and m.is_beside(items[0].start - 1, "superlative"))
    how = of_own and any(m.is_beside(i, "manner") for i in range(len(m)))  # "como compro dela?" is for who supplies
    if of_own and (not whose or how or m.has("will_buy")):
        return False
    more = (*(_FROM_HERE if _HOW_FAR.issuperset(asks) else ()), *(_WHEN if "hours" in asks else ()))
    more = (*more, "style", "makes") if "beers" in asks else more
    more = (*more, "self", "i", "buy", "past") if of_own else more
    place = _places(s) if names else set[int]()
    besides |= _types(s) if asks == ("type",) else set()
    return says_only(m, *_ASKING, *more, besides=besides | place, free=True)


def _asks_whether(m: Utterance, s: Slots) -> bool:
    """ "ela é um brewpub?", "is number one a brewpub?" """
    return m.asks and (m.has("it") or bool(s.fingers)) and bool(s.type)


def _types(s: Slots) -> set[int]:
    return {i for mention in s.type_mentions for i in range(mention.start, mention.end)}


def _places(s: Slots) -> set[int]:
    return {i for span in s.places for i in range(span.start, span.end)}


def certain_names(s: Slots) -> list[Name]:
    """Those that the catalogue has, or that can be nothing else."""
    return [
        name for name in each_name(s) if name.sure >= LIKELY or (_says_nothing_else(s.m, name) and _is_known(s, name))
    ]


def _says_nothing_else(m: Utterance, name: Name) -> bool:
    """Not "city" or "good", which are a brewery's names too."""
    return any(m.at(i) <= {"name"} for i in range(name.start, name.end))


def _is_known(s: Slots, name: Name) -> bool:
    """A word that begins a brewery's name, and not too many breweries' names."""
    found, key = s.m.lookups.find(name.text), brewery_key(name.text)
    return 0 < len(found) <= _NAMESAKES and all(brewery_key(match.brewery.name).startswith(key) for match in found)


def compares(m: Utterance, s: Slots) -> bool:
    """ "compara a primeira com a terceira", "difference between 1 and 2", "compare them"."""
    which_is_nearer = asks_nearest(m) and len(s.fingers) > _AND_THE_NEAREST
    if not m.has("compares") and not which_is_nearer:
        return False
    names = {i for name in certain_names(s) for i in range(name.start, name.end)}
    return says_only(m, *_COMPARING, besides=words_of(fingers_in(m, every_number=True)) | names, free=True)


def asks_why(m: Utterance, s: Slots) -> bool:
    return m.has("why") and _says_only_about_shown(m, s, _WHY)


def asks_best(m: Utterance, s: Slots) -> bool:
    """ "qual você acha melhor?" of those that were shown."""
    return m.has("best") and not m.has("why") and _says_only_about_shown(m, s, _BEST)


def _says_only_about_shown(m: Utterance, s: Slots, tags: tuple[str, ...]) -> bool:
    return s.place == Place() and not s.type and says_only(m, *tags, besides=words_of(s.fingers), free=True)
