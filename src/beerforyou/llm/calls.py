"""Tool calls as providers really send them: without ids, with the same id twice, with arguments that are no object."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from beerforyou.llm.model import Request, ToolCall

OURS = "call-bfy-"
# An argument that no tool declares: whoever checks the arguments finds it there, with what the model wrote.
NOT_AN_OBJECT = "not_an_object"


class CallIds:
    """The ids that a conversation has used; some servers number their calls anew in each reply."""

    def __init__(self, request: Request) -> None:
        parts = (part for message in request.messages for part in message.parts)
        self._used = {part.id for part in parts if isinstance(part, ToolCall)}

    def settle(self, sent: str | None) -> str:
        """The provider's own id where it is unique, one of ours otherwise."""
        call_id = sent if sent and sent not in self._used else OURS + uuid4().hex
        self._used.add(call_id)
        return call_id


def is_ours(call_id: str) -> bool:
    return call_id.startswith(OURS)


def as_object(args: Any) -> dict[str, Any]:
    """What the model wrote is the planner's to judge; this only keeps it in a dict."""
    if isinstance(args, dict):
        return args
    return {} if args in (None, "") else {NOT_AN_OBJECT: args}
