"""Tool calls as providers really send them: without ids, with the same id twice, with arguments that are no object."""

from __future__ import annotations

from functools import cached_property
from typing import Any
from uuid import uuid4

import msgspec

from beerforyou.llm.model import Request, ToolCall

OURS = "call-bfy-"
# An argument that no tool declares: whoever checks the arguments finds it there, with what the model wrote.
NOT_AN_OBJECT = "not_an_object"
# Another, in place of what the model wrote: it says why such a call is not made.
NOT_MADE = "not_made"
LONGEST_JSON = 30_000  # bytes of arguments: six for each character that `settling` allows, the longest way to write one
LONGEST_ID = 256  # those of providers have 9 to 64 characters, two of them joined by pydantic-ai


class CallIds:
    """The ids that a conversation has used; some servers number their calls anew in each reply."""

    def __init__(self, request: Request) -> None:
        self._request = request

    @cached_property
    def _used(self) -> set[str]:
        """Looked for with the first call: most replies make none."""
        parts = (part for message in self._request.messages for part in message.parts)
        return {part.id for part in parts if isinstance(part, ToolCall)}

    def settle(self, sent: str | None) -> str:
        """The provider's own id where it is unique, one of ours otherwise, or where it is no id."""
        fits = sent and len(sent) <= LONGEST_ID and sent.isascii() and sent.isprintable()
        call_id = sent if sent and fits and sent not in self._used else OURS + uuid4().hex
        self._used.add(call_id)
        return call_id


def is_ours(call_id: str) -> bool:
    return call_id.startswith(OURS)


def parsed(args: bytes | str) -> Any:
    """JSON as a provider wrote it. Not what is longer than it may be in any way of writing it: that is left a text, which
    is too long for whoever checks the arguments."""
    try:
        if len(args) <= LONGEST_JSON:
            return msgspec.json.decode(args) if args else None
    except (msgspec.DecodeError, RecursionError):
        pass
    return args if isinstance(args, str) else str(args, errors="replace")


def as_object(args: Any) -> dict[str, Any]:
    """What the model wrote is the planner's to judge; this only keeps it in a dict."""
    if isinstance(args, dict):
        return args
    return {} if args in (None, "") else {NOT_AN_OBJECT: args}
