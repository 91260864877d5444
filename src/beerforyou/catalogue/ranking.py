"""Breweries that are new to a client, the most fitting first, each with its reasons.

New is who the client does not buy from under any name, branch or duplicate entry. Every new brewery has its place in
one fixed order, so that paging reaches each of them once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from heapq import heapify, heappop, heappush, heapreplace
from itertools import islice

import msgspec
from msgspec.structs import replace

from beerforyou.blocks import Reason
from beerforyou.catalogue.brewery import Ambiguous, Brewery, Criteria, Place, Scope, Unknown
from beerforyou.catalogue.geo import Point
from beerforyou.catalogue.index import ENOUGH, Catalogue, Selection
from beerforyou.catalogue.names import fold
from beerforyou.catalogue.ready import REACHABLE, Ready, Shelf

# What a reason may be, with its values. type_top: type, rank (1 is the client's first). type_new: type, of which the client
# buys none. distance: km from the client. no_supplier_in_city: city. supplier_in_city: city.
REASONS = ("type_top", "type_new", "distance", "no_supplier_in_city", "supplier_in_city")

AROUND_KM = (100.0, 400.0)  # where to look when no place is named: a delivery, a long day's drive
FAR_KM = 400.0  # farther away than this, distance is no reason
# A brewery's worth is between 0 and 2: how much of the client's purchases are of its type (the first type is 1), and how
# close it is (`ready.py`). The rest only decides between nearly equals.
NEW_CITY = 0.1  # where no supplier is yet: something to gain
# Variety: what each better brewery of the same type costs it, and of the same type in the same city, up to ten of them.
# With all else equal, a client of half micros, a third brewpubs and a sixth regional ones is shown three micros and two
# brewpubs first, and a regional one among the first seven.
SAME_TYPE, SAME_CITY, COUNTED = 0.2, 0.05, 10


class Taste(msgspec.Struct, frozen=True, kw_only=True):
    """What a client's purchases say. `types`: share of each type, 0 to 1. `bought`: ids of all breweries ever bought
    from. `other_cities`: cities of suppliers that the catalogue doesn't know."""

    types: Mapping[str, float] = {}
    bought: frozenset[str] = frozenset()
    other_cities: frozenset[str] = frozenset()


class Recommendation(msgspec.Struct, frozen=True):
    """`distance_km` from what the search was around."""

    brewery: Brewery
    distance_km: float | None
    reasons: tuple[Reason, ...]


class Recommendations(Scope, frozen=True, kw_only=True):
    """`total` counts all that are new to the client, of which these come after `start`. When no place was named:
    `within_km` of `origin`, and `in_city` of them in that city itself."""

    matches: tuple[Recommendation, ...]
    total: int
    start: int
    origin: Place = Place()
    within_km: float | None = None
    in_city: int = 0


def recommend(
    catalogue: Catalogue, criteria: Criteria, taste: Taste, home: Place | None = None, home_point: Point | None = None
) -> Recommendations | Ambiguous | Unknown:
    """One page of what is new. When the criteria name no place, it is looked for around the client, ever farther; for
    a client far from every brewery, where most of its suppliers are."""
    home = catalogue.places.settled(home) if home else Place()
    client = _Client(catalogue, taste, home_point or catalogue.point(home))
    for scope in client.scopes(criteria, home):
        found = catalogue.select(scope, home, client.point)
        if not isinstance(found, Selection):
            return found
        shown = client.page(found, criteria)
        if shown.total >= ENOUGH:
            break
    if scope.within_km is None or criteria.within_km is not None:
        return shown
    own_city = (
        catalogue.select(replace(criteria, city=home.city, state=home.state, country=home.country))
        if home.city
        else None
    )
    in_city = client.count(own_city) if isinstance(own_city, Selection) else 0
    return replace(shown, origin=home, within_km=scope.within_km, in_city=in_city)


