"""All that is known before the walk begins."""

from __future__ import annotations

from beerforyou import clock
from beerforyou.answering.speaking import Speaking
from beerforyou.answering.turn import Turn
from beerforyou.catalogue.brewery import Place
from beerforyou.conversations.memory import Memory
from beerforyou.house import House
from beerforyou.runs.claim import Claim, Superseded
from beerforyou.runs.journal import Journal
from beerforyou.runs.ledger import Ledger
from beerforyou.tools.caller import Caller, Hands

VERSIONS = ("profile", "purchases", "home", "statistics")


async def load(house: House, claimed: Claim, memory: Memory, journal: Journal, ledger: Ledger) -> Turn:
    database, settings, catalogue = house.database, house.settings, house.catalogue.now
    row = await database.as_client(claimed.client_id).fetchrow("runs.turn", claimed.run_id)
    if row is None:  # its conversation was deleted since the claim
        raise Superseded(str(claimed.run_id))
    zone = row["time_zone"] or settings.time_zone
    caller = Caller(
        client_id=claimed.client_id,
        name=row["name"],
        home=Place(city=row["city"], state=row["state"], country=row["country"]),
        language=row["language"],
        today=clock.today(zone),
        time_zone=zone,
        scopes=frozenset(row["scopes"]),
        versions={"catalogue": catalogue.version, "moment": str(claimed.run_id)}
        | {name: row[name] for name in VERSIONS if row[name]},
        shown=memory.context.shown,
    )
    hands = Hands(
        database.for_tools(claimed.client_id),
        database.fence,
        database.statistics,
        catalogue,
        replicated=database.watch is not None,
    )
    return Turn(
        run_id=claimed.run_id,
        text=row["text"],
        caller=caller,
        hands=hands,
        history=memory.messages(settings.history_turns, settings.history_tokens),
        context=memory.context,
        journal=journal,
        ledger=ledger,
        speaking=Speaking(journal),
        model=house.model,
        by_rule=house.by_rule,
        settings=settings,
    )
