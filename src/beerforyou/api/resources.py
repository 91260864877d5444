"""What goes over the wire, in both directions. The OpenAPI document is made of these."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from beerforyou.blocks import AnyBlock


class NewRun(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A message. Without `conversation_id` it begins a new conversation.

    While the conversation is busy with another message, this one waits its turn (`enqueue`), is refused (`reject`), or
    cancels the others (`interrupt`).
    """

    message: Annotated[str, Meta(min_length=1)]
    conversation_id: UUID | None = None
    on_busy: Literal["enqueue", "reject", "interrupt"] = "enqueue"


class AcceptedRun(msgspec.Struct, frozen=True, kw_only=True):
    """Committed and queued. `events` is where to follow it."""

    run_id: UUID
    conversation_id: UUID
    status: str
    events: str


class CancelledRun(msgspec.Struct, frozen=True, kw_only=True):
    """`cancelling`: it ends before its next step. Otherwise it had ended before, like this."""

    run_id: UUID
    status: Literal["cancelling", "succeeded", "failed", "cancelled"]


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A model turn or a tool call, with who may see its result and what that was made from."""

    seq: int
    turn: int
    purpose: str
    call: str
    kind: Literal["model", "tool"]
    name: str
    input: Any
    output: Any
    labels: list[str]
    versions: dict[str, str]
    usage: dict[str, int]
    ms: float


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A run as it stands. `text` and `blocks` are the answer; `steps` are there with `?include=steps`.

    `cancel_at` is when somebody asked to cancel it; after `events_expired` it can be read and no longer followed.
    """

    run_id: UUID
    conversation_id: UUID
    status: Literal["queued", "running", "succeeded", "failed", "cancelled"]
    outcome: str | None
    text: str | None
    blocks: list[AnyBlock]
    labels: list[str]
    versions: dict[str, str]
    usage: dict[str, int]
    decisions: list[dict[str, Any]]
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    cancel_at: datetime | None
    events_expired: bool
    steps: list[Step] | msgspec.UnsetType = msgspec.UNSET


class RunFinished(msgspec.Struct, frozen=True, kw_only=True):
    """What a webhook gets: `data` is the run as `GET /v1/runs/{run_id}` shows it."""

    type: Literal["run.finished"]
    timestamp: datetime
    data: Run


class Message(msgspec.Struct, frozen=True, kw_only=True):
    message_id: UUID
    run_id: UUID
    role: Literal["client", "assistant"]
    text: str
    blocks: list[AnyBlock]
    created_at: datetime


class Conversation(msgspec.Struct, frozen=True, kw_only=True):
    conversation_id: UUID
    messages: list[Message]


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """RFC 9457. `detail` says what is wrong and where, `hint` what to do."""

    type: str
    title: str
    status: int
    detail: str
    hint: str = ""
