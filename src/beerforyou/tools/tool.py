"""What a tool is: a function of the caller, its hands and the arguments that returns a `Result`; and another that says
beforehand what it will read.

Its docstring is the description that the model reads, its argument struct the schema; wrong arguments come back to
the model as one line that it can act on.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, get_type_hints

import msgspec

from beerforyou.blocks import AnyBlock
from beerforyou.errors import BadInput
from beerforyou.labels import Label, Scope, union
from beerforyou.llm.model import ToolSpec
from beerforyou.reading.reading import Context
from beerforyou.tools.caller import Caller, Hands


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """`content` is what the model reads: JSON, cut to what it needs. `blocks` are what the client sees.

    `context` is what the next message may lean on ("the second one", "and in Austin?"); `asks` is true when the
    client must choose before anything else makes sense.
    """

    content: Any
    label: Label
    blocks: tuple[AnyBlock, ...] = ()
    context: Context = Context()
    asks: bool = False


Run = Callable[[Caller, Hands, Any], Awaitable[Result]]
Reads = Callable[[Caller, Any], Label]


class Tool(msgspec.Struct, frozen=True):
    spec: ToolSpec
    args: type[msgspec.Struct]
    run: Run
    label: Reads
    scope: Scope
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
        known = self.args.__struct_fields__
        hint = f"the arguments are {', '.join(known) or 'none'}"
        if unknown := args.keys() - known:
            raise BadInput(f"{self.name}: no argument is called {', '.join(sorted(unknown))}", hint)
        try:
            parsed = msgspec.convert(args, self.args, strict=False)
        except msgspec.ValidationError as error:
            raise BadInput(f"{self.name}: {error}", hint) from None
        if any("\0" in value for value in args.values() if isinstance(value, str)):
            raise BadInput(f"{self.name}: an argument holds a NUL character", "leave it out")
        return parsed


def tool(run: Run, reads: Reads, scope: Scope, *, more: str = "", paid: bool = False) -> Tool:
    """`more` comes after the docstring in the description."""
    args = get_type_hints(run)["args"]
    _, components = msgspec.json.schema_components([args])
    schema = components[args.__name__]
    parameters = {"type": "object", "properties": {k: _short(v) for k, v in schema["properties"].items()}}
    if schema.get("required"):
        parameters["required"] = schema["required"]
    description = "\n\n".join(filter(None, (_unwrapped(run.__doc__ or ""), more)))
    return Tool(ToolSpec(run.__name__, description, parameters), args, run, reads, scope, paid)


def _short(schema: dict[str, Any]) -> dict[str, Any]:
    """Without defaults and titles: each costs tokens in every call."""
    schema = {k: v for k, v in schema.items() if k not in ("default", "title")}
    if "anyOf" in schema:  # an optional value: leave it out rather than say null
        (schema,) = (option for option in schema["anyOf"] if option != {"type": "null"})
    return schema


def _unwrapped(docstring: str) -> str:
    return " ".join(docstring.split())
