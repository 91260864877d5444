"""The catalogue that a process works with: loaded from the database, and again when its version changes."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from beerforyou.catalogue import kept
from beerforyou.catalogue.brewery import Brewery
from beerforyou.catalogue.index import Catalogue
from beerforyou.db.database import Reads


async def load(reads: Reads, data: Path | None = None) -> Catalogue:
    """The newest version: from the file that is kept in the folder `data`, or built and kept there."""
    latest = await reads.fetchrow("catalogue.latest_version") if data else None
    if not data or not latest:
        return await _built(reads)
    key = kept.key(latest)
    if found := await asyncio.to_thread(kept.read, data, key):
        return found
    built = await _built(reads)
    if built.version == str(latest["version"]):  # not when there was a sync in between
        await asyncio.to_thread(kept.write, data, key, built)
    return built


async def _built(reads: Reads) -> Catalogue:
    """Rows and version come from one statement, so they belong together."""
    rows = await reads.fetch("catalogue.breweries")
    version = str(rows[0]["version"]) if rows else "0"
    # A second of work that would hold up every run in this process.
    return await asyncio.to_thread(_catalogue, rows, version)


def _catalogue(rows: list[Any], version: str) -> Catalogue:
    with kept.uncollected():
        breweries = [Brewery(**{field: row[field] for field in Brewery.__struct_fields__}) for row in rows]
        aliases = {row["id"]: row["aliases"] for row in rows if row["aliases"]}
        return Catalogue(breweries, aliases, version)


class Current:
    """Hand out `now` once a run: a run that has begun keeps the version it began with."""

    def __init__(self, reads: Reads, now: Catalogue, data: Path | None = None) -> None:
        self._reads, self.now, self._data = reads, now, data

    @classmethod
    async def load(cls, reads: Reads, data: Path | None = None) -> Current:
        return cls(reads, await load(reads, data), data)

    async def refresh(self) -> bool:
        """Loads the catalogue anew if there is a newer one; asking costs one short query."""
        row = await self._reads.fetchrow("catalogue.version")
        assert row is not None, "the table of the version has one row"
        if str(row["version"]) == self.now.version:
            return False
        self.now = await load(self._reads, self._data)
        return True
