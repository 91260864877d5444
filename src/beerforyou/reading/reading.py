"""What a message was read as. `read.py` fills it in; nothing else does."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from beerforyou.reading.question import Filter, Question

MOST_DETAILS = 3  # breweries told of at a time: each costs money
HALF_THE_WORLD_KM = 20_038  # no two places are farther apart
NEARBY_KM = 50.0  # "near" without a number: an hour's delivery
SHOWN = 5  # breweries presented at a time when no number is asked for: the "3 to 5" of a recommendation
MOST_SHOWN = 12  # when one is: what still reads as an answer on a phone, and 400 tokens for a model

Tool = Literal["get_client_profile", "run_analytical_query", "search_breweries", "get_website_summary", "none"]

Intent = Literal[
    "search",  # find breweries: by place, type, name, distance
    "recommend",  # find breweries that are new to me
    "details",  # more about one brewery, from the web
    "accept",  # yes to the offer of details
    "facts",  # what the catalogue and own purchases know of one brewery, or several
    "compare",  # several of them side by side
    "why",  # why these were recommended, or one of them
    "decline",  # no to it
    "own_data",  # a question about the caller's own purchases
    "statistics",  # a question about all clients together
    "other_client",  # somebody else's data: refused
    "profile",  # who am I to you, what do I usually buy
    "distributor",  # what the distributor is asked: orders, prices, stock, delivery...
    "knowledge",  # what a word of the trade means
    "person",  # wants to talk to a human
    "greeting", "thanks", "goodbye", "help",
    "off_topic",
    "unclear",
    "tangled",  # says or names too much to be one question
]  # fmt: skip


class Ref(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A brewery that the conversation has shown. `id` is the catalogue's."""

    id: str
    name: str
    city: str = ""
    state: str = ""


class Search(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Slots of a search, in the catalogue's own spelling where it knows the name, else as written. With `breweries`, ids or
    names, nothing is searched: it asks for what is known of these.

    `also_in` and `not_in` are places, each as one text ("Dallas, Texas"). `like`: of the type and around the place of this
    brewery, by id or name. `limit`: the number asked for; None when none was, 0 to be told how many there are and no more.
    `in_home`: in the client's own city or state, and `not_home`: outside of it. `skip`: matches that were shown before, when pages of another size were. `miles`: distances are told in miles.
    """

    city: str = ""
    state: str = ""
    country: str = ""
    also_in: tuple[str, ...] = ()
    not_in: tuple[str, ...] = ()
    in_home: Literal["", "city", "state"] = ""
    not_home: Literal["", "city", "state"] = ""
    type: str = ""
    also_types: tuple[str, ...] = ()
    not_types: tuple[str, ...] = ()
    name: str = ""
    like: str = ""
    has: tuple[Literal["website", "phone"], ...] = ()
    only_new: bool = False
    near_me: bool = False
    within_km: Annotated[float, Meta(gt=0, le=HALF_THE_WORLD_KM)] | None = None
    miles: bool = False
    nearest: bool = False
    limit: Annotated[int, Meta(ge=0)] | None = None
    skip: Annotated[int, Meta(ge=0)] = 0
    page: Annotated[int, Meta(ge=1)] = 1
    breweries: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """How many a page shows."""
        return max(1, min(SHOWN if self.limit is None else self.limit, MOST_SHOWN))


class Context(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a follow-up may lean on: the turn before this one.

    `shown` in the order it was shown ("a segunda"), numbered on the screen from `first`; `told` the breweries last told of
    ("qual o telefone dela?"), since that list; `offered` when the last answer ended with the offer, `search` and `question` as
    last asked ("e em Austin?", "e no mês passado?"), `choices` when the last answer asked which place was meant. `pending`: the
    intent and what was asked, when it asked which brewery was meant. `listed`: what the rows of the last table of purchases
    stand for, in their order.
    """

    shown: tuple[Ref, ...] = ()
    first: Annotated[int, Meta(ge=1)] = 1
    told: tuple[Ref, ...] = ()
    offered: bool = False
    search: Search | None = None
    question: Question | None = msgspec.field(default=None, name="asked")  # "question" was another form of it
    listed: tuple[Filter, ...] = ()
    choices: tuple[Search, ...] = ()
    pending: tuple[str, ...] = ()
    language: str = ""


class Reading(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`leans` is true when the message makes no sense without the conversation. `leftover` are the words that no slot
    used, and `aside` what it does not want, and the sentences that only stand around the one that asks. `also` is a second question. `wishes`: what
    is asked of breweries and no catalogue can know, by kind ("style", "price"); their words are left over too.

    `brewery` is the one that details or facts are asked of (its id is empty when only the name is known), `picks` are several;
    `asks` is what is asked, of `facts`. `unsure`: none of those shown is meant, or it may be any of several."""

    language: str
    intent: Intent
    tool: Tool
    search: Search | None = None
    question: Question | None = None
    brewery: Ref | None = None
    picks: tuple[Ref, ...] = ()
    asks: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()  # of `distributor` and `knowledge`
    unsure: Literal["", "outside", "several", "nothing"] = ""
    leans: bool = False
    negated: bool = False
    wishes: tuple[str, ...] = ()
    leftover: tuple[str, ...] = ()
    aside: tuple[str, ...] = ()
    also: Reading | None = None
