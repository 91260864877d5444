"""What the words of a search mean together: its places and types, several of each, and those left out.

Where one of several places may be more than one, the others say which: "Portland and Eugene" are both in Oregon.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from beerforyou.catalogue.brewery import Ambiguous, Brewery, Criteria, Place, Scope, Unknown
from beerforyou.catalogue.brewery_types import resolve_type
from beerforyou.catalogue.places import Gazetteer

# Whom a bar can order from, the likeliest first: breweries that sell beyond their own door; those that mostly pour at home;
# houses that pour and don't brew for others. Types by what Open Brewery DB says that they mean.
_SELL = (frozenset({"micro", "regional", "nano", "large", "contract", "cidery"}), frozenset({"brewpub", "taproom", "proprietor"}))  # fmt: skip


def scope_of(places: Gazetteer, criteria: Criteria, home: Place | None) -> Scope | Ambiguous | Unknown:
    types = _types((criteria.type, *criteria.also_types))
    not_types = _types(criteria.not_types)
    if isinstance(types, Unknown) or isinstance(not_types, Unknown):
        return types if isinstance(types, Unknown) else not_types  # type: ignore[return-value]
    named = [(criteria.city, criteria.state, criteria.country), *((text, "", "") for text in criteria.also_in)]
    wanted = _places(places, named, home)
    if isinstance(wanted, (Ambiguous, Unknown)):
        return wanted
    first, *others = wanted
    not_in = _left_out(places, criteria.not_in, first, home)
    if isinstance(not_in, Unknown):
        return not_in
    kind, *kinds = types or ("",)
    return Scope(
        place=first, also_in=tuple(p for p in dict.fromkeys(others) if p != first), not_in=not_in,
        type=kind, also_types=tuple(kinds), not_types=tuple(t for t in not_types if t not in types),
    )  # fmt: skip


def appeal(brewery: Brewery) -> int:
    """How a buyer would go through a list: by whether it sells to bars, then by how many ways there are to reach it. Less
    is better."""
    sells = next((i for i, kinds in enumerate(_SELL) if brewery.brewery_type in kinds), len(_SELL))
    return 3 * sells + (not brewery.website) + (not brewery.phone)


def _types(texts: Iterable[str]) -> tuple[str, ...] | Unknown:
    kinds: dict[str, None] = {}
    for text in texts:
        kind = resolve_type(text)
        if isinstance(kind, Unknown):
            return kind
        kinds |= {kind: None} if kind else {}
    return tuple(kinds)


def _places(
    gazetteer: Gazetteer, named: Sequence[tuple[str, str, str]], home: Place | None
) -> list[Place] | Ambiguous | Unknown:
    """One for each name; the first of those that can't be told is what is asked about."""
    found = [gazetteer.resolve(*words, home) for words in named]
    told = [place for place in found if isinstance(place, Place) and place.state]
    found = [
        gazetteer.resolve(*words, told[0]) if told and isinstance(place, Ambiguous) else place
        for words, place in zip(named, found, strict=True)
    ]
    doubtful = [place for place in found if not isinstance(place, Place)]
    return doubtful[0] if doubtful else [place for place in found if isinstance(place, Place)]


def _left_out(
    gazetteer: Gazetteer, texts: Iterable[str], around: Place, home: Place | None
) -> tuple[Place, ...] | Unknown:
    """All that a name may mean: who says "not Portland" wants none of them."""
    places: dict[Place, None] = {}
    for text in texts:
        found = gazetteer.resolve(text, home=around if around.state else home)
        if isinstance(found, Unknown):
            return found
        places |= dict.fromkeys(found.choices if isinstance(found, Ambiguous) else (found,))
    return tuple(places)
