"""Rows of Open Brewery DB, from CSV or its API, checked and repaired. All of them are good, or nothing is taken."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator, Mapping
from io import StringIO
from typing import Any

import msgspec

from beerforyou.catalogue.brewery import TYPES, Brewery
from beerforyou.catalogue.geo import repaired
from beerforyou.errors import BadInput
from beerforyou.guards.incoming import CONTROL, as_seen

NEEDED = (
    "id", "name", "brewery_type", "address_1", "city", "state_province", "postal_code", "country", "phone",
    "website_url", "longitude", "latitude",
)  # fmt: skip
FILLED = ("id", "name", "brewery_type", "country")
LONGEST = 1000  # characters of one value; the longest of the real ones, an address of a web page, has 340
LISTED = 5  # bad rows that an error names

Row = tuple[str, Mapping[str, Any] | str]  # where it stands ("line 17"), and its values by column or what is wrong


class Rows(msgspec.Struct, frozen=True):
    """`repaired` counts breweries whose coordinates were swapped, lost a sign, or lay outside their country."""

    breweries: list[Brewery]
    repaired: int


def checked(rows: Iterable[Row], source: str) -> Rows:
    """Raises BadInput, with the first bad rows and where they stand."""
    breweries: dict[str, Brewery] = {}
    where: dict[str, str] = {}
    bad: list[str] = []
    for place, row in rows:
        try:
            brewery = _brewery(row)
            if brewery.id in breweries:
                raise ValueError(f"the id {brewery.id} stands in {where[brewery.id]} already")
        except ValueError as error:
            bad.append(f"{place}: {error}")
        else:
            breweries[brewery.id], where[brewery.id] = brewery, place
    if bad:
        more = f"; and {len(bad) - LISTED} more" if len(bad) > LISTED else ""
        raise BadInput(
            f"{source} has {len(bad)} bad row{'s' * (len(bad) > 1)}: {'; '.join(bad[:LISTED])}{more}",
            "nothing was changed; repair the rows, or take another copy",
        )
    good = [repaired(brewery) for brewery in breweries.values()]
    return Rows(good, sum(after is not before for before, after in zip(breweries.values(), good, strict=True)))


def csv_rows(data: bytes, source: str) -> Iterator[Row]:
    """Raises BadInput when it is no CSV of breweries."""
    reader = csv.reader(StringIO(_decoded(data, source), newline=""), strict=True)
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        if missing := [name for name in NEEDED if name not in header]:
            there = ", ".join(header)[:200] or "nothing"
            raise BadInput(
                f"{source} lacks the column{'s' * (len(missing) > 1)} {', '.join(missing)}; line 1 has {there}",
                "give the CSV that Open Brewery DB publishes",
            )
        for values in reader:
            if values:
                yield f"line {reader.line_num}", _by_column(header, values)
    except csv.Error as error:
        raise BadInput(
            f"{source}, line {reader.line_num}: {error}", "the file seems to be cut off or damaged"
        ) from None


def _by_column(header: list[str], values: list[str]) -> Mapping[str, Any] | str:
    if len(values) != len(header):
        return f"{len(values)} values where line 1 has {len(header)} columns"
    return dict(zip(header, values, strict=True))


def _decoded(data: bytes, source: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadInput(
            f"{source}, line {line}: byte 0x{data[error.start]:02X} is not UTF-8", "save it as UTF-8"
        ) from None


def _brewery(row: Mapping[str, Any] | str) -> Brewery:
    """Raises ValueError with the reason."""
    if isinstance(row, str):
        raise ValueError(row)
    text = {name: _text(name, row.get(name)) for name in (*NEEDED[:-2], "address_2", "address_3")}
    if empty := [name for name in FILLED if not text[name]]:
        raise ValueError(f"{' and '.join(empty)} must not be empty")
    if text["brewery_type"] not in TYPES:
        raise ValueError(f"brewery_type is {text['brewery_type'][:40]!r}; known are {', '.join(TYPES)}")
    return Brewery(
        id=text["id"],
        name=text["name"],
        brewery_type=text["brewery_type"],
        city=text["city"],
        state=text["state_province"],
        country=text["country"],
        address=", ".join(filter(None, (text["address_1"], text["address_2"], text["address_3"]))),
        postal_code=text["postal_code"],
        phone=text["phone"],
        website=text["website_url"],
        latitude=_degrees("latitude", row.get("latitude")),
        longitude=_degrees("longitude", row.get("longitude")),
    )


def _text(name: str, value: Any) -> str:
    text = " ".join(str(value).split()) if value is not None else ""
    if name == "id" and text != as_seen(text):
        raise ValueError(f"{name} is {text[:60]!a}, with characters that nobody sees")
    text = as_seen(text)
    if len(text) > LONGEST:
        raise ValueError(f"{name} is {len(text):,} characters long; {LONGEST} fit")
    if control := CONTROL.search(text):
        raise ValueError(f"{name} holds the control character U+{ord(control[0]):04X}")
    return text


def _degrees(name: str, value: Any) -> float | None:
    """The API sends numbers or text. Whether they are possible is decided where they are repaired."""
    if value is None or str(value).strip() == "":
        return None
    try:
        degrees = float(value)
    except (TypeError, ValueError):
        degrees = math.nan
    if not math.isfinite(degrees):
        raise ValueError(f"{name} is {str(value)[:40]!r}, which is no number")
    return degrees
