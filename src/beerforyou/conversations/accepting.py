"""A message comes in: it is committed with the run that will answer it, and a worker is rung for.

Where a person answers (state.py) it is committed alone.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal
from uuid import UUID

import msgspec

from beerforyou.conversations.messages import not_found
from beerforyou.conversations.state import said_event
from beerforyou.errors import Conflict, NotAllowed
from beerforyou.guards.incoming import check_message
from beerforyou.house import House
from beerforyou.labels import SCOPES
from beerforyou.runs.bell import too_many
from beerforyou.runs.idempotency import ONCE, Asked, answered

BUSY_S = 2.0  # how soon to try again for a client whose runs are all at work

OnBusy = Literal["enqueue", "reject", "interrupt"]


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """`person`: a person answers, and there is no run."""

    run_id: UUID | None
    conversation_id: UUID
    status: Literal["queued", "person"] = "queued"

    @property
    def run(self) -> UUID:
        """For whoever can only show what the bot answers. Raises Conflict."""
        if self.run_id is None:
            raise Conflict(f"a person answers in conversation {self.conversation_id}", "your message is kept for them")
        return self.run_id


async def accept(
    house: House,
    client_id: str,
    message: str,
    conversation_id: UUID | None = None,
    scopes: frozenset[str] = SCOPES,
    on_busy: OnBusy = "enqueue",
    asked: Asked = ONCE,
    before_ring: Callable[[UUID], Awaitable[object]] | None = None,
) -> Accepted:
    """Commits the message and its run, tells those who follow, then rings. `before_ring` gets the run that nobody works on yet.

    Raises BadInput, NotAllowed (no such client), NotFound, TooMany, and Conflict (the conversation is busy and
    `on_busy` is reject, or an equal request is under way).
    """
    text = check_message(message, house.settings.max_message_chars)
    await house.pressure.check()
    most, planner = house.settings.client_concurrency, house.settings.planner
    row = await house.database.batch.write(
        "conversations.accept",
        *(conversation_id, client_id, text, sorted(scopes), on_busy, most, asked.key, asked.sent, planner),
    )
    if earlier := answered(row["earlier"]):
        return msgspec.convert(earlier, Accepted)
    if row["refusal"]:
        raise _refusal(row["refusal"], client_id, conversation_id)
    talk, run_id = row["conversation_id"], row["run_id"]
    house.publishing.happened(talk, [said_event(row["message_id"], row["number"], "client", text, run_id)])
    for interrupted in row["interrupted"]:
        house.publishing.cancelling(interrupted)
    if run_id is None:
        return Accepted(run_id=None, conversation_id=talk, status="person")
    house.pressure.one_more()
    try:
        if before_ring:
            await before_ring(run_id)
    finally:  # who hung up meanwhile has a run all the same
        house.bell.ring(run_id)
    return Accepted(run_id=run_id, conversation_id=talk)


def _refusal(why: str, client_id: str, conversation_id: UUID | None) -> Exception:
    match why:
        case "client":
            return NotAllowed(f"the client {client_id} is not known here", "ask the operator to load it")
        case "conversation":
            assert conversation_id is not None
            return not_found(conversation_id)
        case "many":
            return too_many("too many of your messages are waiting for an answer", BUSY_S)
        case _:
            hint = "wait for the answer before, or send on_busy as enqueue or interrupt"
            return Conflict(f"conversation {conversation_id} is busy with another message", hint)
