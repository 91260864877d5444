"""What a turn brought, beside what it should have brought. Calls are compared by what they bring and SQL by its rows, never by how
they were written: another way to the same answer is right.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, product
from typing import Any, NamedTuple

import msgspec
from msgspec import ValidationError, convert

from beerforyou.catalogue.index import Catalogue
from beerforyou.catalogue.names import fold, plain
from beerforyou.tools import TOOLS

NEAR = 0.06  # what is rounded to one decimal is the same
LEAST_ROWS = 3  # of a ranking whose length nobody named
MOST_PAIRINGS = 500  # of columns, that are tried
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")

Row = Sequence[Any]
Content = dict[str, Any]


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a call should bring. Of a table `columns` are those that matter (none: all); `ordered`: its rows stand in an order; `open`:
    nobody said how many; `apart`: its figures may come in several columns or results as well. Of a list `exact`: so
    many are shown; `counted`: how many there are is all."""

    tool: str
    content: Content
    args: dict[str, Any] = {}
    columns: tuple[str, ...] = ()
    ordered: bool = False
    open: bool = False
    apart: bool = False
    exact: bool = False
    counted: bool = False


class Made(NamedTuple):
    """A call, and what came of it."""

    tool: str
    args: dict[str, Any]
    content: Content


def brought(wanted: Wanted, made: Sequence[Made]) -> bool:
    """By one of these calls; figures apart, by all of them."""
    if any(_same(wanted, each.content) or _equal_calls(wanted, each) for each in made):
        return True
    return wanted.apart and _holds(_rows(wanted), [row for each in made for row in _table(each.content) or ()])


def _same(wanted: Wanted, content: Content) -> bool:
    """An error tells nothing of what was asked for."""
    expected = wanted.content
    if (rows := _table(content)) is not None and _table(expected) is not None:
        return _equal_rows(wanted, rows)
    if "breweries" in expected:
        return "breweries" in content and _same_list(wanted, content)
    for key in ("facts", "name", "profile", "ask"):
        if key in expected:
            return key in content and _told(expected[key]) == _told(content[key])
    return False


def _equal_calls(wanted: Wanted, made: Made) -> bool:
    """As the tool reads the arguments."""
    kind = TOOLS[wanted.tool].args if wanted.args and made.tool == wanted.tool else None
    try:
        return kind is not None and convert(_small(wanted.args), kind) == convert(_small(made.args), kind)
    except ValidationError:
        return False


