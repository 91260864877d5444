"""Turns a message into intent and slots. Deterministic, and never fails, whatever the text is."""

from __future__ import annotations

from datetime import date
from weakref import WeakKeyDictionary

from msgspec.structs import replace

from beerforyou.catalogue.index import Catalogue
from beerforyou.reading.focus import understood
from beerforyou.reading.follow_ups import follow, leans
from beerforyou.reading.intents import TOOL_OF
from beerforyou.reading.leftover import leftover_of
from beerforyou.reading.lookups import Lookups, Tangled
from beerforyou.reading.names import LIKELY, POSSIBLE, ref_of
from beerforyou.reading.questions import question_in
from beerforyou.reading.reading import Context, Reading, Ref
from beerforyou.reading.respelling import respelt
from beerforyou.reading.searches import search_in, wishes_of
from beerforyou.reading.slots import Slots
from beerforyou.reading.text import MAX_CHARS, MAX_WORDS, words_of
from beerforyou.reading.utterance import Utterance

# Characters of a message that many send, and readings of those: greetings, thanks, a yes, the buttons below an answer.
_SHORT, _MOST = 24, 4096
_Asked = tuple[str, Context, date]
_remembered: WeakKeyDictionary[Catalogue, dict[_Asked, Reading]] = WeakKeyDictionary()


def read(text: str, catalogue: Catalogue, context: Context, today: date) -> Reading:
    """`today` is what "last month" is measured from. A reading is made of nothing but these, so a short one is remembered."""
    if len(text) > _SHORT:
        return read_anew(text, catalogue, context, today)
    known, asked = _remembered.setdefault(catalogue, {}), (text, context, today)
    if asked not in known:
        if len(known) >= _MOST:
            known.clear()
        known[asked] = read_anew(text, catalogue, context, today)
    return known[asked]


def read_anew(text: str, catalogue: Catalogue, context: Context, today: date) -> Reading:
    words = words_of(text)
    message = Utterance(words[:MAX_WORDS], Lookups(catalogue), context.language)
    if len(words) > MAX_WORDS or len(text) > MAX_CHARS:
        return _tangled(message)
    try:
        return _understood(message, context, today)
    except Tangled:
        return _tangled(message)


def _tangled(m: Utterance) -> Reading:
    """Too much to be one question: what could be read of it would answer another one."""
    return Reading(language=m.language, intent="tangled", tool="none", leftover=tuple(dict.fromkeys(m.plain)))


def _understood(message: Utterance, context: Context, today: date) -> Reading:
    """Raises Tangled."""
    whole = respelt(message)
    intent, slots = understood(whole, today)
    question = question_in(slots, intent) if intent in ("own_data", "statistics") else None
    reading = Reading(
        language=whole.language,
        intent=intent,
        tool=TOOL_OF.get(intent, "none"),
        search=search_in(slots, intent) if intent in ("search", "recommend") else None,
        question=question,
        brewery=_brewery(slots) if intent == "details" else None,
        negated=bool(slots.denials),
        wishes=wishes_of(slots) if intent in ("search", "recommend") else (),
        leftover=leftover_of(slots, intent, question),
    )
    return replace(follow(reading, slots, context), leans=leans(reading, slots))


def _brewery(s: Slots) -> Ref | None:
    name = s.name(LIKELY) or s.subject or s.name(POSSIBLE)
    return ref_of(s.m, name, s.place) if name else None
