"""One turn of the planner: the model is asked once, whatever happens to the worker; by rule where the calls follow from the reading,
or no model can be asked."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

import msgspec
from msgspec.structs import replace

from beerforyou import prompts
from beerforyou.answering.planning import Planning
from beerforyou.answering.turn import Turn
from beerforyou.by_rule.planner import reply as ruled
from beerforyou.errors import ModelError
from beerforyou.llm.connect import OFFLINE
from beerforyou.llm.model import Choice, Reply, Request
from beerforyou.llm.settling import settled
from beerforyou.runs.journal import Entry
from beerforyou.runs.ledger import Key, Kind
from beerforyou.runs.run import StepKind
from beerforyou.usage import Usage


async def think(planning: Planning, number: int, last: bool) -> Reply:
    """`last`: no call may come of it any more."""
    turn = planning.turn
    hint = None if planning.has_called else planning.hint
    request = _request(planning, number, _choice(planning, number, last), hint)
    by_rule = turn.model is None or (planning.sure and (number == 1 or planning.prepared))
    asked = {"messages": len(planning.messages), "tool_choice": request.tool_choice}
    written = partial(_written, name=turn.model_name, asked=asked)
    kind = Kind("rule", False, written, _read) if by_rule else Kind("model", True, written, _read)
    reply = await turn.ledger.once(Key(number, "plan"), kind, lambda: _reply(planning, request, by_rule))
    turn.fell_back = turn.fell_back or reply.fallback
    turn.decided.who = "model" if reply.model != OFFLINE else "reading" if planning.sure else "rule"
    return reply


def first_request(planning: Planning) -> Request:
    """What a model would be asked if the reading said nothing."""
    return replace(_request(planning, 1, "auto", hint=None), left=None)


def _choice(planning: Planning, number: int, last: bool) -> Choice:
    if planning.talk_only or last or (planning.sure and number > 1):
        return "none"
    return "required" if number == planning.required_in else "auto"


def _request(planning: Planning, number: int, choice: Choice, hint: Any) -> Request:
    turn = planning.turn
    found = planning.messages[-1].role == "tool"
    return Request(
        system=prompts.SYSTEM,
        reminder=prompts.reminder(turn.caller.today, turn.language, found),
        asked=prompts.asked(turn.text if found else "", hint),
        messages=tuple(planning.messages),
        tools=tuple(tool.spec for tool in planning.tools.values()),
        tool_choice=choice,
        max_output_tokens=turn.settings.max_output_tokens,
        paid=partial(_paid, turn, number),
        left=planning.left,
    )


async def _reply(planning: Planning, request: Request, by_rule: bool) -> Reply:
    """A call may come after any text: only where none can come is it known at once that the text is the answer."""
    heard = request.tool_choice == "none" and not by_rule
    reply = ruled(planning.known, request) if by_rule else await _asked(planning, request, heard)
    speaking, waits = planning.turn.speaking, request.tool_choice == "auto" and planning.lacks_a_call(reply)
    if reply.void or reply.tool_calls or waits:
        speaking.begin_again()
    else:
        rest = "" if heard and reply.model != OFFLINE else reply.text
        speaking.end_of_text(None if reply.model == OFFLINE else planning.turn.given, rest)
    return reply


async def _asked(planning: Planning, request: Request, heard: bool) -> Reply:
    turn = planning.turn
    assert turn.model is not None, "else it is by rule"
    try:
        # What nobody hears while it is written comes whole, at a fifth of the cost.
        say = partial(turn.speaking.say, given=turn.given) if heard else None
        reply = settled(await turn.model.generate(request, say), request)
    except ModelError:
        if request.tool_choice == "required" and planning.without_call:
            return replace(planning.without_call, usage=Usage())
        if not (turn.by_rule or planning.sure):
            raise
        turn.speaking.begin_again()
        return replace(ruled(planning.known, request), fallback=not planning.sure)
    if planning.sure and request.paid and (reply.void or not reply.text.strip()):
        await request.paid(reply)
        turn.speaking.begin_again()
        return ruled(planning.known, request)
    return reply


async def _paid(turn: Turn, number: int, void: Reply) -> None:
    """A reply that came to nothing cost all the same. Its time is counted with the reply after it."""
    entry = _written(void, name=turn.model_name, asked={})
    await turn.ledger.paid(Key(number, "void", str(turn.journal.next_step)), entry, time.perf_counter())


def _written(reply: Reply, name: str, asked: dict[str, Any]) -> Entry:
    said = msgspec.to_builtins(reply)
    kept = {key: said[key] for key in ("finish", "parts", "fallback", "sources") if said[key] or key == "parts"}
    kind: StepKind = "rule" if reply.model == OFFLINE else "model"
    return Entry(kind=kind, name=reply.model or name, input=asked, output=kept, usage=reply.usage)


def _read(entry: Entry) -> Reply:
    return msgspec.convert(entry.output | {"model": entry.name, "usage": msgspec.to_builtins(entry.usage)}, Reply)
