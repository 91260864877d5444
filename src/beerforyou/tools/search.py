"""Tool 2: breweries of the catalogue; for recommendations, those that the client does not buy from yet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from msgspec.structs import replace

from beerforyou.blocks import AnyBlock, BreweryCard, BreweryList, QuickReplies
from beerforyou.catalogue.brewery import NOT_OPEN, TYPES, Ambiguous, Criteria, Page, Place, Unknown
from beerforyou.catalogue.index import AROUND_KM, Catalogue, Selection
from beerforyou.catalogue.names import BreweryName, fold
from beerforyou.catalogue.places import inside
from beerforyou.catalogue.places import label as place_text
from beerforyou.catalogue.ranking import Recommendations, recommend
from beerforyou.clients.taste import taste
from beerforyou.labels import Label, union
from beerforyou.reading.reading import MOST_SHOWN, NEARBY_KM, Context, Ref, Search
from beerforyou.sentences import listed, say
from beerforyou.sentences.rendering import reason_text
from beerforyou.tools.caller import Caller, Hands
from beerforyou.tools.cards import card
from beerforyou.tools.facts import facts, facts_read
from beerforyou.tools.tool import Result

CHOICES = 4  # places that a question names; more is not a question any more

Found = Page | Recommendations | Ambiguous | Unknown


class Asked(Search, frozen=True, kw_only=True, omit_defaults=True):
    """A search as a planner asks for it: 0 is what nobody named, so the total alone has a slot of its own."""

    count_only: bool = False


def _search_of(args: Asked) -> Search:
    given = {name: getattr(args, name) for name in Search.__struct_fields__}
    return Search(**given | ({"limit": 0} if args.count_only else {}))


def reads(caller: Caller, args: Asked) -> Label:
    """The client's home says which of several places is meant, and what comes first."""
    if args.breweries:
        return facts_read(caller, args)
    public = caller.public("home")
    if args.only_new:
        return union([public, caller.own("profile")])
    return (
        union([public, caller.own()])
        if args.near_me or args.nearest or args.in_home or args.not_home or not _names_place(args)
        else public
    )


async def search_breweries(caller: Caller, hands: Hands, args: Asked) -> Result:
    """Finds open breweries; all that is given must hold. Without a place: around the caller's own.

    Places: city, state, country, as the caller wrote them (don't add a state or a country that nobody named: an ambiguous
    place comes back as a question to ask); further ones in also_in, those to leave out in not_in ("Dallas, Texas").
    Types: micro, brewpub, regional, contract, large, proprietor, taproom, bar, nano, cidery, beergarden; further ones in
    also_types, those to leave out in not_types. like: similar to this brewery, nearby. has: only with a website or phone.
    near_me: around the caller, without a place; nearest: closest first; within_km of the city or the caller; miles: tell
    miles. limit: the number asked for; count_only: how many, no list; page goes on. only_new leaves out what the
    caller already buys and ranks by their taste: for recommendations and "new" breweries. Styles, beers, prices, ratings, food
    and opening hours are not known here: say so.

    breweries, names as shown, instead of all that: what is known of these, one or several side by side: phone, address,
    website, type, distance from the caller, and since when and how much the caller buys from them. It costs nothing.
    """
    wanted = _search_of(args)
    if args.breweries:
        return await facts(caller, hands, wanted)
    if args.near_me and _is_elsewhere(caller, hands, wanted):
        return _named(await _found_by(caller, hands, replace(wanted, near_me=False)))
    return await _found_by(caller, hands, wanted)


def _is_elsewhere(caller: Caller, hands: Hands, args: Search) -> bool:
    """Is a place named that the caller's own does not lie in? Who names one means it; planners add "near me" lightly."""
    if not (args.city or args.state or args.country):
        return False
    places, home = hands.catalogue.places, caller.home
    named = places.resolve(args.city, args.state, args.country, home)
    return not isinstance(named, Place) or not inside(places.settled(home), named)


def _named(found: Result) -> Result:
    """Which of the two it was, for the sentence."""
    note = "the place that was named is what was searched, not the surroundings of the caller"
    return found if found.asks else replace(found, content=found.content | {"near_me": note})


async def _found_by(caller: Caller, hands: Hands, args: Search) -> Result:
    asked = _like(caller, hands, args)
    if asked is None:
        return _asking(say("details.unknown", caller.language, name=args.like), (), Context(search=args), caller.own())
    if _is_around_home(args) and not caller.home.city:
        return Result(content={"ask": say("search.no_home", caller.language)}, label=caller.own(), asks=True)
    found, label = await _search(caller, hands, args, asked)
    if isinstance(found, (Ambiguous, Unknown)):
        return _question(caller, args, found, label)
    at_home = found.origin == hands.catalogue.places.settled(caller.home)
    content = _understood(args, asked, found, at_home)
    if like := hands.catalogue.brewery(asked.but):
        content["like"] = like.name
    return _list(caller, args, found, label, content)


def _names_place(args: Search) -> bool:
    return bool(args.city or args.state or args.country or args.also_in or args.name or args.like)


