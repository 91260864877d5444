"""Which place is meant: names of cities, states and countries, as people write them, to the catalogue's own.

What may be several places is asked about and never guessed; what is no place of the catalogue is said to be unknown.
The other names of places stand in place_names.toml.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from beerforyou.catalogue.brewery import Ambiguous, Brewery, Place, Unknown
from beerforyou.catalogue.names import fold
from beerforyou.catalogue.place_names import KINDS, Kind, abbreviations, canonical, other_names, spoken
from beerforyou.catalogue.spelling import Speller

# A question costs the client one turn, a silently wrong place several. Taken without asking is only a place with
# this many times the open breweries of the next: if people mean places as often as these have breweries, that guess
# is wrong at most one time in eight. Portland, Oregon has 4.3 times Portland, Maine: asked. Berlin has 20 times: taken.
DOMINANCE = 7
# A city with fewer open breweries than this is not what "Oregon" or "Ontario" in a city's place means.
CITY_OF_NOTE = 5
MOST_ELSEWHERE = 3  # namesakes told of a place that is not where it was said to be

# What a kind of name is mistaken for: models put states into the city, people bring cities as states.
_MISTAKEN: dict[Kind, tuple[Kind, ...]] = {
    "city": ("city", "state", "country"),
    "state": ("state", "country", "city"),
    "country": ("country", "state"),
}


@dataclass(init=False, eq=False, repr=False)
class Gazetteer:
    """The places of one catalogue, under every name they are known by."""

    open_breweries: dict[Place, int]
    _places: dict[tuple[str, str, str], Place]
    _spellers: dict[Kind, Speller]
    _names: dict[Kind, dict[str, tuple[Place, ...]]]
    _elsewhere: set[str]

    def __init__(self, breweries: Iterable[Brewery]) -> None:
        rows = Counter((b.city, b.state, b.country) for b in breweries)
        self._places = canonical(rows)
        self.open_breweries = {place: 0 for city in self._places.values() for place in around(city)}
        for brewery in breweries:
            for place in around(self.place_of(brewery)) if brewery.is_open else ():
                self.open_breweries[place] += 1
        named = spoken(set(self._places.values()))
        self._spellers = {kind: Speller(key for key, _ in pairs) for kind, pairs in named.items()}
        self._names = {kind: self._most_first(pairs + abbreviations(kind, pairs)) for kind, pairs in named.items()}
        self._elsewhere = {fold(name) for name in other_names()["elsewhere"]["cities"]}

    def place_of(self, brewery: Brewery) -> Place:
        """Its city in the one spelling used here: "St Petersburg" and "Saint Petersburg" are the same place."""
        return self._places[brewery.city, brewery.state, brewery.country]

    def keys(self, kind: Kind) -> Iterable[str]:
        """Every folded name and abbreviation of that kind."""
        return self._names[kind]

    def named(self, kind: Kind, key: str) -> tuple[Place, ...]:
        """The places of that folded name, most open breweries first; none when there is no such name."""
        return self._names[kind].get(key, ())

    def resolve(
        self, city: str = "", state: str = "", country: str = "", home: Place | None = None
    ) -> Place | Ambiguous | Unknown:
        """The place that these words mean, together; each may be empty. `home` decides between namesakes, and what a name is
        said to lie in decides whether it is a city's, a state's or a country's."""
        asked = _asked(city, state, country)
        if not asked:
            return Place()
        if home and len(asked) == 1 and (own := self._own_city(*next(iter(asked.items())), self.settled(home))):
            return own
        meant: tuple[Place, ...] = (Place(),)
        for field, text in asked.items():
            candidates = self._candidates(field, text)
            narrowed = _within(candidates, meant) or _within(self._senses(text), meant)
            if not narrowed:
                return self._unknown(field, text, candidates, meant)
            meant = narrowed
        meant = self._city_or_state(meant)
        field, text = next(reversed(asked.items()))
        named_alone = len(asked) == 1
        if len(meant) == 1 and not (named_alone and self._better_known_elsewhere(field, text)):
            return meant[0]
        return self._choose(meant, field, text, self.settled(home) if home else Place(), named_alone)

    def settled(self, home: Place) -> Place:
        """A client's place in the catalogue's spelling, as far as the catalogue knows it: city, state or country."""
        for city, state in ((home.city, home.state), ("", home.state), ("", "")):
            found = self.resolve(city, state, home.country)
            if isinstance(found, Place):
                return found
        return Place()

    def nearest(self, kind: Kind, text: str) -> str | None:
        """The folded name that a misspelt one means, when there is exactly one; an exact one is its own nearest."""
        key = fold(text)
        if key in self._names[kind]:
            return key
        if key in self._elsewhere:
            return None
        _, keys = self._spellers[kind].nearest(key)
        by_size = sorted(keys, key=lambda k: self._by_size(self._names[kind][k][0]))
        return by_size[0] if by_size and self._dominates([self._names[kind][k][0] for k in by_size]) else None

    def _own_city(self, field: Kind, text: str, home: Place) -> Place | None:
        """ "Washington" said in the District of Columbia is the city there, and not the state in the northwest."""
        if field == "city" or any(inside(home, place) for place in self._candidates(field, text)):
            return None
        here = [p for p in self.named("city", fold(text)) if (p.state, p.country) == (home.state, home.country)]
        known = [p for p in here if p == home or self.open_breweries[p] >= CITY_OF_NOTE]
        return known[0] if len(known) == 1 else None

    def _senses(self, text: str) -> tuple[Place, ...]:
        """Whatever is called exactly that: "Victoria" is a state of Australia, and a city of British Columbia."""
        return tuple(place for kind in KINDS for place in self.named(kind, fold(text)))

    def _candidates(self, field: Kind, text: str) -> tuple[Place, ...]:
        key = fold(text)
        if (found := self._exactly(field, key)) or key in self._elsewhere:
            return found
        near = [(kind, *self._spellers[kind].nearest(key)) for kind in _MISTAKEN[field]]
        least = min((distance for _, distance, keys in near if keys), default=0)
        repaired = {key for _, distance, keys in near if distance == least for key in keys}
        meant = sorted({self._exactly(field, key) for key in repaired}, key=lambda found: self._by_size(found[0]))
        return meant[0] if meant and self._dominates([found[0] for found in meant]) else ()

    def _exactly(self, field: Kind, key: str) -> tuple[Place, ...]:
        states = self.named("state", key) if field == "city" and len(key) > 3 else ()  # "LA" is the city
        for kind in _MISTAKEN[field]:
            if found := self.named(kind, key):
                return found if kind == "state" else found + states
        return ()

    def _city_or_state(self, places: tuple[Place, ...]) -> tuple[Place, ...]:
        """New York is a city of New York; Oregon is more than the Oregon in Ohio; Washington may be either."""
        cities, states = tuple(p for p in places if p.city), tuple(p for p in places if not p.city)
        if not cities or not states:
            return places
        if any(inside(city, state) for city in cities for state in states):
            return cities
        if self.open_breweries[cities[0]] < CITY_OF_NOTE:
            return states
        return states + (cities[:1] if self._dominates(cities) else cities)

    def _choose(
        self, places: tuple[Place, ...], field: Kind, asked: str, home: Place, named_alone: bool
    ) -> Place | Ambiguous:
        at_home = [p for p in places if p.state and (p.state, p.country) == (home.state, home.country)]
        in_country = [p for p in places if not p.city and p.country == home.country]
        for preferred in (at_home, in_country):
            if len(preferred) == 1:
                return preferred[0]
        one_kind = len({bool(p.city) for p in places}) == 1
        better_known = named_alone and self._better_known_elsewhere(field, asked)
        if one_kind and not better_known and self._dominates(places):
            return places[0]
        return Ambiguous(field=field, asked=asked, choices=places)

    def _better_known_elsewhere(self, field: Kind, asked: str) -> bool:
        return field == "city" and fold(asked) in self._elsewhere

    def _dominates(self, places: Sequence[Place]) -> bool:
        counts = [self.open_breweries[p] for p in dict.fromkeys(places)]
        return len(counts) == 1 or (counts[0] > 0 and counts[0] >= DOMINANCE * counts[1])

    def _unknown(self, field: Kind, text: str, elsewhere: Sequence[Place], within: Sequence[Place]) -> Unknown:
        """The namesakes in other places, or else the names that look alike."""
        if within != (Place(),):
            choices = tuple(place for place in elsewhere if place.city)[:MOST_ELSEWHERE]
            return Unknown(field=field, asked=text, within=label(within[0]), choices=choices)
        near = self._spellers[field].suggestions(fold(text))
        names = dict.fromkeys(label(self._names[field][key][0]) for key in near)
        return Unknown(field=field, asked=text, suggestions=tuple(names))

    def _most_first(self, pairs: Iterable[tuple[str, Place]]) -> dict[str, tuple[Place, ...]]:
        found: dict[str, set[Place]] = {}
        for key, place in pairs:
            if key:
                found.setdefault(key, set()).add(place)
        return {key: tuple(sorted(places, key=self._by_size)) for key, places in found.items()}

    def _by_size(self, place: Place) -> tuple[int, str]:
        return -self.open_breweries[place], label(place)


