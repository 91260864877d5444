"""Breweries that are new to a client, the most fitting first, each with its reasons.

New is who the client does not buy from under any name, branch or duplicate entry. Every new brewery has its place in
one fixed order, so that paging reaches each of them once.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping

import msgspec
from msgspec.structs import replace

from beerforyou.blocks import Reason
from beerforyou.catalogue.brewery import NOT_OPEN, Ambiguous, Brewery, Criteria, Place, Unknown
from beerforyou.catalogue.geo import Point, chord_km, unit
from beerforyou.catalogue.index import Catalogue, Selection
from beerforyou.catalogue.names import fold

# What a reason may be, with its values. type_top: type, rank (1 is the client's first). type_new: type, of which the client
# buys none. distance: km from the client. no_supplier_in_city: city. supplier_in_city: city.
REASONS = ("type_top", "type_new", "distance", "no_supplier_in_city", "supplier_in_city")

AROUND_KM = (100.0, 400.0)  # where to look when no place is named: a delivery, a long day's drive
HALFWAY_KM = 50.0  # at this distance closeness counts half
FAR_KM = 400.0  # farther away than this, distance is no reason
# A brewery's worth is between 0 and 2: how much of the client's purchases are of its type (the first type is 1), and how
# close it is. The rest only decides between nearly equals.
NEW_CITY = 0.1  # where no supplier is yet: something to gain
REACHABLE = 0.05  # has a site, so that there is something to tell about it
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


class Recommendations(msgspec.Struct, frozen=True, kw_only=True):
    """`total` counts all that are new to the client."""

    matches: tuple[Recommendation, ...]
    total: int
    page: int
    per_page: int
    place: Place
    type: str = ""


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
        shown = client.page(found, criteria.page, criteria.per_page)
        if shown.total >= criteria.per_page:
            break
    return shown


class _Client:
    """A catalogue seen with one client's eyes. Breweries are positions in it."""

    def __init__(self, catalogue: Catalogue, taste: Taste, point: Point | None) -> None:
        self._catalogue, self._columns, self.point = catalogue, catalogue.columns, point
        known = [position for id in sorted(taste.bought) if (position := catalogue.position(id)) is not None]
        self._identities = {self._columns.identity[i] for i in known}
        self._states = Counter((p.country, p.state) for p in (self._columns.place[i] for i in known))
        others = (place for city in taste.other_cities for place in catalogue.places.named("city", fold(city)))
        self._cities = {self._columns.city[i] for i in known} | {self._columns.cities[place] for place in others}
        most = max(taste.types.values(), default=0.0)
        self._liking = {type: share / most for type, share in taste.types.items() if share > 0}
        by_share = sorted(self._liking, key=lambda type: (-self._liking[type], type))
        self._rank = {type: rank for rank, type in enumerate(by_share, start=1)}

    def scopes(self, criteria: Criteria, home: Place) -> Iterator[Criteria]:
        """Ever wider, the last without limits; the criteria alone when they name a place."""
        if not (criteria.city or criteria.state or criteria.country or criteria.within_km):
            if self.point:
                yield from (replace(criteria, within_km=km) for km in AROUND_KM)
            else:
                yield from (replace(criteria, state=s, country=c) for (c, s), _ in self._states.most_common(1))
            if home.country:
                yield replace(criteria, country=home.country)
        yield criteria

    def page(self, found: Selection, page: int, per_page: int) -> Recommendations:
        ranked = self.ranked(found.positions, found.center)
        return Recommendations(
            matches=tuple(self._recommended(i, found.center) for i in ranked[(page - 1) * per_page : page * per_page]),
            total=len(ranked), page=page, per_page=per_page, place=found.place, type=found.type,
        )  # fmt: skip

    def ranked(self, positions: Iterable[int], center: Point | None) -> list[int]:
        """What is new, in the order of its worth with variety; of entries that are one brewery, the best."""
        types, cities, identities = self._columns.type, self._columns.city, self._columns.identity
        better_type: dict[str, int] = defaultdict(int)
        better_city: dict[tuple[str, int], int] = defaultdict(int)
        varied: list[tuple[float, int]] = []
        seen = set(self._identities)
        for negative_worth, i in sorted(self._worth(positions, center)):
            if identities[i] not in seen:
                seen.add(identities[i])
                kind, here = types[i], (types[i], cities[i])
                cost = SAME_TYPE * min(better_type[kind], COUNTED) + SAME_CITY * min(better_city[here], COUNTED)
                varied.append((negative_worth + cost, i))
                better_type[kind] += 1
                better_city[here] += 1
        return [i for _, i in sorted(varied)]

    def _worth(self, positions: Iterable[int], center: Point | None) -> Iterator[tuple[float, int]]:
        """Negated, so that the best sorts first; equals stay in the catalogue's order."""
        around = unit(start) if (start := center or self.point) else None
        types, cities, vectors, has_site = (
            self._columns.type, self._columns.city, self._columns.vector, self._columns.has_site,
        )  # fmt: skip
        for i in positions:
            if types[i] not in NOT_OPEN:
                worth = self._liking.get(types[i], 0.0) + REACHABLE * has_site[i]
                worth += NEW_CITY * (cities[i] not in self._cities)
                if around and (vector := vectors[i]):
                    worth += HALFWAY_KM / (HALFWAY_KM + chord_km(around, vector))
                yield -worth, i

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
