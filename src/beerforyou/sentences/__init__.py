"""The sentences a client sees, one table per language, with the same keys in each; and numbers and days as the locale
named in that table writes them. A key with `_one` beside it is used when `n` is 1.
"""

import tomllib
from datetime import date
from functools import cache
from importlib import resources
from typing import Any, Literal, NamedTuple

from babel import Locale
from babel.dates import DateTimePattern, parse_pattern
from babel.numbers import get_decimal_symbol, get_group_symbol

FOLDER = resources.files(__name__)
Language = str  # the name of its file
LANGUAGES: tuple[Language, ...] = tuple(
    sorted(file.name.removesuffix(".toml") for file in FOLDER.iterdir() if file.name.endswith(".toml"))
)


class _Table(NamedTuple):
    """`marks` are what the locale writes for Python's comma and point."""

    sentences: dict[str, str]
    english: str
    locale: Locale
    day: DateTimePattern
    marks: dict[int, str]


@cache
def _table(language: Language) -> _Table:
    rooms = tomllib.loads((FOLDER / f"{language}.toml").read_text("utf-8"))
    manner = rooms.pop("language")
    locale = Locale.parse(manner["locale"], sep="-")
    return _Table(
        {f"{room}.{key}": text for room, table in rooms.items() for key, text in table.items()},
        manner["english"],
        locale,
        parse_pattern(locale.date_formats.get(manner["day"], manner["day"])),
        str.maketrans({",": get_group_symbol(locale), ".": get_decimal_symbol(locale)}),
    )


def sentences(language: Language) -> dict[str, str]:
    """All sentences of a language: {"search.found": "..."}."""
    return _table(language).sentences


def in_english(language: Language) -> str:
    return _table(language).english


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
    """1234.5 is "1,234.5" in English and "1.234,5" in Portuguese. (Babel's `format_decimal` takes four times as long, and
    raises for a number of 29 digits, which SQL of a model may well return. Its locales with groups of two are not served.)
    """
    places = decimals if decimals is not None else (0 if isinstance(value, int) or value == int(value) else 1)
    return f"{value:z,.{places}f}".translate(_table(language).marks)


def day(value: date, language: Language) -> str:
    table = _table(language)
    return table.day.apply(value, table.locale)


def listed(words: list[str], language: Language, last: Literal["and", "or"] = "and") -> str:
    """ "a, b and c"; Babel's English has a comma before its "and", which ours has not."""
    *first, final = words or [""]
    return f"{', '.join(first)} {say(f'word.{last}', language)} {final}" if first else final
