"""Turns a message into intent and slots. Deterministic, and never fails, whatever the text is."""

from __future__ import annotations

from datetime import date

from beerforyou.catalogue.index import Catalogue
from beerforyou.reading.focus import SHORT, without_denied
from beerforyou.reading.intents import ANSWERS, RULES, WISHES, TOOL_OF, decide
from beerforyou.reading.message import Message
from beerforyou.reading.names import LIKELY, POSSIBLE, ref_of
from beerforyou.reading.questions import question_in
from beerforyou.reading.reading import Context, Intent, Question, Reading, Ref, Search
from beerforyou.reading.respelling import respelt
from beerforyou.reading.slots import Slots
from beerforyou.reading.text import sentences_of, words_of
from beerforyou.reading.wants import searched_name

NOTHING_SAID = Context()
_CUES = ("where", "tell_about", "website", "recommend", "how_many", "find")  # questions have no mark in a chat
_SMALL_TALK = frozenset({"greeting", "thanks", "goodbye", "unclear", "accept", "decline"})


def read(text: str, catalogue: Catalogue, context: Context = NOTHING_SAID, today: date | None = None) -> Reading:
    """`today` is what "last month" is measured from; the system's date when it is not given."""
    whole = respelt(Message(words_of(text), catalogue, context.language))
    intent, slots, negated = _understood(whole, today or date.today())
    return Reading(
        language=whole.language,
        intent=intent,
        tool=TOOL_OF.get(intent, "none"),
        search=_search(slots, intent) if intent in ("search", "recommend") else None,
        question=_question(slots, intent) if intent in ("own_data", "statistics") else None,
        brewery=_brewery(slots) if intent == "details" else None,
        negated=negated,
    )


def _understood(whole: Message, today: date) -> tuple[Intent, Slots, bool]:
    slots = Slots(whole, today)
    if answer := decide(whole, slots, ANSWERS):
        return answer, slots, False
    m = without_denied(whole)
    negated = m is not whole
    slots = Slots(m, today) if negated else slots
    sentences = sentences_of(m.words)
    if len(sentences) == 1 or len(m) <= SHORT:
        return decide(m, slots, RULES) or "unclear", slots, negated
    intent, slots = _asking(m, sentences, today)
    return intent, slots, negated


def _asking(m: Message, sentences: list[range], today: date) -> tuple[Intent, Slots]:
    """Of several sentences the one that asks: a question before a statement, the last before the others."""
    alone = [Slots(m.part(sentence), today) for sentence in sentences]
    best: tuple[int, Intent, Slots] = (-1, "unclear", alone[-1])
    for i, (sentence, slots) in enumerate(zip(sentences, alone, strict=True)):
        slots.story = [*alone[i + 1 :], *alone[:i]]
        intent = decide(slots.m, slots, WISHES) or "unclear"
        asked = m.words[sentence.stop - 1].asked or slots.m.has(*_CUES)
        rank = 0 if intent in _SMALL_TALK else 1 if intent == "off_topic" else 2 + asked
        if rank >= best[0]:
            best = rank, intent, slots
    _, intent, slots = best
    if intent == "search" and any(decide(other.m, other, WISHES) == "recommend" for other in alone):
        intent = "recommend"
    return intent, slots


def _search(s: Slots, intent: Intent) -> Search:
    name = None if intent == "recommend" or s.type else searched_name(s.m, s)
    place = s.place if name else s.place_meant
    return Search(
        city=place.city, state=place.state, country=place.country, type=s.type, name=name.text if name else "",
        only_new=intent == "recommend" and s.novelty != "any", near_me=s.near_me, within_km=s.within_km,
    )  # fmt: skip


def _question(s: Slots, intent: Intent) -> Question:
    name = s.name(POSSIBLE)
    return question_in(
        s.m, "me" if intent == "own_data" else "everyone", s.place, name.text if name else "", s.type, s.periods
    )


def _brewery(s: Slots) -> Ref | None:
    name = s.name(LIKELY) or s.subject or s.name(POSSIBLE)
    return ref_of(s.m, name, s.place) if name else None
