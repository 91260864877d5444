"""What text must be before a client sees it."""

from __future__ import annotations

import unicodedata

# They turn the reading direction, so that a text shows something else than it says.
BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def presentable(text: str) -> str:
    """Stripped, and without control characters: a terminal obeys them."""
    return "".join(c for c in text if c == "\n" or not (c in BIDI or unicodedata.category(c) == "Cc")).strip()
