"""What the client wants: an ordered list of rules; the first that holds decides.

Answers and refusals come first, then questions about data, then breweries, which is what remains.
"""

from __future__ import annotations

from collections.abc import Callable

from beerforyou.reading.message import Message
from beerforyou.reading.reading import Intent, Tool
from beerforyou.reading.refusals import asks_about_others, attacks, is_off_topic, wants_action, wants_person
from beerforyou.reading.replies import (
    accepts,
    asks_for_help,
    declines,
    greets,
    leaves,
    picks_by_name,
    points,
    points_at_place,
    thanks,
    wants_more,
)
from beerforyou.reading.slots import Slots
from beerforyou.reading.wants import (
    continues_question,
    wants_details,
    wants_new,
    wants_own_data,
    wants_profile,
    wants_recommendation,
    wants_search,
    wants_statistics,
    wants_taste,
)

Rule = Callable[[Message, Slots], bool]

ANSWERS: tuple[tuple[Intent, Rule], ...] = (
    ("off_topic", attacks),
    ("person", wants_person),
    ("decline", declines),
    ("thanks", thanks),
    ("goodbye", leaves),
    ("greeting", greets),
    ("search", wants_more),
    ("accept", accepts),
    ("accept", points),
    ("accept", points_at_place),
    ("help", asks_for_help),
)
WISHES: tuple[tuple[Intent, Rule], ...] = (
    ("other_client", asks_about_others),
    ("details", picks_by_name),
    ("off_topic", wants_action),
    ("off_topic", is_off_topic),
    ("recommend", wants_recommendation),
    ("profile", wants_profile),
    ("own_data", wants_own_data),
    ("profile", wants_taste),
    ("statistics", wants_statistics),
    ("details", wants_details),
    ("recommend", wants_new),
    ("search", wants_search),
    ("own_data", continues_question),
)
RULES = ANSWERS + WISHES
TOOL_OF: dict[Intent, Tool] = {
    "search": "search_breweries",
    "recommend": "search_breweries",
    "details": "get_website_summary",
    "accept": "get_website_summary",
    "own_data": "run_analytical_query",
    "statistics": "run_analytical_query",
    "profile": "get_client_profile",
}


def decide(m: Message, s: Slots, rules: tuple[tuple[Intent, Rule], ...]) -> Intent | None:
    return next((intent for intent, rule in rules if rule(m, s)), None)
