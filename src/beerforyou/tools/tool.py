"""What a tool is: a function of the caller and its arguments that returns an `Outcome`.

Its docstring is the description that the model reads, its argument struct the schema; wrong arguments come back to
the model as one line that it can act on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, get_type_hints

import msgspec

from beerforyou.blocks import AnyBlock
from beerforyou.catalogue.brewery import Place
from beerforyou.catalogue.index import Catalogue
from beerforyou.catalogue.names import brewery_key
from beerforyou.clients.profiles import Profile, decode
from beerforyou.db.database import ClientReads, Reads
from beerforyou.db.fence import Fence
from beerforyou.errors import BadInput
from beerforyou.labels import SCOPES, Label, Scope, of_client
from beerforyou.llm.model import ToolSpec
from beerforyou.reading.reading import Context, Question, Ref
from beerforyou.sentences import Language


class Caller(msgspec.Struct, kw_only=True):
    """Who asks, and what a tool may see of it. `agreed`: the breweries whose details the client said yes to.

    `rows`, `fence` and `statistics` read where the replica is. `refusals` counts SQL that was refused in this turn; whoever
    holds `asking` may ask the fence. A tool asks `permit` right before it spends something: it raises when nobody wants the
    result any more.
    """

    client_id: str
    name: str
    home: Place
    language: Language
    time_zone: str = ""  # empty: the installation's
    rows: ClientReads
    fence: Fence
    statistics: Reads
    permit: Callable[[], None] = lambda: None
    scopes: frozenset[str] = SCOPES
    refusals: int = 0
    asking: asyncio.Lock = msgspec.field(default_factory=asyncio.Lock)
    catalogue: Catalogue
    question: Question | None = None  # as the message was read, for the next message to lean on
    agreed: tuple[Ref, ...] = ()
    shown: tuple[Ref, ...] = ()
    _profile: tuple[Profile | None, str] | None = None

    def agrees_to(self, brewery: str) -> bool:
        """Did the client's yes mean this brewery, given by id or by name?"""
        names = {ref.id for ref in self.agreed} | {brewery_key(ref.name) for ref in self.agreed}
        return bool(brewery) and (brewery in names or brewery_key(brewery) in names)

    async def profile(self) -> tuple[Profile | None, str]:
        """The profile and its version, read once a turn; None before the first purchase was loaded."""
        if self._profile is None:
            row = await self.rows.fetchrow("clients.profile")
            self._profile = (decode(row["data"]), row["version"]) if row else (None, "")
        return self._profile

    async def known_as(self, brewery: str) -> tuple[list[str], list[str]]:
        """Ids of a brewery, and the spellings under which the caller buys from it where it has none. Never by a part.

        Neither where the name could mean too many breweries, and the caller buys from none that is called so.
        """
        profile, _ = await self.profile()
        key = brewery_key(brewery)
        bought = [b for b in (profile.history if profile else ()) if brewery_key(b.name) == key]
        found = [match.brewery.id for match in self.catalogue.find(brewery)] + [b.brewery_id for b in bought]
        ids = {same for id in found if id for same in self.catalogue.same_brewery(id)}
        return sorted(ids), sorted({b.name for b in bought if not b.brewery_id})

    def own(self, **versions: str) -> Label:
        """The label of what was made from this client's data."""
        return Label(frozenset({of_client(self.client_id)}), versions)

    def public(self) -> Label:
        return Label(versions={"catalogue": self.catalogue.version})


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """`content` is what the model reads: JSON, cut to what it needs. `blocks` are what the client sees.

    `context` is what the next message may lean on ("the second one", "and in Austin?"); `asks` is true when the
    client must choose before anything else makes sense.
    """

    content: Any
    label: Label
    blocks: tuple[AnyBlock, ...] = ()
    context: Context = Context()
    asks: bool = False


Run = Callable[[Caller, Any], Awaitable[Outcome]]


class Tool(msgspec.Struct, frozen=True):
    spec: ToolSpec
    args: type[msgspec.Struct]
    run: Run
    scope: Scope
    paid: bool = False

    @property
    def name(self) -> str:
        return self.spec.name

    async def __call__(self, caller: Caller, args: dict[str, Any]) -> Outcome:
        """Raises BadInput, in words for the model, when the arguments don't fit."""
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
        return await self.run(caller, parsed)


def tool(run: Run, scope: Scope, *, more: str = "", paid: bool = False) -> Tool:
    """`more` comes after the docstring in the description."""
    args = get_type_hints(run)["args"]
    _, components = msgspec.json.schema_components([args])
    schema = components[args.__name__]
    parameters = {"type": "object", "properties": {k: _short(v) for k, v in schema["properties"].items()}}
    if schema.get("required"):
        parameters["required"] = schema["required"]
    description = "\n\n".join(filter(None, (_unwrapped(run.__doc__ or ""), more)))
    return Tool(ToolSpec(run.__name__, description, parameters), args, run, scope, paid)


def _short(schema: dict[str, Any]) -> dict[str, Any]:
    """Without defaults and titles: each costs tokens in every call."""
    schema = {k: v for k, v in schema.items() if k not in ("default", "title")}
    if "anyOf" in schema:  # an optional value: leave it out rather than say null
        (schema,) = (option for option in schema["anyOf"] if option != {"type": "null"})
    return schema


def _unwrapped(docstring: str) -> str:
    return " ".join(docstring.split())
