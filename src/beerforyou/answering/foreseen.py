"""What the reading makes of a message before a model is asked: it plans by itself, or is a hint, or knows that a call is needed."""

from __future__ import annotations

from typing import Any

import msgspec

from beerforyou.answering.planning import Planning
from beerforyou.by_rule import planner as by_rule
from beerforyou.reading.reading import Context, Reading, Search

OFF = "the setting is off"


async def foresee(planning: Planning) -> None:
    """Before the planner's first turn."""
    turn = planning.turn
    reading = turn.read()
    known = planning.known = by_rule.Known(
        reading=reading,
        context=turn.context,
        language=turn.language,
        breweries={name: await turn.hands.bought_as(name) for name in by_rule.breweries_in(reading)},
        today=turn.caller.today,
        currency=turn.caller.currency,
    )
    chosen = turn.settings.sure_reading_plans or turn.model is None
    planning.doubt = by_rule.doubt(known, planning.tools)
    planning.sure = not planning.doubt and (chosen or answers(reading, turn.context))
    planning.doubt = planning.doubt or ("" if planning.sure else OFF)
    planning.needs_a_call = by_rule.is_needed(known, planning.tools)
    planning.hint = _hint(known) if chosen and not planning.sure else None


def answers(reading: Reading, context: Context) -> bool:
    """A yes, a pick, a place that was chosen, the next page: what the conversation has shown decides it, and never a model."""
    if reading.tool == "get_website_summary" or reading.picks:
        return True
    if reading.brewery and reading.brewery in (*context.shown, *context.told):
        return True
    search = reading.search
    return search is not None and (search.page > 1 or search.skip > 0 or _is_chosen(search, context))


def _is_chosen(search: Search, context: Context) -> bool:
    place = search.city, search.state, search.country
    return any(place == (choice.city, choice.state, choice.country) for choice in context.choices)


def _hint(known: by_rule.Known) -> Any:
    """What a rule would call, and the words that it could not use; nothing where it would call nothing."""
    calls = [{"tool": call.name, "args": call.args} for call in by_rule.likely(known)]
    if not calls:
        return None
    said = {"calls": calls, "not_understood": by_rule.unused(known)}
    return msgspec.to_builtins({name: value for name, value in said.items() if value})
