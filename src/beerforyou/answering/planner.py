"""The planner: a loop of ours around one model, at most five turns, a few tools at a time, every step in the ledger. Where the
calls follow from the reading (`foreseen.py`) they are its first turn, and at the most the sentence is left to the model.

`thinking.py` is one turn, `calling.py` one call of a tool, and `gates.py` what may withhold it. What a loop of
ours owes is there: wrong arguments go back to the model, tools have a time limit, too many calls or a repeated one end the
calling, what is said beside a call is not the answer, and what an earlier worker finished is not done again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from msgspec.structs import replace

from beerforyou.answering.calling import make
from beerforyou.answering.ends import failed
from beerforyou.answering.foreseen import answers, foresee
from beerforyou.answering.planning import Planning
from beerforyou.answering.shadow import is_in
from beerforyou.answering.thinking import first_request, think
from beerforyou.answering.turn import Draft, Shadow, Turn
from beerforyou.by_rule.planner import unused
from beerforyou.llm.connect import OFFLINE
from beerforyou.llm.model import Content, Reply, TextPart, ToolCall, ToolResult
from beerforyou.runs.why import By, Planned
from beerforyou.sentences import say

SURE, FAILED = "every word is used", "a call that followed from the reading failed"


async def plan(turn: Turn) -> Draft | None:
    """Leaves the reply and the results in the turn, for `compose`."""
    planning = Planning(turn)
    await foresee(planning)
    limit = turn.settings.max_iterations + planning.sure  # of model calls, and the reading is none
    for number in range(1, limit + 1):
        turn.decided.turn = number
        reply = await think(planning, number, last=number == limit)
        if number == 1:
            _begun(planning, reply)
        if reply.tool_calls:
            results = await _made(planning, number, reply.tool_calls)
            planning.messages += [Content("model", reply.parts), Content("tool", results)]
            _judge(planning, results)
        elif not _asks_again(planning, number, limit, reply):
            turn.reply = reply
            return None
    return _gave_up(turn)


def _begun(planning: Planning, first: Reply) -> None:
    """Says who plans; where an earlier worker began the run, what the ledger has tells."""
    turn = planning.turn
    by: By = "model" if first.model != OFFLINE else "reading" if planning.sure and not first.fallback else "rule"
    planning.sure = by == "reading"
    left = () if planning.sure else unused(planning.known)
    turn.decided.planned = Planned(by=by, why=SURE if planning.sure else planning.doubt, leftover=left)
    if (
        planning.sure
        and turn.model
        and not answers(turn.read(), turn.context)
        and is_in(turn.run_id, turn.settings.shadow_share)
    ):
        turn.shadow = Shadow(first_request(planning), first.tool_calls)


async def _made(planning: Planning, number: int, calls: Sequence[ToolCall]) -> tuple[ToolResult, ...]:
    """One call needs no task of its own."""
    if len(calls) == 1:
        return (await make(planning, number, calls[0]),)
    return tuple(await asyncio.gather(*(make(planning, number, each) for each in calls)))


def _judge(planning: Planning, results: Sequence[ToolResult]) -> None:
    """What came of sure calls: a model goes on after an error, and what a tool asks needs no other words."""
    turn = planning.turn
    planning.prepared = planning.prepared or any(result.asks for result in turn.results)
    if planning.sure and turn.model and any(map(_is_error, results)):
        planning.sure = False
        turn.decided.planned = replace(turn.decided.planned, by="model", why=FAILED)


def _is_error(result: ToolResult) -> bool:
    return result.is_error or (isinstance(result.content, dict) and "error" in result.content)


def _asks_again(planning: Planning, number: int, limit: int, reply: Reply) -> bool:
    """Of a reply without a call: whether it is not the answer yet."""
    if number < limit and planning.lacks_a_call(reply):
        planning.without_call, planning.required_in = reply, number + 1
        return True
    return reply.void


def _gave_up(turn: Turn) -> Draft | None:
    """Five replies without an answer: what the tools brought is still worth showing."""
    if not turn.results:
        return failed(turn, "error_model")
    turn.reply = Reply(parts=(TextPart(say("error.gave_up", turn.language)),))
    return None
