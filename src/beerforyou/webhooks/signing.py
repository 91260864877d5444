"""Signatures of the Standard Webhooks specification. Secrets are derived from a key of the installation and kept nowhere."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import standardwebhooks

from beerforyou.settings import Settings, kept_secret

ROTATION = timedelta(hours=24)  # how long the secret before is used too, so that a receiver can change without a gap


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


def headers(key: str, row: Mapping[str, Any], body: bytes, now: datetime) -> dict[str, str]:
    """Of a message, a row of `webhooks.due`. `now` is aware, in UTC: the library takes it for that."""
    name = message_name(row["message_id"])
    secrets = [secret(key, row["webhook_id"], version) for version in _versions(row, now)]
    signatures = [standardwebhooks.Webhook(each).sign(name, now, body.decode()) for each in secrets]
    return {
        "content-type": "application/json",
        "webhook-id": name,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def _versions(row: Mapping[str, Any], now: datetime) -> list[int]:
    version: int = row["secret_version"]
    both = row["rotated_at"] is not None and now < row["rotated_at"] + ROTATION
    return [version, version - 1] if both else [version]
