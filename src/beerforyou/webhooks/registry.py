"""Webhooks, as the Standard Webhooks specification has them: where a client wants to be told that a run has ended.

`core.finish` writes the outbox, delivery.py sends it, signed as signing.py says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from beerforyou.db.database import Database
from beerforyou.errors import Conflict, NotAllowed, NotFound
from beerforyou.runs.idempotency import ONCE, Asked, answered
from beerforyou.runs.run import Run, run_of
from beerforyou.settings import Settings
from beerforyou.webhooks.addresses import check_url
from beerforyou.webhooks.signing import ROTATION, headers, installation_key, message_name, secret

MOST = 10  # webhooks of one client: each gets a message for each of its runs
LISTED = 1000  # messages that an operator is shown at a time


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """`ended_at`: its receiver answered 410, and gets nothing more."""

    webhook_id: UUID
    url: str
    created_at: datetime
    ended_at: datetime | None = None


class AddedWebhook(Webhook, frozen=True, kw_only=True):
    """`secret` is shown now and never again; messages are signed with it."""

    secret: str


class RotatedWebhook(msgspec.Struct, frozen=True, kw_only=True):
    """The new secret. Until `old_secret_until`, messages are signed with the one before it too."""

    secret: str
    old_secret_until: datetime


class RunFinished(msgspec.Struct, frozen=True, kw_only=True):
    """What a webhook gets: `data` is the run as `GET /v1/runs/{run_id}` shows it."""

    type: Literal["run.finished"]
    timestamp: datetime
    data: Run


def signed(key: str, row: Mapping[str, Any], now: datetime) -> tuple[dict[str, str], bytes]:
    """Headers and body of a message, a row of `webhooks.due`. `key` is the installation's; `now` is in UTC."""
    body = _body(row)
    return headers(key, row, body, now), body


def _body(row: Mapping[str, Any]) -> bytes:
    """The same bytes at each attempt: of a run that has ended, nothing changes."""
    run = run_of(row)
    assert run.finished_at, "the outbox is of runs that have ended"
    return msgspec.json.encode(RunFinished(type="run.finished", timestamp=run.finished_at, data=run))


async def add(database: Database, settings: Settings, client_id: str, url: str, asked: Asked = ONCE) -> AddedWebhook:
    """Raises BadInput, NotAllowed (no such client) and Conflict."""
    check_url(url, settings)
    row = await database.batch.write("webhooks.add", client_id, url, MOST, asked.key, asked.sent)
    made = answered(row["earlier"])
    if made is None and row["refusal"]:
        raise _refusal(row["refusal"], client_id)
    webhook = msgspec.convert(made or msgspec.json.decode(row["made"]), Webhook)
    return AddedWebhook(
        webhook_id=webhook.webhook_id,
        url=webhook.url,
        created_at=webhook.created_at,
        secret=secret(installation_key(settings), webhook.webhook_id, 1),
    )


def _refusal(why: str, client_id: str) -> Exception:
    if why == "client":
        return NotAllowed(f"the client {client_id} is not known here", "ask the operator to load it")
    return Conflict(f"there are {MOST} webhooks already, and no more are possible", "remove one first")


async def remove(database: Database, client_id: str, webhook_id: UUID) -> None:
    """With its messages. Raises NotFound."""
    if not await database.batch.alone("webhooks.remove", client_id, webhook_id):
        raise _not_found(webhook_id)


async def rotate(
    database: Database, settings: Settings, client_id: str, webhook_id: UUID, asked: Asked = ONCE
) -> RotatedWebhook:
    """A new secret. Raises NotFound, and Conflict and BadInput for the key."""
    row = await database.batch.write("webhooks.rotate", client_id, webhook_id, asked.key, asked.sent)
    made = answered(row["earlier"]) or msgspec.json.decode(row["made"] or "null")
    if made is None:
        raise _not_found(webhook_id)
    return RotatedWebhook(
        secret=secret(installation_key(settings), webhook_id, made["secret_version"]),
        old_secret_until=msgspec.convert(made["rotated_at"], datetime) + ROTATION,
    )


def _not_found(webhook_id: UUID) -> NotFound:
    return NotFound(f"there is no webhook {webhook_id}", "list the webhooks to see their ids")


async def listed(database: Database, client_id: str) -> list[Webhook]:
    rows = await database.as_client(client_id).fetch("webhooks.list")
    return [msgspec.convert(dict(row), Webhook) for row in rows]


async def resend(
    database: Database, message_ids: Sequence[UUID] | None = None, client_id: str | None = None
) -> list[UUID]:
    """These messages, or all dead ones, of one client or of everybody, go out again; returns which."""
    rows = await database.batch.alone("webhooks.resend", message_ids, client_id)
    return [row["message_id"] for row in rows]


async def counted(database: Database, client_id: str | None = None) -> list[dict[str, Any]]:
    """The webhooks of a client or of everybody, with their messages by status."""
    return [dict(row) for row in await database.service.fetch("webhooks.counts", client_id)]


async def dead(database: Database, client_id: str | None = None) -> list[dict[str, Any]]:
    """Messages that were given up, newest first."""
    rows = await database.service.fetch("webhooks.messages", "dead", client_id, LISTED)
    return [dict(row) | {"message_id": message_name(row["message_id"])} for row in rows]
