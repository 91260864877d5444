"""What there is of a run, each made once of its row; the API shows these, and OpenAPI is made of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from beerforyou.blocks import AnyBlock
from beerforyou.db.rows import from_rows
from beerforyou.runs.why import Decision, Planned

EventType = Literal["started", "tool_started", "tool_finished", "text", "answer", "finished", "message", "state"]
StepKind = Literal["model", "rule", "tool"]
Status = Literal["queued", "running", "succeeded", "failed", "cancelled"]


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """`seq` is its place in the run that made it; messages (of clients and operators) and changes of state are made by none.
    `number` is its place in the conversation, 0 where it has none there: what is under way in a run is only told while it is.
    """

    number: int = 0
    run_id: UUID | None = None
    seq: int | None = None
    type: EventType
    data: dict[str, Any]


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A turn of the planner, by a model or by rule, or a tool call, with who may see its result and what that was made from."""

    seq: int
    turn: int
    purpose: str
    call: str
    kind: StepKind
    name: str
    input: Any
    output: Any
    labels: list[str]
    versions: dict[str, str]
    usage: dict[str, int]
    ms: float


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A run as it stands. `text` and `blocks` are the answer; `steps` are there with `?include=steps`.

    `cancel_at` is when somebody asked to cancel it.
    """

    run_id: UUID
    conversation_id: UUID
    status: Status
    outcome: str | None
    text: str | None
    blocks: list[AnyBlock]
    labels: list[str]
    versions: dict[str, str]
    usage: dict[str, int]
    decisions: list[Decision]
    planned: Planned
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    cancel_at: datetime | None
    steps: list[Step] | msgspec.UnsetType = msgspec.UNSET


run_of = from_rows(Run)
steps_of = msgspec.json.Decoder(list[Step]).decode  # of a commit, as the ledger has it
