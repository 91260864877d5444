"""What a client usually buys, computed from purchases by one statement for thousands of clients.

Tastes come from the last 90 days, or from everything when those are empty; the history of breweries is always whole,
so that what is "new" never depends on a window. `Profile` describes the stored JSON.
"""

from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Literal

import asyncpg
import msgspec

from beerforyou.db.database import ClientReads
from beerforyou.db.queries import QUERIES
from beerforyou.sentences import Language

WINDOW_DAYS = 90
TOP = 10  # beers, breweries and styles that a profile lists
KEPT = 5_000  # profiles in a process; one has 4 kB of JSON, and takes about 20 kB
CLIENTS_AT_ONCE = 5_000  # a statement; their purchases are sorted in memory


class Share(msgspec.Struct, frozen=True):
    """`share` of the window's quantity, from 0 to 1."""

    name: str
    quantity: int
    share: float


class TopBeer(msgspec.Struct, frozen=True, omit_defaults=True):
    name: str
    brewery: str
    quantity: int
    style: str = ""
    brewery_id: str = ""


class TopBrewery(msgspec.Struct, frozen=True, omit_defaults=True):
    name: str
    quantity: int
    share: float
    brewery_id: str = ""


class BreweryHistory(msgspec.Struct, frozen=True, omit_defaults=True):
    """A brewery ever bought. One that the catalogue doesn't know has no `brewery_id`, and is as its purchases spell it."""

    name: str
    city: str
    state: str
    first: date
    last: date
    quantity: int
    orders: int
    brewery_id: str = ""
    type: str = ""


class Totals(msgspec.Struct, frozen=True, omit_defaults=True):
    """Over everything ever bought. `orders` are lines, `amount` is quantity times price."""

    quantity: int = 0
    orders: int = 0
    amount: Decimal = Decimal(0)
    beers: int = 0
    breweries: int = 0
    first: date | None = None
    last: date | None = None


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """Lists are ordered, most first. `window` says what `types`, `styles`, `beers` and `breweries` are made from."""

    name: str
    city: str
    state: str
    country: str
    postal_code: str
    language: Language
    window: Literal["90d", "all"]
    types: tuple[Share, ...]
    styles: tuple[Share, ...]
    beers: tuple[TopBeer, ...]
    breweries: tuple[TopBrewery, ...]
    history: tuple[BreweryHistory, ...]
    totals: Totals

    @property
    def brewery_ids(self) -> frozenset[str]:
        """Every brewery of the catalogue that the client has bought from, ever."""
        return frozenset(brewery.brewery_id for brewery in self.history if brewery.brewery_id)


def decode(data: str | bytes) -> Profile:
    return msgspec.json.decode(data, type=Profile)


class Profiles:
    """Those that were read last, by client and version. A version that is not known, or none, is read."""

    def __init__(self, most: int = KEPT) -> None:
        self._most = most
        self._kept: OrderedDict[str, tuple[Profile, str]] = OrderedDict()

    async def of(self, rows: ClientReads, version: str) -> tuple[Profile | None, str]:
        """The profile of the client whose rows these are, and its version; None before the first purchase was loaded."""
        kept = self._kept.get(rows.client_id)
        if kept and kept[1] == version:
            self._kept.move_to_end(rows.client_id)
            return kept
        row = await rows.fetchrow("clients.profile")
        if row is None:
            return None, ""
        read = self._kept[rows.client_id] = decode(row["data"]), row["version"]
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return read


async def compute(
    connection: asyncpg.Connection, days: Mapping[str, date], client_ids: Sequence[str] | None = None
) -> int:
    """Profiles of these clients, or of all; returns how many. `days` as in clock.py. Needs the operator's rights."""
    window = WINDOW_DAYS, TOP, list(days), list(days.values())
    done = 0
    async for ids in _batches(connection, client_ids):
        await connection.execute(QUERIES["clients.compute_profiles"].sql, ids, *window)
        done += len(ids)
    return done


async def _batches(connection: asyncpg.Connection, client_ids: Sequence[str] | None) -> AsyncIterator[list[str]]:
    last = ""
    while rows := await connection.fetch(QUERIES["clients.next_clients"].sql, last, CLIENTS_AT_ONCE, client_ids):
        yield [row["client_id"] for row in rows]
        last = rows[-1]["client_id"]