def _is_around_home(args: Search) -> bool:
    return args.near_me or bool(args.in_home or args.not_home) or (not _names_place(args) and not args.only_new)


def _like(caller: Caller, hands: Hands, args: Search) -> Criteria | None:
    """The criteria, where "similar" is spelt out: the same type, around the same place, and not the brewery itself."""
    criteria = _criteria(caller, args)
    if not args.like:
        return criteria
    home, catalogue = caller.home, hands.catalogue
    found = catalogue.brewery(args.like) or next((m.brewery for m in catalogue.find(args.like, home=home)), None)
    if found is None:
        return None
    criteria = replace(criteria, name="", type=args.type or found.brewery_type, but=found.id)
    if criteria.names_place:
        return criteria
    place = catalogue.place_of(found.id)
    if catalogue.point(place) is None:
        return replace(criteria, state=place.state, country=place.country)
    around = [
        replace(criteria, city=place.city, state=place.state, country=place.country, within_km=km)
        for km in ((args.within_km,) if args.within_km else AROUND_KM)
    ]
    return next((each for each in around if _finds(catalogue, each)), around[-1])


def _finds(catalogue: Catalogue, criteria: Criteria) -> bool:
    found = catalogue.select(criteria)
    return isinstance(found, Selection) and bool(found.positions)


def _criteria(caller: Caller, args: Search) -> Criteria:
    where: Search | Place = caller.home if args.near_me else _own(caller, args.in_home) if args.in_home else args
    home = (place_text(_own(caller, args.not_home)),) if args.not_home else ()
    return Criteria(
        city=where.city, state=where.state, country=where.country, also_in=args.also_in, not_in=(*args.not_in, *home),
        type=args.type, also_types=args.also_types, not_types=args.not_types, name=args.name, has=args.has,
        within_km=_within_km(args), nearest=args.nearest or (args.only_new and args.within_km is not None), skip=args.skip, page=args.page, per_page=args.size,
    )  # fmt: skip


def _own(caller: Caller, part: str) -> Place:
    """The client's own city or state."""
    home = caller.home
    return Place(city=home.city if part == "city" else "", state=home.state, country=home.country)


def _within_km(args: Search) -> float | None:
    return args.within_km or NEARBY_KM if args.near_me else args.within_km


async def _search(caller: Caller, hands: Hands, args: Search, criteria: Criteria) -> tuple[Found, Label]:
    """What was found, and whose business it is besides: the client's own place may have decided what, or in which order."""
    if args.only_new:
        profile, version = await hands.profile()
        label = Label(caller.own().audience, {"profile": version} if version else {})
        return recommend(hands.catalogue, criteria, taste(profile), home=caller.home), label
    found = hands.catalogue.search(criteria, caller.home)
    same_for_all = (
        not (args.near_me or args.nearest or args.in_home or args.not_home)
        and _names_place(args)
        and not isinstance(found, Unknown)
    )
    if same_for_all and hands.catalogue.search(criteria) == found:
        return found, caller.public()
    return found, caller.own()


def _list(
    caller: Caller, args: Search, found: Page | Recommendations, label: Label, understood: dict[str, Any]
) -> Result:
    counted = args.limit == 0
    matches = () if counted else found.matches
    unit: Literal["km", "mi"] = "mi" if args.miles else "km"
    cards = tuple(card(m.brewery, m.distance_km, getattr(m, "reasons", ()), unit) for m in matches)
    refs = tuple(Ref(id=c.brewery_id, name=c.name, city=c.city, state=c.state) for c in cards)
    per_page, last = args.size, found.start + len(cards)
    block = BreweryList(
        breweries=cards, total=found.total, page=args.page, per_page=per_page, first=found.start + 1,
        next_page=args.page + 1 if last < found.total else 0,
    )  # fmt: skip
    content = understood | {
        "total": found.total,
        "page": args.page,
        "first": found.start + 1,
        "next_page": 0 if counted else block.next_page,
        "breweries": [_line(c, caller, bool(args.name)) for c in cards],
    }
    return Result(
        content={key: value for key, value in content.items() if value or key in ("total", "breweries")},
        label=label,
        blocks=(block,) if cards else (),
        context=_leaning(found, refs, args, caller.shown if counted else ()),
    )


def _leaning(found: Page | Recommendations, refs: tuple[Ref, ...], args: Search, before: tuple[Ref, ...]) -> Context:
    """Past the last page the list stays the one on the screen, and a count shows none of its own."""
    if not refs and found.start:
        return Context()
    return Context(shown=refs or before, first=found.start + 1, offered=bool(refs), search=args)


