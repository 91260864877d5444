"""What a message must be before anything else looks at it."""

from __future__ import annotations

import unicodedata

from beerforyou.errors import BadInput

ALLOWED_CONTROLS = "\n\t\r"


def check_message(text: str, longest: int) -> str:
    """The message, stripped. Raises BadInput when it is empty, too long or holds control characters."""
    stripped = text.strip()
    if not stripped:
        raise BadInput("message: it is empty", "write what you would like to know")
    if len(stripped) > longest:
        raise BadInput(f"message: it has {len(stripped)} characters, and {longest} are allowed", "ask in fewer words")
    for place, character in enumerate(stripped, start=1):
        if unicodedata.category(character) in ("Cc", "Cs") and character not in ALLOWED_CONTROLS:
            raise BadInput(
                f"message: character {place} is the control character U+{ord(character):04X}", "send plain text"
            )
    return stripped
