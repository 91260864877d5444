"""What the planner says to a language model and what it hears: a few structs and one method.

Every provider is an adapter between these and its own wire format. Nothing provider-specific passes, except
`signature`, which is opaque and goes back to the provider that sent it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Literal, Protocol

import msgspec

from beerforyou.usage import Usage

SLOW = "a slow one needs a larger BEERFORYOU_MODEL_TIMEOUT_S"


class TextPart(msgspec.Struct, frozen=True, tag_field="kind", tag="text", omit_defaults=True):
    text: str
    signature: str = ""  # a thinking model's proof of its own thought, in the form of its provider


class ToolCall(msgspec.Struct, frozen=True, tag_field="kind", tag="tool_call", omit_defaults=True):
    id: str  # unique in the run; made up by the adapter where the provider sends none
    name: str
    args: dict[str, Any]
    signature: str = ""


class ToolResult(msgspec.Struct, frozen=True, tag_field="kind", tag="tool_result", omit_defaults=True):
    call_id: str
    name: str
    content: Any  # JSON
    is_error: bool = False

    @property
    def failure(self) -> Any:
        """What a wire names "error" by itself: once is enough, and some would write the inner one as text."""
        return self.content.get("error", self.content) if isinstance(self.content, dict) else self.content


Part = TextPart | ToolCall | ToolResult


class Content(msgspec.Struct, frozen=True):
    """A part of the conversation as a model sees it. Those of `tool` hold tool results alone; of `model` text and tool calls; of
    `user` text.
    """

    role: Literal["user", "model", "tool"]
    parts: tuple[Part, ...]


class ToolSpec(msgspec.Struct, frozen=True, eq=False):
    """`parameters` is a JSON Schema of type object; `description` is a prompt. Equal to itself alone: adapters keep what they
    made of it.
    """

    name: str
    description: str
    parameters: dict[str, Any]


Choice = Literal["auto", "none", "required"]


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """`system` stands before the conversation; after it come `reminder`, which has nothing that the client wrote, and `asked`, which
    has the client's words in quotes. Each is a text of its own, and either may be empty.

    `tool_choice` "none" asks for text alone, "required" for a call. `grounded` asks the provider to search the web itself; it never
    goes together with `tools`. `paid` is told of a reply that cost and came to nothing, before another is
    asked for; where nobody listens, its usage is in the reply that follows. `left` are the models that made no sense before
    in the same run: they are not asked again, and those that make none now are added.
    """

    system: str
    messages: tuple[Content, ...]
    reminder: str = ""
    asked: str = ""
    tools: tuple[ToolSpec, ...] = ()
    tool_choice: Choice = "auto"
    max_output_tokens: int = 1024
    temperature: float = 0.0
    grounded: bool = False
    paid: Callable[[Reply], Awaitable[None]] | None = None
    left: set[str] | None = None

    @property
    def last(self) -> tuple[str, ...]:
        """The texts that a model reads last, in this order."""
        return tuple(filter(None, (self.reminder, self.asked)))


# The last two are of replies by rule: it asks back, or words an error.
Finish = Literal["stop", "length", "safety", "malformed", "empty", "asks", "failed"]


class Source(msgspec.Struct, frozen=True):
    """A web page that a grounded reply stands on."""

    url: str
    title: str = ""


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """`model` is the name the provider gave; `finish` says why it stopped (tool calls come with "stop").

    `fallback`: another model than the one that was chosen answered. `why`: what is wrong with it, in words for a model.
    """

    parts: tuple[TextPart | ToolCall, ...]
    usage: Usage = Usage()
    finish: Finish = "stop"
    model: str = ""
    sources: tuple[Source, ...] = ()
    fallback: bool = False
    why: str = ""

    @property
    def void(self) -> bool:
        """Nothing in it can be used; it was paid for all the same."""
        nothing = self.finish == "length" and not self.tool_calls and not self.text.strip()
        return nothing or self.finish in ("malformed", "empty")

    @property
    def text(self) -> str:
        return "".join(part.text for part in self.parts if isinstance(part, TextPart))

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        return tuple(part for part in self.parts if isinstance(part, ToolCall))


class Model(Protocol):
    name: str  # provider:model, as configured

    async def generate(self, request: Request, on_text: Callable[[str], None] | None = None) -> Reply:
        """One model call. With `on_text`, text arrives there in pieces as well, before the reply is whole.

        An empty piece means: forget the pieces of this call, it begins again. Only `Fallback` sends one, never an
        adapter.

        Raises ModelUnavailable (worth another try), ModelTimeout, ModelError (not worth one).
        """
        ...

    async def close(self) -> None: ...