def _understood(args: Search, asked: Criteria, found: Page | Recommendations, at_home: bool) -> dict[str, Any]:
    """What was looked for, as it is to be told. `at_home`: distances are measured from the client."""
    around = found.within_km if found.within_km is not None else asked.within_km
    own_place = found.place if found.place.country or not found.within_km else found.origin
    return {
        "only_new": args.only_new,
        "counted": args.limit == 0,
        "at_most": MOST_SHOWN if (args.limit or 0) > MOST_SHOWN else 0,
        "place": [place_text(place) for place in (own_place, *found.also_in) if place != Place()],
        "not_in": [place_text(place) for place in found.not_in if _tells(place, found)],
        "type": [kind for kind in (found.type, *found.also_types) if kind],
        "not_types": list(found.not_types) if not found.type else [],
        "name": args.name,
        "alike": bool(found.matches) and _is_other_name(args.name, [match.brewery.name for match in found.matches]),
        "has": list(args.has),
        "within_km": around,
        "nearest": args.nearest,
        "unit": "mi" if args.miles else "",
        "around_you": args.near_me or found.within_km is not None,
        "closest_to": "" if around else place_text(found.origin),
        "closest_to_you": at_home and not around,
        "in_city": getattr(found, "in_city", 0),
    }


def _is_other_name(asked: str, found: Sequence[str]) -> bool:
    """Is none called so, and these only look alike?"""
    words = set(BreweryName.of(asked).key.split())
    return bool(words) and not any(words <= set(fold(name).split()) for name in found)


def _tells(left_out: Place, found: Page | Recommendations) -> bool:
    """Would it have been found otherwise?"""
    return found.within_km is not None or any(inside(left_out, place) for place in (found.place, *found.also_in))


def _line(shown: BreweryCard, caller: Caller, addressed: bool) -> dict[str, Any]:
    """A brewery in the few words that a model needs to speak of it; who asks for it by name may ask where it is."""
    why = "; ".join(reason_text(reason, caller.language, shown.unit) for reason in shown.reasons)
    place = ", ".join(filter(None, (shown.city, shown.state)))
    line: dict[str, Any] = {"name": shown.name, "type": shown.brewery_type, "place": place}
    line |= {"address": shown.address if addressed else "", "km": shown.distance_km, "why": why}
    return {key: value for key, value in line.items() if value not in ("", None)}


def _question(caller: Caller, args: Search, found: Ambiguous | Unknown, label: Label) -> Result:
    if isinstance(found, Unknown):
        return _unknown(caller, args, found, label)
    choices = found.choices[:CHOICES]
    names = [place_text(choice) for choice in choices]
    told = listed([_told(choice) for choice in choices], caller.language, "or")
    key = "search.ambiguous" if len(choices) > 1 else "search.suggestions"
    ask = say(key, caller.language, asked=found.asked, choices=told)
    searches = tuple(_meaning(args, found.asked, choice) for choice in choices)
    return _asking(ask, names, Context(search=args, choices=searches), label)


def _told(place: Place) -> str:
    """Without commas, to stand in a list: "Portland (Oregon)"."""
    return f"{place.city} ({place.state or place.country})" if place.city else place.state or place.country


def _unknown(caller: Caller, args: Search, found: Unknown, label: Label) -> Result:
    if found.within:
        return _elsewhere(caller, args, found, label)
    ask = say(f"search.unknown_{found.field}", caller.language, asked=found.asked)
    names = list(found.suggestions)
    if names:
        ask += " " + say("search.suggestions", caller.language, choices=listed(names, caller.language, "or"))
    searches = tuple(_instead(args, found, name) for name in names)
    asking = _asking(ask, names, Context(search=args, choices=searches), label)
    # A word that no client said, a planner corrects by itself.
    return (
        replace(asking, content=asking.content | {"types": [kind for kind in TYPES if kind not in NOT_OPEN]})
        if found.field == "type"
        else asking
    )


def _elsewhere(caller: Caller, args: Search, found: Unknown, label: Label) -> Result:
    """ "There is no Austin in Maine; in Texas and Minnesota there is."""
    states = [place.state or place.country for place in found.choices]
    ask = say("search.not_there", caller.language, asked=found.asked, within=found.within)
    if states:
        ask += " " + say("search.elsewhere", caller.language, places=listed(states, caller.language))
    searches = tuple(_meaning(args, found.asked, place) for place in found.choices)
    return _asking(ask, [place_text(p) for p in found.choices], Context(search=args, choices=searches), label)


def _asking(ask: str, names: Sequence[str], context: Context, label: Label) -> Result:
    blocks: tuple[AnyBlock, ...] = (QuickReplies(replies=tuple(names)),) if names else ()
    return Result(content={"ask": ask}, label=label, blocks=blocks, context=context, asks=True)


def _meaning(args: Search, asked: str, place: Place) -> Search:
    """The search with that place in the place of the words that were asked about."""
    if asked in (args.city, args.state, args.country):
        return replace(args, city=place.city, state=place.state, country=place.country, page=1)
    return replace(args, also_in=tuple(place_text(place) if text == asked else text for text in args.also_in), page=1)


def _instead(args: Search, found: Unknown, name: str) -> Search:
    fields = {field: name for field in ("city", "state", "country", "type") if getattr(args, field) == found.asked}
    lists = ("also_in", "not_in", "also_types", "not_types")
    fields |= {field: tuple(name if text == found.asked else text for text in getattr(args, field)) for field in lists}  # type: ignore[misc]
    return replace(args, **fields)
