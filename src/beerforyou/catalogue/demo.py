"""A small catalogue of our own making: real cities, invented breweries, the same ones every time.

It stands in where neither network nor file is there. It has what makes the real one hard: names in several cities,
chains, namesake cities, missing coordinates, closed and planned breweries.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from importlib import resources
from random import Random
from typing import Any

from msgspec.structs import replace

from beerforyou.catalogue.brewery import Brewery
from beerforyou.catalogue.names import brewery_key

SEED = 20260802
KNOWN_PLACES = 0.8  # share with coordinates; 79 % of the real ones have them
NAME_AGAIN = 0.04  # share of breweries with the name of another one elsewhere
HOUSES = 0.03  # share of breweries that have a second house in another city of their country
BEFORE = ("Brauerei", "Privatbrauerei", "Brouwerij", "Brasserie", "Cervejaria")  # the words that precede a name
SPREAD_DEGREES = 0.06  # breweries lie this far around the middle of their city: some 6 km

City = tuple[str, str, str, float, float, int]  # name, state, country, latitude, longitude, breweries


def breweries(seed: int = SEED) -> list[Brewery]:
    words = tomllib.loads(resources.files(__package__).joinpath("demo_words.toml").read_text("utf-8"))
    cities = list(_cities(words["cities"]))
    random = Random(seed)  # noqa: S311 (no secret)
    names = _Names(words, random)
    found: list[Brewery] = []
    for city in cities:
        for _ in range(city[5]):
            brewery = _brewery(len(found), names.next(city[2]), city, words["types"], random)
            found.append(brewery)
            elsewhere = [other for other in cities if other[2] == city[2] and other[:2] != city[:2]]
            if elsewhere and random.random() < HOUSES:
                found.append(_house(len(found), brewery, random.choice(elsewhere), words["types"], random))
    return found


class _Names:
    """Names that are new, but for the few that another city has as well."""

    def __init__(self, words: dict[str, Any], random: Random) -> None:
        pairs = [f"{first} {second}" for first in words["first"] for second in words["second"]]
        random.shuffle(pairs)
        self._pairs, self._forms, self._random = iter(pairs), words["forms"], random
        self._used: list[str] = []

    def next(self, country: str) -> str:
        again = self._used and self._random.random() < NAME_AGAIN
        pair = self._random.choice(self._used) if again else next(self._pairs)
        self._used.append(pair)
        form = self._random.choice(self._forms[country])
        return f"{form} {pair}" if form in BEFORE else f"{pair} {form}"


def _cities(table: dict[str, dict[str, dict[str, list[Any]]]]) -> Iterator[City]:
    for country, states in table.items():
        for state, cities in states.items():
            for city, (latitude, longitude, count) in cities.items():
                yield city, state, country, latitude, longitude, count


def _brewery(number: int, name: str, city: City, types: dict[str, int], random: Random) -> Brewery:
    site = brewery_key(name).replace(" ", "-")
    latitude, longitude = (round(middle + random.gauss(0, SPREAD_DEGREES / 2), 2) for middle in city[3:5])
    placed = random.random() < KNOWN_PLACES
    return Brewery(
        id=f"demo-{number:04}",
        name=name,
        brewery_type=random.choices(list(types), list(types.values()))[0],
        city=city[0],
        state=city[1],
        country=city[2],
        website=f"https://{site}-{number}.example" if random.random() < 0.85 else "",
        latitude=latitude if placed else None,
        longitude=longitude if placed else None,
    )


def _house(number: int, of: Brewery, city: City, types: dict[str, int], random: Random) -> Brewery:
    """A second house of the same brewery: its name, its site, another city."""
    house = _brewery(number, f"{of.name} - {city[0]}", city, types, random)
    return replace(house, website=of.website)
