"""The slots of a search: which breweries, where, how many, in which order."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from beerforyou.catalogue.brewery import Place
from beerforyou.catalogue.places import label
from beerforyou.reading.intents.breweries import searched_name
from beerforyou.reading.reading import NEARBY_KM, Intent, Search
from beerforyou.reading.slots.names import LIKELY, POSSIBLE, Name
from beerforyou.reading.slots.slots import Slots

T = TypeVar("T")


def search_in(s: Slots, intent: Intent) -> Search:
    like, distance = like_of(s), s.distance or _lent(s, lambda mate: mate.distance)
    first, *others = _types(s) or [""]
    name = None if like else name_in(s, intent)
    place = s.place if name or like else s.place_meant
    km = within_km(s) or (distance.km if distance else None)
    by_home = s.near_me and not (s.wanted.nearest and place != Place())  # "de Austin, mais perto de mim" is an order
    return Search(
        city=place.city, state=place.state, country=place.country,
        also_in=also_in(s), not_in=not_in(s), in_home=s.home.within, not_home=s.home.outside, type=first, also_types=tuple(others), not_types=not_types(s),
        name=name.text if name else "", like=like, has=s.wanted.has,
        only_new=intent == "recommend" and s.novelty != "any",
        near_me=by_home or (place == Place() and not name and (km is not None or (bool(s.home.outside) and intent == "search"))),
        within_km=km, miles=bool(distance and distance.miles),
        nearest=s.wanted.nearest, limit=s.wanted.limit,
    )  # fmt: skip


def _types(s: Slots) -> list[str] | None:
    return s.types or _lent(s, lambda mate: mate.types)


def _lent(s: Slots, part: Callable[[Slots], T]) -> T | None:
    """What another part of the same long sentence says: "alguma cervejaria pequena, ..., uns 30 km no máximo"."""
    return next((found for mate in s.mates if (found := part(mate))), None)


def wishes_of(s: Slots) -> tuple[str, ...]:
    """What is asked of breweries and not known, each kind once."""
    return tuple(dict.fromkeys(kind for _, kind in sorted(s.wishes.items())))


def name_in(s: Slots, intent: Intent) -> Name | None:
    """The brewery that others should be like, or that is searched for."""
    if like := _alike(s):
        return like
    return None if intent == "recommend" or _types(s) else searched_name(s.m, s)


def like_of(s: Slots) -> str:
    """ "something similar to Freetail": the brewery that the others should be like."""
    like = _alike(s)
    return like.text if like else ""


def _alike(s: Slots) -> Name | None:
    marks = s.m.all("similar")
    name = s.name(LIKELY) or s.name(POSSIBLE) if marks else None
    return name if name and name.start >= marks[0].start else None


def within_km(s: Slots) -> float | None:
    """As said; a city that something should be near to has a circle around it."""
    if s.within_km is not None:
        return s.within_km
    span = next((span for span in s.places if span.place.city == s.place.city), None)
    near = span is not None and bool(s.place.city) and not s.near_me and _is_near(s, span.start)
    return NEARBY_KM if near else None


def _is_near(s: Slots, start: int) -> bool:
    """ "near Austin", "the three closest to Austin": and not the closest in it."""
    said_before = any(mark.end <= start for mark in s.m.all("nearest"))
    return s.m.ends(start, "near", "nearest") or (
        said_before and s.m.ends(start, "of") and not s.m.ends(start, "in_place")
    )


def also_in(s: Slots) -> tuple[str, ...]:
    return tuple(label(place) for place in s.more_places)


def not_in(s: Slots) -> tuple[str, ...]:
    return tuple(dict.fromkeys(label(span.place) for span in s.denials.places))


def not_types(s: Slots) -> tuple[str, ...]:
    return tuple(dict.fromkeys(mention.name for mention in s.denials.types))
