"""What a script is handed and what it may answer.

A script is a list of answers, used up in order, or a callable from `Ask` to an answer. Answers are written in the
words of `beerforyou.llm.model`; each wire format turns them into what its provider would send.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import msgspec

from beerforyou.llm.model import Content, Reply, ToolResult


class Wire(Protocol):
    """One provider's format. `events` are the parts of a streamed reply, each one a network write."""

    name: str

    def read(self, body: dict[str, Any]) -> tuple[Content, ...]: ...

    def whole(self, reply: Reply, ask: Ask) -> bytes: ...

    def events(self, reply: Reply, ask: Ask) -> Iterator[bytes]: ...

    def error(self, status: int, message: str) -> bytes: ...


class Ask(msgspec.Struct, frozen=True):
    """One request, as it arrived."""

    wire: Wire
    model: str
    stream: bool
    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def messages(self) -> tuple[Content, ...]:
        return self.wire.read(self.body)

    @property
    def results(self) -> tuple[ToolResult, ...]:
        """Every tool result that the conversation holds so far."""
        return tuple(part for message in self.messages for part in message.parts if isinstance(part, ToolResult))


class Fault(msgspec.Struct, frozen=True):
    """An HTTP error in the provider's own words."""

    status: int
    message: str = "simulated"
    headers: dict[str, str] = {}


class Raw(msgspec.Struct, frozen=True):
    """These bytes and nothing else, one network write a piece: recorded replies, garbage, broken streams."""

    pieces: tuple[bytes, ...]
    content_type: str = "application/json"
    status: int = 200
    pause_s: float = 0.0


class Hang(msgspec.Struct, frozen=True):
    """Takes the request and never answers."""


class Drip(msgspec.Struct, frozen=True):
    """An honest reply, a few bytes at a time."""

    reply: Reply
    pause_s: float
    size: int = 8


class Cut(msgspec.Struct, frozen=True):
    """An honest reply whose connection breaks after `keep` bytes."""

    reply: Reply
    keep: int


Answer = Reply | Fault | Raw | Hang | Drip | Cut
Script = Sequence[Answer] | Callable[[Ask], Answer]
