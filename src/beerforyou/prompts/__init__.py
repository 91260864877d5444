"""What models are told, as Markdown files. The system prompt and the tools are equal for every client, so that the
provider's own cache can reuse them; what differs comes after the conversation, with the rules once more and the question.
"""

import hashlib
from datetime import date
from functools import lru_cache
from importlib import resources
from typing import Any

import msgspec

from beerforyou.guards.canonical import everywhere
from beerforyou.sentences import Language, in_english

LONGEST = 1_000  # characters of a message that are said again: all of it stands in the conversation
_FILES = {
    file.name: file.read_text("utf-8").strip()
    for file in resources.files(__name__).iterdir()
    if file.name.endswith(".md")
}
EARLIER = _FILES["earlier.md"]  # before the summary of old turns
SQL = _FILES["sql.md"]
SYSTEM = _FILES["system.md"]
VERSION = hashlib.sha256("\0".join(_FILES[name] for name in sorted(_FILES)).encode()).hexdigest()[:12]


@lru_cache(128)  # two or three days at a time, by the clients' zones, in each language
def reminder(today: date, language: Language, found: bool = False) -> str:
    """Says nothing about the client, so that what the model makes of public results stays public. `found`: after results."""
    return _FILES["found.md" if found else "reminder.md"].format(
        today=f"{today:%A} {today}", language=in_english(language)
    )


def asked(message: str, hint: Any = None) -> str:
    """The client's message once more, and what a rule reads in it, a text or JSON: each on a line of its own and in quotes,
    which no text of a client's can end. Empty where there is neither."""
    known = {"asked.md": message, "hint.md": hint}
    return "\n".join(_FILES[name].format(quoted=_quoted(said)) for name, said in known.items() if said)


def note(shown: str) -> str:
    """Of a turn that is over."""
    return _FILES["note.md"].format(shown=shown)


def again(why: str) -> str:
    """After a reply that made no sense."""
    return _FILES["again.md"].format(why=why)


def _quoted(said: Any) -> str:
    cut = said[:LONGEST] + "…" if isinstance(said, str) and len(said) > LONGEST else said
    return msgspec.json.encode(everywhere(cut)).decode()[: 2 * LONGEST]
