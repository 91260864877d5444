"""A question about purchases as a small algebra: what is measured, how it is summed up, of which purchases, grouped by what.

Reading fills it in, SQL and the sentence are made of it, and equal questions have equal keys. It names no client.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from msgspec.structs import astuple, replace

Measure = Literal[
    "amount",  # money spent
    "quantity",  # units
    "price",  # money a unit: amount divided by quantity, never a mean of prices
    "orders",  # days with purchases
    "lines",  # of orders
    "beers", "breweries", "styles",  # distinct ones
    "clients",  # who buy it; of everyone only
]  # fmt: skip
Aggregate = Literal[
    "total",  # one figure a measure; with `by` one a group
    "mean",  # the total divided by the number of `per` ("how much a week", "average order")
    "share",  # in percent of the whole: of the same question without `filters`, or of all groups of `by`
    "change",  # between the two spans (the earlier one first), or from each group of time to the next
    "first", "last",  # the date of the first or last purchase
    "since",  # days since the last purchase
    "beside",  # the client's own beside those of all clients, which is not published; of everyone only
    "list",  # which ones: the groups of `by`, with their totals
]  # fmt: skip
Dimension = Literal[
    "beer", "brewery", "style", "type", "city", "state",
    "order", "day", "week", "month", "quarter", "year", "weekday",
]  # fmt: skip
Field = Literal["beer", "brewery", "style", "type", "city", "state", "weekday"]
Having = Literal[
    "",
    "once",  # bought on one day only
    "stopped",  # bought before, and not for `having_days`
    "new",  # bought for the first time within the spans, or within `having_days`
    "kept",  # bought in each of the spans
    "left",  # bought in the first span, and not in the second
]  # fmt: skip


class Span(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, order=True):
    """ISO dates, both inclusive; empty where open."""

    since: str = ""
    until: str = ""


class Filter(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, order=True):
    """Any of the values, or, `negated`, none of them. Weekdays are 1 (Monday) to 7."""

    field: Field
    values: tuple[str, ...]
    negated: bool = False


class Bound(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, order=True):
    """What the first measure of each group must be: over or under the figure, at least or at most it. Money in the client's currency."""

    way: Literal["over", "under", "least", "most"]
    figure: float


class Question(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`direction` "" keeps the natural order of a list or of time; `limit` 0 is no number named, 1 asks for the one.

    `spans`: none is all time; one restricts; several are told apart, each with its own figure. `only_order` restricts to the last
    or first order; where orders are listed (`by` order), to the `limit` last or first of them. `unit` is the container that was
    named ("box"): purchases know units only, so the answer says units.
    """

    about: Literal["me", "everyone"] = "me"
    measures: tuple[Measure, ...] = ("quantity",)
    aggregate: Aggregate = "total"
    per: Literal["", "order", "day", "week", "month", "quarter", "year", "beer", "brewery"] = ""
    by: tuple[Dimension, ...] = ()
    filters: tuple[Filter, ...] = ()
    spans: tuple[Span, ...] = ()
    having: Having = ""
    having_days: Annotated[int, Meta(ge=0)] = 0
    bound: Bound | None = None
    only_order: Literal["", "last", "first"] = ""
    direction: Literal["", "most", "least"] = ""
    limit: Annotated[int, Meta(ge=0)] = 0
    unit: str = ""

    @property
    def key(self) -> bytes:
        """Equal for equal questions, however their values were listed."""
        filters = sorted(replace(each, values=tuple(sorted(set(each.values)))) for each in self.filters)
        return msgspec.json.encode(astuple(replace(self, filters=tuple(filters))))
