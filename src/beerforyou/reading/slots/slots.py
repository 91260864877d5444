"""What a message names besides its intent, each found when first asked for.

`story` are the sentences around this one: they lend the place and the brewery that it only points at ("what
breweries are there?", "tell me about them").
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

from beerforyou.catalogue.brewery import Place
from beerforyou.catalogue.mentions import Mention
from beerforyou.reading.slots.denials import Denials
from beerforyou.reading.slots.distances import Distance, distance_in
from beerforyou.reading.slots.fingers import Item, fingers_in
from beerforyou.reading.slots.names import LIKELY, SURE, Name, names_in
from beerforyou.reading.slots.novelty import Novelty, Said
from beerforyou.reading.slots.places import PlaceSpan, groups_of, place_of, places_in
from beerforyou.reading.slots.search_slots import Home, Wanted, home_in, wanted_in, wishes_in
from beerforyou.reading.slots.types import types_in
from beerforyou.reading.times.periods import Times, spans_in
from beerforyou.reading.words.lexicon import Mark
from beerforyou.reading.words.utterance import Utterance

if TYPE_CHECKING:
    from beerforyou.reading.asking.asked import Asked

NOTHING = Denials()


class Slots:
    def __init__(self, m: Utterance, today: date, story: Sequence[Slots] = (), denials: Denials = NOTHING) -> None:
        self.m = m
        self.today = today
        self.story = story
        self.asked: Asked | None = None  # kept by asking.asked_of
        self.mates: Sequence[Slots] = ()  # the other parts of the same long sentence
        self.denials = denials
        if denials:
            m.silence(denials.words | denials.wishes)
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
        return places_in(self.m) or list(self.denials.wanted)

    @cached_property
    def place(self) -> Place:
        return place_of(self.places)

    @cached_property
    def more_places(self) -> list[Place]:
        """Those named together with `place`: "in Houston and in Dallas"."""
        groups = groups_of(self.m, self.places)
        return next(([place_of(g) for g in each[1:]] for each in groups if place_of(each[0]) == self.place), [])

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
        return self.names[0] if self.names and self.names[0].sure >= sure else None

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
    def fingers(self) -> list[Item]:
        return fingers_in(self.m)

    @cached_property
    def said_of_novelty(self) -> Said:
        return Said(self.m)

    @cached_property
    def novelty(self) -> Novelty:
        return self.said_of_novelty.novelty

    @cached_property
    def type_mentions(self) -> list[Mention]:
        return types_in(self.m, self.sure_words, self.place != Place())

    @cached_property
    def types(self) -> list[str]:
        """All that are wanted, each once, in the order of the message."""
        return list(dict.fromkeys(mention.name for mention in self.type_mentions))

    @property
    def type(self) -> str:
        return self.types[0] if self.types else ""

    @cached_property
    def wanted(self) -> Wanted:
        """How many, in which order, with what."""
        plural = [i for mention in self.type_mentions for i in range(mention.start, mention.end)]
        taken = {i for place in self.places for i in range(place.start, place.end)}
        taken |= {i for name in self.names if name.sure >= LIKELY for i in range(name.start, name.end)}
        taken |= {i for period in self.periods for i in range(period.start, period.end)}
        taken |= set(range(self.distance.start, self.distance.end)) if self.distance else set()
        return wanted_in(self.m, plural, taken)

    @cached_property
    def wishes(self) -> dict[int, str]:
        """The words that ask for what no catalogue knows, each with its kind."""
        spans = [(each.start, each.end) for each in (*self.type_mentions, *self.denials.types)]
        spans += [(span.start, span.end) for span in self.places]
        taken = {i for start, end in spans for i in range(start, end)}
        taken |= {i for name in self.names if name.sure >= LIKELY for i in range(name.start, name.end)}
        return wishes_in(self.m, taken)

    @cached_property
    def distance(self) -> Distance | None:
        return distance_in(self.m)

    @cached_property
    def home(self) -> Home:
        return home_in(self.m)

    @cached_property
    def near_me(self) -> bool:
        """Around the client: "perto de mim", "20 km daqui"; "mais perto" says in which order, and not where."""
        if any(span.led for span in self.places):
            return False
        m = self.m
        near_ours = any(m.has_at(mark.end, "possessive", "my_business") for mark in m.all("near"))
        from_here = self.distance is not None and m.has("from_here")
        here = (mark for mark in m.all("here") if mark.start not in self.home.words)
        return near_ours or from_here or any(not self._orders(mark) for mark in here)

    def _orders(self, here: Mark) -> bool:
        """Is it within the "mais perto" of "mais perto de mim"?"""
        shortest = {mark.start: mark.end for mark in self.m.all("nearest")}  # the longest come first
        return any(start <= here.start and here.end <= end for start, end in shortest.items())

    @property
    def within_km(self) -> float | None:
        return self.distance.km if self.distance else None
