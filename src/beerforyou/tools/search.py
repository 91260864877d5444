"""Tool 2: breweries of the catalogue; for recommendations, those that the client does not buy from yet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from beerforyou.blocks import AnyBlock, BreweryCard, BreweryList, QuickReplies
from beerforyou.catalogue.brewery import Ambiguous, Criteria, Page, Place, Unknown
from beerforyou.catalogue.places import label as place_text
from beerforyou.catalogue.ranking import Recommendations, recommend
from beerforyou.clients.taste import taste
from beerforyou.labels import Label, union
from beerforyou.reading.reading import Context, Ref, Search
from beerforyou.sentences import listed, say
from beerforyou.sentences.rendering import reason_text
from beerforyou.tools.caller import Caller, Hands
from beerforyou.tools.cards import card
from beerforyou.tools.facts import facts, facts_read
from beerforyou.tools.tool import Result

SHOWN = 5  # breweries presented at a time: the "3 to 5" of a recommendation
NEARBY_KM = 50.0  # "near me" without a number: an hour's delivery
CHOICES = 4  # places that a question names; more is not a question any more

Found = Page | Recommendations | Ambiguous | Unknown


def reads(caller: Caller, args: Search) -> Label:
    """Where a place has no state, the client's home says which is meant."""
    if args.breweries:
        return facts_read(caller, args)
    by_home = args.near_me or args.only_new or bool(args.city and not args.state)
    public = caller.public(*(["home"] if by_home else []))
    if args.only_new:
        return union([public, caller.own("profile")])
    return union([public, caller.own()]) if args.near_me else public


async def search_breweries(caller: Caller, hands: Hands, args: Search) -> Result:
    """Finds open breweries by any of city, state, country, type, name, within_km of the city; 5 a page.

    only_new leaves out what the caller already buys and ranks by their taste: use it for recommendations and for
    "new" breweries. near_me searches around the caller's own place. type is one of micro, brewpub, regional, contract,
    large, proprietor, taproom, bar, nano, cidery, beergarden. Write names as the caller did; don't add a state or a
    country that nobody named: an ambiguous place comes back as a question to ask.

    breweries, names as shown, instead of all that: what is known of these, one or several side by side: phone, address,
    website, type, distance from the caller, and since when and how much the caller buys from them. It costs nothing.
    """
    if args.breweries:
        return await facts(caller, hands, args)
    if args.near_me and not caller.home.city:
        return Result(content={"ask": say("search.no_home", caller.language)}, label=caller.own(), asks=True)
    found, label = await _search(caller, hands, args)
    if isinstance(found, (Ambiguous, Unknown)):
        return _question(caller, args, found, label)
    return _list(caller, args, found, label)


async def _search(caller: Caller, hands: Hands, args: Search) -> tuple[Found, Label]:
    """What was found, and whose business it is besides: the client's own place may have decided it."""
    criteria = _criteria(caller, args)
    if args.only_new:
        profile, version = await hands.profile()
        label = Label(caller.own().audience, {"profile": version} if version else {})
        return recommend(hands.catalogue, criteria, taste(profile), home=caller.home), label
    found = hands.catalogue.search(criteria)
    if not isinstance(found, Ambiguous) and not args.near_me:
        return found, caller.public()
    return hands.catalogue.search(criteria, caller.home), caller.own()


def _criteria(caller: Caller, args: Search) -> Criteria:
    where: Search | Place = caller.home if args.near_me else args
    return Criteria(
        city=where.city, state=where.state, country=where.country, type=args.type, name=args.name,
        within_km=_within_km(args), page=args.page, per_page=SHOWN,
    )  # fmt: skip


def _within_km(args: Search) -> float | None:
    return args.within_km or NEARBY_KM if args.near_me else args.within_km


def _list(caller: Caller, args: Search, found: Page | Recommendations, label: Label) -> Result:
    matches = found.matches
    cards = tuple(card(match.brewery, match.distance_km, getattr(match, "reasons", ())) for match in matches)
    refs = tuple(Ref(id=c.brewery_id, name=c.name, city=c.city, state=c.state) for c in cards)
    last = (found.page - 1) * found.per_page + len(cards)
    next_page = found.page + 1 if last < found.total else 0
    block = BreweryList(
        breweries=cards, total=found.total, page=found.page, per_page=found.per_page, next_page=next_page
    )
    content: dict[str, Any] = {
        "total": found.total,
        "page": found.page,
        "next_page": next_page,
        "only_new": args.only_new,
        "place": place_text(found.place),
        "type": found.type,
        "name": args.name,
        "within_km": _within_km(args),
        "breweries": [_line(c, caller) for c in cards],
    }
    return Result(
        content={key: value for key, value in content.items() if value or key in ("total", "breweries")},
        label=label,
        blocks=(block,) if cards else (),
        context=_leaning(found, refs, args),
    )


def _leaning(found: Page | Recommendations, refs: tuple[Ref, ...], args: Search) -> Context:
    """Past the last page the list stays the one on the screen."""
    if not refs and found.page > 1:
        return Context()
    return Context(shown=refs, first=(found.page - 1) * found.per_page + 1, offered=bool(refs), search=args)


def _line(shown: BreweryCard, caller: Caller) -> dict[str, Any]:
    """A brewery in the few words that a model needs to speak of it."""
    why = "; ".join(reason_text(reason, caller.language) for reason in shown.reasons)
    place = ", ".join(filter(None, (shown.city, shown.state)))
    line = {"name": shown.name, "type": shown.brewery_type, "place": place, "km": shown.distance_km, "why": why}
    return {key: value for key, value in line.items() if value not in ("", None)}


def _question(caller: Caller, args: Search, found: Ambiguous | Unknown, label: Label) -> Result:
    if isinstance(found, Unknown):
        return _unknown(caller, args, found, label)
    choices = found.choices[:CHOICES]
    names = [place_text(choice) for choice in choices]
    ask = say(
        "search.ambiguous",
        caller.language,
        asked=found.asked,
        choices=listed([_told(c) for c in choices], caller.language, "or"),
    )
    searches = tuple(_meaning(args, choice) for choice in choices)
    return _asking(ask, names, Context(search=args, choices=searches), label)


def _told(place: Place) -> str:
    """Without commas, to stand in a list: "Portland (Oregon)"."""
    return f"{place.city} ({place.state or place.country})" if place.city else place.state or place.country


def _unknown(caller: Caller, args: Search, found: Unknown, label: Label) -> Result:
    ask = say(f"search.unknown_{found.field}", caller.language, asked=found.asked)
    names = list(found.suggestions)
    if names:
        ask += " " + say("search.suggestions", caller.language, choices=listed(names, caller.language, "or"))
    searches = tuple(replace(args, **{found.field: name}) for name in names)
    return _asking(ask, names, Context(search=args, choices=searches), label)


def _asking(ask: str, names: Sequence[str], context: Context, label: Label) -> Result:
    blocks: tuple[AnyBlock, ...] = (QuickReplies(replies=tuple(names)),) if names else ()
    return Result(content={"ask": ask}, label=label, blocks=blocks, context=context, asks=True)


def _meaning(args: Search, place: Place) -> Search:
    return replace(args, city=place.city, state=place.state, country=place.country)
