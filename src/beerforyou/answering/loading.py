"""All that is known before the walk begins: the claim brought it."""

from __future__ import annotations

from msgspec.structs import replace

from beerforyou import clock
from beerforyou.answering.speaking import Speaking
from beerforyou.answering.turn import Turn
from beerforyou.catalogue.brewery import Place
from beerforyou.conversations.memory import Memory
from beerforyou.house import House
from beerforyou.reading.reading import Context
from beerforyou.runs.claim import Claim
from beerforyou.runs.journal import Journal
from beerforyou.runs.ledger import Ledger
from beerforyou.sentences import Language
from beerforyou.tools.caller import Caller, Hands


def load(house: House, claimed: Claim, memory: Memory, journal: Journal, ledger: Ledger) -> Turn:
    settings, catalogue = house.settings, house.catalogue.now
    zone = claimed.time_zone or settings.time_zone
    versions = {
        "catalogue": catalogue.version,
        "moment": str(claimed.run_id),
        "profile": claimed.profile,
        "purchases": claimed.purchases,
        "home": claimed.home,
        "statistics": claimed.statistics,
    }
    caller = Caller(
        client_id=claimed.client_id,
        name=claimed.name,
        home=Place(city=claimed.city, state=claimed.state, country=claimed.country),
        language=claimed.language,
        today=clock.today(zone),
        time_zone=zone,
        currency=settings.currency,
        scopes=frozenset(claimed.scopes),
        versions={name: version for name, version in versions.items() if version},
        shown=tuple(dict.fromkeys((*memory.context.shown, *memory.context.told))),
    )
    return Turn(
        run_id=claimed.run_id,
        text=claimed.text,
        caller=caller,
        hands=_hands(house, caller),
        history=memory.messages(settings.history_turns, settings.history_tokens),
        context=_spoken(memory.context, claimed.language),
        journal=journal,
        ledger=ledger,
        speaking=Speaking(journal),
        model=house.model,
        by_rule=house.by_rule,
        settings=settings,
    )


def _spoken(context: Context, language: Language) -> Context:
    """A conversation begins in the client's language."""
    return context if context.language else replace(context, language=language)


def _hands(house: House, caller: Caller) -> Hands:
    database = house.database
    return Hands(
        database.for_tools(caller.client_id),
        database.fence,
        database.statistics,
        house.catalogue.now,
        replicated=database.watch is not None,
        profiles=house.profiles,
        profile_version=caller.versions.get("profile", ""),
    )
