"""A request that is repeated with its Idempotency-Key gets the answer of the first; `core.once` keeps it."""

from __future__ import annotations

from typing import Any

import msgspec

from beerforyou.errors import BadInput, Conflict


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """How a request came, so that its repetition is known: its Idempotency-Key, if it has one, and a hash of all of it."""

    key: str | None = None
    sent: bytes = b""


ONCE = Asked()  # without a key


def answered(earlier: str | None) -> dict[str, Any] | None:
    """The answer that `core.once` kept, None for a first request.

    Raises Conflict (an equal request is under way) and BadInput (the key belongs to another one).
    """
    found: dict[str, Any] = msgspec.json.decode(earlier) if earlier else {"state": "first"}
    match found["state"]:
        case "in flight":
            raise Conflict(
                "a request with the same Idempotency-Key is still being worked on", "send it again in a moment"
            )
        case "other":
            raise BadInput(
                "Idempotency-Key: it was used before with another request", "use a new key for a new request"
            )
    return found.get("answer")