def _small(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _small(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_small(each) for each in value]
    return value.lower() if isinstance(value, str) else value


def _table(content: Content) -> list[Row] | None:
    """The rows of what was asked of purchases: a figure is one of one cell, and a row of nothing is none."""
    if "figure" in content:
        return [[content["figure"]]]
    if "nothing" in content:
        return []
    return _filled(content["rows"]) if "columns" in content else None


def _same_list(wanted: Wanted, content: Content) -> bool:
    """As far as both go, unless a number was named; a list will do where the total alone was asked for."""
    names, others = ([each["name"] for each in found["breweries"]] for found in (wanted.content, content))
    if wanted.content["total"] != content["total"]:
        return False
    if wanted.counted or not names:
        return True
    if wanted.exact:
        return names == others
    return bool(others) and all(one == other for one, other in zip(names, others, strict=False))


def _told(value: Any) -> Any:
    """Of facts the breweries, in any order."""
    return sorted(each["name"] for each in value) if isinstance(value, list) else value


def _rows(wanted: Wanted) -> list[Row]:
    """In the columns that matter; a figure has but one."""
    rows, names = _table(wanted.content) or [], wanted.content.get("columns", ())
    kept = [n for n, name in enumerate(names) if (name in wanted.columns if wanted.columns else name != "among")]
    return _filled([[row[n] for n in kept] for row in rows]) if names else rows


def _filled(rows: Sequence[Row]) -> list[Row]:
    """A row of nothing is none."""
    return [row for row in rows if any(value is not None for value in row)]


def _equal_rows(wanted: Wanted, rows: Sequence[Row]) -> bool:
    """Whether some of the columns of `rows` are those that matter."""
    expected = _rows(wanted)
    if wanted.open and min(len(rows), len(expected)) >= LEAST_ROWS:
        shown = min(len(rows), len(expected))
        expected, rows = expected[:shown], rows[:shown]
    if len(rows) != len(expected):
        return False
    if not rows:
        return True
    return any(
        _equal(expected, [[row[n] for n in chosen] for row in rows], wanted.ordered)
        for chosen in _pairings(expected, rows)
    )


def _pairings(expected: Sequence[Row], rows: Sequence[Row]) -> Iterator[tuple[int, ...]]:
    """Columns of `rows` that hold, each for itself, the values of the expected ones."""
    columns, others = list(zip(*expected, strict=True)), list(zip(*rows, strict=True))
    fitting = [
        [n for n, other in enumerate(others) if _equal([[v] for v in column], [[v] for v in other], False)]
        for column in columns
    ]
    return (chosen for chosen in islice(product(*fitting), MOST_PAIRINGS) if len(set(chosen)) == len(chosen))


def _equal(expected: Iterable[Row], rows: Iterable[Row], ordered: bool) -> bool:
    left, right = ([[_plain(value) for value in row] for row in each] for each in (expected, rows))
    if not ordered:
        left, right = sorted(left, key=_rank), sorted(right, key=_rank)
    return all(_alike(a, b) for one, other in zip(left, right, strict=True) for a, b in zip(one, other, strict=True))


def _holds(expected: Sequence[Row], rows: Sequence[Row]) -> bool:
    """Whether every figure is somewhere in them, and little else."""
    figures = [value for row in expected for value in map(_plain, row) if isinstance(value, float)]
    others = [value for row in rows for value in map(_plain, row) if isinstance(value, float)]
    return bool(figures) and len(others) <= 3 * len(figures) and all(any(_alike(a, b) for b in others) for a in figures)


def _rank(row: Row) -> list[tuple[str, Any]]:
    return [(type(value).__name__, round(value) if isinstance(value, float) else value or "") for value in row]


def _plain(value: Any) -> float | str | None:
    """A weekday is its number, whatever it is called; a month or a day is that, whatever stands behind."""
    if value is None or isinstance(value, int | float):
        return None if value is None else float(value)
    text = str(value).strip().casefold()
    if text in WEEKDAYS:
        return float(WEEKDAYS.index(text) + 1)
    if _DATE.match(text):
        return text[:7] if text[8:10] == "01" else text[:10]
    try:
        return float(text)
    except ValueError:
        return text


def _alike(one: float | str | None, other: float | str | None) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) <= NEAR
    return one == other


def ungrounded(sentence: str, material: Any, catalogue: Catalogue) -> list[str]:
    """Numbers and names of breweries in the sentence that the material (plain data) has not. How long its lists are is known too, and a
    number may be rounded; what a model worked out by itself is found nowhere."""
    told = list(_scalars(material))
    known = [float(each) for each in told if isinstance(each, int | float)]
    texts = [each for each in told if isinstance(each, str)]
    known += [number for text in texts for each in _NUMBER.findall(text) for number, _ in _readings(each)]
    numbers = [text for text in _NUMBER.findall(sentence) if not _known(text, known)]
    said, there = plain(sentence).split(), f" {' '.join(map(fold, texts))} "
    named = {" ".join(said[m.start : m.end]) for m in catalogue.mentions(said) if m.kind == "brewery" and m.full}
    return numbers + sorted(name for name in named if " " in name and f" {fold(name)} " not in there)


def _scalars(material: Any) -> Iterator[Any]:
    if isinstance(material, dict):
        material = list(material.values())
    if isinstance(material, list | tuple):
        yield len(material)
        for each in material:
            yield from _scalars(each)
    else:
        yield material


def _known(text: str, known: Sequence[float]) -> bool:
    return any(
        abs(number - each) <= 0.5 * 10**-decimals + 1e-9 for number, decimals in _readings(text) for each in known
    )


def _readings(text: str) -> set[tuple[float, int]]:
    """A number with its decimals, as one language or the other writes it."""
    return {_read(text, ",", "."), _read(text, ".", ",")}


def _read(text: str, thousands: str, point: str) -> tuple[float, int]:
    whole, _, decimals = text.replace(thousands, "").partition(point)
    decimals = decimals.replace(point, "")
    return float(f"{whole}.{decimals or 0}"), len(decimals)
