"""What was said, a page at a time, and the client's list of conversations: renamed, read, deleted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import msgspec

from beerforyou.blocks import AnyBlock
from beerforyou.conversations.memory import forget
from beerforyou.db.database import ClientReads
from beerforyou.db.rows import from_rows
from beerforyou.errors import BadInput, BadUsage, NotFound
from beerforyou.house import House

PAGE = 50  # what a page holds unless another size is asked for
LARGEST_PAGE = 200  # messages with their tables; more would hold up others while they are written out
LAST = 2**31 - 1  # the highest number that PostgreSQL's int has
LONGEST_TITLE = 200  # characters
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

State = Literal["bot", "person"]
Role = Literal["client", "assistant", "operator"]


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """`number` is that of its event. `run_id` is the run that answers it, or made it; a person's messages have none."""

    message_id: UUID
    number: int
    run_id: UUID | None
    role: Role
    text: str
    blocks: list[AnyBlock]
    created_at: datetime


class Conversation(msgspec.Struct, frozen=True, kw_only=True):
    """With a page of its messages, oldest first; `before` asks for the page before it, if there is one.

    `last_event`: what is followed after it continues where this ends. `state` says who answers.
    """

    conversation_id: UUID
    title: str
    state: State
    created_at: datetime
    last_message_at: datetime
    last_event: int
    messages: list[Message] = []
    before: int | None = None


class ListedConversation(msgspec.Struct, frozen=True, kw_only=True):
    """`title` is what the client called it; `first_words` what it begins with."""

    conversation_id: UUID
    title: str
    first_words: str
    state: State
    created_at: datetime
    last_message_at: datetime


class ConversationList(msgspec.Struct, frozen=True, kw_only=True):
    """`before` asks for the next page, if there is one."""

    conversations: list[ListedConversation]
    before: str | None = None


_message_of = from_rows(Message)
_conversation_of = from_rows(Conversation)
_listed_of = from_rows(ListedConversation)


async def conversation(
    reads: ClientReads, conversation_id: UUID, before: int | None = None, most: int = PAGE
) -> Conversation:
    """With its last `most` messages before number `before`. Raises NotFound."""
    rows = await reads.fetch("conversations.page", conversation_id, LAST if before is None else before, most + 1)
    if not rows:
        raise not_found(conversation_id)
    messages = [_said(row) for row in rows if row["message_id"] is not None]
    more, page = len(messages) > most, messages[-most:]
    return msgspec.structs.replace(_conversation_of(rows[0]), messages=page, before=page[0].number if more else None)


def _said(row: Mapping[str, Any]) -> Message:
    return _message_of(dict(row) | {"created_at": row["said_at"]})


async def conversations(reads: ClientReads, before: str = "", most: int = PAGE) -> ConversationList:
    """Newest first. One that is written in meanwhile moves to the first page; none is shown twice. Raises BadUsage."""
    at, last = _place(before) if before else (None, None)
    rows = await reads.fetch("conversations.list", at, last, most + 1)
    page = [_listed_of(row) for row in rows[:most]]
    return ConversationList(conversations=page, before=_named(page[-1]) if len(rows) > most else None)


def _named(last: ListedConversation) -> str:
    """The place after it: a time to the microsecond, and the id."""
    return f"{(last.last_message_at - EPOCH) // timedelta(microseconds=1)}-{last.conversation_id.hex}"


def _place(before: str) -> tuple[datetime, UUID]:
    if found := re.fullmatch(r"([0-9]{1,17})-([0-9a-f]{32})", before):
        return EPOCH + timedelta(microseconds=int(found[1])), UUID(found[2])
    raise BadUsage(f"before: {before!r} is not a place in the list", "take it from the page before, or leave it out")


async def rename(house: House, client_id: str, conversation_id: UUID, title: str) -> None:
    """An empty title takes it away. Raises BadInput and NotFound."""
    title = title.strip()
    if len(title) > LONGEST_TITLE or not title.isprintable():
        raise BadInput(
            f"title: it is longer than {LONGEST_TITLE} characters, or has characters in it that are not printed",
            "give a short one of a single line",
        )
    if not await house.database.batch.alone("conversations.rename", conversation_id, client_id, title):
        raise not_found(conversation_id)


async def delete(house: House, client_id: str, conversation_id: UUID) -> None:
    """With all that is kept of it, here and in Valkey. Raises NotFound.

    A run of it that is at work finds itself gone at its next step, as if another worker had it, and writes nothing more.
    """
    row = await house.database.batch.write("conversations.delete", conversation_id, client_id)
    if not row["there"]:
        raise not_found(conversation_id)
    for run_id in row["open"]:
        house.publishing.cancelling(run_id)
    house.publishing.deleted(conversation_id, row["open"])
    await forget(client_id, conversation_id, house.valkey)


def not_found(conversation_id: UUID) -> NotFound:
    return NotFound(f"there is no conversation {conversation_id}", "leave conversation_id out to begin a new one")
