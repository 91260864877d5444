"""One call of a tool: let through by the gates, made once in a run, and in the ledger when the model hears of it."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from functools import partial

import msgspec

from beerforyou.answering.gates import ENOUGH, withheld
from beerforyou.answering.planning import Called, Planning
from beerforyou.blocks import AnyBlock
from beerforyou.db.turns import WorkLimit
from beerforyou.errors import BadInput
from beerforyou.guards.canonical import everywhere, line
from beerforyou.llm.model import ToolCall, ToolResult
from beerforyou.reading.reading import Context
from beerforyou.runs.claim import Cancelled, Superseded
from beerforyou.runs.journal import Entry
from beerforyou.runs.ledger import Key, Kind
from beerforyou.tools.tool import Result

log = logging.getLogger(__name__)

LONGEST_WHY = 300  # characters of what a model is told when a call fails
AGAIN = "this call was made before, with the same result; answer with what you have"


async def make(planning: Planning, number: int, call: ToolCall) -> ToolResult:
    digest = _digest(call)
    if earlier := planning.made.get(digest):
        planning.talk_only = True
        return ToolResult(call.id, call.name, {"note": AGAIN, "result": (await earlier).content})
    if why := withheld(planning, call):
        planning.turn.decided.withheld(call.name, why)
        planning.talk_only = planning.talk_only or digest in planning.refused or why.reason == ENOUGH
        planning.refused.add(digest)
        return ToolResult(call.id, call.name, {"error": line(why.reason)}, is_error=True)
    planning.turn.decided.passed(call.name)
    made = planning.made[digest] = asyncio.get_running_loop().create_future()
    try:
        called = await _made(planning, Key(number, "tool", digest), call)
    except BaseException:
        made.cancel()
        raise
    made.set_result(called)
    return ToolResult(call.id, call.name, called.content, called.result is None)


def _digest(call: ToolCall) -> str:
    args = msgspec.json.encode(call.args, order="sorted")
    return f"{call.name}:{hashlib.blake2b(args, digest_size=12).hexdigest()}"


async def _made(planning: Planning, key: Key, call: ToolCall) -> Called:
    kind = Kind("tool", planning.tools[call.name].paid, partial(_written, call), _read)
    async with planning.share:
        called = await planning.turn.ledger.once(key, kind, lambda: _told(planning, call))
    if called.result:
        planning.turn.results.append(msgspec.structs.replace(called.result, tool=call.name, turn=key.turn))
    return called


async def _told(planning: Planning, call: ToolCall) -> Called:
    """Followers hear that it begins and ends."""
    journal = planning.turn.journal
    journal.emit("tool_started", name=call.name, args=call.args)
    result, error = await _run(planning, call)
    journal.emit("tool_finished", name=call.name, ok=result is not None)
    if result is None:
        return Called({"error": line(error[:LONGEST_WHY])}, None)
    content = everywhere(msgspec.to_builtins(result.content))
    return Called(content, msgspec.structs.replace(result, content=content))


async def _run(planning: Planning, call: ToolCall) -> tuple[Result | None, str]:
    """The tool's result, or one line that the model can act on."""
    turn = planning.turn
    try:
        async with WorkLimit(turn.settings.tool_timeout_s):
            return await planning.tools[call.name](turn.caller, turn.hands, call.args), ""
    except BadInput as error:
        return None, f"{error.message}; {error.hint}"
    except TimeoutError:
        return None, f"{call.name} took too long"
    except (Superseded, Cancelled):
        raise
    except Exception:  # the model can still answer without it
        log.exception("run %s: %s failed", turn.run_id, call.name)
        return None, f"{call.name} is not available right now"


class _More(msgspec.Struct, frozen=True):
    """What a result has besides what the model was told."""

    blocks: tuple[AnyBlock, ...]
    context: Context
    asks: bool


def _written(call: ToolCall, called: Called) -> Entry:
    if called.result is None:
        return Entry(kind="tool", name=call.name, input=call.args, output=called.content)
    result = called.result
    more, label = _More(result.blocks, result.context, result.asks), result.label
    return Entry(
        kind="tool",
        name=call.name,
        input=call.args,
        output=called.content,
        outcome=more,
        labels=sorted(label.audience),
        versions=label.versions,
    )


def _read(entry: Entry) -> Called:
    if entry.outcome is None:
        return Called(entry.output, None)
    more = msgspec.convert(entry.outcome, _More)
    result = Result(content=entry.output, label=entry.label, blocks=more.blocks, context=more.context, asks=more.asks)
    return Called(entry.output, result)
