"""What a message was read as. `read.py` fills it in; nothing else does."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

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
    "decline",  # no to it
    "own_data",  # a question about the caller's own purchases
    "statistics",  # a question about all clients together
    "other_client",  # somebody else's data: refused
    "profile",  # who am I to you, what do I usually buy
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
    """Slots of a search, in the catalogue's own spelling where it knows the name, else as written.

    `also_in` and `not_in` are places, each as one text ("Dallas, Texas"). `like`: of the type and around the place of this
    brewery, by id or name. `limit`: the number asked for; None when none was, 0 to be told how many there are and no more.
    `skip`: matches that were shown before, when pages of another size were. `miles`: distances are told in miles.
    """

    city: str = ""
    state: str = ""
    country: str = ""
    also_in: tuple[str, ...] = ()
    not_in: tuple[str, ...] = ()
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

    @property
    def size(self) -> int:
        """How many a page shows."""
        return max(1, min(SHOWN if self.limit is None else self.limit, MOST_SHOWN))


Measure = Literal["quantity", "amount", "orders", "beers", "breweries", "clients"]
Grouping = Literal["", "beer", "brewery", "type", "style", "month", "week", "day", "weekday", "city", "state"]


class Question(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Slots of a question about purchases. `measure` of what, grouped `by` what; dates are ISO, `until` exclusive.

    `measure` "beers", "breweries" and, of everyone, "clients" count distinct ones. `limit` 0 means that no number was named.
    """

    about: Literal["me", "everyone"] = "me"
    measure: Measure = "quantity"
    by: Grouping = ""
    direction: Literal["most", "least"] = "most"
    limit: Annotated[int, Meta(ge=0)] = 0
    since: str = ""
    until: str = ""
    beer: str = ""
    brewery: str = ""
    type: str = ""
    style: str = ""
    city: str = ""
    state: str = ""


class Context(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a follow-up may lean on: the turn before this one.

    `shown` in the order it was shown ("a segunda"), `offered` when the last answer ended with the offer,
    `search` and `question` as last asked ("e em Austin?", "e no mês passado?"), `choices` when the last answer asked
    which place was meant.
    """

    shown: tuple[Ref, ...] = ()
    offered: bool = False
    search: Search | None = None
    question: Question | None = None
    choices: tuple[Search, ...] = ()
    language: Literal["", "pt", "en"] = ""


class Reading(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`leans` is true when the message makes no sense without the conversation; `leftover` are the words that no
    rule explained, in canonical form. `wishes`: what is asked of breweries and no catalogue can know, by kind ("style",
    "price"); their words are left over too."""

    language: Literal["pt", "en"]
    intent: Intent
    tool: Tool
    search: Search | None = None
    question: Question | None = None
    brewery: Ref | None = None  # of `details` and `accept`; id is empty when only the name is known
    leans: bool = False
    negated: bool = False
    wishes: tuple[str, ...] = ()
    leftover: tuple[str, ...] = ()
