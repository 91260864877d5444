"""Follow-ups: what a message leaves out, taken from the turn before it.

"E em Austin?" keeps the rest of the last search or question, "a segunda" is the second of those that were shown, "Oregon"
answers the question which Portland. A message that says everything itself takes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from beerforyou.catalogue.brewery import Place
from beerforyou.catalogue.names import brewery_key, fold
from beerforyou.reading.intents import TOOL_OF
from beerforyou.reading.reading import Context, Intent, Question, Reading, Ref, Search
from beerforyou.reading.replies import wants_more
from beerforyou.reading.search_edits import as_search, edited_search, edits_search
from beerforyou.reading.slots import Slots
from beerforyou.reading.utterance import Utterance


def follow(reading: Reading, s: Slots, context: Context) -> Reading:
    m = s.m
    if context.choices and (chosen := _chosen(m, s, context)):
        return as_search(reading, chosen)
    if context.search and not context.question and (edited := edited_search(reading, s, context)):
        return edited
    if reading.brewery:
        return replace(reading, brewery=_shown(reading.brewery, context.shown))
    if not leans(reading, s):
        return reading
    if reading.intent in ("accept", "details"):
        return _picked(reading, s, context)
    if context.question and (question := _continued(reading, m, s, context.question)):
        intent: Intent = "own_data" if question.about == "me" else "statistics"
        return replace(reading, intent=intent, tool=TOOL_OF[intent], search=None, question=question)
    return reading


def leans(reading: Reading, s: Slots) -> bool:
    """Does it make no sense without the conversation, or another one with it?"""
    m = s.m
    if reading.intent in ("accept", "decline") or m.starts(0, "and_what_about") or wants_more(m, s):
        return True
    if edits_search(reading, s):
        return True
    if reading.intent == "own_data":
        return not m.has("buy", "spend", "purchases", "history", "beer", "style", "brewery")
    return reading.intent == "details" and reading.brewery is None


def _chosen(m: Utterance, s: Slots, context: Context) -> Search | None:
    """The place that was picked of those asked about, with the rest of the search that it was asked for."""
    choices = [Place(city=c.city, state=c.state, country=c.country) for c in context.choices]
    position = _position(m, len(choices))
    if position is None and s.place != Place():
        position = next((i for i, place in enumerate(choices) if _is_at(place, s.place)), None)
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


def _is_at(place: Place, asked: Place) -> bool:
    """Is every part that was said a part of the place? A state's name may have been taken for a city, and back."""
    parts = {fold(part) for part in (place.city, place.state, place.country) if part}
    return {fold(part) for part in (asked.city, asked.state, asked.country) if part} <= parts


def _picked(reading: Reading, s: Slots, context: Context) -> Reading:
    """The one of the shown that a yes or a finger means; no brewery when it may be several.

    A finger that points at none of them is no yes to the others.
    """
    if (position := _position(s.m, len(context.shown))) is not None:
        return replace(reading, brewery=context.shown[position])
    meant = [ref for ref in context.shown if _is_meant(ref, s)]
    if context.shown and (not meant or s.digits or s.m.has("ordinal")):
        return replace(reading, intent="unclear", tool="none")
    return replace(reading, brewery=meant[0] if len(meant) == 1 and not s.m.has("all_of_them") else None)


def _is_meant(ref: Ref, s: Slots) -> bool:
    brewery = s.m.lookups.catalogue.brewery(ref.id)
    of_type = not s.type or (brewery is not None and brewery.brewery_type == s.type)
    return of_type and _is_at(Place(city=ref.city, state=ref.state), s.place)


def _shown(named: Ref, shown: Sequence[Ref]) -> Ref:
    """The brewery of that name that was shown, if one was: its id is the one that is meant."""
    key = brewery_key(named.name)
    same = [ref for ref in shown if brewery_key(ref.name) == key or f" {key} " in f" {brewery_key(ref.name)} "]
    return same[0] if len(same) == 1 else named


def _continued(reading: Reading, m: Utterance, s: Slots, last: Question) -> Question | None:
    """The last question with what is said now in the place of what was said then."""
    said = reading.question
    if said is None and not (reading.search and (s.place != Place() or s.type or m.has("style"))):
        return None
    changes: dict[str, object] = {}
    if said:
        changes = {f: v for f in ("since", "until", "by", "limit", "style") if (v := getattr(said, f))}
        if said.since or said.until:
            changes |= {"since": said.since, "until": said.until}
    if s.place != Place():
        changes |= {"city": s.place.city, "state": s.place.state}
    if s.type:
        changes["type"] = s.type
    return replace(last, **changes) if changes else None
