"""The half of tool 1B that is about everyone: cells of the published cube, by measure and dimension, and the nearest thing
that is published where the cell asked for is not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

import asyncpg
import msgspec
from msgspec import Meta
from msgspec.structs import replace

from beerforyou.blocks import AnyBlock, Notice, Table
from beerforyou.catalogue.brewery import Place
from beerforyou.catalogue.brewery_types import resolve_type
from beerforyou.errors import BadInput
from beerforyou.labels import AGGREGATE, Label
from beerforyou.reading.reading import Context
from beerforyou.sentences import has, say
from beerforyou.tools.caller import Caller, Hands
from beerforyou.tools.tool import Result

DEFAULT_ROWS = 10
MOST_ROWS = 50
EACH = "each"

Dimension = Literal["", "beer", "brewery", "style", "type", "month", "state", "city"]
COARSER = {"beer": "style", "brewery": "type", "style": "total", "type": "total"}


class Statistic(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is asked of all clients. `month` is 2026-03 or empty; `city` and `state` are the clients'."""

    measure: Literal["quantity", "clients"] = "quantity"
    by: Dimension = ""
    direction: Literal["most", "least"] = "most"
    limit: Annotated[int, Meta(ge=0)] = 0
    month: str = ""
    beer: str = ""
    brewery: str = ""
    style: str = ""
    type: str = ""
    city: str = ""
    state: str = ""

    @property
    def dimension(self) -> str:
        """Of the cells: what is ranked, or the finest thing that is named."""
        if self.by in ("beer", "brewery", "style", "type"):
            return self.by
        named = (name for name in ("beer", "brewery", "style", "type") if getattr(self, name))
        return next(named, "total")


def of_everyone(caller: Caller, asked: Statistic) -> Label:
    """Where a city has no state, the client's home says which is meant."""
    needed = ["catalogue", "statistics", *(["home"] if asked.city and not asked.state else [])]
    return Label(frozenset({AGGREGATE}), caller.versions_of(*needed))


async def published(caller: Caller, hands: Hands, asked: Statistic) -> Result:
    if asked.month and (len(asked.month) != 7 or asked.month[4] != "-" or not asked.month.replace("-", "").isdigit()):
        raise BadInput(f"run_analytical_query: month is {asked.month!r}", "give a month as 2026-03, or none")
    asked = _known(caller, hands, asked)
    for told in (asked, *_nearest(asked)):
        if rows := await _cells(hands, told):
            return _told(caller, asked, told, rows)
    notice = Notice(key="not_published", text=say("statistics.nothing", caller.language))
    content = {"error": "nothing like it is published: too few clients for anyone to stay unknown"}
    return Result(
        content=content, label=of_everyone(caller, asked), blocks=(notice,), context=Context(question=caller.question)
    )


def _known(caller: Caller, hands: Hands, asked: Statistic) -> Statistic:
    """Type and place in the catalogue's spelling, and a city with its state."""
    kind = resolve_type(asked.type)
    asked = replace(asked, type=kind) if isinstance(kind, str) else asked
    if not asked.city and not asked.state:
        return asked
    place = hands.catalogue.places.resolve(asked.city, asked.state, "", caller.home)
    if not isinstance(place, Place):
        return asked
    return replace(asked, city=place.city if asked.city else "", state=place.state or asked.state)


def _nearest(asked: Statistic) -> Iterator[Statistic]:
    """Less and less of what was asked: not that month, not that city, not that state, not so finely."""
    here = asked
    if here.month:
        here = replace(here, month="")
        yield here
    if here.city:
        here = replace(here, city="")
        yield here
    if here.state and here.by not in ("state", "city"):
        everywhere = replace(here, state="")
        yield everywhere
    coarse = asked
    while coarser := COARSER.get(coarse.dimension):
        coarse = _coarser(coarse, coarser)
        yield from (
            coarse,
            replace(coarse, month=""),
            replace(coarse, month="", city=""),
            replace(coarse, month="", city="", state=""),
        )


def _coarser(asked: Statistic, dimension: str) -> Statistic:
    by = asked.by if asked.by in ("month", "state", "city") else "" if dimension == "total" else dimension
    dropped = {"beer": "", "brewery": ""} | ({"style": "", "type": ""} if dimension == "total" else {})
    dropped |= {"type": ""} if dimension == "style" else {"style": ""}
    return replace(asked, by=by, **dropped)


async def _cells(hands: Hands, asked: Statistic) -> list[asyncpg.Record]:
    dimension = asked.dimension
    state = EACH if asked.by == "state" else asked.state or (EACH if asked.by == "city" or asked.city else "")
    city = EACH if asked.by == "city" else asked.city
    month = EACH if asked.by == "month" else asked.month
    names = {"beer": asked.beer, "brewery": asked.brewery, "style": asked.style, "type": ""}
    brewery = asked.brewery if dimension == "beer" else ""
    style = asked.style if dimension in ("beer", "style") else ""
    return await hands.statistics.fetch(
        "statistics.cells", dimension, state, city, month,
        _like(names.get(dimension, "")), _like(brewery), _like(style), asked.type, asked.measure, asked.direction,
        min(asked.limit or (MOST_ROWS if asked.by == "month" else DEFAULT_ROWS), MOST_ROWS),
    )  # fmt: skip


def _like(text: str) -> str:
    """A contains-pattern in which nothing of the text is a wildcard."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%" if text else ""


def _told(caller: Caller, asked: Statistic, told: Statistic, rows: list[asyncpg.Record]) -> Result:
    by = told.by or told.dimension
    values = tuple((_name(caller, by, row), row["clients"], row["quantity"]) for row in rows)
    content: dict[str, Any] = {
        "columns": (by, "clients", "quantity"), "rows": values, "of": rows[0]["of"], "about": "all clients, approximate",
        "by": told.by, "place": ", ".join(filter(None, (told.city, told.state))), "month": told.month,
    }  # fmt: skip
    blocks: list[AnyBlock] = []
    if told != asked:
        content["note"] = "what was asked is not published, too few clients; this is the nearest thing that is"
        blocks.append(Notice(key="nearest", text=say("statistics.nearest", caller.language)))
    truncated = rows[0]["of"] > len(rows)
    blocks.append(Table(columns=(by, "clients", "quantity"), rows=values, title="statistics", truncated=truncated))
    label = Label(frozenset({AGGREGATE}), {"statistics": str(rows[0]["edition"])})
    return Result(
        content={k: v for k, v in content.items() if v or k == "by"}, label=label, blocks=tuple(blocks),
        context=Context(question=caller.question),
    )  # fmt: skip


def _name(caller: Caller, by: str, row: asyncpg.Record) -> str:
    if by in ("month", "state", "city"):
        return str(row[by])
    if by == "type" and has(f"type.{row['name']}", caller.language):
        return say(f"type.{row['name']}", caller.language)
    if by == "total":
        return say("statistics.everyone", caller.language)
    return f"{row['name']} ({row['brewery']})" if by == "beer" else str(row["name"])
