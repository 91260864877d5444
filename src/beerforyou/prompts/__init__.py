"""What models are told, as Markdown files. The system prompt and the tools are equal for every client, so that the
provider's own cache can reuse them; what differs comes after the conversation, with the rules once more.
"""

import hashlib
from datetime import date
from functools import lru_cache
from importlib import resources
from typing import Any

import msgspec

from beerforyou.sentences import Language, in_english

_FOLDER = resources.files(__name__)
_REMINDER = (_FOLDER / "reminder.md").read_text("utf-8").strip()

_AGAIN = (_FOLDER / "again.md").read_text("utf-8").strip()  # after a reply that made no sense
_HINT = (_FOLDER / "hint.md").read_text("utf-8").strip()
EARLIER = (_FOLDER / "earlier.md").read_text("utf-8").strip()  # before the summary of old turns
SQL = (_FOLDER / "sql.md").read_text("utf-8").strip()  # of tool 1B
SYSTEM = (_FOLDER / "system.md").read_text("utf-8").strip()
VERSION = hashlib.sha256((SYSTEM + SQL + _REMINDER + EARLIER + _AGAIN + _HINT).encode()).hexdigest()[:12]


@lru_cache(64)  # two or three days at a time, by the clients' zones, in each language
def reminder(today: date, language: Language) -> str:
    """Says nothing about the client, so that what the model makes of public results stays public."""
    return _REMINDER.format(today=f"{today:%A} {today}", language=in_english(language))


def again(why: str) -> str:
    return _AGAIN.format(why=why)


def hint(likely: Any) -> str:
    """What a rule reads in the client's last message: JSON, since the words in it are the client's. Empty where it reads nothing."""
    return _HINT.format(quoted=msgspec.json.encode(likely).decode()) if likely else ""
