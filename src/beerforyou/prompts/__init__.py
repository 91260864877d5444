"""What models are told, as Markdown files. The system prompt and the tools are equal for every client, so that the
provider's own cache can reuse them; what differs comes after the conversation, with the rules once more.
"""

import hashlib
from datetime import date
from importlib import resources

from beerforyou.catalogue.brewery import Place

_FOLDER = resources.files(__name__)
_REMINDER = (_FOLDER / "reminder.md").read_text("utf-8").strip()
_LANGUAGES = {"pt": "Brazilian Portuguese", "en": "English"}

SYSTEM = (_FOLDER / "system.md").read_text("utf-8").strip()
VERSION = hashlib.sha256((SYSTEM + _REMINDER).encode()).hexdigest()[:12]


def reminder(today: date, name: str, home: Place, language: str) -> str:
    place = ", ".join(filter(None, (home.city, home.state, home.country))) or "unknown"
    return _REMINDER.format(today=f"{today:%A} {today}", name=name, place=place, language=_LANGUAGES[language])
