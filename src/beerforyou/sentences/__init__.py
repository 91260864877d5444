"""The sentences a client sees, one table per language, with the same keys in each; and numbers and days as that
language writes them. A key with `_one` beside it is used when `n` is 1.
"""

import tomllib
from datetime import date
from functools import cache
from importlib import resources
from typing import Any, Literal

Language = Literal["pt", "en"]
FILES: dict[Language, str] = {"pt": "pt-BR.toml", "en": "en.toml"}


@cache
def sentences(language: Language) -> dict[str, str]:
    """All sentences of a language: {"search.found": "..."}."""
    tables = tomllib.loads((resources.files(__name__) / FILES[language]).read_text("utf-8"))
    return {f"{room}.{key}": text for room, table in tables.items() for key, text in table.items()}


def say(key: str, language: Language, **values: Any) -> str:
    table = sentences(language)
    chosen = f"{key}_one" if values.get("n") == 1 and f"{key}_one" in table else key
    return table[chosen].format(**{name: _written(value, language) for name, value in values.items()})


def has(key: str, language: Language) -> bool:
    return key in sentences(language)


def _written(value: Any, language: Language) -> Any:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return number(value, language)
    return day(value, language) if isinstance(value, date) else value


def number(value: int | float, language: Language, decimals: int | None = None) -> str:
    """1234.5 is "1,234.5" in English and "1.234,5" in Portuguese."""
    places = decimals if decimals is not None else (0 if isinstance(value, int) or value == int(value) else 1)
    text = f"{value:,.{places}f}"
    return text if language == "en" else text.translate(str.maketrans(",.", ".,"))


def day(value: date, language: Language) -> str:
    return value.strftime("%d/%m/%Y") if language == "pt" else f"{value:%B} {value.day}, {value.year}"


def listed(words: list[str], language: Language, last: Literal["and", "or"] = "and") -> str:
    """ "a, b and c"."""
    *first, final = words or [""]
    return f"{', '.join(first)} {say(f'word.{last}', language)} {final}" if first else final
