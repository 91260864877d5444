"""Tool 3: more about one brewery. It costs money, so the planner calls it only after the client's yes.

Today it tells what the catalogue knows, and says that the web part is not switched on.
"""

from __future__ import annotations

import msgspec

from beerforyou.blocks import AnyBlock, Notice, QuickReplies
from beerforyou.catalogue.brewery import Brewery, Match, Place
from beerforyou.catalogue.names import brewery_key
from beerforyou.catalogue.places import label as place_text
from beerforyou.reading.reading import Context, Ref
from beerforyou.sentences import listed, say
from beerforyou.tools.search import CHOICES, card
from beerforyou.tools.tool import Caller, Outcome


class Details(msgspec.Struct, frozen=True):
    brewery: str
    city: str = ""
    state: str = ""


async def get_website_summary(caller: Caller, args: Details) -> Outcome:
    """A short, sourced summary of one brewery. It costs money: only after the client said yes, or asked about it.

    brewery: its name as shown; city and state where the name alone may mean several.
    """
    found = _meant(caller, args)
    if not found:
        key = "vague" if caller.catalogue.is_vague(args.brewery, _place(caller, args), caller.home) else "unknown"
        ask = say(f"details.{key}", caller.language, name=args.brewery)
        return Outcome(content={"ask": ask}, label=caller.public(), asks=True)
    if len({match.brewery.id for match in found}) > 1:
        return _which(caller, found)
    return _summary(caller, found[0].brewery)


def _meant(caller: Caller, args: Details) -> tuple[Match, ...]:
    """By id; by the name of one that was shown; by name in the catalogue, where the place may tell them apart."""
    shown = [r for r in caller.shown if args.brewery == r.id or brewery_key(args.brewery) == brewery_key(r.name)]
    ids = [args.brewery, *(ref.id for ref in shown if not args.city or args.city == ref.city)]
    known = [brewery for id in ids if (brewery := caller.catalogue.brewery(id))]
    if known:
        return tuple(Match(brewery) for brewery in dict.fromkeys(known))
    return caller.catalogue.find(args.brewery, _place(caller, args), caller.home)


def _place(caller: Caller, args: Details) -> Place | None:
    place = caller.catalogue.places.resolve(args.city, args.state, "", caller.home)
    return place if isinstance(place, Place) else None


def _which(caller: Caller, found: tuple[Match, ...]) -> Outcome:
    some = [match.brewery for match in found[:CHOICES]]
    names = [f"{brewery.name} ({place_text(caller.catalogue.place_of(brewery.id))})" for brewery in some]
    ask = say("details.which", caller.language, choices=listed(names, caller.language, "or"))
    shown = tuple(_ref(brewery) for brewery in some)
    replies = tuple(say("offer.pick", caller.language, name=name) for name in names)
    return Outcome(
        content={"ask": ask},
        label=caller.public(),
        blocks=(QuickReplies(replies=replies),),
        context=Context(shown=shown, offered=True),
        asks=True,
    )


def _summary(caller: Caller, brewery: Brewery) -> Outcome:
    language = caller.language
    state = "details.known" if brewery.is_open else f"details.{brewery.brewery_type}"
    place = place_text(caller.catalogue.place_of(brewery.id))
    known = say(state, language, name=brewery.name, place=place, type=say(f"type.{brewery.brewery_type}", language))
    web_off = say("details.web_off", language)
    blocks: tuple[AnyBlock, ...] = (card(brewery), Notice(key="web_off", text=web_off))
    content = {"known": known, "name": brewery.name, "website": brewery.website, "note": web_off}
    # One of a list that was shown: the list stays what "the third" points at.
    listed_before = any(ref.id == brewery.id for ref in caller.shown)
    context = Context() if listed_before else Context(shown=(_ref(brewery),))
    return Outcome(content=content, label=caller.public(), blocks=blocks, context=context)


def _ref(brewery: Brewery) -> Ref:
    return Ref(id=brewery.id, name=brewery.name, city=brewery.city, state=brewery.state)
