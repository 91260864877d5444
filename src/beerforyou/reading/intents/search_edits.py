"""Follow-ups of a search edit it: what is said now takes the place of what was said then, is added, or left out; the rest
stays. "Tem nano?" keeps the place, "e em Dallas?" the type, "tira as grandes" both.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from beerforyou.catalogue.brewery import Place
from beerforyou.catalogue.places import label
from beerforyou.reading.asking.evidence import words_of_marks
from beerforyou.reading.intents.leftover import left_by_search
from beerforyou.reading.intents.replies import wants_more
from beerforyou.reading.intents.rules import TOOL_OF
from beerforyou.reading.intents.search_words import used_by_search
from beerforyou.reading.intents.searches import (
    also_in,
    like_of,
    not_in,
    not_types,
    wishes_of,
    within_km,
)
from beerforyou.reading.reading import Context, Intent, Reading, Search
from beerforyou.reading.slots.names import POSSIBLE
from beerforyou.reading.slots.slots import Slots
from beerforyou.reading.words.utterance import Utterance

# Intents that a few words are read as when nobody knows of what they speak: "quantas?", "os dois tipos", "qual fica mais perto".
_VAGUE: frozenset[Intent] = frozenset({"search", "recommend", "unclear", "own_data", "statistics", "decline", "accept", "off_topic", "facts", "compare"})  # fmt: skip
# Words of an edit that are no slot of a search themselves.
_EDITING = (
    "and_what_about", "only", "find", "exists", "want", "fill", "good", "more", "correction", "also", "in_all", "how_many", "show_again",
    "that", "which", "relative", "option", "place_word", "in_place", "near", "of", "within", "from_here", "here", "several", "one",
    "leave_out", "instead", "not", "nearest", "has", "on_foot", "number", "distance", "new", "already", "yet", "keep", "buy", "i", "self",
    "my_list", "including", "any_type", "other_type", "similar", "small", "big", "it", "shown", "wish", "style", "dislike", "ack", "hello",
    "thanks", "yes", "anywhere", "far", "preference", "whole_state", "brewery", "place", "makes", "where", "but", "and", "or", "recommend", "all_of_them", "most", "least",
)  # fmt: skip
# Those that say what to change, and of which.
_CHANGING = (
    "and_what_about", "also", "correction", "any_type", "other_type", "similar", "whole_state", "anywhere", "in_all", "how_many", "it", "shown",
    "all_of_them", "one", "option",
)  # fmt: skip


def as_search(reading: Reading, search: Search) -> Reading:
    intent: Intent = "recommend" if search.only_new else "search"
    return replace(reading, intent=intent, tool=TOOL_OF[intent], search=search, question=None, brewery=None)


def edits_search(reading: Reading, s: Slots) -> bool:
    """Does it say what to change in a search, and not what to search for?"""
    m = s.m
    of_purchases = m.has("buy", "purchases", "spend", "keep", "possessive") and (
        _says_brewery(s) or m.has("beer", "measure")
    )
    if reading.question and not reading.leftover and of_purchases:
        return False  # "breweries I buy from in Texas", "my 5 beers that I buy most": all of it is said
    if reading.intent not in ("search", "recommend"):
        return _counts(s) or _shows(m) or (reading.intent in _VAGUE and _says_slot(s) and _is_covered(s))
    if s.name(POSSIBLE) is not None and reading.search and (reading.search.name or reading.search.like):
        return False
    if _corrects(m) or m.starts(0, "and_what_about", "also", "or") or wants_more(m, s):
        return True
    if _names_place(s):
        whole = m.has("recommend", "beer", "where", "named") or (s.types and m.has("exists", "find"))
        return not whole and not _says_brewery(s)
    return _is_covered(s) and not _says_anew(s)


def edited_search(reading: Reading, s: Slots, context: Context) -> Reading | None:
    last = context.search
    if last is None or not edits_search(reading, s):
        return None
    if wants_more(s.m, s):
        return as_search(replace(reading, leftover=()), _further(last, s, len(context.shown)))
    changes = _changes(s, last, context)
    said = replace(reading, wishes=wishes_of(s), leftover=_leftover(s))
    if changes:
        return as_search(said, replace(last, **_reset(changes)))
    if s.m.has("similar"):
        return as_search(said, _further(last, s, len(context.shown)))
    return replace(said, intent="search", tool="search_breweries", search=None) if s.wishes else None


def _further(last: Search, s: Slots, shown: int) -> Search:
    """The next page; another number of them begins where the last ended."""
    number = s.wanted.limit
    if number is None or number == last.size:
        return replace(last, page=last.page + 1)
    return replace(last, skip=last.skip + (last.page - 1) * last.size + (shown or last.size), page=1, limit=number)


def _reset(changes: dict[str, Any]) -> dict[str, Any]:
    """What an edit makes void: pages, and a name that the first answer was about."""
    return {"page": 1, "skip": 0, "name": "", "like": ""} | changes


def _changes(s: Slots, last: Search, context: Context) -> dict[str, Any]:
    m = s.m
    changes = _place(s, last) | _left_out(s, last) | _types(s, last, context) | _distance(s, last)
    if s.novelty:
        changes["only_new"] = s.novelty == "new"
    elif m.has("relative") and m.has("not") and m.has("several", "that") and not changes:
        changes["only_new"] = True  # "ones I don't"
    if s.wanted.has:
        changes["has"] = s.wanted.has
    if s.wanted.nearest:
        changes["nearest"] = True
    if m.has("similar") and (like := _like(s, context)):
        changes["like"] = like
    return changes | _limit(s, last, bool(changes))


def _limit(s: Slots, last: Search, changed: bool) -> dict[str, Any]:
    """How many; "quantas?" wants the number alone, and what comes after it the list again."""
    if s.wanted.limit is not None:
        return {"limit": s.wanted.limit}
    if _counts(s):
        return {"limit": 0}
    again = s.m.has("show_again", "find") or (changed and not s.m.starts(0, "and_what_about"))
    if again and (last.limit == 0 or (last.limit == 1 and last.nearest)):
        return {"limit": None}
    return {}


def _place(s: Slots, last: Search) -> dict[str, Any]:
    if s.near_me and not (s.wanted.nearest and _last_place(last) != Place()):
        return {"city": "", "state": "", "country": "", "also_in": (), "near_me": True}
    if s.m.has("anywhere"):
        return {"city": "", "state": "", "country": "", "also_in": (), "near_me": False, "within_km": None}
    if s.m.has("whole_state") and last.city:
        return {"city": "", "within_km": None} | _around(s, last)
    if s.place == Place():
        return {}
    if _adds(s.m) and _last_place(last) != Place():
        return {"also_in": tuple(dict.fromkeys((*last.also_in, label(s.place), *also_in(s))))}
    if city := _qualified(s, last):
        return {"city": city, "state": s.place.state, "country": s.place.country, "also_in": (), "near_me": False}
    around = {"within_km": None} if last.near_me and s.within_km is None else {}
    place = s.place
    return {
        "city": place.city,
        "state": place.state,
        "country": place.country,
        "also_in": also_in(s),
        "near_me": False,
    } | around


def _corrects(m: Utterance) -> bool:
    """ "digo, Maine", "não, Maine"."""
    return m.has("correction") or (m.has_at(0, "no") and len(m.clauses) > 1 and len(m.clauses[0]) == 1)


def _around(s: Slots, last: Search) -> dict[str, Any]:
    """The state of the last city, as the catalogue knows it."""
    place = s.m.lookups.catalogue.places.resolve(last.city, last.state, last.country)
    return {"state": place.state, "country": place.country} if isinstance(place, Place) else {}


def _qualified(s: Slots, last: Search) -> str:
    """ "do Canadá", "I meant Maine": the city that was named, in another state or country that has one of that name."""
    corrects = _corrects(s.m)
    if s.place.city or not last.city or (s.m.starts(0, "and_what_about") and not corrects):
        return ""
    if s.m.has("one"):
        return last.city  # "the one in Ohio"
    span = s.places[0]
    if not corrects and not s.m.ends(span.start, "of") and len(s.m) != span.end - span.start:
        return ""
    there = s.m.lookups.catalogue.places.resolve(last.city, s.place.state, s.place.country)
    return last.city if isinstance(there, Place) and there.city else ""


def _left_out(s: Slots, last: Search) -> dict[str, Any]:
    """What was wanted and is not any more; what was left out before stays so, unless it is wanted now."""
    changes: dict[str, Any] = {}
    if places := not_in(s):
        changes["not_in"] = tuple(dict.fromkeys((*last.not_in, *places)))
        if last.city in places and s.place == Place():
            changes |= {"city": "", "within_km": None} | _around(s, last)
    elif last.not_in and s.place != Place():
        changes["not_in"] = tuple(place for place in last.not_in if place != label(s.place))
    if types := not_types(s):
        changes["not_types"] = tuple(dict.fromkeys((*last.not_types, *types)))
        kept = [kind for kind in (last.type, *last.also_types) if kind and kind not in types]
        changes |= {"type": kept[0] if kept else "", "also_types": tuple(kept[1:])}
    return changes


def _types(s: Slots, last: Search, context: Context) -> dict[str, Any]:
    if s.m.has("other_type"):
        catalogue = s.m.lookups.catalogue
        shown = [found.brewery_type for ref in context.shown if (found := catalogue.brewery(ref.id))]
        known = dict.fromkeys([*last.not_types, *([last.type] if last.type else shown), *last.also_types])
        return {"type": "", "also_types": (), "not_types": tuple(known)}
    if s.m.has("any_type") and not s.types:
        return {"type": "", "also_types": ()} | ({} if not_types(s) else {"not_types": ()})
    if not s.types:
        return {}
    types = [*(kind for kind in (last.type, *last.also_types) if kind), *s.types] if _adds(s.m) else s.types
    left_out = tuple(kind for kind in (*last.not_types, *not_types(s)) if kind not in types)
    first, *others = dict.fromkeys(types)
    return {"type": first, "also_types": tuple(others), "not_types": left_out}


def _distance(s: Slots, last: Search) -> dict[str, Any]:
    km = within_km(s)
    if km is None:
        return {}
    somewhere = s.place != Place() or _last_place(last) != Place()
    return {"within_km": km, "miles": bool(s.distance and s.distance.miles)} | ({} if somewhere else {"near_me": True})


def _like(s: Slots, context: Context) -> str:
    """The brewery that was named, or the only one that is spoken of."""
    spoken_of = context.told[-1:] or (context.shown if len(context.shown) == 1 else ())
    return like_of(s) or (spoken_of[0].id if spoken_of else "")


def _last_place(last: Search) -> Place:
    return Place(city=last.city, state=last.state, country=last.country)


def _names_place(s: Slots) -> bool:
    return s.place != Place() or s.near_me


def _counts(s: Slots) -> bool:
    """ "quantas?", "no total quantas são?", "quantas em Denver?": a number, and nothing is said of what."""
    m, places = s.m, {i for span in s.places for i in range(span.start, span.end)}
    said = ("how_many", "in_all", "exists", "and_what_about", "it", "statistic", "one", "several", "that", "ack", "shown", "no", "show_again",
            "in_place")  # fmt: skip
    return m.has("how_many") and m.covered(*said, besides=places)


def _adds(m: Utterance) -> bool:
    """ "e em Houston também", "ou taproom": to what was asked before, and not instead of it."""
    return m.has("also") or m.starts(0, "or")


def _shows(m: Utterance) -> bool:
    """ "mostra", "show them": after a number alone."""
    return m.has("show_again") and m.covered("show_again", "it", "all_of_them", "find", "shown", "deniable", "several")


def _says_slot(s: Slots) -> bool:
    asked = s.wanted.nearest or s.wanted.has or s.wanted.limit is not None or s.within_km is not None
    said = s.types or s.denials.types or s.denials.places or s.novelty in ("new", "any") or _names_place(s)
    return bool(asked or said or s.wishes) or s.m.has("other_type", "any_type", "similar", "relative", "whole_state")


def _is_covered(s: Slots) -> bool:
    return all(i in s.wishes for i in _besides(s))


def _leftover(s: Slots) -> tuple[str, ...]:
    """All but the words of slots, and those that say how to change one."""
    changing = words_of_marks(*s.m.all(*_CHANGING))
    return left_by_search(s, used_by_search(s, _intent(s)) | changing | s.denials.wishes)


def _intent(s: Slots) -> Intent:
    return "recommend" if s.novelty == "new" else "search"


def _besides(s: Slots) -> list[int]:
    """The words that neither a slot nor the way to edit one accounts for."""
    rest = list(s.m.besides(*_EDITING))
    used = used_by_search(s, _intent(s)) if rest else set()
    return [i for i in rest if i not in used]


def _says_brewery(s: Slots) -> bool:
    """The word "breweries", other than in the name of a type ("large breweries")."""
    typed = {i for mention in s.type_mentions for i in range(mention.start, mention.end)}
    return any(mark.start not in typed for mark in s.m.all("brewery"))


def _says_anew(s: Slots) -> bool:
    """ "cervejarias", "me recomenda umas cervejarias novas": a search of its own, where nobody said in which place."""
    edits = s.denials or s.wanted.nearest or s.wanted.has or s.within_km is not None or s.wishes or s.types
    return (s.m.has("recommend") or _says_brewery(s)) and not (
        edits or s.m.has("only", "other_type", "any_type", "similar")
    )
