"""The closed set of things that an answer may hold.

Tools and the pipeline make blocks; the model writes plain text and nothing else. Every front end (page,
terminal, API) renders these and only these.
"""

from __future__ import annotations

from typing import Literal

import msgspec


class Block(msgspec.Struct, tag_field="type", frozen=True, kw_only=True, omit_defaults=True):
    pass


class Text(Block, frozen=True, kw_only=True, omit_defaults=True, tag="text"):
    """Plain text. Never markup."""

    text: str


class Reason(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why a brewery is recommended. `key` names a sentence `reason.<key>`; `values` fill it."""

    key: str
    values: dict[str, str | int | float] = {}


class BreweryCard(Block, frozen=True, kw_only=True, omit_defaults=True, tag="brewery"):
    """One brewery of the catalogue. `distance_km` from the place the search was about, told in `unit`."""

    brewery_id: str
    name: str
    brewery_type: str
    city: str
    state: str = ""
    country: str = ""
    address: str = ""
    phone: str = ""
    website: str = ""
    distance_km: float | None = None
    unit: Literal["km", "mi"] = "km"
    reasons: tuple[Reason, ...] = ()


class BreweryList(Block, frozen=True, kw_only=True, omit_defaults=True, tag="brewery_list"):
    """One page of a search; `total` counts all matches, `next_page` is 0 when this is the last. `first` is the number of
    the first one here, 0 when it is what page and per_page say."""

    breweries: tuple[BreweryCard, ...]
    total: int
    page: int = 1
    per_page: int = 5
    next_page: int = 0
    first: int = 0


class Table(Block, frozen=True, kw_only=True, omit_defaults=True, tag="table"):
    """The client's own data. Cells are plain values; `columns` name sentences `column.<name>`, of which some are money in
    `currency` (ISO 4217). `caption` says what was counted, where the sentence above was not written by us.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str | int | float | None, ...], ...]
    title: str = ""
    caption: str = ""
    truncated: bool = False
    currency: str = ""


class Offer(Block, frozen=True, kw_only=True, omit_defaults=True, tag="offer"):
    """ "Shall I tell you more about one of these?" A yes pays for the details, and only a yes."""

    brewery_ids: tuple[str, ...]
    text: str


class QuickReplies(Block, frozen=True, kw_only=True, omit_defaults=True, tag="quick_replies"):
    """Messages that the client may send with one tap."""

    replies: tuple[str, ...]


class Notice(Block, frozen=True, kw_only=True, omit_defaults=True, tag="notice"):
    """Something about the answer rather than of it: offline, cut short, nothing found. `key` is stable."""

    key: str
    text: str


AnyBlock = Text | BreweryCard | BreweryList | Table | Offer | QuickReplies | Notice
