"""The catalogue that a process works with: loaded from the database, and again when its version changes."""

from __future__ import annotations

import asyncio
from typing import Any

from beerforyou.catalogue.brewery import Brewery
from beerforyou.catalogue.index import Catalogue
from beerforyou.db.database import Reads


async def load(reads: Reads) -> Catalogue:
    """The newest version. Rows and version come from one statement, so they belong together."""
    rows = await reads.fetch("catalogue.breweries")
    version = str(rows[0]["version"]) if rows else "0"
    # A second of work that would hold up every run in this process.
    return await asyncio.to_thread(_catalogue, rows, version)


def _catalogue(rows: list[Any], version: str) -> Catalogue:
    breweries = [Brewery(**{field: row[field] for field in Brewery.__struct_fields__}) for row in rows]
    aliases = {row["id"]: row["aliases"] for row in rows if row["aliases"]}
    return Catalogue(breweries, aliases, version)


class Current:
    """Hand out `now` once a run: a run that has begun keeps the version it began with."""

    def __init__(self, reads: Reads, now: Catalogue) -> None:
        self._reads, self.now = reads, now

    @classmethod
    async def load(cls, reads: Reads) -> Current:
        return cls(reads, await load(reads))

    async def refresh(self) -> bool:
        """Loads the catalogue anew if there is a newer one; asking costs one short query."""
        row = await self._reads.fetchrow("catalogue.version")
        assert row is not None, "the table of the version has one row"
        if str(row["version"]) == self.now.version:
            return False
        self.now = await load(self._reads)
        return True
