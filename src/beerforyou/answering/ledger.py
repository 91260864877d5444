"""What earlier workers finished of a run. A worker that takes it over walks from the beginning, and is given here what
was paid for already: no model call and no tool runs twice.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec

from beerforyou.blocks import AnyBlock
from beerforyou.labels import Label
from beerforyou.llm.model import Reply, ToolCall
from beerforyou.reading.reading import Context
from beerforyou.runs.journal import Step
from beerforyou.tools.tool import Outcome
from beerforyou.usage import Usage


class Result(NamedTuple):
    """What a tool brought, or nothing but the `content` that told the model why not."""

    content: Any
    outcome: Outcome | None


class Ledger:
    """Replies in their order, those that came to nothing among them; results by what was called, since equal calls of a run are made once."""

    def __init__(self, steps: Iterable[Step] = ()) -> None:
        steps = tuple(steps)
        self._replies = deque(_reply(step) for step in steps if step.kind == "model")
        self._results = {call_key(step.name, step.input): _result(step) for step in steps if step.kind == "tool"}
        self.spent_s = sum(step.ms for step in steps) / 1000

    def reply(self) -> Reply | None:
        return self._replies.popleft() if self._replies else None

    def result(self, call: ToolCall) -> Result | None:
        return self._results.get(call_key(call.name, call.args))


def call_key(name: str, args: Any) -> bytes:
    return msgspec.json.encode([name, args], order="sorted")


def model_step(reply: Reply, name: str, asked: dict[str, Any], ms: float) -> Step:
    said = msgspec.to_builtins(reply)
    kept = {key: said[key] for key in ("finish", "parts", "fallback", "sources") if said[key] or key == "parts"}
    return Step(kind="model", name=reply.model or name, input=asked, output=kept, ms=ms, usage=reply.usage)


def tool_step(call: ToolCall, result: Result, ms: float) -> Step:
    outcome = result.outcome
    more = {key: getattr(outcome, key) for key in ("blocks", "context", "asks")} if outcome else None
    label = outcome.label if outcome else Label()
    return Step(kind="tool", name=call.name, input=call.args, output=result.content, outcome=more, ms=ms, label=label)


def _reply(step: Step) -> Reply:
    return msgspec.convert(step.output | {"model": step.name, "usage": msgspec.to_builtins(step.usage)}, Reply)


def _result(step: Step) -> Result:
    if step.outcome is None:
        return Result(step.output, None)
    more = msgspec.convert(step.outcome, _More)
    return Result(
        step.output,
        Outcome(content=step.output, label=step.label, blocks=more.blocks, context=more.context, asks=more.asks),
    )


class _More(msgspec.Struct, frozen=True):
    blocks: tuple[AnyBlock, ...]
    context: Context
    asks: bool


def from_row(row: Any) -> Step:
    """A row of `runs.ledger`."""
    label = Label(frozenset(row["labels"]), msgspec.json.decode(row["versions"]))
    return Step(
        kind=row["kind"],
        name=row["name"],
        input=msgspec.json.decode(row["input"]),
        output=msgspec.json.decode(row["output"]),
        outcome=msgspec.json.decode(row["outcome"] or "null"),
        ms=row["ms"],
        label=label,
        usage=msgspec.json.decode(row["usage"], type=Usage),
    )
