"""Messages about what was shown or told: which breweries they mean, and what is made of that.

A yes is one only where it answers an offer, or asks for details; whom it means must be certain, or it is asked.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from beerforyou.catalogue.brewery import Place
from beerforyou.catalogue.geo import Point
from beerforyou.reading.intents.attributes import asked, asks_best, asks_nearest, certain_names
from beerforyou.reading.intents.picks import (
    Picked,
    alike,
    deictic,
    named,
    requests,
    resolved,
    says_only,
)
from beerforyou.reading.reading import Context, Intent, Reading, Ref, Search
from beerforyou.reading.slots.fingers import fingers_in, is_bare
from beerforyou.reading.slots.names import ref_of
from beerforyou.reading.slots.slots import Slots
from beerforyou.reading.words.utterance import Utterance


def about_shown(reading: Reading, s: Slots, context: Context, home: Point | None) -> Reading | None:
    """None where the message is about something else."""
    if reading.intent in ("accept", "details") and reading.brewery is None:
        return _agreed_to(reading, s, context, home)
    if reading.intent in ("facts", "compare"):
        return _facts(reading, s, context, home)
    if context.shown and asks_best(s.m, s):
        reading = replace(reading, intent="why", asks=("best",))
    if reading.intent == "why":
        return _why(reading, s, context, home)
    if reading.intent in ("search", "unclear") and (context.offered or context.pending):
        return _named(reading, s, context)
    return None


def _agreed_to(reading: Reading, s: Slots, context: Context, home: Point | None) -> Reading:
    if not context.shown and not context.told:
        noted = says_only(s.m, "ack", "noted", "thanks") and reading.brewery is None
        return replace(reading, intent="unclear", tool="none") if noted else reading
    if reading.intent == "details" and not requests(s.m, s):
        return replace(reading, intent="unclear", tool="none")
    picked = _picked(s, context, home)
    if picked is None:
        return _bare(reading, s, context)
    if picked.unsure == "several" and s.m.has("nearest", "farthest"):
        return replace(_as_facts(reading, context.shown), asks=("distance",))  # for the client to see
    if picked.unsure:
        return _unsure(reading, picked)
    if context.pending and context.pending[0] != "accept":
        return _answered(reading, picked.refs, context)
    asked_for = context.offered or context.pending
    if not asked_for and (s.m.has("orders_one") or is_bare(s.m)):
        return _as_facts(reading, picked.refs)
    return _with(reading, picked.refs)


def _answered(reading: Reading, refs: Sequence[Ref], context: Context) -> Reading:
    """Which one was asked back, of a question that costs nothing: this is the answer."""
    intent, *asks = context.pending
    again = replace(reading, intent="compare" if intent == "compare" else "facts", asks=tuple(asks))
    return _as_facts(again, refs)


def _picked(s: Slots, context: Context, home: Point | None) -> Picked | None:
    """Whom fingers, a place or a type mean; None when nothing points."""
    items = s.fingers
    if items and deictic(s.m, items) and context.told:
        return Picked(context.told[-1:])
    if items:
        return resolved(items, s.m, context, home)
    if s.place == Place() and not s.type:
        return None
    meant = alike(s, context.shown)
    return Picked(tuple(meant), "several" if len(meant) > 1 else "" if meant else "outside")


def _bare(reading: Reading, s: Slots, context: Context) -> Reading:
    """A yes that names nobody: to the only one, if it was offered or is asked for; else nobody is meant."""
    candidates = context.told or context.shown
    if s.m.has("tell_more", "tell_about", "summary", "website") or reading.intent == "details":
        return _with(reading, candidates) if len(candidates) == 1 or _says_them(s.m, context) else reading
    if context.offered and not _only_notes(s.m):
        return _with(reading, candidates) if len(candidates) == 1 else reading
    if says_only(s.m, "ack", "noted", "thanks"):
        return replace(reading, intent="thanks", tool="none")
    return reading


def _says_them(m: Utterance, context: Context) -> bool:
    return m.has("them") and len(context.told) > 1


def _only_notes(m: Utterance) -> bool:
    """ "entendi", "I see": heard, and no yes."""
    return says_only(m, "noted", "thanks")


def _with(reading: Reading, refs: Sequence[Ref]) -> Reading:
    return replace(reading, brewery=refs[0]) if len(refs) == 1 else replace(reading, picks=tuple(refs))


def _unsure(reading: Reading, picked: Picked) -> Reading:
    return replace(reading, intent="unclear", tool="none", unsure=picked.unsure, search=None, brewery=None)


def _facts(reading: Reading, s: Slots, context: Context, home: Point | None) -> Reading:
    """About those that are named, pointed at, or last told of."""
    reading = replace(reading, asks=(asked(s.m) or ("type",)) if reading.intent == "facts" else (), question=None)
    refs, unsure = _meant(s, context, home)
    if reading.intent == "compare" and len(refs) == 1 and context.told and context.told[-1] != refs[0]:
        refs = (context.told[-1], *refs)
    if reading.intent == "compare" and len(refs) == 1:
        refs, unsure = (), "several"
    return _as_facts(reading, refs) if refs else _unsure_facts(reading, unsure or "several")


def _unsure_facts(reading: Reading, unsure: str) -> Reading:
    return replace(reading, tool="none", search=None, brewery=None, unsure=unsure)


def _meant(s: Slots, context: Context, home: Point | None) -> tuple[tuple[Ref, ...], str]:
    shown = (*context.told, *context.shown)
    here, words = named(s, tuple(dict.fromkeys(shown)))
    others = [ref_of(s.m, name, s.place) for name in certain_names(s) if words.isdisjoint(range(name.start, name.end))]
    items = fingers_in(s.m, every_number=True) if s.m.has("compares") else s.fingers
    if items and deictic(s.m, items) and context.told:
        return context.told[-1:], ""
    but_nearest = [item for item in items if item.kind not in ("nearest", "farthest")]
    if asks_nearest(s.m) and not but_nearest:
        return _nearest(s, context, home)
    items = but_nearest if asks_nearest(s.m) else items  # "a 2 ou a 3, qual é mais perto?": both, with their distances
    pointed = resolved(items, s.m, context, home) if items else Picked()
    if pointed.unsure:
        return (), pointed.unsure
    refs = tuple(dict.fromkeys((*here, *others, *pointed.refs)))
    return (refs, "") if refs else _last_told(s.m, context)


def _nearest(s: Slots, context: Context, home: Point | None) -> tuple[tuple[Ref, ...], str]:
    """Of those last told of where they are several, else of the list; all of them when it is not certain."""
    pool = context.told if len(context.told) > 1 else context.shown
    found = resolved(s.fingers, s.m, replace(context, shown=pool, told=()), home)
    return (found.refs or pool), "" if pool else "nothing"


def _last_told(m: Utterance, context: Context) -> tuple[tuple[Ref, ...], str]:
    if m.has("compares"):
        return (context.told if len(context.told) > 1 else context.shown), "nothing" if not context.shown else ""
    if context.told:
        return context.told, ""  # each is named in the answer, and costs nothing
    if len(context.shown) == 1 or m.has("them"):
        return context.shown, ""  # "qual delas tem site?", "do I buy from any of them?"
    return (), "several" if context.shown or context.told else "nothing"


def _as_facts(reading: Reading, refs: Sequence[Ref]) -> Reading:
    intent: Intent = reading.intent if reading.intent == "compare" else "facts"
    one = refs[0] if len(refs) == 1 else None
    vague = one or Ref(id="", name="")
    where = vague if not vague.id else Ref(id="", name="")  # an id needs no place
    search = Search(breweries=tuple(ref.id or ref.name for ref in refs), city=where.city, state=where.state)
    picks = () if one else tuple(refs)
    return replace(reading, intent=intent, tool="search_breweries", search=search, brewery=one, picks=picks)


def not_asked_for(reading: Reading, m: Utterance) -> Reading:
    """A brewery is named, and no details are asked for: what is known of it costs nothing."""
    if m.has("not") or not reading.brewery or not reading.brewery.id:
        return replace(reading, intent="unclear", tool="none", brewery=None)
    return _as_facts(reading, (reading.brewery,))


def _why(reading: Reading, s: Slots, context: Context, home: Point | None) -> Reading:
    """The list is asked for again, with its reasons: of those that are pointed at, or that are best, or all."""
    if context.search is None or not context.shown:
        return replace(reading, intent="unclear", tool="none")
    picked = resolved(items, s.m, context, home) if (items := s.fingers) else Picked()
    if picked.unsure:
        return _unsure(reading, picked)
    refs = picked.refs or (context.shown[:1] if reading.asks else ())
    return replace(reading, tool="search_breweries", search=context.search, question=None, brewery=None, picks=refs)


def _named(reading: Reading, s: Slots, context: Context) -> Reading | None:
    """ "Blue Star" after the offer to tell of one of those: nothing but the name of one, and what goes with a yes."""
    refs, words = named(s, context.shown)
    if len(refs) != 1 or not says_only(s.m, "pointing", "yes", "chooses", "thanks", besides=words):
        return None
    if context.pending and context.pending[0] != "accept":
        return _answered(reading, refs, context)
    return replace(reading, intent="accept", tool="get_website_summary", search=None, brewery=refs[0])
