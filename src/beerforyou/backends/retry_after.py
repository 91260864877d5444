"""The Retry-After header: seconds, or a date."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def seconds(value: str) -> float | None:
    """None where the header is missing or says nothing usable."""
    try:
        wait = float(value)
    except ValueError:
        wait = _until(value)
    return wait if 0 <= wait < math.inf else None


def _until(date: str) -> float:
    try:
        return max(0.0, (parsedate_to_datetime(date).astimezone(UTC) - datetime.now(UTC)).total_seconds())
    except ValueError:
        return math.nan
