"""Turns a message into intent and slots. Deterministic, and never fails, whatever the text is."""

from __future__ import annotations

from datetime import date

from beerforyou.catalogue.index import Catalogue
from beerforyou.reading.intents import TOOL_OF, decide, searched_name
from beerforyou.reading.message import Message
from beerforyou.reading.names import LIKELY, POSSIBLE, ref_of, spelt
from beerforyou.reading.questions import question_in
from beerforyou.reading.reading import Context, Reading, Search
from beerforyou.reading.slots import Slots

NOTHING_SAID = Context()


def read(text: str, catalogue: Catalogue, context: Context = NOTHING_SAID, today: date | None = None) -> Reading:
    """`today` is what "last month" is measured from; the system's date when it is not given."""
    m = Message(text, catalogue, context.language)
    s = Slots(m, today or date.today())
    intent = decide(m, s)
    search = question = brewery = None
    if intent in ("search", "recommend"):
        name = None if intent == "recommend" or s.type else searched_name(m, s)
        name = spelt(m, name) if name else None
        search = Search(city=s.place.city, state=s.place.state, country=s.place.country, type=s.type, name=name.text if name else "",
            only_new=intent == "recommend" and s.novelty.novelty != "any", near_me=s.near_me, within_km=s.within_km)
    if intent in ("details", "accept"):
        name = s.name(LIKELY) or s.name(POSSIBLE)
        brewery = ref_of(m, spelt(m, name), s.place) if name and intent == "details" else None
    if intent in ("own_data", "statistics"):
        name = s.name(LIKELY)
        question = question_in(m, "me" if intent == "own_data" else "everyone", s.place, name.text if name else "", s.type, s.periods)
    return Reading(language=m.language, intent=intent, tool=TOOL_OF.get(intent, "none"), search=search, question=question, brewery=brewery)
