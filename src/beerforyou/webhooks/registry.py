"""Webhooks, as the Standard Webhooks specification has them: where a client wants to be told that a run has ended.

`core.post` writes the outbox, `beerforyou.webhooks.delivery` sends it. Secrets are derived from a key of the
installation and are kept nowhere.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Any, Literal
from urllib.parse import SplitResult, urlsplit
from uuid import UUID

import msgspec
import standardwebhooks

from beerforyou.db.database import Database
from beerforyou.errors import BadInput, Conflict, NotAllowed, NotFound
from beerforyou.outside import public as outside
from beerforyou.runs.idempotency import ONCE, Asked, answered
from beerforyou.runs.run import Run, run_of
from beerforyou.settings import Settings, kept_secret

MOST = 10  # webhooks of one client: each gets a message for each of its runs
LONGEST_URL = 2000  # characters; longer ones break proxies on the way
ROTATION = timedelta(hours=24)  # how long the secret before is used too, so that a receiver can change without a gap
LISTED = 1000  # messages that an operator is shown at a time

HTTPS = "give an address such as https://example.com/hooks/beer"


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


def installation_key(settings: Settings) -> str:
    """Raises SetupError. Without one of its own it is made of the key that all processes share in any case."""
    if settings.webhook_secret:
        return kept_secret(settings, "webhook_secret")
    return hmac.digest(kept_secret(settings, "identity_secret").encode(), b"webhooks", "sha256").hex()


def secret(key: str, webhook_id: UUID, version: int) -> str:
    """`key` is the installation's."""
    derived = hmac.digest(key.encode(), f"{webhook_id}|{version}".encode(), "sha256")
    return "whsec_" + base64.b64encode(derived).decode()


def message_name(message_id: UUID) -> str:
    """What the receiver knows it by, at each attempt: `webhook-id`."""
    return f"msg_{message_id.hex}"


def signed(key: str, row: Mapping[str, Any], now: datetime) -> tuple[dict[str, str], bytes]:
    """Headers and body of a message, a row of `webhooks.due`. `now` is aware, in UTC: the library takes it for that."""
    name, body = message_name(row["message_id"]), _body(row)
    secrets = [secret(key, row["webhook_id"], version) for version in _versions(row, now)]
    signatures = [standardwebhooks.Webhook(each).sign(name, now, body.decode()) for each in secrets]
    headers = {
        "content-type": "application/json",
        "webhook-id": name,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
    return headers, body


def _versions(row: Mapping[str, Any], now: datetime) -> list[int]:
    version: int = row["secret_version"]
    both = row["rotated_at"] is not None and now < row["rotated_at"] + ROTATION
    return [version, version - 1] if both else [version]


def _body(row: Mapping[str, Any]) -> bytes:
    """The same bytes at each attempt: of a run that has ended, nothing changes."""
    run = run_of(row)
    assert run.finished_at, "the outbox is of runs that have ended"
    return msgspec.json.encode(RunFinished(type="run.finished", timestamp=run.finished_at, data=run))


def check_url(url: str, settings: Settings) -> None:
    """Raises BadInput. Where the name leads is looked at again by each socket."""
    opened = outside.networks(settings)
    if len(url) > LONGEST_URL:
        raise BadInput(f"url: it is longer than {LONGEST_URL} characters", "give a shorter one")
    if not url.isprintable() or " " in url:
        raise BadInput("url: it has blanks or control characters in it", HTTPS)
    parts = _parts(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and opened):
        raise BadInput(f"url: it begins with {parts.scheme or 'no scheme'}, not with https", HTTPS)
    if "@" in parts.netloc:
        raise BadInput("url: it has a user name or password in it", "messages are signed: check the signature instead")
    if "#" in url:
        raise BadInput("url: it has a fragment, which is never sent", "leave out # and what follows")
    if not _host_is_open(parts.hostname or "", opened):
        raise BadInput(f"url: {parts.hostname} is not a public address", "messages can only go to the internet")


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        (parts.hostname or "").encode("idna")
        if parts.hostname and parts.port != 0:
            return parts
    except ValueError:  # of the port, of brackets, or of a name that cannot be one
        pass
    raise BadInput("url: it has no host, or one that cannot be", HTTPS)


def _host_is_open(host: str, opened: Sequence[outside.Network]) -> bool:
    """Of a host that is an address already; names are known when they are looked up."""
    try:
        ip_address(host)
    except ValueError:
        return True
    return outside.reachable(host, opened)


async def add(database: Database, settings: Settings, client_id: str, url: str, asked: Asked = ONCE) -> AddedWebhook:
    """Raises BadInput, NotAllowed (no such client) and Conflict."""
    check_url(url, settings)
    row = await database.batch.write("webhooks.add", client_id, url, MOST, asked.key, asked.sent)
    assert row is not None
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
    if await database.batch.write("webhooks.remove", client_id, webhook_id) is None:
        raise _not_found(webhook_id)


async def rotate(
    database: Database, settings: Settings, client_id: str, webhook_id: UUID, asked: Asked = ONCE
) -> RotatedWebhook:
    """A new secret. Raises NotFound, and Conflict and BadInput for the key."""
    row = await database.batch.write("webhooks.rotate", client_id, webhook_id, asked.key, asked.sent)
    assert row is not None
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
