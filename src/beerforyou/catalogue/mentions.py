"""Names of the catalogue in a message: places, types and breweries, found by their exact words.

Every name found is told, ordinary words that happen to be names included ("social", "hope"): what a mention carries
is there for the reader to judge by. A message takes tens of microseconds, since only words that begin a name are looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from beerforyou.catalogue.brewery import Brewery, Place
from beerforyou.catalogue.brewery_types import TYPE_WORDS
from beerforyou.catalogue.names import BREWERY_WORDS, LEGAL, BreweryName, fold, fold_words
from beerforyou.catalogue.place_names import KINDS
from beerforyou.catalogue.places import Gazetteer

MentionKind = Literal["city", "state", "country", "type", "brewery"]
_TRADE = LEGAL | BREWERY_WORDS | {"the", "beer", "craft", "and"}
_TAIL = LEGAL | BREWERY_WORDS - {"cervejaria", "cervejarias", "breweries"}


class Mention(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Words `start` to `end` (exclusive) name something of the catalogue.

    `name`: its own spelling there (city, state, country, type, brewery). `places`: what a place may be, most open
    breweries first. `breweries`: ids, for a brewery. `weight`: open breweries of that name or in those places.
    `short`: three letters at most, perhaps an ordinary word ("or", "me", "la", "usa"). `full`: a brewery's whole name
    ("stone brewing") and not just its distinctive part ("stone").
    """

    start: int
    end: int
    kind: MentionKind
    name: str
    places: tuple[Place, ...] = ()
    breweries: tuple[str, ...] = ()
    weight: int = 0
    short: bool = False
    full: bool = False


class _Entry(msgspec.Struct, frozen=True, array_like=True):
    kind: MentionKind
    name: str
    places: tuple[Place, ...] = ()
    breweries: tuple[str, ...] = ()
    weight: int = 0
    full: bool = False


@dataclass(init=False, eq=False, repr=False)
class MentionFinder:
    _entries: dict[str, list[_Entry]]  # at most one of a kind
    _longest: dict[str, int]

    def __init__(self, gazetteer: Gazetteer, breweries: Iterable[tuple[Brewery, BreweryName]]) -> None:
        self._entries, self._longest = {}, {}
        self._add_places(gazetteer)
        self._add_breweries(breweries)
        for word, kind in TYPE_WORDS.items():
            self._add(fold(word), _Entry("type", kind))

    def find(self, words: Sequence[str]) -> list[Mention]:
        """Mentions in `plain` or `fold` words, in order; of each kind the longest, none inside another of its kind."""
        words = fold_words(list(words))
        found: list[Mention] = []
        taken: dict[MentionKind, int] = {}
        for start, word in enumerate(words):
            for length in range(min(self._longest.get(word, 0), len(words) - start), 0, -1):
                for entry in self._entries.get(" ".join(words[start : start + length]), ()):
                    if taken.get(entry.kind, 0) <= start:
                        found.append(_mention(entry, words, start, start + length))
                        taken[entry.kind] = found[-1].end
        return found

    def _add(self, key: str, entry: _Entry) -> None:
        if not key:
            return
        self._entries.setdefault(key, []).append(entry)
        first, length = key.partition(" ")[0], key.count(" ") + 1
        self._longest[first] = max(self._longest.get(first, 0), length)

    def _add_places(self, gazetteer: Gazetteer) -> None:
        for kind in KINDS:
            for key in gazetteer.keys(kind):
                places = gazetteer.named(kind, key)
                weight = sum(gazetteer.open_breweries[p] for p in places)
                self._add(key, _Entry(kind, getattr(places[0], kind), places, weight=weight))

    def _add_breweries(self, breweries: Iterable[tuple[Brewery, BreweryName]]) -> None:
        full: dict[str, list[Brewery]] = {}
        short: dict[str, list[Brewery]] = {}
        for brewery, name in breweries:
            full.setdefault(name.whole, []).append(brewery)
            if name.trade not in (name.whole, name.key):  # "Stone Brewing" may be said of "Stone Brewing Co"
                short.setdefault(name.trade, []).append(brewery)
            if name.key != name.whole and not _TRADE.issuperset(name.key.split()):
                short.setdefault(name.key, []).append(brewery)
        for key in full.keys() | short.keys():
            whole = full.get(key, [])
            self._add(key, _brewery_entry(whole or short[key], whole + short.get(key, []), bool(whole)))


def _brewery_entry(named: list[Brewery], meant: list[Brewery], full: bool) -> _Entry:
    ids = tuple(sorted(b.id for b in meant))
    return _Entry("brewery", named[0].name, breweries=ids, weight=sum(b.is_open for b in meant), full=full)


def _mention(entry: _Entry, words: list[str], start: int, end: int) -> Mention:
    full = entry.full
    if entry.kind == "brewery":
        tail = end
        while tail < len(words) and words[tail] in _TAIL:
            tail += 1
        full, end = full or tail > end, tail
    return Mention(
        start=start, end=end, kind=entry.kind, name=entry.name, places=entry.places, breweries=entry.breweries,
        weight=entry.weight, short=sum(map(len, words[start:end])) <= 3, full=full,
    )  # fmt: skip
