"""Open Brewery DB into the database: as a new version, all or nothing, and only what differs.

Who is no longer in the source stays in the table with a mark, because purchases point there. The same content again
makes no new version.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path

import asyncpg
import msgspec

from beerforyou.catalogue.api import OnPage, Pace, Web, api_rows, forget, without_password
from beerforyou.catalogue.brewery import Brewery
from beerforyou.catalogue.rows import Rows, checked, csv_rows
from beerforyou.db.queries import QUERIES
from beerforyou.errors import BadInput

LEAST_SHARE = 0.5  # of the breweries that are there; a source with fewer is taken to be cut off
COLUMNS = tuple(field if field != "id" else "brewery_id" for field in Brewery.__struct_fields__)


class Diff(msgspec.Struct, frozen=True, kw_only=True):
    """`closed`: became closed, or left the source. `repaired`: came with coordinates outside their country.
    `examples`: of added, changed and closed, up to ten names."""

    version: int
    added: int = 0
    changed: int = 0
    closed: int = 0
    unchanged: int = 0
    repaired: int = 0
    examples: dict[str, tuple[str, ...]] = {}


async def sync(
    connection: asyncpg.Connection,
    source: str,
    *,
    progress: Path | None = None,
    pace: Pace | None = None,
    on_page: OnPage = lambda read, of: None,
) -> Diff:
    """From a CSV file, the URL of one (it ends in .csv), or the URL of the API.

    `progress`: a file that keeps the pages read so far, so that a broken sync goes on there. Needs the operator's
    rights. Raises BadInput and Unavailable; the database is then as before.
    """
    if re.match(r"https?://", source):
        rows = await _from_web(source, progress, pace or Pace(), on_page)
    else:
        rows = await asyncio.to_thread(_from_file, Path(source))
    diff = await store(connection, rows.breweries, source, repaired=rows.repaired)
    forget(progress)
    return diff


def read_csv(path: Path) -> list[Brewery]:
    """The breweries of a CSV file. Raises BadInput."""
    return _from_file(path).breweries


async def store(
    connection: asyncpg.Connection, breweries: Sequence[Brewery], source: str, *, repaired: int = 0
) -> Diff:
    """The catalogue becomes exactly these. Raises BadInput when they are too few to be true."""
    digest = _sha256(breweries)
    async with connection.transaction():
        await connection.execute(QUERIES["catalogue.one_at_a_time"].sql)
        latest = await connection.fetchrow(QUERIES["catalogue.latest_version"].sql)
        if latest and latest["sha256"] == digest:
            return Diff(version=latest["version"], unchanged=len(breweries), repaired=repaired)
        _plausible(len(breweries), latest["total"] if latest else 0, source)
        await connection.execute(QUERIES["catalogue.stage"].sql)
        await connection.copy_records_to_table("staged_breweries", records=_records(breweries), columns=COLUMNS)
        kinds = {row["kind"]: row for row in await connection.fetch(QUERIES["catalogue.difference"].sql)}
        counts = {kind: kinds[kind]["count"] if kind in kinds else 0 for kind in ("added", "changed", "closed")}
        version = await connection.fetchval(
            QUERIES["catalogue.new_version"].sql, without_password(source), digest, *counts.values(), len(breweries)
        )
        for step in ("keep_old_names", "merge", "mark_gone"):
            await connection.execute(QUERIES[f"catalogue.{step}"].sql, *([] if step == "keep_old_names" else [version]))
    unchanged = kinds["unchanged"]["count"] if "unchanged" in kinds else 0
    examples = {kind: tuple(kinds[kind]["names"]) for kind in counts if kind in kinds}
    return Diff(version=version, **counts, unchanged=unchanged, repaired=repaired, examples=examples)


async def _from_web(source: str, progress: Path | None, pace: Pace, on_page: OnPage) -> Rows:
    http = Web(pace)
    async with http.outside:
        if source.partition("?")[0].endswith(".csv"):
            return checked(csv_rows(await http.get(source), source), source)
        rows = await api_rows(http, source, progress, on_page)
    try:
        return checked(rows, source)
    except BadInput:
        forget(progress)  # the same pages would be refused again
        raise


def _from_file(path: Path) -> Rows:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}", "give a CSV file, or the URL of the API") from None
    return checked(csv_rows(data, path.name), path.name)


def _plausible(found: int, before: int, source: str) -> None:
    if found == 0 or found < before * LEAST_SHARE:
        raise BadInput(
            f"{source} has {found} breweries; the catalogue has {before}",
            "it seems to be cut off, so nothing was changed",
        )


def _records(breweries: Iterable[Brewery]) -> Iterable[tuple[object, ...]]:
    return (msgspec.structs.astuple(brewery) for brewery in breweries)


def _sha256(breweries: Sequence[Brewery]) -> str:
    """Of the content, whatever order or format it came in."""
    return sha256(msgspec.json.encode(sorted(breweries, key=lambda b: b.id))).hexdigest()
