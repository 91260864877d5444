"""The catalogue in memory: every search, name and place answered in well under a millisecond.

A snapshot never changes; a new version of the catalogue is a new object. Closed and planned breweries are known by
id and name, and found only by a search for just these.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

from msgspec.structs import replace

from beerforyou.catalogue.brewery import NOT_OPEN, Ambiguous, Brewery, Criteria, Match, Page, Place, Scope, Unknown
from beerforyou.catalogue.brewery_types import nearest_type
from beerforyou.catalogue.columns import Columns, columns, own_point
from beerforyou.catalogue.geo import Grid, Point, cosine, km, unit
from beerforyou.catalogue.mentions import Mention, MentionFinder, MentionKind
from beerforyou.catalogue.name_index import NameIndex
from beerforyou.catalogue.names import BreweryName
from beerforyou.catalogue.places import Gazetteer, around, inside
from beerforyou.catalogue.ready import Memory, Ready, ready
from beerforyou.catalogue.scope import scope_of
from beerforyou.errors import BadInput

MAX_PER_PAGE = 200
AROUND_KM = (
    50.0,
    100.0,
    400.0,
)  # where to look when no place is named: an hour's delivery, a day's, a long day's drive
ENOUGH = 5  # breweries in such a circle: what one answer shows; the same for pages of any size, so that they go on
MOST_MEANT = 40  # breweries that one name means; the largest chain of Open Brewery DB has 32 houses


class Selection(Scope, frozen=True, kw_only=True):
    """Every match of a search in its order, as positions in `Catalogue.breweries`. `center`: of `within_km`. `key`: equal
    keys have equal positions; None for what isn't worth keeping."""

    positions: Sequence[int]
    center: Point | None = None
    key: Hashable = None


