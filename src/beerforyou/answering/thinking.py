"""One turn of the planner's model: asked once, whatever happens to the worker, and by rule where no model can be asked."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

import msgspec
from msgspec.structs import replace

from beerforyou import prompts
from beerforyou.answering.planning import Planning
from beerforyou.answering.turn import Turn
from beerforyou.by_rule import planner as by_rule
from beerforyou.errors import ModelError
from beerforyou.llm.connect import OFFLINE
from beerforyou.llm.model import Reply, Request
from beerforyou.llm.settling import settled
from beerforyou.runs.journal import Entry
from beerforyou.runs.ledger import Key, Kind


async def think(planning: Planning, number: int, talk_only: bool) -> Reply:
    turn = planning.turn
    request = _request(planning, number, talk_only)
    asked = {"messages": len(planning.messages), "tool_choice": request.tool_choice}
    kind = Kind("model", True, partial(_written, name=turn.model_name, asked=asked), _read)
    reply = await turn.ledger.once(Key(number, "plan"), kind, lambda: _reply(turn, request))
    turn.fell_back = turn.fell_back or reply.fallback
    return reply


def _request(planning: Planning, number: int, talk_only: bool) -> Request:
    turn = planning.turn
    found = planning.messages[-1].role == "tool"
    return Request(
        system=prompts.SYSTEM,
        reminder=prompts.reminder(turn.caller.today, turn.language, found),
        asked=prompts.asked(turn.text if found else ""),
        messages=tuple(planning.messages),
        tools=tuple(tool.spec for tool in planning.tools.values()),
        tool_choice="none" if talk_only else "auto",
        max_output_tokens=turn.settings.max_output_tokens,
        paid=partial(_paid, turn, number),
        left=planning.left,
    )


async def _reply(turn: Turn, request: Request) -> Reply:
    """A call may come after any text: only where none can come is it known at once that the text is the answer."""
    heard = request.tool_choice == "none" and turn.model is not None
    reply = await _asked(turn, request, heard)
    if reply.void or reply.tool_calls:
        turn.speaking.begin_again()
    else:
        rest = reply.text if not heard or reply.fallback else ""
        turn.speaking.end_of_text(None if reply.model == OFFLINE else turn.given, rest)
    return reply


async def _asked(turn: Turn, request: Request, heard: bool) -> Reply:
    if turn.model is None:
        return by_rule.reply(await _known(turn), request)
    try:
        # What nobody hears while it is written comes whole, at a fifth of the cost.
        say = partial(turn.speaking.say, given=turn.given) if heard else None
        return settled(await turn.model.generate(request, say), request)
    except ModelError:
        if not turn.by_rule:
            raise
        turn.speaking.begin_again()
        return replace(by_rule.reply(await _known(turn), request), fallback=True)


async def _known(turn: Turn) -> by_rule.Known:
    reading = turn.read()
    return by_rule.Known(
        reading=reading,
        context=turn.context,
        language=turn.language,
        breweries={name: await turn.hands.bought_as(name) for name in by_rule.breweries_in(reading)},
        today=turn.caller.today,
        currency=turn.caller.currency,
    )


async def _paid(turn: Turn, number: int, void: Reply) -> None:
    """A reply that came to nothing cost all the same. Its time is counted with the reply after it."""
    entry = _written(void, name=turn.model_name, asked={})
    await turn.ledger.paid(Key(number, "void", str(turn.journal.next_step)), entry, time.perf_counter())


def _written(reply: Reply, name: str, asked: dict[str, Any]) -> Entry:
    said = msgspec.to_builtins(reply)
    kept = {key: said[key] for key in ("finish", "parts", "fallback", "sources") if said[key] or key == "parts"}
    return Entry(kind="model", name=reply.model or name, input=asked, output=kept, usage=reply.usage)


def _read(entry: Entry) -> Reply:
    return msgspec.convert(entry.output | {"model": entry.name, "usage": msgspec.to_builtins(entry.usage)}, Reply)
