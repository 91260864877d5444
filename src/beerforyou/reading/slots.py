"""What a message names besides its intent, each found when first asked for.

`story` are the sentences around this one: they lend the place and the brewery that it only points at ("what
breweries are there?", "tell me about them").
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from functools import cached_property

from beerforyou.catalogue.brewery import Place
from beerforyou.catalogue.mentions import Mention
from beerforyou.reading.message import Message
from beerforyou.reading.names import LIKELY, SURE, Name, names_in
from beerforyou.reading.novelty import Novelty, novelty_in
from beerforyou.reading.periods import Period, periods_in
from beerforyou.reading.places import PlaceSpan, place_of, places_in

KM_PER_MILE = 1.609344
_DISTANCE = re.compile(r"(\d{1,4})(km|kms|mi|miles|k)?")
_CRAFT = {"craft", "artesanal", "artesanais"}  # says "brewery" and no type, whatever the catalogue makes of it
_ALONE = {"brewpub", "taproom", "nano", "micro", "beergarden", "cidery"}  # types whose words mean nothing else


class Slots:
    def __init__(self, m: Message, today: date, story: Sequence[Slots] = ()) -> None:
        self.m = m
        self.today = today
        self.story = story
        for span in self.places:
            m.name("place", span.start, span.end)
        for name in self.names:
            if name.sure >= LIKELY and (name.end - name.start > 1 or m.is_strange(name.start)):
                m.name("name", name.start, name.end)

    @cached_property
    def places(self) -> list[PlaceSpan]:
        return places_in(self.m)

    @cached_property
    def place(self) -> Place:
        return place_of(self.places)

    @cached_property
    def place_meant(self) -> Place:
        """The message's own place, or else the last that the story told."""
        if self.place != Place() or self.near_me:
            return self.place
        told = [place_of(slots.places[i:]) for slots in self.story for i in range(len(slots.places))]
        return next((place for place in reversed(told) if place.city), told[-1] if told else Place())

    @cached_property
    def names(self) -> list[Name]:
        dated = frozenset(i for period in self.periods for i in range(period.start, period.end))
        return names_in(self.m, self.places, dated)

    def name(self, sure: int) -> Name | None:
        return next((name for name in self.names if name.sure >= sure), None)

    @cached_property
    def subject(self) -> Name | None:
        """The brewery of the story, when this sentence names none."""
        told = (name for slots in reversed(self.story) if (name := slots.name(LIKELY)))
        return None if self.name(LIKELY) else next(told, None)

    @cached_property
    def periods(self) -> list[Period]:
        return periods_in(self.m, self.today)

    @cached_property
    def novelty(self) -> Novelty:
        return novelty_in(self.m)

    @cached_property
    def type_mentions(self) -> list[Mention]:
        return [mention for mention in self.m.mentions_of("type") if self._is_type(mention)]

    @property
    def type(self) -> str:
        return self.type_mentions[0].name if self.type_mentions else ""

    @property
    def near_me(self) -> bool:
        return self.m.has("here") and not any(span.led for span in self.places)

    @cached_property
    def within_km(self) -> float | None:
        units = {mark.start: float(mark.value) for mark in self.m.all("distance")}
        for i, word in enumerate(self.m.plain):
            if match := _DISTANCE.fullmatch(word):
                per = {"km": 1.0, "kms": 1.0, "k": 1.0, "mi": KM_PER_MILE, "miles": KM_PER_MILE}.get(match[2] or "")
                if per := per or units.get(i + 1):
                    return int(match[1]) * per
        return None

    def _is_type(self, mention: Mention) -> bool:
        m, words = self.m, set(self.m.plain[mention.start : mention.end])
        if any(name.sure >= SURE and name.start <= mention.start < name.end for name in self.names):
            return False
        if mention.name == "bar":
            about_bars = m.has("my_business", "buy", "spend", "popular", "who", "brewery", "client")
            return not about_bars and not m.ends(mention.start, "self", "for_whom")
        if mention.name == "location" or words == {"proprietario"} or (words & _CRAFT and mention.name == "micro"):
            return False
        beside = [m.word(i) == "ones" or m.has_at(i, "brewery") for i in (mention.start - 1, mention.end - 1, mention.end, mention.end + 1)]
        alone = m.covered("only", "and_what_about", "place", besides=range(mention.start, mention.end))
        return mention.name in _ALONE or len(words) > 1 or any(beside) or alone
