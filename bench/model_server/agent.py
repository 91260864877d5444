"""A script that plays one recommendation from beginning to end: profile, search, answer.

Three model calls and two tool calls, which is what design.md and `bench/llm_cost.py` count as an agent run.
"""

from beerforyou.llm.model import Content, Reply, TextPart, ToolCall
from beerforyou.usage import Usage
from bench.model_server.script import Ask

STEPS = (
    Reply(parts=(ToolCall("c1", "get_client_profile", {}),), usage=Usage(900, 12)),
    Reply(
        parts=(ToolCall("c2", "search_breweries", {"city": "San Diego", "only_new": True}),),
        usage=Usage(1150, 25, cached=900),
    ),
    Reply(
        parts=(
            TextPart(
                "Encontrei três cervejarias novas para você em San Diego.\n"
                "A primeira é uma brewpub, o tipo que você mais compra.\n"
                "As outras duas são micro e ficam a menos de 12 km.\n"
                "Quer saber mais sobre alguma delas?"
            ),
        ),
        usage=Usage(1900, 80, cached=1100),
    ),
)


def recommendation(ask: Ask) -> Reply:
    """The step that follows from the tool results since the client last spoke."""
    results = 0
    for message in _without_reminder(ask.messages):
        results = 0 if message.role == "user" else results + (message.role == "tool")
    return STEPS[min(results, len(STEPS) - 1)]


def _without_reminder(messages: tuple[Content, ...]) -> tuple[Content, ...]:
    """What follows the results of tools is no message of the client's."""
    end = next((n for n in range(len(messages), 0, -1) if messages[n - 1].role != "user"), 0)
    return messages[:end] if end and messages[end - 1].role == "tool" else messages
