"""What a message names besides its intent, each found when first asked for."""

from __future__ import annotations

import re
from datetime import date
from functools import cached_property

from beerforyou.catalogue.brewery import Place
from beerforyou.catalogue.mentions import Mention
from beerforyou.reading.message import Message
from beerforyou.reading.names import LIKELY, SURE, Name, names_in
from beerforyou.reading.novelty import Verdict, novelty_in
from beerforyou.reading.periods import Period, periods_in
from beerforyou.reading.places import PlaceSpan, place_of, places_in

KM_PER_MILE = 1.609344
_KM = {"km": 1.0, "kms": 1.0, "quilometro": 1.0, "quilometros": 1.0, "kilometro": 1.0, "kilometros": 1.0, "kilometer": 1.0, "kilometers": 1.0, "kilometre": 1.0, "kilometres": 1.0, "k": 1.0, "mile": KM_PER_MILE, "miles": KM_PER_MILE, "mi": KM_PER_MILE, "milha": KM_PER_MILE, "milhas": KM_PER_MILE}  # fmt: skip
_DISTANCE = re.compile(r"(\d{1,4})(km|kms|mi|miles|k)?")
_CRAFT = {"craft", "artesanal", "artesanais"}
_ALONE = {"brewpub", "taproom", "nano", "micro", "beergarden", "cidery"}  # types whose words mean nothing else


class Slots:
    def __init__(self, m: Message, today: date) -> None:
        self.m = m
        self.today = today
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
    def names(self) -> list[Name]:
        dated = frozenset(i for period in self.periods for i in range(period.start, period.end))
        return names_in(self.m, self.places, dated)

    @cached_property
    def periods(self) -> list[Period]:
        return periods_in(self.m, self.today)

    @cached_property
    def novelty(self) -> Verdict:
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
        for i, word in enumerate(self.m.plain):
            if (match := _DISTANCE.fullmatch(word)) and (unit := match[2] or self.m.plain[i + 1 : i + 2]):
                per = _KM.get(unit if isinstance(unit, str) else unit[0])
                if per:
                    return int(match[1]) * per
        return None

    def name(self, sure: int = SURE) -> Name | None:
        return next((name for name in self.names if name.sure >= sure), None)

    def _is_type(self, mention: Mention) -> bool:
        m = self.m
        words = set(m.plain[mention.start : mention.end])
        if (words & _CRAFT and mention.name == "micro") or any(n.sure >= SURE and n.start <= mention.start < n.end for n in self.names):
            return False
        if mention.name == "bar":
            if m.ends(mention.start, "for_whom"):
                return False
            return not m.has("my_business", "buy", "spend", "popular", "who", "brewery") and not m.ends(mention.start, "self")
        if mention.name == "location" or words == {"proprietario"}:
            return False
        beside = m.at(mention.start - 1) | m.at(mention.end) | m.at(mention.end + 1) | m.at(mention.end - 1)
        return mention.name in _ALONE or "brewery" in beside or m.covered("only", "and_what_about", "brewery") or len(words) > 1
