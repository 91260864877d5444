"""A search made ready for ranking: what does not depend on who asks is put in order once, and kept as long as it is used.

A memory belongs to one catalogue, and is gone with it.
"""

from __future__ import annotations

from array import array
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sized
from typing import TypeVar

import msgspec

from beerforyou.catalogue.brewery import NOT_OPEN
from beerforyou.catalogue.columns import Columns
from beerforyou.catalogue.geo import Point, chord_km, unit

HALFWAY_KM = 50.0  # at this distance closeness counts half
REACHABLE = 0.05  # has a site, so that there is something to tell about it
KEPT = 200_000  # breweries of all kept searches together; 100 bytes each (bench/catalogue_search.py)
APIECE = 20  # what a kept search weighs beside its breweries, in breweries


Made = TypeVar("Made", bound=Sized)


class Shelf(msgspec.Struct, frozen=True):
    """The breweries of one type, as positions: the one with a site and close by first. `closeness` of each: 0 to 1."""

    type: str
    positions: array[int]
    closeness: array[float]


class Ready(msgspec.Struct, frozen=True):
    """`identities` of all open breweries found. `doubled`: position of an entry to all those of the same brewery, with
    the closeness of each."""

    shelves: tuple[Shelf, ...]
    identities: frozenset[int]
    doubled: dict[int, list[tuple[int, float]]]

    def __len__(self) -> int:
        return sum(len(shelf.positions) for shelf in self.shelves)


class Memory:
    """The newest used of what was made, up to KEPT breweries."""

    def __init__(self) -> None:
        self._made: OrderedDict[Hashable, Sized] = OrderedDict()
        self._weight = 0

    def once(self, key: Hashable, make: Callable[[], Made]) -> Made:
        if key in self._made:
            self._made.move_to_end(key)
            return self._made[key]  # type: ignore[return-value]  # a key begins with what it is of
        made = self._made[key] = make()
        self._weight += APIECE + len(made)
        while self._weight > KEPT:
            self._weight -= APIECE + len(self._made.popitem(last=False)[1])
        return made


def ready(columns: Columns, positions: Iterable[int], start: Point | None) -> Ready:
    """Those of the positions that are open, seen from `start`."""
    near = _closeness(columns, positions, start)
    by_type: defaultdict[str, list[tuple[float, int]]] = defaultdict(list)
    by_identity: defaultdict[int, list[tuple[int, float]]] = defaultdict(list)
    for i, close in near:
        by_type[columns.type[i]].append((-(REACHABLE * columns.has_site[i] + close), i))
        by_identity[columns.identity[i]].append((i, close))
    closeness = dict(near)
    return Ready(
        shelves=tuple(_shelf(type, closeness, sorted(found)) for type, found in by_type.items()),
        identities=frozenset(by_identity),
        doubled={i: same for same in by_identity.values() if len(same) > 1 for i, _ in same},
    )


def _closeness(columns: Columns, positions: Iterable[int], start: Point | None) -> list[tuple[int, float]]:
    around = unit(start) if start else None
    types, vectors = columns.type, columns.vector
    return [
        (i, HALFWAY_KM / (HALFWAY_KM + chord_km(around, vector)) if around and (vector := vectors[i]) else 0.0)
        for i in positions
        if types[i] not in NOT_OPEN
    ]


def _shelf(type: str, closeness: dict[int, float], found: list[tuple[float, int]]) -> Shelf:
    return Shelf(type, array("i", (i for _, i in found)), array("d", (closeness[i] for _, i in found)))
