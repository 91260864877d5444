"""What is known of one brewery, or of several side by side, for nothing: of the catalogue, and whether the client buys from it."""

from __future__ import annotations

from typing import Any

from beerforyou.blocks import AnyBlock, Table
from beerforyou.catalogue.brewery import Brewery
from beerforyou.catalogue.places import label as place_text
from beerforyou.clients.profiles import BreweryHistory, Profile
from beerforyou.labels import Label
from beerforyou.reading.reading import Context, Search
from beerforyou.sentences import day, say
from beerforyou.tools.caller import Caller, Hands
from beerforyou.tools.cards import card
from beerforyou.tools.naming import meant, named_so, not_found, ref
from beerforyou.tools.tool import Result

MOST = 10  # breweries in one table: a page of a list and the houses of a name; more is a question of which
_BOUGHT = "purchases"  # the scope that covers what somebody buys
_WHOLE_KM = 10  # from here on a distance in a table has no decimal

Fact = dict[str, Any]


def facts_read(caller: Caller, args: Search) -> Label:
    """A name may mean one that was shown, or the one that is near."""
    made_of = ("home", "profile") if _BOUGHT in caller.scopes else ("home",)
    label = caller.own("catalogue", *made_of)
    shown = "|".join(sorted({each.id for name in args.breweries for each in named_so(caller, name)}))
    return Label(label.audience, label.versions | ({"shown": shown} if shown else {}))


async def facts(caller: Caller, hands: Hands, args: Search) -> Result:
    label = caller.own("catalogue", "home")
    found: dict[str, Brewery] = {}
    for name in args.breweries[:MOST]:
        matches = meant(caller, hands, name, args.city, args.state)
        if not matches:
            return Result(
                content={"ask": not_found(caller, hands, name, args.city, args.state)}, label=label, asks=True
            )
        found |= {match.brewery.id: match.brewery for match in matches}
    if len(found) > MOST:
        ask = say("facts.too_many", caller.language, name=args.breweries[0], n=len(found))
        return Result(content={"ask": ask}, label=label, asks=True)
    profile, version = await _profile(caller, hands)
    known = [_known(caller, hands, brewery, profile) for brewery in found.values()]
    return Result(
        content={"facts": known},
        label=Label(label.audience, label.versions | ({"profile": version} if version else {})),
        blocks=_blocks(caller, list(found.values()), known),
        context=Context(told=tuple(ref(brewery) for brewery in found.values())),
    )


async def _profile(caller: Caller, hands: Hands) -> tuple[Profile | None, str]:
    """None where the caller's token does not cover what the client buys."""
    return await hands.profile() if _BOUGHT in caller.scopes else (None, "")


def _known(caller: Caller, hands: Hands, brewery: Brewery, profile: Profile | None) -> Fact:
    """Without what is not known; `bought` is missing when it may not be told."""
    shown = card(brewery, _away(caller, hands, brewery))
    fact: Fact = {
        "name": shown.name,
        "type": shown.brewery_type,
        "place": place_text(hands.catalogue.place_of(brewery.id)),
        "address": shown.address,
        "phone": shown.phone,
        "website": shown.website,
        "km": shown.distance_km,
    }
    own = {"bought": _bought(caller, hands, brewery, profile)} if profile else {}
    return {name: value for name, value in fact.items() if value not in ("", None)} | own


def _away(caller: Caller, hands: Hands, brewery: Brewery) -> float | None:
    home = hands.catalogue.places.settled(caller.home)
    center = hands.catalogue.point(home) if home.city else None
    return hands.catalogue.distance_km(brewery.id, center) if center else None


def _bought(caller: Caller, hands: Hands, brewery: Brewery, profile: Profile) -> Fact:
    """Under all entries of the catalogue that are this brewery; empty when the client never bought from it."""
    same = hands.catalogue.same_brewery(brewery.id)
    history = [each for each in profile.history if each.brewery_id in same]
    beers = [beer.name for beer in profile.beers if beer.brewery_id in same]
    return _summed(caller, history) | ({"beers": beers} if beers else {}) if history else {}


def _summed(caller: Caller, history: list[BreweryHistory]) -> Fact:
    first, last = min(each.first for each in history), max(each.last for each in history)
    return {
        "units": sum(each.quantity for each in history),
        "since": day(first, caller.language),
        "last": day(last, caller.language),
    }


def _blocks(caller: Caller, breweries: list[Brewery], known: list[Fact]) -> tuple[AnyBlock, ...]:
    if len(breweries) == 1:
        return (card(breweries[0], known[0].get("km")),)
    columns = ("brewery", "type", "city", "km", "phone", "website")
    own = ("bought", "quantity") if all("bought" in fact for fact in known) else ()
    rows = tuple(
        (*_row(caller, brewery, fact), *(_own(caller, fact) if own else ()))
        for brewery, fact in zip(breweries, known, strict=True)
    )
    return (_without_empty((*columns, *own), rows),)


def _without_empty(columns: tuple[str, ...], rows: tuple[tuple[str | int | float | None, ...], ...]) -> Table:
    """What is known of none is no column."""
    kept = [i for i in range(len(columns)) if any(row[i] is not None for row in rows)]
    return Table(columns=tuple(columns[i] for i in kept), rows=tuple(tuple(row[i] for i in kept) for row in rows))


def _row(caller: Caller, brewery: Brewery, fact: Fact) -> tuple[str | float | None, ...]:
    kind = say(f"type.{brewery.brewery_type}", caller.language)
    km = fact.get("km")
    km = round(km) if km is not None and km >= _WHOLE_KM else km
    return brewery.name, kind, brewery.city, km, fact.get("phone"), fact.get("website")


def _own(caller: Caller, fact: Fact) -> tuple[str | int | None, ...]:
    return say("word.yes" if fact["bought"] else "word.no", caller.language), fact["bought"].get("units")
