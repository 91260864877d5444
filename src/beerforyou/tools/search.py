"""Tool 2: breweries of the catalogue; for recommendations, those that the client does not buy from yet."""

from __future__ import annotations

from beerforyou.catalogue.ranking import recommend
from beerforyou.clients.profiles import taste
from beerforyou.messages import say
from beerforyou.reading.reading import Search
from beerforyou.tools.tool import Caller, Outcome

SHOWN = 5  # breweries presented at a time: "3 to 5" of a recommendation
NEARBY_KM = 50.0  # "near me" without a number: an hour's delivery


async def search_breweries(caller: Caller, args: Search) -> Outcome:
    """Finds open breweries by any of city, state, country, type, name, within_km of the city; 5 a page.

    only_new leaves out what the caller already buys and ranks by their taste: use it for recommendations and for
    "new" breweries. near_me searches around the caller's own place. type is one of micro, brewpub, regional, contract,
    large, proprietor, taproom, bar, nano, cidery, beergarden. Write names as the caller did; don't add a state or a country
    that nobody named: an ambiguous place comes back as a question to ask. The caller sees the result as a list with
    details: don't repeat it.
    """
    if args.near_me and not caller.home.city:
        return Outcome(content={"ask": say("search.no_home", caller.language)}, label=caller.own(), asks=True)
    label = caller.own() if args.near_me else caller.public()
    found = await _search(caller, args) if not args.only_new else None
    if args.only_new:
        profile, version = await caller.profile()
        label = caller.own(profile=version, catalogue=caller.catalogue.version)
        found = recommend(caller.catalogue, _criteria(caller, args), taste(profile), home=caller.home, limit=SHOWN)
    return _outcome(caller, args, found, label)
