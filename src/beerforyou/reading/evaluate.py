"""Measures reading on an evaluation set: is the tool right, and are the arguments, after the catalogue's own matching?

A line may carry `context` (the fields of Context) or `history` (earlier messages of the client, oldest first).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import msgspec

from beerforyou.catalogue.brewery import Place
from beerforyou.catalogue.brewery_types import resolve_type
from beerforyou.catalogue.index import Catalogue
from beerforyou.catalogue.names import BreweryName, fold
from beerforyou.errors import BadInput
from beerforyou.reading.read import read
from beerforyou.reading.reading import Context, Reading, Tool

_PLACE = ("city", "state", "country")
_SEARCH = (*_PLACE, "type", "name", "only_new")


class Line(msgspec.Struct):
    text: str
    tool: Tool
    args: dict[str, str | bool | None] = {}
    context: Context = Context()
    history: tuple[str, ...] = ()
    today: date | None = None


def evaluate(lines: Iterable[dict[str, Any]], catalogue: Catalogue, today: date) -> dict[str, Any]:
    """Each line's `tool` and `args` become what was read; what was expected stays as `expected`. Raises BadInput."""
    results = [_measured(number, line, catalogue, today) for number, line in enumerate(lines, start=1)]
    languages = {line["lang"] for line in results if isinstance(line.get("lang"), str)}
    return {
        "n": len(results),
        "summary": {
            "accuracy": _accuracy(results),
            "by_tool": _by(results, lambda line: line["expected"]["tool"]),
            "by_language": _by(results, lambda line: line.get("lang", "")) if languages else {},
        },
        "lines": results,
    }


def _measured(number: int, raw: dict[str, Any], catalogue: Catalogue, today: date) -> dict[str, Any]:
    try:
        line = msgspec.convert(raw, Line)
    except msgspec.ValidationError as error:
        raise BadInput(f"line {number}: {error}", 'each line needs "text", "tool" and "args"') from None
    reading = read(line.text, catalogue, _context(line, catalogue, today), line.today or today)
    args = _args(reading)
    expected = {name: value for name, value in line.args.items() if value}
    ok = reading.tool == line.tool and _equal(args, expected, catalogue)
    kept = {name: value for name, value in raw.items() if name not in ("tool", "args")}
    return {**kept, "tool": reading.tool, "args": args, "ok": ok, "expected": {"tool": line.tool, "args": expected}}


def _context(line: Line, catalogue: Catalogue, today: date) -> Context:
    """The line's own, or what earlier messages leave behind: the last search or question, and the language."""
    context = line.context
    for text in line.history:
        earlier = read(text, catalogue, context, line.today or today)
        said = {"search": earlier.search, "question": earlier.question} if earlier.search or earlier.question else {}
        context = msgspec.structs.replace(context, language=earlier.language, **said)
    return context


def _args(reading: Reading) -> dict[str, Any]:
    if reading.brewery and reading.search:
        return {"name": reading.brewery.name}
    if reading.search:
        return {name: value for name in _SEARCH if (value := getattr(reading.search, name))}
    return {"brewery": reading.brewery.name} if reading.brewery else {}


def _equal(got: dict[str, Any], expected: dict[str, Any], catalogue: Catalogue) -> bool:
    if bool(got.get("only_new")) != bool(expected.get("only_new")):
        return False
    if resolve_type(_said(got, "type")) != resolve_type(_said(expected, "type")):
        return False
    return _same_place(got, expected, catalogue) and _same_brewery(_named(got), _named(expected), catalogue)


def _said(args: dict[str, Any], name: str) -> str:
    return str(args.get(name, ""))


def _named(args: dict[str, Any]) -> str:
    return _said(args, "name") or _said(args, "brewery")


def _same_place(got: dict[str, Any], expected: dict[str, Any], catalogue: Catalogue) -> bool:
    """The same words, or words that mean the same place: "CA" and "California", a state in the city's field."""
    a, b = ([_said(args, field) for field in _PLACE] for args in (got, expected))
    if [fold(text) for text in a] == [fold(text) for text in b]:
        return True
    meant = catalogue.places.resolve(a[0], a[1], a[2])
    return isinstance(meant, Place) and meant != Place() and meant == catalogue.places.resolve(b[0], b[1], b[2])


def _same_brewery(got: str, expected: str, catalogue: Catalogue) -> bool:
    """Names of one form, or of one brewery."""
    if not got or not expected:
        return got == expected
    a, b = BreweryName.of(got), BreweryName.of(expected)
    if a.key == b.key or a.brand == b.brand:
        return True
    found = [{match.brewery.id for match in catalogue.find(name)} for name in (got, expected)]
    return not found[0].isdisjoint(found[1])


def _by(results: list[dict[str, Any]], key: Any) -> dict[str, dict[str, Any]]:
    groups: dict[str, list[dict[str, Any]]] = {}
    for line in results:
        groups.setdefault(key(line), []).append(line)
    return {name: {"n": len(group), "accuracy": _accuracy(group)} for name, group in sorted(groups.items())}


def _accuracy(results: list[dict[str, Any]]) -> float:
    return sum(line["ok"] for line in results) / len(results) if results else 0.0
