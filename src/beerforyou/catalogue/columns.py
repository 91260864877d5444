"""What searches and rankings look at, one list a property, in the order of the catalogue's breweries."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from beerforyou.catalogue.brewery import Brewery, Place
from beerforyou.catalogue.duplicates import Entry, groups, site
from beerforyou.catalogue.geo import Point, Vector, middle, unit
from beerforyou.catalogue.names import BreweryName
from beerforyou.catalogue.places import around
from beerforyou.catalogue.scope import appeal


class Columns(msgspec.Struct, frozen=True):
    """`city`: a number for each city. `identity`: a number for all entries that are one brewery. `vector`: where it is,
    or where its city is, None when neither is known; `placed`: its own place is known. `cities`: those numbers; `groups`: ids of one brewery; `points`: the middle of a place."""

    type: list[str]
    place: list[Place]
    city: list[int]
    identity: list[int]
    vector: list[Vector | None]
    placed: list[bool]
    has_site: list[bool]
    appeal: list[int]
    cities: dict[Place, int]
    groups: dict[str, frozenset[str]]
    points: dict[Place, Point]


def columns(breweries: Sequence[Brewery], names: Sequence[BreweryName], places: Sequence[Place]) -> Columns:
    entries = [
        Entry(b.id, name, place, site(b.website)) for b, name, place in zip(breweries, names, places, strict=True)
    ]
    same = groups(entries)
    points = _points(breweries, places)
    cities: dict[Place, int] = {}
    identities: dict[frozenset[str], int] = {}
    return Columns(
        type=[b.brewery_type for b in breweries],
        place=list(places),
        city=[cities.setdefault(place, i) for i, place in enumerate(places)],
        identity=[identities.setdefault(same[b.id], i) if b.id in same else i for i, b in enumerate(breweries)],
        vector=[
            unit(at) if (at := own_point(b) or points.get(p)) else None for b, p in zip(breweries, places, strict=True)
        ],
        placed=[own_point(b) is not None for b in breweries],
        has_site=[bool(b.website) for b in breweries],
        appeal=[appeal(b) for b in breweries],
        cities=cities,
        groups=same,
        points=points,
    )


def own_point(brewery: Brewery) -> Point | None:
    return None if brewery.latitude is None or brewery.longitude is None else (brewery.latitude, brewery.longitude)


def _points(breweries: Sequence[Brewery], places: Sequence[Place]) -> dict[Place, Point]:
    points: dict[Place, list[Point]] = {}
    for brewery, place in zip(breweries, places, strict=True):
        if point := own_point(brewery):
            for around_it in around(place):
                points.setdefault(around_it, []).append(point)
    return {place: center for place, found in points.items() if (center := middle(found))}
