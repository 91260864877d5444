"""Tool 3: more about one brewery. It costs money, so the planner calls it only after the client's yes.

Today it tells what the catalogue knows, and says that the web part is not switched on.
"""

from __future__ import annotations

import msgspec

from beerforyou.blocks import AnyBlock, Notice, QuickReplies
from beerforyou.catalogue.brewery import Brewery, Match, Place
from beerforyou.catalogue.names import brewery_key
from beerforyou.catalogue.places import label as place_text
from beerforyou.labels import Label
from beerforyou.reading.reading import Context, Ref
from beerforyou.sentences import listed, say
from beerforyou.tools.caller import Caller, Hands
from beerforyou.tools.search import CHOICES, card
from beerforyou.tools.tool import Result


class Details(msgspec.Struct, frozen=True):
    brewery: str
    city: str = ""
    state: str = ""


def reads(caller: Caller, args: Details) -> Label:
    """A name may mean one that was shown, or the one that is near; an id means one and no other."""
    label = caller.public(*([] if args.state else ["home"]))
    shown = "|".join(sorted(ref.id for ref in _shown(caller, args)))
    return Label(label.audience, label.versions | ({"shown": shown} if shown else {}))


async def get_website_summary(caller: Caller, hands: Hands, args: Details) -> Result:
    """A short, sourced summary of one brewery. It costs money: only after the client said yes, or asked about it.

    brewery: its name as shown; city and state where the name alone may mean several.
    """
    found = _meant(caller, hands, args)
    if not found:
        key = "vague" if hands.catalogue.is_vague(args.brewery, _place(caller, hands, args), caller.home) else "unknown"
        ask = say(f"details.{key}", caller.language, name=args.brewery)
        return Result(content={"ask": ask}, label=caller.public(), asks=True)
    if len({match.brewery.id for match in found}) > 1:
        return _which(caller, hands, found)
    return _summary(caller, hands, found[0].brewery)


def _meant(caller: Caller, hands: Hands, args: Details) -> tuple[Match, ...]:
    """By id; by the name of one that was shown; by name in the catalogue, where the place may tell them apart."""
    ids = [args.brewery, *(ref.id for ref in _shown(caller, args) if not args.city or args.city == ref.city)]
    known = [brewery for id in ids if (brewery := hands.catalogue.brewery(id))]
    if known:
        return tuple(Match(brewery) for brewery in dict.fromkeys(known))
    return hands.catalogue.find(args.brewery, _place(caller, hands, args), caller.home)


def _shown(caller: Caller, args: Details) -> list[Ref]:
    return [r for r in caller.shown if args.brewery == r.id or brewery_key(args.brewery) == brewery_key(r.name)]


def _place(caller: Caller, hands: Hands, args: Details) -> Place | None:
    place = hands.catalogue.places.resolve(args.city, args.state, "", caller.home)
    return place if isinstance(place, Place) else None


def _which(caller: Caller, hands: Hands, found: tuple[Match, ...]) -> Result:
    some = [match.brewery for match in found[:CHOICES]]
    names = [f"{brewery.name} ({place_text(hands.catalogue.place_of(brewery.id))})" for brewery in some]
    ask = say("details.which", caller.language, choices=listed(names, caller.language, "or"))
    shown = tuple(_ref(brewery) for brewery in some)
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
    listed_before = any(ref.id == brewery.id for ref in caller.shown)
    context = Context() if listed_before else Context(shown=(_ref(brewery),))
    return Result(content=content, label=caller.public(), blocks=blocks, context=context)


def _ref(brewery: Brewery) -> Ref:
    return Ref(id=brewery.id, name=brewery.name, city=brewery.city, state=brewery.state)
