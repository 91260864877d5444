"""Which entries of the catalogue are one brewery: written twice, or several houses of one owner."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator, Sequence
from itertools import chain, combinations

import msgspec

from beerforyou.catalogue.brewery import Place
from beerforyou.catalogue.names import ARTICLES, BreweryName

_HOST = re.compile(r"(?:https?://)?(?:www\.)?([^/:?#\s]+\.[^/:?#\s]+)")
# Sites that many breweries share say nothing about who they are.
_SHARED = ("facebook.com", "instagram.com", "gmail.com", "untappd.com", "twitter.com", "google.com", "linktr.ee",
           "yelp.com", "tripadvisor.com", "belgianbeerworld.be", "canterburybrewerscollective.nz")  # fmt: skip


def site(website: str) -> str:
    """The host without "www.", "" where it has none of its own."""
    host = _HOST.match(website.strip().lower())
    return "" if host is None or host[1].endswith(_SHARED) else host[1]


class Entry(msgspec.Struct, frozen=True, gc=False):
    """What tells whether two are one."""

    id: str
    name: BreweryName
    place: Place
    site: str


def groups(entries: Sequence[Entry]) -> dict[str, frozenset[str]]:
    """Brewery id to the ids of the same brewery; who stands alone is left out.

    The same are: entries of one city with one key, unless name and site both say otherwise ("Buffalo Brewpub" is not
    "Buffalo Brewing Company"); of one state, with one whole name and no two sites, or when one's name only goes on
    after the other's ("Stone Brewing World Bistro"); houses of one brand with one site, wherever they are; and
    those of one country whose names mark them as houses of one brand ("Rock Bottom Brewery - Chicago").
    """
    joined: dict[str, set[str]] = {}
    for same in _same(entries):
        merged = set().union(*(joined.get(id, {id}) for id in same))
        joined |= dict.fromkeys(merged, merged)
    return {id: frozenset(ids) for id, ids in joined.items()}


def _same(entries: Sequence[Entry]) -> Iterator[list[str]]:
    yield from chain.from_iterable(map(_agreeing, _alike(entries, lambda e: (e.name.key, e.place))))
    for alike in _alike(entries, _whole_name_in_state):
        if len({e.site for e in alike} - {""}) <= 1:
            yield [e.id for e in alike]
    houses = [e for e in entries if e.name.brand != e.name.key]
    brands = _alike([e for e in entries if e.site], lambda e: (e.name.brand, e.site))
    for alike in (*brands, *_alike(houses, lambda e: (e.name.brand, e.place.country))):
        yield [e.id for e in alike]
    yield from _going_on(entries)


def _whole_name_in_state(entry: Entry) -> tuple[str, str, str]:
    return entry.name.trade, entry.place.state, entry.place.country


def _going_on(entries: Sequence[Entry]) -> Iterator[list[str]]:
    """Each entry with those of its state whose whole name, down to "brewing", its own name begins with."""
    by_name: dict[tuple[str, str, str], list[str]] = {}
    for entry in entries:
        by_name.setdefault(_whole_name_in_state(entry), []).append(entry.id)
    for entry in entries:
        words = entry.name.whole.split()
        for end in range(2, len(words)):
            if words[end - 1] in ("brewing", "brewery") and not ARTICLES.issuperset(words[: end - 1]):
                name = " ".join(words[:end]), entry.place.state, entry.place.country
                yield [entry.id, *by_name.get(name, ())]


def _alike(entries: Sequence[Entry], by: Callable[[Entry], Hashable]) -> list[list[Entry]]:
    found: dict[Hashable, list[Entry]] = {}
    for entry in entries:
        found.setdefault(by(entry), []).append(entry)
    return [alike for alike in found.values() if len(alike) > 1]


def _agreeing(namesakes: list[Entry]) -> Iterator[list[str]]:
    """Those of one city and key that don't contradict each other in both name and site."""
    for a, b in combinations(namesakes, 2):
        if not a.site or not b.site or a.site == b.site or a.name.trade == b.name.trade:
            yield [a.id, b.id]
