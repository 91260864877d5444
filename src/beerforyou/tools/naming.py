"""Which brewery a tool is asked about: by id, by the name of one that was shown, or by name in the catalogue."""

from __future__ import annotations

from beerforyou.catalogue.brewery import Brewery, Match, Place
from beerforyou.catalogue.names import brewery_key
from beerforyou.reading.reading import Ref
from beerforyou.sentences import say
from beerforyou.tools.caller import Caller, Hands


def meant(caller: Caller, hands: Hands, name: str, city: str = "", state: str = "") -> tuple[Match, ...]:
    """By id; by the name of one that was shown; by name in the catalogue, where the place may tell them apart."""
    ids = [name, *(each.id for each in named_so(caller, name) if not city or city == each.city)]
    known = [brewery for id in ids if (brewery := hands.catalogue.brewery(id))]
    if known:
        return tuple(Match(brewery) for brewery in dict.fromkeys(known))
    return hands.catalogue.find(name, _place(caller, hands, city, state), caller.home)


def named_so(caller: Caller, name: str) -> list[Ref]:
    return [each for each in caller.shown if name == each.id or brewery_key(name) == brewery_key(each.name)]


def not_found(caller: Caller, hands: Hands, name: str, city: str = "", state: str = "") -> str:
    """The sentence for a name that is nobody's, or may be too many's."""
    vague = hands.catalogue.is_vague(name, _place(caller, hands, city, state), caller.home)
    return say("details.vague" if vague else "details.unknown", caller.language, name=name)


def ref(brewery: Brewery) -> Ref:
    return Ref(id=brewery.id, name=brewery.name, city=brewery.city, state=brewery.state)


def _place(caller: Caller, hands: Hands, city: str, state: str) -> Place | None:
    place = hands.catalogue.places.resolve(city, state, "", caller.home)
    return place if isinstance(place, Place) else None
