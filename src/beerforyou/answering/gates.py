"""What may withhold a call: each gate says nothing, or why not. What they said is the record of why a tool was not called."""

from __future__ import annotations

from beerforyou.answering.decided import NOT_ALLOWED, Withheld
from beerforyou.answering.planning import Planning
from beerforyou.llm.calls import NOT_MADE
from beerforyou.llm.model import ToolCall
from beerforyou.tools import TOOLS

ASK_FIRST = "not called: it costs money, so offer it and wait for the client's yes"
MOST_CALLS = 20  # of a run: two replies with as many as one may have; the answer shows no more
ENOUGH = f"not called: a run makes {MOST_CALLS} calls, and this one has made them; answer with what you have"


def well_formed(planning: Planning, call: ToolCall) -> Withheld | None:
    """What the model wrote was too much, and is kept nowhere."""
    return Withheld("well_formed", str(call.args[NOT_MADE])) if NOT_MADE in call.args else None


def offered(planning: Planning, call: ToolCall) -> Withheld | None:
    if call.name in TOOLS:
        return None
    return Withheld("offered", f"there is no tool {call.name}; there are {', '.join(planning.tools) or 'none'}")


def scope(planning: Planning, call: ToolCall) -> Withheld | None:
    return None if call.name in planning.tools else NOT_ALLOWED


def enough(planning: Planning, call: ToolCall) -> Withheld | None:
    return Withheld("enough", ENOUGH) if len(planning.made) >= MOST_CALLS else None


def consent(planning: Planning, call: ToolCall) -> Withheld | None:
    """Nothing that costs money runs without the client's yes to it."""
    agreed = planning.turn.caller.agrees_to(str(call.args.get("brewery", "")))
    return None if agreed or not TOOLS[call.name].paid else Withheld("consent", ASK_FIRST)


GATES = (well_formed, offered, scope, enough, consent)


def withheld(planning: Planning, call: ToolCall) -> Withheld | None:
    return next((said for gate in GATES if (said := gate(planning, call))), None)
