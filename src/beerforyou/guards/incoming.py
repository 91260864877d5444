"""What a message must be before anything else looks at it, and a name before it is stored."""

from __future__ import annotations

import re
import unicodedata

from beerforyou.errors import BadInput
from beerforyou.guards.characters import CONTROLS, UNSEEN, UNSEEN_BEYOND

CONTROL = re.compile(f"[\n{CONTROLS}]")
_NO_MESSAGE = re.compile(f"(?![\t\r\u2028\u2029])[{CONTROLS}\ud800-\udfff]")
_INVISIBLE = re.compile(f"[{UNSEEN}{UNSEEN_BEYOND}\u2800]")  # the last is Braille's blank, which no name needs


def check_message(text: str, longest: int) -> str:
    """The message, stripped. Raises BadInput when it is empty, too long or holds control characters."""
    stripped = text.strip()
    if not stripped:
        raise BadInput("message: it is empty", "write what you would like to know")
    if len(stripped) > longest:
        raise BadInput(f"message: it has {len(stripped)} characters, and {longest} are allowed", "ask in fewer words")
    if found := _NO_MESSAGE.search(stripped):
        where = f"character {found.start() + 1} is the control character U+{ord(found[0]):04X}"
        raise BadInput(f"message: {where}", "send plain text")
    return stripped


def as_seen(name: str) -> str:
    """What is left to be seen, so that no two names differ by what nobody sees: composed (NFC), every run of blanks of any
    kind a plain one, none at the ends.
    """
    if not name.isascii():
        name = unicodedata.normalize("NFC", _INVISIBLE.sub("", name))
    return " ".join(name.split())


def hides(text: str) -> bool:
    """Whether it holds a character that nobody sees."""
    return not text.isascii() and _INVISIBLE.search(text) is not None
