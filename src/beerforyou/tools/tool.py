"""What a tool is: a function of the caller, its hands and the arguments that returns a `Result`; and another that says
beforehand what it will read.

Its docstring is the description that the model reads, its argument struct the schema; wrong arguments come back to
the model as one line that it can act on.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from typing import Any, get_type_hints

import msgspec

from beerforyou.blocks import AnyBlock
from beerforyou.errors import BadInput
from beerforyou.labels import Label, Scope, union
from beerforyou.llm.model import ToolSpec
from beerforyou.reading.reading import Context
from beerforyou.tools.arguments import Schema, meant, schema_of
from beerforyou.tools.caller import Caller, Hands


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """`content` is what the model reads: JSON, cut to what it needs. `blocks` are what the client sees.

    `context` is what the next message may lean on ("the second one", "and in Austin?"); `asks` is true when the
    client must choose before anything else makes sense; `content` then has the question as "ask". The corridor notes which
    `tool` it is of, and the planner's `turn`.
    """

    content: Any
    label: Label
    blocks: tuple[AnyBlock, ...] = ()
    context: Context = Context()
    asks: bool = False
    tool: str = ""
    turn: int = 0


Run = Callable[[Caller, Hands, Any], Awaitable[Result]]
Reads = Callable[[Caller, Any], Label]


class Tool(msgspec.Struct, frozen=True):
    """`slots` is the schema of all its arguments, those that no model is told of among them."""

    spec: ToolSpec
    args: type[msgspec.Struct]
    run: Run
    label: Reads
    scope: Scope
    slots: Schema
    paid: bool = False

    @property
    def name(self) -> str:
        return self.spec.name

    def reads(self, caller: Caller, args: dict[str, Any]) -> Label:
        """Whose data, and which versions, the result will be made from; before anything runs. Raises as a call does."""
        return self.label(caller, self._parsed(args))

    async def __call__(self, caller: Caller, hands: Hands, args: dict[str, Any]) -> Result:
        """Raises BadInput, in words for the model, when the arguments don't fit."""
        parsed = self._parsed(args)
        result = await self.run(caller, hands, parsed)
        return msgspec.structs.replace(result, label=union([self.label(caller, parsed), result.label]))

    def _parsed(self, args: dict[str, Any]) -> Any:
        try:
            return msgspec.convert(meant(args, self.slots), self.args, strict=False)
        except BadInput as wrong:
            raise BadInput(f"{self.name}: {wrong.message}", wrong.hint) from None
        except msgspec.ValidationError as error:
            hint = f"the arguments are {', '.join(self.slots['properties'])}"
            raise BadInput(f"{self.name}: {error}", hint) from None


def tool(
    run: Run, reads: Reads, scope: Scope, *, more: str = "", hidden: Collection[str] = (), paid: bool = False
) -> Tool:
    """`more` comes after the docstring in the description; `hidden` arguments are taken, and no model is told of them."""
    args = get_type_hints(run)["args"]
    slots = schema_of(args)
    parameters = slots | {
        "properties": {name: each for name, each in slots["properties"].items() if name not in hidden}
    }
    description = "\n\n".join(filter(None, (_unwrapped(run.__doc__ or ""), more)))
    return Tool(ToolSpec(run.__name__, description, parameters), args, run, reads, scope, slots, paid)


def _unwrapped(docstring: str) -> str:
    return " ".join(docstring.split())
