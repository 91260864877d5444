"""Follow-ups: what a message leaves out, taken from the turn before it.

"E em Austin?" keeps the rest of the last search or question, "a segunda" is the second of those that were shown, "Oregon"
answers the question which Portland. A message that says everything itself takes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from beerforyou.catalogue.brewery import Place
from beerforyou.catalogue.geo import Point
from beerforyou.catalogue.names import brewery_key
from beerforyou.reading.intents.attributes import certain_names
from beerforyou.reading.intents.picks import is_at, requests_of
from beerforyou.reading.intents.replies import wants_more
from beerforyou.reading.intents.search_edits import as_search, edited_search, edits_search
from beerforyou.reading.intents.shown import about_shown, not_asked_for
from beerforyou.reading.reading import Context, Reading, Ref, Search
from beerforyou.reading.slots.slots import Slots
from beerforyou.reading.words.utterance import Utterance


def follow(reading: Reading, s: Slots, context: Context, home: Point | None) -> Reading:
    m = s.m
    if context.choices and (chosen := _chosen(m, s, context)):
        return as_search(reading, chosen)
    about = None if reading.brewery else about_shown(reading, s, context, home)
    if about and not _is_less(about, m, s):
        return about
    if context.search and not context.question and (edited := edited_search(reading, s, context)):
        return edited
    if about:
        return about
    if reading.brewery and not requests_of(m, s):
        return not_asked_for(reading, m)
    if reading.brewery:
        return replace(reading, brewery=_shown(reading.brewery, (*context.told, *context.shown)))
    return reading


def _is_less(about: Reading, m: Utterance, s: Slots) -> bool:
    """Than a search that is edited: a finger at none of those shown, or an order of all that there are and not of these."""
    vague = about.tool == "get_website_summary" and not about.brewery and not about.picks
    ordered = about.tool == "search_breweries" and s.wanted.nearest
    elsewhere = about.unsure == "outside" and not s.place.city  # "the one in Maine": of the same name
    return vague or ordered or elsewhere or m.has("any_type", "other_type")


def leans(reading: Reading, s: Slots) -> bool:
    """Does it make no sense without the conversation, or another one with it?"""
    m = s.m
    if reading.intent in ("accept", "decline", "why") or m.starts(0, "and_what_about") or wants_more(m, s):
        return True
    if edits_search(reading, s):
        return True
    if reading.intent == "own_data":
        return not m.has("buy", "spend", "purchases", "history", "beer", "style", "brewery")
    return reading.intent in ("details", "facts", "compare") and not certain_names(s)


def _chosen(m: Utterance, s: Slots, context: Context) -> Search | None:
    """The place that was picked of those asked about, with the rest of the search that it was asked for."""
    choices = [Place(city=c.city, state=c.state, country=c.country) for c in context.choices]
    position = _position(m, len(choices))
    if position is None and s.place != Place():
        position = next((i for i, place in enumerate(choices) if is_at(place, s.place)), None)
    if position is None:
        return None
    choice, last = context.choices[position], context.search or Search()
    return replace(last, city=choice.city, state=choice.state, country=choice.country, page=1)


def _position(m: Utterance, count: int) -> int | None:
    """Which of `count` is pointed at: an ordinal, a number, the last; None for no pointing, or past the end."""
    said = [int(mark.value) for mark in m.all("ordinal")]
    said += [int(word) for word in m.plain if word.isdigit() and len(word) < 3]
    said += [int(mark.value) for mark in m.all("number")] if m.has("option") else []
    if not said and m.has("last"):
        said = [count]
    return said[0] - 1 if said and 0 < said[0] <= count else None


def _shown(named: Ref, shown: Sequence[Ref]) -> Ref:
    """The brewery of that name that was shown, if one was: its id is the one that is meant."""
    key = brewery_key(named.name)
    same = [
        ref
        for ref in dict.fromkeys(shown)
        if brewery_key(ref.name) == key or f" {key} " in f" {brewery_key(ref.name)} "
    ]
    return same[0] if len(same) == 1 else named
