"""Names as people see them: without the characters that nobody sees, so that no two differ by one."""

from __future__ import annotations

import re
import unicodedata

# Beside what Unicode calls format characters (Cf: zero width, direction, tags...), what it names "default ignorable" and
# draws as nothing: Unicode 17, DerivedCoreProperties.txt. And a blank that is a letter of Braille.
_IGNORED = "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2065\u2800\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufff8\U000e0000-\U000e0fff"
_FORMAT = "".join(
    chr(c) for c in range(0x20000) if unicodedata.category(chr(c)) == "Cf"
)  # none above but those ignored
INVISIBLE = re.compile(f"[{_IGNORED}{_FORMAT}]")


def as_seen(text: str) -> str:
    """What is left to be seen: composed (NFC), every run of blanks of any kind a plain one, none at the ends."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", INVISIBLE.sub("", text))
    return " ".join(text.split())