class _Client:
    """A catalogue seen with one client's eyes. Breweries are positions in it."""

    def __init__(self, catalogue: Catalogue, taste: Taste, point: Point | None) -> None:
        self._catalogue, self._columns, self.point = catalogue, catalogue.columns, point
        self._known = [position for id in taste.bought if (position := catalogue.position(id)) is not None]
        self._identities = {self._columns.identity[i] for i in self._known}
        others = (place for city in taste.other_cities for place in catalogue.places.named("city", fold(city)))
        self._cities = {self._columns.city[i] for i in self._known} | {self._columns.cities[place] for place in others}
        most = max(taste.types.values(), default=0.0)
        self._liking = {type: share / most for type, share in taste.types.items() if share > 0}
        by_share = sorted(self._liking, key=lambda type: (-self._liking[type], type))
        self._rank = {type: rank for rank, type in enumerate(by_share, start=1)}

    def scopes(self, criteria: Criteria, home: Place) -> Iterator[Criteria]:
        """Ever wider, the last without limits; the criteria alone when they name a place."""
        if not (criteria.names_place or criteria.within_km or criteria.name):
            if self.point:
                yield from (replace(criteria, within_km=km) for km in AROUND_KM)
            else:
                yield from (replace(criteria, state=s, country=c) for c, s in self._state_of_most())
            if home.country:
                yield replace(criteria, country=home.country)
        yield criteria

    def _state_of_most(self) -> list[tuple[str, str]]:
        """Country and state of most suppliers; of as many, of the supplier with the least id."""
        known = sorted(self._known, key=lambda i: self._catalogue.breweries[i].id)
        states = Counter((p.country, p.state) for p in (self._columns.place[i] for i in known))
        return [state for state, _ in states.most_common(1)]

    def page(self, found: Selection, criteria: Criteria) -> Recommendations:
        ready = self._catalogue.ready(found, found.center or self.point)
        start = self.point if criteria.nearest and not found.center else found.center
        ranked: Iterable[int] = self._ranked(ready)
        if criteria.nearest and start:
            ranked = self._catalogue.by_distance(list(ranked), start)
        shown = islice(ranked, criteria.start, criteria.start + criteria.per_page)
        return Recommendations(
            matches=tuple(self._recommended(i, start) for i in shown),
            total=self._count(ready), start=criteria.start,
            **{field: getattr(found, field) for field in Scope.__struct_fields__},
        )  # fmt: skip

    def count(self, found: Selection) -> int:
        return self._count(self._catalogue.ready(found, found.center or self.point))

    def _count(self, ready: Ready) -> int:
        return len(ready.identities) - len(ready.identities & self._identities)

    def _ranked(self, ready: Ready) -> Iterator[int]:
        """What is new, in the order of its worth with variety; a shelf is not looked at before its best could be next."""
        nexts = [(-self._most(shelf), ~n, self._varied(shelf, ready)) for n, shelf in enumerate(ready.shelves)]
        heapify(nexts)
        while nexts:
            _, i, more = nexts[0]
            if i >= 0:
                yield i
            following = next(more, None)
            if following:
                heapreplace(nexts, (*following, more))
            else:
                heappop(nexts)

    def _most(self, shelf: Shelf) -> float:
        return self._worth(shelf.positions[0], shelf.closeness[0], NEW_CITY)

    def _varied(self, shelf: Shelf, ready: Ready) -> Iterator[tuple[float, int]]:
        """By worth, negated, less what the better ones of the type cost: whoever waits goes when nobody to come is better."""
        waiting: list[tuple[float, int]] = []
        better_here: dict[int, int] = {}
        for better, (worth, i) in enumerate(self._new(shelf, ready)):
            cost, city = SAME_TYPE * min(better, COUNTED), self._columns.city[i]
            while waiting and waiting[0] < (worth + cost, i):
                yield heappop(waiting)
            here = better_here.get(city, 0)
            better_here[city] = here + 1
            heappush(waiting, (worth + (cost + SAME_CITY * min(here, COUNTED)), i))
        yield from sorted(waiting)

    def _new(self, shelf: Shelf, ready: Ready) -> Iterator[tuple[float, int]]:
        """By worth, negated. The shelf is in this order but for cities with a supplier, whose breweries come later."""
        supplied: list[tuple[float, int]] = []
        identities, cities, doubled = self._columns.identity, self._columns.city, ready.doubled
        for i, closeness in zip(shelf.positions, shelf.closeness, strict=True):
            at_most = -self._worth(i, closeness, NEW_CITY), i
            while supplied and supplied[0] < at_most:
                yield heappop(supplied)
            if identities[i] not in self._identities and (i not in doubled or self._is_best(i, doubled[i])):
                if cities[i] in self._cities:
                    heappush(supplied, (-self._worth(i, closeness, 0.0), i))
                else:
                    yield at_most
        yield from sorted(supplied)

    def _is_best(self, position: int, same: list[tuple[int, float]]) -> bool:
        """Of the entries that are one brewery; equals stay in the catalogue's order."""
        return position == min(same, key=lambda entry: (-self._here(*entry), entry[0]))[0]

    def _here(self, position: int, closeness: float) -> float:
        return self._worth(position, closeness, 0.0 if self._columns.city[position] in self._cities else NEW_CITY)

    def _worth(self, position: int, closeness: float, city: float) -> float:
        return (
            self._liking.get(self._columns.type[position], 0.0)
            + REACHABLE * self._columns.has_site[position]
            + city
            + closeness
        )

    def _recommended(self, position: int, center: Point | None) -> Recommendation:
        brewery = self._catalogue.breweries[position]
        away = self._catalogue.distance_km(brewery.id, center) if center else None
        return Recommendation(brewery, away, tuple(self._reasons(position, brewery)))

    def _reasons(self, position: int, brewery: Brewery) -> Iterator[Reason]:
        kind = brewery.brewery_type
        if kind in self._rank:
            yield Reason(key="type_top", values={"type": kind, "rank": self._rank[kind]})
        elif self._rank:
            yield Reason(key="type_new", values={"type": kind})
        away = self._catalogue.distance_km(brewery.id, self.point) if self.point else None
        if away is not None and away <= FAR_KM:
            yield Reason(key="distance", values={"km": round(away, 1)})
        if self._cities:
            supplied = self._columns.city[position] in self._cities
            yield Reason(key="supplier_in_city" if supplied else "no_supplier_in_city", values={"city": brewery.city})
