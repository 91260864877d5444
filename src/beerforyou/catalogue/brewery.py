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

    `also_in` and `not_in` are further places, and places left out, each as one text ("Dallas, Texas"). `within_km` measures
    from the named city, or from the client's own when none is named; `nearest` puts the ones closest to the client first.
    `has`: only those whose website or phone is known. `but`: the id of a brewery that is not wanted itself. Pages count
    from 1, after `skip` matches.
    """

    city: str = ""
    state: str = ""
    country: str = ""
    also_in: tuple[str, ...] = ()
    not_in: tuple[str, ...] = ()
    type: str = ""
    also_types: tuple[str, ...] = ()
    not_types: tuple[str, ...] = ()
    name: str = ""
    has: tuple[str, ...] = ()
    but: str = ""
    within_km: float | None = None
    nearest: bool = False
    skip: int = 0
    page: int = 1
    per_page: int = 20

    @property
    def start(self) -> int:
        return self.skip + (self.page - 1) * self.per_page

    @property
    def names_place(self) -> bool:
        return bool(self.city or self.state or self.country or self.also_in)


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """What the words of criteria were understood as; `also_...` are further ones, `not_...` those left out."""

    place: Place = Place()
    also_in: tuple[Place, ...] = ()
    not_in: tuple[Place, ...] = ()
    type: str = ""
    also_types: tuple[str, ...] = ()
    not_types: tuple[str, ...] = ()


class Match(msgspec.Struct, frozen=True):
    brewery: Brewery
    distance_km: float | None = None


class Page(Scope, frozen=True, kw_only=True):
    """`total` counts every match, of which these come after `start`. `origin`: what distances are measured from.
    `within_km`: how far around the client was looked when no place was named."""

    matches: tuple[Match, ...]
    total: int
    start: int
    origin: Place = Place()
    within_km: float | None = None


class Ambiguous(msgspec.Struct, frozen=True, kw_only=True):
    """The place may be several: ask. `choices` are ordered by number of open breweries, most first."""

    field: str
    asked: str
    choices: tuple[Place, ...]


class Unknown(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing in the catalogue is called that. `field`: city, state, country or type. `suggestions`: names that look alike.
    `within`: nothing there is; `choices` are elsewhere."""

    field: str
    asked: str
    within: str = ""
    choices: tuple[Place, ...] = ()
    suggestions: tuple[str, ...] = ()
