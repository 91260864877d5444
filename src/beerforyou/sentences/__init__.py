"""The sentences a client sees, one table per language, with the same keys in each; and numbers and days as the locale
named in that table writes them. A key with `_one` beside it is used when `n` is 1.
"""

import tomllib
from datetime import date
from functools import cache, lru_cache
from importlib import resources
from string import Formatter
from typing import Any, Literal, NamedTuple

from babel import Locale
from babel.dates import DateTimePattern, parse_pattern
from babel.numbers import get_currency_precision, get_currency_symbol, get_decimal_symbol, get_group_symbol

FOLDER = resources.files(__name__)
Language = str  # the name of its file
LANGUAGES: tuple[Language, ...] = tuple(
    sorted(file.name.removesuffix(".toml") for file in FOLDER.iterdir() if file.name.endswith(".toml"))
)


_FORMATS = ("z,.0f", "z,.1f", "z,.2f")  # by decimals; a format that is known costs half of one that is put together


class _Table(NamedTuple):
    """`complete` are the sentences that no value fills, as they are said; `marks` what the locale writes for Python's comma
    and point, where it is something else; `places` those whose preposition is one of their own.
    """

    sentences: dict[str, str]
    complete: dict[str, str]
    english: str
    locale: Locale
    day: DateTimePattern
    marks: dict[int, str]
    places: dict[str, str]


@cache
def _table(language: Language) -> _Table:
    rooms = tomllib.loads((FOLDER / f"{language}.toml").read_text("utf-8"))
    manner = rooms.pop("language")
    locale = Locale.parse(manner["locale"], sep="-")
    sentences = {f"{room}.{key}": text for room, table in rooms.items() for key, text in table.items()}
    marks = {",": get_group_symbol(locale), ".": get_decimal_symbol(locale)}
    return _Table(
        sentences,
        {key: text.format() for key, text in sentences.items() if not _has_fields(text)},
        manner["english"],
        locale,
        parse_pattern(locale.date_formats.get(manner["day"], manner["day"])),
        str.maketrans({ours: theirs for ours, theirs in marks.items() if ours != theirs}),
        manner.get("places", {}),
    )


def _has_fields(text: str) -> bool:
    return any(field is not None for _, field, _, _ in Formatter().parse(text))


def sentences(language: Language) -> dict[str, str]:
    """All sentences of a language: {"search.found": "..."}."""
    return _table(language).sentences


def in_english(language: Language) -> str:
    return _table(language).english


def say(key: str, language: Language, **values: Any) -> str:
    table = _table(language)
    if "n" in values and values["n"] == 1 and f"{key}_one" in table.sentences:
        key = f"{key}_one"
    if key in table.complete:
        return table.complete[key]
    for name, value in values.items():
        if type(value) is not str:
            values[name] = _written(value, language)
    return table.sentences[key].format_map(values)


def located(place: str, language: Language) -> str:
    """ "in Texas", "no Texas": a place of the catalogue, with the preposition that it has in the language."""
    return _table(language).places.get(place) or say("word.in", language, place=place)


def has(key: str, language: Language) -> bool:
    return key in sentences(language)


def _written(value: Any, language: Language) -> Any:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return number(value, language)
    return day(value, language) if isinstance(value, date) else value


def number(value: int | float, language: Language, decimals: Literal[0, 2] | None = None) -> str:
    """1234.5 is "1,234.5" in English and "1.234,5" in Portuguese. (Babel's `format_decimal` takes four times as long, and
    raises for a number of 29 digits, which SQL of a model may well return. Its locales with groups of two are not served.)
    """
    if type(value) is int and -1000 < value < 1000 and not decimals:  # most of them, and written alike everywhere
        return str(value)
    places = decimals if decimals is not None else (0 if isinstance(value, int) or value == int(value) else 1)
    written, marks = format(value, _FORMATS[places]), _table(language).marks
    return written.translate(marks) if marks else written


def percent(value: float, language: Language, signed: bool = False) -> str:
    """Of a value that is in percent: 14.8 is "14.8%"."""
    pattern = _table(language).locale.percent_formats[None]
    return f"{'+' if signed and value > 0 else ''}{number(value, language)}{_blanks(pattern.suffix[0])}"


def money(value: float, language: Language, currency: str, signed: bool = False) -> str:
    """ "R$ 1.234,50": the symbol, its place and the decimals are the locale's, for this currency."""
    before, after, decimals = _manner(language, currency)
    sign = "-" if value < 0 else "+" if signed and value > 0 else ""
    return f"{sign}{before}{number(abs(value), language, decimals)}{after}"


@cache
def _manner(language: Language, currency: str) -> tuple[str, str, Literal[0, 2]]:
    locale = _table(language).locale
    pattern, symbol = locale.currency_formats["standard"], get_currency_symbol(currency, locale)
    before, after = (_blanks(part[0].replace("¤", symbol)) for part in (pattern.prefix, pattern.suffix))
    return before, after, 2 if get_currency_precision(currency) else 0


def _blanks(text: str) -> str:
    """Plain ones, as people search for them."""
    return text.replace("\xa0", " ").replace("\u202f", " ")


def month_name(number: int, language: Language) -> str:
    return str(_table(language).locale.months["stand-alone"]["wide"][number])


@lru_cache(1024)  # a day is asked about again and again
def day(value: date, language: Language) -> str:
    table = _table(language)
    return table.day.apply(value, table.locale)


def listed(words: list[str], language: Language, last: Literal["and", "or"] = "and") -> str:
    """ "a, b and c"; Babel's English has a comma before its "and", which ours has not."""
    *first, final = words or [""]
    return f"{', '.join(first)} {say(f'word.{last}', language)} {final}" if first else final