def label(place: Place) -> str:
    """ "San Diego, California"; a country alone is itself."""
    return ", ".join(filter(None, (place.city, place.state))) or place.country


def inside(place: Place, other: Place) -> bool:
    """Is `place` the other, or a part of it? An empty field of the other means any."""
    return other.country in ("", place.country) and other.state in ("", place.state) and other.city in ("", place.city)


def _within(candidates: Iterable[Place], meant: Sequence[Place]) -> tuple[Place, ...]:
    """Those that lie in what was said before, or around it."""
    return tuple(dict.fromkeys(filter(None, (_finer(a, b) for b in candidates for a in meant))))


def _finer(a: Place, b: Place) -> Place | None:
    return a if inside(a, b) else b if inside(b, a) else None


def around(place: Place) -> Iterable[Place]:
    """The place, its state and its country, each once."""
    return tuple(dict.fromkeys((place, Place(state=place.state, country=place.country), Place(country=place.country))))


def _asked(city: str, state: str, country: str) -> dict[Kind, str]:
    """The words given, coarse to fine. "Portland, OR, USA" in the city's place is taken apart."""
    city, *rest = (part.strip() for part in city.split(","))
    if rest:
        state, country = state or rest[0], country or "".join(rest[1:2])
    given: dict[Kind, str] = {"country": country, "state": state, "city": city}
    return {kind: text.strip() for kind, text in given.items() if fold(text)}
