"""The words of this room: brewery, place, criteria, and the three things that a search can answer."""

from __future__ import annotations

import msgspec

TYPES = (
    "micro", "brewpub", "planning", "closed", "regional", "contract", "large", "proprietor",
    "taproom", "bar", "nano", "cidery", "beergarden", "location",
)  # fmt: skip
NOT_OPEN = frozenset({"closed", "planning"})


class Brewery(msgspec.Struct, frozen=True, kw_only=True):
    """One row of Open Brewery DB, repaired (whitespace, swapped coordinates). Coordinates in degrees, or None."""

    id: str
    name: str
    brewery_type: str
    city: str = ""
    state: str = ""
    country: str = ""
    address: str = ""
    postal_code: str = ""
    phone: str = ""
    website: str = ""
    latitude: float | None = None
    longitude: float | None = None

    @property
    def is_open(self) -> bool:
        return self.brewery_type not in NOT_OPEN


class Place(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A place in the catalogue's own spelling: "San Diego", "California", "United States". Empty: any."""

    city: str = ""
    state: str = ""
    country: str = ""


class Criteria(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What to look for, as a person or a model wrote it; the index does the matching.

    `within_km` measures from the named city, or from the client's own when none is named. Pages count from 1.
    """

    city: str = ""
    state: str = ""
    country: str = ""
    type: str = ""
    name: str = ""
    within_km: float | None = None
    page: int = 1
    per_page: int = 20


class Match(msgspec.Struct, frozen=True):
    brewery: Brewery
    distance_km: float | None = None


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """`total` counts every match; `place` and `type` are what the criteria were understood as."""

    matches: tuple[Match, ...]
    total: int
    page: int
    per_page: int
    place: Place
    type: str = ""


class Ambiguous(msgspec.Struct, frozen=True, kw_only=True):
    """The place may be several: ask. `choices` are ordered by number of open breweries, most first."""

    field: str
    asked: str
    choices: tuple[Place, ...]


class Unknown(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing in the catalogue is called that. `field`: city, state, country or type."""

    field: str
    asked: str
    suggestions: tuple[str, ...] = ()