class Catalogue:
    """`breweries` and all `columns` are in the order of names; pages are in the order that `search` tells.

    The annotated parts are all there is of it: `kept.py` writes and reads them one by one.
    """

    version: str
    breweries: tuple[Brewery, ...]
    places: Gazetteer
    columns: Columns
    _at: dict[str, int]
    _lists: dict[tuple[Place, str], list[int]]
    _open_grid: Grid
    _shut_grid: Grid
    _name_index: NameIndex
    _mention_finder: MentionFinder

    def __init__(
        self, breweries: Iterable[Brewery], aliases: Mapping[str, Sequence[str]] | None = None, version: str = "0"
    ) -> None:
        """`aliases`: brewery id to other names it had or has."""
        self.version = version
        named = sorted(
            ((brewery, BreweryName.of(brewery.name)) for brewery in breweries),
            key=lambda pair: (pair[1].whole, pair[0].id),
        )
        self.breweries = tuple(brewery for brewery, _ in named)
        names = [name for _, name in named]
        self._at = {brewery.id: position for position, brewery in enumerate(self.breweries)}
        self.places = Gazetteer(self.breweries)
        self.columns = columns(self.breweries, names, [self.places.place_of(brewery) for brewery in self.breweries])
        self._lists = self._by_place_and_type()
        self._open_grid, self._shut_grid = (
            Grid((i, v) for i, v in enumerate(self.columns.vector) if v and self.breweries[i].is_open is opened)
            for opened in (True, False)
        )
        self._name_index = NameIndex(names, self._aliases(aliases or {}))
        self._mention_finder = MentionFinder(self.places, named)

    def __len__(self) -> int:
        return len(self.breweries)

    @cached_property
    def _memory(self) -> Memory:
        return Memory()

    def position(self, id: str) -> int | None:
        return self._at.get(id)

    def brewery(self, id: str) -> Brewery | None:
        position = self._at.get(id)
        return None if position is None else self.breweries[position]

    def place_of(self, id: str) -> Place:
        """Where a brewery of the catalogue is, in the spelling of places. Raises KeyError."""
        return self.columns.place[self._at[id]]

    def point(self, place: Place) -> Point | None:
        """The middle of a place's breweries, None where no coordinates are known."""
        return self.columns.points.get(place)

    def distance_km(self, id: str, center: Point) -> float | None:
        """From `center` to the brewery, None when its coordinates are not known."""
        position = self._at[id]
        own, vector = own_point(self.breweries[position]), self.columns.vector[position]
        return km(cosine(vector, unit(center))) if own and vector else None

    def mentions(self, words: Sequence[str]) -> list[Mention]:
        """The catalogue's names in the words of a message; see MentionFinder.find."""
        return self._mention_finder.find(words)

    def nearest(self, kind: MentionKind, text: str) -> str | None:
        """The catalogue's spelling of a misspelt name, when it can be only one. Dearer than a look-up: 0.2 ms."""
        if kind == "type":
            return nearest_type(text)
        if kind == "brewery":
            found = () if self._name_index.containing(text) else self._name_index.misspelt(text)
            return self.breweries[found[0]].name if found else None
        key = self.places.nearest(kind, text)
        return getattr(self.places.named(kind, key)[0], kind) if key else None

    def search(
        self, criteria: Criteria, home: Place | None = None, home_point: Point | None = None
    ) -> Page | Ambiguous | Unknown:
        """One page of the open breweries that match. With `within_km`, `nearest`, or a client at home in the state (of a
        whole country: in the country), the closest first; else those first that a bar is likeliest to buy from
        (`scope.appeal`), then by name. A name's best matches come first in any case.

        When no place is named, it is looked for around the client, ever farther, until there are enough. A brewery without
        coordinates is found where the middle of its city is, and when no brewery of that city has any, by the city's name
        alone; its distance is None, and it comes last of those by distance. Raises BadInput.
        """
        settled = self.places.settled(home) if home else Place()
        point = home_point or self.point(settled)
        asked, found = self._wide_enough(criteria, home, point)
        if not isinstance(found, Selection):
            return found
        origin, start = self._origin(asked, found, settled, point)
        positions = self._from(start, found) if start and not found.center else found.positions
        matches = tuple(
            Match(brewery, self.distance_km(brewery.id, start) if start else None)
            for brewery in map(
                self.breweries.__getitem__, positions[criteria.start : criteria.start + criteria.per_page]
            )
        )
        return Page(
            matches=matches, total=len(positions), start=criteria.start, origin=origin,
            within_km=None if asked is criteria else asked.within_km, **_scope(found),
        )  # fmt: skip

    def select(
        self, criteria: Criteria, home: Place | None = None, home_point: Point | None = None
    ) -> Selection | Ambiguous | Unknown:
        """All that `search` shows in pages. Raises BadInput."""
        _check(criteria)
        scope = scope_of(self.places, criteria, home)
        if not isinstance(scope, Scope):
            return scope
        center = None
        if criteria.within_km is not None and not scope.also_in:
            home = self.places.settled(home) if home else Place()
            center = self.point(scope.place) if scope.place.city else home_point or self.point(home)
            if center is None and not scope.place.city:
                return Unknown(field="city", asked="")
            scope = scope if scope.place.country else replace(scope, place=home)
        wanted = scope, criteria.has, criteria.but, center, criteria.within_km, bool(criteria.state or criteria.country)
        if criteria.name or criteria.but:
            return Selection(positions=self._matching(criteria, scope, center), center=center, **_scope(scope))
        if center is None and not (
            criteria.has or scope.also_in or scope.not_in or scope.also_types or scope.not_types
        ):
            positions: Sequence[int] = self._lists.get((scope.place, scope.type), ())
        else:
            positions = self._memory.once(("found", wanted), lambda: self._matching(criteria, scope, center))
        return Selection(positions=positions, center=center, key=wanted, **_scope(scope))

    def _wide_enough(
        self, criteria: Criteria, home: Place | None, home_point: Point | None
    ) -> tuple[Criteria, Selection | Ambiguous | Unknown]:
        """What is found in the narrowest circle around the client that has enough, and the criteria with that circle."""
        if home_point and not (criteria.names_place or criteria.name or criteria.within_km):
            for around in (replace(criteria, within_km=km) for km in AROUND_KM):
                found = self.select(around, home, home_point)
                if not isinstance(found, Selection) or len(found.positions) >= ENOUGH:
                    return around, found
        return criteria, self.select(criteria, home, home_point)

    def _from(self, start: Point, found: Selection) -> Sequence[int]:
        if found.key is None:
            return self.by_distance(found.positions, start)
        return self._memory.once(("from", start, found.key), lambda: self.by_distance(found.positions, start))

    def by_distance(self, positions: Sequence[int], start: Point) -> list[int]:
        """The closest first, those last whose own place is not known."""
        (x, y, z), vectors, placed = unit(start), self.columns.vector, self.columns.placed
        known = [(-(x * v[0] + y * v[1] + z * v[2]), i) for i in positions if placed[i] and (v := vectors[i])]
        return [i for _, i in sorted(known)] + [i for i in positions if not placed[i]]

    def _origin(
        self, criteria: Criteria, found: Selection, home: Place, home_point: Point | None
    ) -> tuple[Place, Point | None]:
        """What distances are measured from, if from anything."""
        if found.center:
            return found.place, found.center
        at_home = home.country == found.place.country and found.place.state in ("", home.state)
        by_home = criteria.nearest or (not criteria.name and (at_home or not criteria.names_place))
        if home_point and home.country and by_home:
            return home, home_point
        return (found.place, self.point(found.place)) if criteria.nearest and found.place.city else (Place(), None)

    def ready(self, found: Selection, start: Point | None) -> Ready:
        """What a search found, made ready for ranking around `start`."""
        if found.key is None:
            return ready(self.columns, found.positions, start)
        return self._memory.once(("ready", found.key, start), lambda: ready(self.columns, found.positions, start))

    def find(self, name: str, place: Place | None = None, home: Place | None = None) -> tuple[Match, ...]:
        """The breweries in that place that a name can mean, open ones first. Several that differ: ask which.

        Of namesakes, the one in the home state is meant, or else the one in the home country. Of entries of one city
        that are one brewery, one is told. None when the name is vague.
        """
        meant = self._meant(name, place, home)
        if len(meant) > MOST_MEANT:
            return ()
        here = self._in(Place(), self._name_index.in_order(name, meant))
        once = {(self.columns.identity[i], self.columns.city[i]): i for i in reversed(here)}
        told = frozenset(once.values())
        return tuple(Match(self.breweries[i]) for i in here if i in told)

    def is_vague(self, name: str, place: Place | None = None, home: Place | None = None) -> bool:
        """Could it be more breweries than anybody means by one name ("Beer", "Brewing Co", "River")?"""
        return len(self._meant(name, place, home)) > MOST_MEANT

    def same_brewery(self, id: str) -> frozenset[str]:
        """The ids of all entries that are the same brewery, its own included; see identity.groups."""
        return self.columns.groups.get(id, frozenset({id}))

    def known_as(self, name: str, city: str = "", state: str = "", country: str = "") -> str | None:
        """The id of a brewery that purchase data names, or None when that is nobody here, or several.

        Never by likeness alone: the name must be the same but for its form, and the place must be the same city, or
        the same state and nobody else's name there.
        """
        place = self.places.resolve(city, state, country)
        choices = (place,) if isinstance(place, Place) else place.choices if isinstance(place, Ambiguous) else ()
        for level in self._name_index.exact(name):
            if here := [i for choice in choices for i in self._in(choice, level)]:
                same = {self.columns.identity[i] for i in here}
                return self.breweries[here[0]].id if len(same) == 1 else None
        return self.known_as(name, state=state, country=country) if city and state else None

    def _meant(self, name: str, place: Place | None, home: Place | None) -> Collection[int]:
        """What it can mean, in no order: the best level that has any in that place, and of these those at home."""
        home = self.places.settled(home) if home else Place()
        for level in self._name_index.find(name):
            if here := self._those_in(place or Place(), level):
                at_home = self._those_in(Place(state=home.state, country=home.country), here)
                return at_home or self._those_in(Place(country=home.country), here) or here
        return ()

    def _those_in(self, place: Place, positions: Collection[int]) -> Collection[int]:
        return positions if place == Place() else [i for i in positions if inside(self.columns.place[i], place)]

    def _in(self, place: Place, positions: Collection[int]) -> list[int]:
        """Those in that place; open ones first, and of these the ones with a site."""
        here = self._those_in(place, positions)
        return sorted(here, key=lambda i: (self.columns.type[i] in NOT_OPEN, not self.columns.has_site[i]))

    def _matching(self, criteria: Criteria, scope: Scope, center: Point | None) -> Sequence[int]:
        named = self._name_index.search(criteria.name) if criteria.name else None
        if center is None:
            found = self._named(named, scope) if named is not None else self._listed(scope, criteria.within_km)
        else:
            found = self._near(scope, center, criteria.within_km or 0, bool(criteria.state or criteria.country))
            if named is not None:
                wanted = set(named)
                found = [i for i in found if i in wanted]
        if not (criteria.has or criteria.but or scope.not_types or scope.not_in):
            return found
        return [i for i in found if self._is_left(i, criteria, scope)]

    def _listed(self, scope: Scope, within_km: float | None) -> list[int]:
        """Of all its places, or around each of them, and types together, in the order of each."""
        if within_km is None:
            lists = [self._lists.get((place, kind), ()) for place in _places(scope) for kind in _types(scope)]
        else:
            alone = [replace(scope, place=place, also_in=()) for place in _places(scope)]
            lists = [self._near(each, point, within_km, False) for each in alone if (point := self.point(each.place))]
        appeal = self.columns.appeal
        return sorted({i for each in lists for i in each}, key=lambda i: (appeal[i], i))

    def _named(self, named: Iterable[int], scope: Scope) -> list[int]:
        places, types = _places(scope), _types(scope)
        return [
            i
            for i in named
            if any(self._fits(i, kind) for kind in types) and any(inside(self.columns.place[i], p) for p in places)
        ]

    def _near(self, scope: Scope, center: Point, within_km: float, bounded: bool) -> list[int]:
        """`bounded`: a state or a country was named, and what lies beyond it is not meant."""
        types = _types(scope)
        grid = self._shut_grid if NOT_OPEN.issuperset(types) else self._open_grid
        placed = self.columns.placed
        every = grid.within(center, within_km)
        near = [i for i in every if placed[i]] + [i for i in every if not placed[i]]
        if types != ("",):
            near = [i for i in near if self.columns.type[i] in types]
        if scope.place.city:
            unplaced = (i for kind in types for i in self._lists.get((scope.place, kind), ()))
            near += [i for i in unplaced if self.columns.vector[i] is None]
        elif bounded:
            near = [i for i in near if inside(self.columns.place[i], scope.place)]
        return near

    def _is_left(self, position: int, criteria: Criteria, scope: Scope) -> bool:
        """Is it none of what is left out?"""
        if self.columns.type[position] in scope.not_types or not self._has(self.breweries[position], criteria.has):
            return False
        if criteria.but and position in self._same_as(criteria.but):
            return False
        return not any(inside(self.columns.place[position], place) for place in scope.not_in)

    def _same_as(self, id: str) -> set[int]:
        return {self._at[same] for same in self.same_brewery(id) if same in self._at}

    def _has(self, brewery: Brewery, wanted: Iterable[str]) -> bool:
        """`website`, `phone`: the fields of a brewery that are to be known."""
        return all(getattr(brewery, field) for field in wanted)

    def _fits(self, position: int, kind: str) -> bool:
        """Closed and planned ones only for who asks for just these."""
        own = self.columns.type[position]
        return own == kind if kind else own not in NOT_OPEN

    def _by_place_and_type(self) -> dict[tuple[Place, str], list[int]]:
        lists: dict[tuple[Place, str], list[int]] = {}
        appeal = self.columns.appeal
        for position in sorted(range(len(appeal)), key=lambda i: (appeal[i], i)):
            own, place = self.columns.type[position], self.columns.place[position]
            for where in (*around(place), Place()):
                for kind in ("", own):
                    if self._fits(position, kind):
                        lists.setdefault((where, kind), []).append(position)
        return lists

    def _aliases(self, aliases: Mapping[str, Sequence[str]]) -> list[tuple[int, BreweryName]]:
        return [(self._at[id], BreweryName.of(name)) for id in aliases if id in self._at for name in aliases[id]]


def _places(scope: Scope) -> tuple[Place, ...]:
    return scope.place, *scope.also_in


def _types(scope: Scope) -> tuple[str, ...]:
    return scope.type, *scope.also_types


def _scope(scope: Scope) -> dict[str, Any]:
    """The fields of a scope, to make something of it that says more."""
    return {field: getattr(scope, field) for field in Scope.__struct_fields__}


def _check(criteria: Criteria) -> None:
    if criteria.page < 1 or criteria.skip < 0 or not 1 <= criteria.per_page <= MAX_PER_PAGE:
        raise BadInput(
            f"page {criteria.page} of {criteria.per_page} breweries", f"pages count from 1, of 1 to {MAX_PER_PAGE}"
        )
    if criteria.within_km is not None and not criteria.within_km > 0:
        raise BadInput(f"within {criteria.within_km:g} km", "a distance is greater than 0")
