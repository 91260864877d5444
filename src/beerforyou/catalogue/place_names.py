"""The names of places: the catalogue's own spelling of each, and what else people call it (place_names.toml)."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any, Literal

from beerforyou.catalogue.brewery import Place
from beerforyou.catalogue.names import fold

Kind = Literal["city", "state", "country"]
KINDS: tuple[Kind, ...] = ("city", "state", "country")

_QUALIFIER = re.compile(r"\s*[(/].*|\s+(?:am|im|an der|an dem|in der|bei|ob der|vor der)\s.*", re.IGNORECASE)
_KOREAN = re.compile(r"-(?:si|gu|gun|eup)$")


@cache
def other_names() -> dict[str, Any]:
    text = resources.files("beerforyou.catalogue").joinpath("place_names.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def canonical(rows: Mapping[tuple[str, str, str], int]) -> dict[tuple[str, str, str], Place]:
    """Every city, state and country as the source spells it, to the one place that it is."""
    table = other_names()
    country_of = _spelling(Counter({("", row[2]): n for row, n in rows.items()}), {"": table["countries"]})
    states = Counter[tuple[str, str]]()
    for (_, state, country), n in rows.items():
        states[country_of["", country], state] += n
    state_of = _spelling(states, table["states"])
    cities = Counter[tuple[str, str]]()
    places: dict[tuple[str, str, str], Place] = {}
    for (city, state, country), n in rows.items():
        cities[state_of[country_of["", country], state], city] += n
    city_of = _spelling(cities, table["cities"])
    for city, state, country in rows:
        own_country = country_of["", country]
        own_state = state_of[own_country, state]
        places[city, state, country] = Place(city=city_of[own_state, city], state=own_state, country=own_country)
    return places


def _spelling(
    names: Counter[tuple[str, str]], table: Mapping[str, Mapping[str, list[str]]]
) -> dict[tuple[str, str], str]:
    """(parent, name as written) to one spelling: the table's where it has one, else the commonest."""
    chosen: dict[tuple[str, str], str] = {}
    for parent, own_names in table.items():
        for own, others in own_names.items():
            chosen |= {(parent, fold(name)): own for name in (own, *others)}
    for (parent, name), _ in names.most_common():
        chosen.setdefault((parent, fold(name)), name)
    return {(parent, name): chosen[parent, fold(name)] for parent, name in names}


def spoken(places: set[Place]) -> dict[Kind, list[tuple[str, Place]]]:
    table = other_names()
    own = {(fold(place.city), place.state, place.country) for place in places}
    cities = [pair for place in places for pair in _city_names(place, table["cities"].get(place.state, {}), own)]
    states = [
        (key, state)
        for state in {Place(state=p.state, country=p.country) for p in places}
        for name in (state.state, *table["states"].get(state.country, {}).get(state.state, ()))
        for key in {fold(name), fold(name).removesuffix(" region")}
    ]
    countries = [
        (fold(name), Place(country=country))
        for country in {p.country for p in places}
        for name in (country, *table["countries"].get(country, ()))
    ]
    return {"city": cities, "state": states, "country": countries}


def _city_names(
    place: Place, others: Mapping[str, list[str]], own: set[tuple[str, str, str]]
) -> Iterator[tuple[str, Place]]:
    """ "Frankfurt (Oder)" is called Frankfurt, "Jeju-si" Jeju; but not where its state has another city of that name."""
    yield fold(place.city), place
    yield from ((fold(name), place) for name in others.get(place.city, ()))
    short = fold((_KOREAN if place.country == "South Korea" else _QUALIFIER).sub("", place.city))
    if (short, place.state, place.country) not in own:
        yield short, place


def abbreviations(kind: Kind, names: list[tuple[str, Place]]) -> list[tuple[str, Place]]:
    """Abbreviations: never the repair of a typing mistake, so they stay apart from the names until then."""
    if kind == "city":
        return []
    table = other_names()[f"{kind}_codes"]
    return [
        (fold(code), place)
        for place in {place for _, place in names}
        for code in (
            table.get(place.country, {}).get(place.state, ()) if kind == "state" else table.get(place.country, ())
        )
    ]
