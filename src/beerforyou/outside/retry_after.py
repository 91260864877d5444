"""The Retry-After header (RFC 9110, 10.2.3): seconds, or a date."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST = 64  # characters of a header that is read at all; a date has 29
MOST_S = 1e9  # thirty years; who asks for more means never, and gets a number that can be reckoned with


def seconds(value: str) -> float | None:
    """From 0 to MOST_S; None where the header is missing or says nothing usable."""
    value = value.strip()
    if re.fullmatch(r"\d+(\.\d+)?", value, re.ASCII):  # some send a fraction
        return min(float(value), MOST_S)
    try:
        date = parsedate_to_datetime(value) if len(value) <= LONGEST else None
    except (ValueError, OverflowError):  # the second of a year that no integer of C holds
        date = None
    return None if date is None else _until(date)


def _until(date: datetime) -> float:
    """A date without a zone is in UTC, as all of HTTP's are. Not by astimezone: that fails at the end of time."""
    zone = date.utcoffset()
    left = date.replace(tzinfo=UTC) - datetime.now(UTC)
    return min(max(0.0, left.total_seconds() - (zone.total_seconds() if zone else 0.0)), MOST_S)
