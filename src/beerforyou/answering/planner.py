"""The planner: a loop of ours around one model, at most five turns, a few tools at a time, every step in the ledger.

`thinking.py` is one turn of the model, `calling.py` one call of a tool, and `gates.py` what may withhold it. What a loop of
ours owes is there: wrong arguments go back to the model, tools have a time limit, too many calls or a repeated one end the
calling, what is said beside a call is not the answer, and what an earlier worker finished is not done again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from beerforyou.answering.calling import make
from beerforyou.answering.ends import failed
from beerforyou.answering.planning import Planning
from beerforyou.answering.thinking import think
from beerforyou.answering.turn import Draft, Turn
from beerforyou.llm.model import Content, Reply, TextPart, ToolCall, ToolResult
from beerforyou.sentences import say


async def plan(turn: Turn) -> Draft | None:
    """Leaves the reply and the results in the turn, for `compose`."""
    planning, limit = Planning(turn), turn.settings.max_iterations
    for number in range(1, limit + 1):
        turn.decided.turn = number
        reply = await think(planning, number, talk_only=planning.talk_only or number == limit)
        if reply.void:
            continue
        if not reply.tool_calls:
            turn.reply = reply
            return None
        results = await _made(planning, number, reply.tool_calls)
        planning.messages += [Content("model", reply.parts), Content("tool", results)]
    return _gave_up(turn)


async def _made(planning: Planning, number: int, calls: Sequence[ToolCall]) -> tuple[ToolResult, ...]:
    """One call needs no task of its own."""
    if len(calls) == 1:
        return (await make(planning, number, calls[0]),)
    return tuple(await asyncio.gather(*(make(planning, number, each) for each in calls)))


def _gave_up(turn: Turn) -> Draft | None:
    """Five replies without an answer: what the tools brought is still worth showing."""
    if not turn.results:
        return failed(turn, "error_model")
    turn.reply = Reply(parts=(TextPart(say("error.gave_up", turn.language)),))
    return None
