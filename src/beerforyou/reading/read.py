"""Turns a message into intent and slots. Deterministic, and never fails, whatever the text is."""

from __future__ import annotations

from datetime import date
from weakref import WeakKeyDictionary

from msgspec.structs import replace

from beerforyou.catalogue.brewery import Place
from beerforyou.catalogue.geo import Point
from beerforyou.catalogue.index import Catalogue
from beerforyou.reading.asking.asked import Asked
from beerforyou.reading.asking.evidence import NONE
from beerforyou.reading.asking.questions import of_everyone, question_of
from beerforyou.reading.asking.steps import asked_of
from beerforyou.reading.intents.breweries import asked_about
from beerforyou.reading.intents.business import topic_of
from beerforyou.reading.intents.edits import DATA, question_changed
from beerforyou.reading.intents.focus import understood
from beerforyou.reading.intents.follow_ups import follow, leans
from beerforyou.reading.intents.knowledge import topics_in
from beerforyou.reading.intents.leftover import denied, leftover_of, unread
from beerforyou.reading.intents.market import of_market
from beerforyou.reading.intents.rules import TOOL_OF, WISHES, decide
from beerforyou.reading.intents.searches import search_in, wishes_of
from beerforyou.reading.intents.two import two_questions
from beerforyou.reading.question import Question
from beerforyou.reading.reading import Context, Intent, Reading, Ref
from beerforyou.reading.slots.names import ref_of
from beerforyou.reading.slots.respelling import respelt
from beerforyou.reading.slots.slots import Slots
from beerforyou.reading.words.lookups import Lookups, Tangled
from beerforyou.reading.words.text import MAX_CHARS, MAX_WORDS, words_of
from beerforyou.reading.words.utterance import Utterance

# Characters of a message that many send, and readings of those: greetings, thanks, a yes, the buttons below an answer.
_SHORT, _MOST = 24, 4096
NOWHERE = Place()
_Asked = tuple[str, Context, date, Place]
_remembered: WeakKeyDictionary[Catalogue, dict[_Asked, Reading]] = WeakKeyDictionary()


def read(text: str, catalogue: Catalogue, context: Context, today: date, home: Place = NOWHERE) -> Reading:
    """`today` is what "last month" is measured from, `home` what "the closest" is. A reading is made of nothing but these, so a short one is remembered."""
    if len(text) > _SHORT:
        return read_anew(text, catalogue, context, today, home)
    known, asked = (
        _remembered.setdefault(catalogue, {}),
        (text, context, today, home if context.shown else Place(country=home.country)),
    )
    if asked not in known:
        if len(known) >= _MOST:
            known.clear()
        known[asked] = read_anew(text, catalogue, context, today, home)
    return known[asked]


def read_anew(text: str, catalogue: Catalogue, context: Context, today: date, home: Place = NOWHERE) -> Reading:
    words = words_of(text)
    message = Utterance(words[:MAX_WORDS], Lookups(catalogue, home.country), context.language)
    if len(words) > MAX_WORDS or len(text) > MAX_CHARS:
        return _tangled(message)
    try:
        return _understood(message, context, today, home)
    except Tangled:
        return _tangled(message)


def _tangled(m: Utterance) -> Reading:
    """Too much to be one question: what could be read of it would answer another one."""
    return Reading(language=m.language, intent="tangled", tool="none", leftover=tuple(dict.fromkeys(m.plain)))


def _understood(message: Utterance, context: Context, today: date, home: Place) -> Reading:
    """Raises Tangled."""
    whole = respelt(message)
    if changed := question_changed(whole, context, today):
        return changed
    if two := two_questions(whole, lambda part: _one(part, Context(), today, home)):
        return two
    return _one(whole, context, today, home)


def _one(whole: Utterance, context: Context, today: date, home: Place) -> Reading:
    """One question, or what else it is. Raises Tangled."""
    intent, slots = understood(whole, today)
    if slots.denials and intent in DATA:
        slots = _with_denials(slots, intent, today)
    asked = asked_of(slots) if intent in DATA else None
    searches = intent in ("search", "recommend")
    reading = Reading(
        language=whole.language,
        intent=intent,
        tool=TOOL_OF.get(intent, "none"),
        search=search_in(slots, intent) if searches else None,
        question=_question(asked, intent, slots.m) if asked else None,
        brewery=_brewery(slots) if intent == "details" else None,
        topics=_topics(slots, intent),
        negated=bool(slots.denials),
        wishes=wishes_of(slots) if searches else (),
        leftover=leftover_of(slots, intent, asked.words if asked else NONE),
        aside=_aside(whole, slots),
    )
    return replace(follow(reading, slots, context, _middle_of(home, context, whole)), leans=leans(reading, slots))


def _middle_of(home: Place, context: Context, m: Utterance) -> Point | None:
    """Where the client is; looked for when something was shown that may be near."""
    catalogue = m.lookups.catalogue
    return catalogue.point(catalogue.places.settled(home)) if context.shown and home.city else None


def _topics(s: Slots, intent: Intent) -> tuple[str, ...]:
    if intent == "knowledge":
        return topics_in(s.m)
    return (topic_of(s.m, s),) if intent == "distributor" else ()


def _question(asked: Asked, intent: Intent, m: Utterance) -> Question:
    return question_of(asked, "me") if intent == "own_data" else of_market(of_everyone(asked, m), m)


def _with_denials(part: Slots, intent: Intent, today: date) -> Slots:
    """What a question about purchases denies ("sem IPA") is a slot of it: it is read whole, when it is one as a whole too."""
    whole = Slots(part.m.part(range(len(part.m))), today)
    return whole if decide(whole.m, whole, WISHES) == intent else part


def _aside(whole: Utterance, s: Slots) -> tuple[str, ...]:
    around = unread(whole, s.m) if s.m is not whole else ()
    return tuple(dict.fromkeys((*around, *denied(s)))) if s.denials else around


def _brewery(s: Slots) -> Ref | None:
    name = asked_about(s)
    return ref_of(s.m, name, s.place) if name else None
