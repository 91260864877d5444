"""What a message names besides its intent, each found when first asked for.

`story` are the sentences around this one: they lend the place and the brewery that it only points at ("what
breweries are there?", "tell me about them").
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

from beerforyou.catalogue.brewery import Place
from beerforyou.catalogue.mentions import Mention
from beerforyou.reading.lexicon import Mark
from beerforyou.reading.names import LIKELY, SURE, Name, names_in
from beerforyou.reading.novelty import Novelty, novelty_in
from beerforyou.reading.periods import Times, spans_in
from beerforyou.reading.places import PlaceSpan, place_of, places_in
from beerforyou.reading.reading import HALF_THE_WORLD_KM
from beerforyou.reading.types import types_in
from beerforyou.reading.utterance import Utterance

if TYPE_CHECKING:
    from beerforyou.reading.asked import Asked

_KM = {"km": 1.0, "kms": 1.0, "k": 1.0, "mi": 1.609344, "miles": 1.609344}  # written onto the number: "20km"
_DISTANCE = re.compile(rf"(\d{{1,4}})({'|'.join(_KM)})?")


class Slots:
    def __init__(self, m: Utterance, today: date, story: Sequence[Slots] = ()) -> None:
        self.m = m
        self.today = today
        self.story = story
        self.asked: Asked | None = None  # kept by asking.asked_of
        m.set_names(("place", span.start, span.end) for span in self.places)
        likely = [name for name in self.names if name.sure >= LIKELY]
        m.set_names(
            ("name", name.start, name.end) for name in likely if name.end - name.start > 1 or m.is_strange(name.start)
        )

    @cached_property
    def mine(self) -> bool:
        """Is it about the client?"""
        return self.m.has("i", "self", "my_business")

    @cached_property
    def digits(self) -> bool:
        return any(word.isdigit() for word in self.m.plain)

    @cached_property
    def counted(self) -> bool:
        """Does something have to be counted, or looked up by time?"""
        return self.digits or bool(self.periods) or self.m.has("how_many", "statistic", "least", "number")

    @cached_property
    def strange_words(self) -> int:
        """How many words nothing explains."""
        explained = {i for place in self.places for i in range(place.start, place.end)}
        explained |= {i for name in self.names for i in range(name.start, name.end)}
        return sum(i not in explained and self.m.is_strange(i) for i in range(len(self.m)))

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
        spans = [slots.places[i:] for slots in self.story for i in range(len(slots.places))]
        last = place_of(spans[-1]) if spans else Place()
        return next((place for told in reversed(spans) if (place := place_of(told)).city), last)

    @cached_property
    def names(self) -> list[Name]:
        times = self.times
        return names_in(self.m, self.places, times.words | times.unknown | times.weekday_words)

    @cached_property
    def sure_words(self) -> frozenset[int]:
        """The words of whole names of breweries."""
        return frozenset(i for name in self.names if name.sure >= SURE for i in range(name.start, name.end))

    def name(self, sure: int) -> Name | None:
        """The surest name, if it is as sure as that."""
        return next((name for name in self.names if name.sure >= sure), None)

    @cached_property
    def subject(self) -> Name | None:
        """The brewery of the story, when this sentence names none."""
        told = (name for slots in reversed(self.story) if (name := slots.name(LIKELY)))
        return None if self.name(LIKELY) else next(told, None)

    @cached_property
    def times(self) -> Times:
        return spans_in(self.m, self.today)

    @cached_property
    def periods(self) -> list[Mark]:
        """The words of each span."""
        return [Mark("period", min(words), max(words) + 1) for words in self.times.each]

    @cached_property
    def novelty(self) -> Novelty:
        return novelty_in(self.m)

    @cached_property
    def type_mentions(self) -> list[Mention]:
        return types_in(self.m, self.sure_words, self.place != Place())

    @property
    def type(self) -> str:
        return self.type_mentions[0].name if self.type_mentions else ""

    @property
    def near_me(self) -> bool:
        if any(span.led for span in self.places):
            return False
        near_ours = any(self.m.has_at(mark.end, "possessive", "my_business") for mark in self.m.all("near"))
        return near_ours or self.m.has("here")

    @cached_property
    def within_km(self) -> float | None:
        units = {mark.start: float(mark.value) for mark in self.m.all("distance")}
        for i, word in enumerate(self.m.plain):
            if (match := _DISTANCE.fullmatch(word)) and (unit := _KM.get(match[2] or "") or units.get(i + 1)):
                km = int(match[1]) * unit
                return km if 0 < km <= HALF_THE_WORLD_KM else None
        return None
