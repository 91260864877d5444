"""Tool 3: more about one brewery. It costs money, so the planner calls it only after the client's yes.

Today it tells what the catalogue knows, and says that the web part is not switched on.
"""

from __future__ import annotations

import msgspec

from beerforyou.blocks import AnyBlock, Notice, QuickReplies
from beerforyou.catalogue.brewery import Brewery, Match
from beerforyou.catalogue.places import label as place_text
from beerforyou.labels import Label
from beerforyou.reading.reading import Context
from beerforyou.sentences import listed, say
from beerforyou.tools.caller import Caller, Hands
from beerforyou.tools.cards import card
from beerforyou.tools.naming import meant, named_so, not_found, ref
from beerforyou.tools.search import CHOICES
from beerforyou.tools.tool import Result


class Details(msgspec.Struct, frozen=True):
    brewery: str
    city: str = ""
    state: str = ""


def reads(caller: Caller, args: Details) -> Label:
    """A name may mean one that was shown, or the one that is near; an id means one and no other."""
    label = caller.public(*([] if args.state else ["home"]))
    shown = "|".join(sorted(ref.id for ref in named_so(caller, args.brewery)))
    return Label(label.audience, label.versions | ({"shown": shown} if shown else {}))


async def get_website_summary(caller: Caller, hands: Hands, args: Details) -> Result:
    """A short, sourced summary of one brewery. It costs money: only after the client said yes, or asked about it.

    brewery: its name as shown; city and state where the name alone may mean several.
    """
    found = meant(caller, hands, args.brewery, args.city, args.state)
    if not found:
        ask = not_found(caller, hands, args.brewery, args.city, args.state)
        return Result(content={"ask": ask}, label=caller.public(), asks=True)
    if len({match.brewery.id for match in found}) > 1:
        return _which(caller, hands, found)
    return _summary(caller, hands, found[0].brewery)


def _which(caller: Caller, hands: Hands, found: tuple[Match, ...]) -> Result:
    some = [match.brewery for match in found[:CHOICES]]
    names = [f"{brewery.name} ({place_text(hands.catalogue.place_of(brewery.id))})" for brewery in some]
    ask = say("details.which", caller.language, choices=listed(names, caller.language, "or"))
    shown = tuple(ref(brewery) for brewery in some)
    replies = tuple(say("offer.pick", caller.language, name=name) for name in names)
    return Result(
        content={"ask": ask},
        label=caller.public(),
        blocks=(QuickReplies(replies=replies),),
        context=Context(shown=shown, offered=True),
        asks=True,
    )


def _summary(caller: Caller, hands: Hands, brewery: Brewery) -> Result:
    language = caller.language
    state = "details.known" if brewery.is_open else f"details.{brewery.brewery_type}"
    place = place_text(hands.catalogue.place_of(brewery.id))
    known = say(state, language, name=brewery.name, place=place, type=say(f"type.{brewery.brewery_type}", language))
    web_off = say("details.web_off", language)
    blocks: tuple[AnyBlock, ...] = (card(brewery), Notice(key="web_off", text=web_off))
    content = {"known": known, "name": brewery.name, "website": brewery.website, "note": web_off}
    # One of a list that was shown: the list stays what "the third" points at.
    listed_before = any(each.id == brewery.id for each in caller.shown)
    told = (ref(brewery),)
    context = Context(told=told) if listed_before else Context(shown=told, told=told)
    return Result(content=content, label=caller.public(), blocks=blocks, context=context)
