"""What the client wants: an ordered list of rules; the first that holds decides.

Answers and refusals come first, then questions about data, then breweries, which is what remains.
"""

from __future__ import annotations

from collections.abc import Callable

from beerforyou.reading.intents import (
    attributes,
    breweries,
    business,
    guesses,
    knowledge,
    market,
    picks,
    privacy,
    purchases,
    refusals,
    replies,
)
from beerforyou.reading.reading import Intent, Tool
from beerforyou.reading.slots.slots import Slots
from beerforyou.reading.words.utterance import Utterance

Rules = tuple[tuple[Intent, Callable[[Utterance, Slots], bool]], ...]

# Messages that say nothing else.
ANSWERS: Rules = (
    ("off_topic", refusals.attacks),
    ("knowledge", knowledge.asks_who_answers),
    ("person", refusals.wants_person),
    ("decline", replies.declines),
    ("thanks", replies.thanks),
    ("goodbye", replies.leaves),
    ("greeting", replies.greets),
    ("search", replies.wants_more),
    ("knowledge", knowledge.asks_what_it_is),
    ("compare", attributes.compares),
    ("facts", attributes.asks_facts),
    ("why", attributes.asks_why),
    ("search", breweries.wants_similar),
    ("accept", replies.accepts),
    ("accept", picks.points),
    ("accept", replies.points_at_place),
    ("help", replies.asks_for_help),
)
WISHES: Rules = (
    ("details", breweries.tells_of),
    ("distributor", business.asks_distributor),
    ("other_client", privacy.asks_about_others),
    ("statistics", market.asks_beside_all),
    ("own_data", purchases.asks_in_full),
    ("details", replies.picks_by_name),
    ("off_topic", refusals.is_off_topic),
    ("recommend", breweries.wants_recommendation),
    ("profile", purchases.wants_profile),
    ("own_data", purchases.wants_own_data),
    ("own_data", purchases.lists_own),
    ("profile", purchases.wants_taste),
    ("own_data", purchases.continues_question),
    ("own_data", purchases.ranks_own),
    ("statistics", market.asks_what_grows),
    ("statistics", purchases.wants_statistics),
    ("details", breweries.wants_details),
    ("recommend", breweries.wants_new),
    ("own_data", purchases.ranks_suppliers),
    ("search", breweries.wants_search),
    ("statistics", guesses.guesses_statistics),
    ("own_data", guesses.guesses_own_data),
    ("search", guesses.guesses_search),
    ("search", breweries.wants_quality),
)
TOOL_OF: dict[Intent, Tool] = {
    "search": "search_breweries",
    "recommend": "search_breweries",
    "details": "get_website_summary",
    "accept": "get_website_summary",
    "own_data": "run_analytical_query",
    "statistics": "run_analytical_query",
    "profile": "get_client_profile",
}


def decide(m: Utterance, s: Slots, rules: Rules) -> Intent | None:
    return next((intent for intent, rule in rules if rule(m, s)), None)
