"""What only the wire has: bodies, and answers that are no rows. What is kept goes out as its room has it."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from beerforyou.conversations.messages import LONGEST_TITLE


class NewRun(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A message. Without `conversation_id` it begins a new conversation.

    While the conversation is busy with another message, this one waits its turn (`enqueue`), is refused (`reject`), or
    cancels the others (`interrupt`).
    """

    message: Annotated[str, Meta(min_length=1)]
    conversation_id: UUID | None = None
    on_busy: Literal["enqueue", "reject", "interrupt"] = "enqueue"


class AcceptedRun(msgspec.Struct, frozen=True, kw_only=True):
    """Committed. `queued`: a run will answer it; `person`: a person will, and there is no run. `events` is where to follow it."""

    run_id: UUID | None
    conversation_id: UUID
    status: Literal["queued", "person"]
    events: str


class RenamedConversation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An empty title takes it away."""

    title: Annotated[str, Meta(max_length=LONGEST_TITLE)]


class CancelledRun(msgspec.Struct, frozen=True, kw_only=True):
    """`cancelling`: it ends before its next step. Otherwise it had ended before, like this."""

    run_id: UUID
    status: Literal["cancelling", "succeeded", "failed", "cancelled"]


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """RFC 9457. `detail` says what is wrong and where, `hint` what to do."""

    type: str
    title: str
    status: int
    detail: str
    hint: str = ""
