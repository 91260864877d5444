"""The half of tool 1B that is about everyone: cells of the published cube, by measure and dimension, as far as they tell anything:
figures as what they lie between, ranks as the places that noise leaves open. Where nothing is published, it says so, and what is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

import asyncpg
import msgspec
from msgspec.structs import replace

from beerforyou.blocks import Notice, Table
from beerforyou.by_rule.everyone import as_question
from beerforyou.by_rule.wording_statistics import everyone_there, figure, offer, statistic
from beerforyou.catalogue.brewery import Place
from beerforyou.catalogue.brewery_types import resolve_type
from beerforyou.clients.telling import Cell, Measure, clients, leads, places, quantity, told
from beerforyou.labels import AGGREGATE, Label
from beerforyou.reading.question import Question
from beerforyou.reading.reading import Context
from beerforyou.sentences import has, say
from beerforyou.sentences.periods import spelt
from beerforyou.tools.caller import Caller, Hands
from beerforyou.tools.tool import Result

DEFAULT_ROWS = 10
MOST_ROWS = 50
MOST_COMPARED = 100  # cells that are looked at one by one; the others are all less than these
A_FEW_MORE = 3  # rows beyond the number asked for, that a tie may bring
RANKED = ("beer", "brewery", "style", "type", "state", "city")
NO_RANKS = (
    "Approximate, of all clients. Places such as 1-3 are ties that noise hides: name them together, never one ahead of another. Say "
    "figures as they stand here (at least, between), and nothing about what is not here: too few clients."
)
EACH = "each"

Dimension = Literal["", "beer", "brewery", "style", "type", "month", "state", "city"]
COARSER = {"beer": "style", "brewery": "type", "style": "total", "type": "total"}


class Statistic(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is asked of all clients. `month` is 2026-03 or empty; `city` and `state` are the clients'."""

    measure: Literal["quantity", "clients"] = "quantity"
    by: Dimension = ""
    direction: Literal["most", "least"] = "most"
    limit: int = 0
    month: str = ""
    beer: str = ""
    brewery: str = ""
    style: str = ""
    type: str = ""
    city: str = ""
    state: str = ""

    @property
    def ranks(self) -> bool:
        """Months only where the one is asked for, else they stand in their order."""
        return self.by in RANKED or (self.by == "month" and self.limit > 0)

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


class _Found(NamedTuple):
    """Rows are a name, its places in a ranking, and its figure in words. `first` are all that may be the first, `more` may be as high as
    the last rows, and of `untold` that measure is not known. `open`: what is not published may be before them."""

    measure: Measure
    rows: tuple[tuple[str, str, str], ...]
    first: tuple[str, ...] = ()
    more: int = 0
    untold: tuple[str, ...] = ()
    open: bool = False
    edition: int = 0

    @property
    def doubts(self) -> tuple[int, int, int]:
        return int(self.open), len(self.first), len(self.untold)


async def published(caller: Caller, hands: Hands, asked: Statistic, question: Question | None = None) -> Result:
    """`question` is what it was made of."""
    context = Context(question=question)
    asked = _known(caller, hands, asked)
    if found := await _found(caller, hands, asked):
        return replace(_told(caller, asked, found, question), context=context)
    for nearest in _nearest(asked):
        if await _cells(hands, nearest, "clients"):
            return replace(_not_published(caller, asked, nearest), context=context)
    return replace(_not_published(caller, asked, None), context=context)


async def _found(caller: Caller, hands: Hands, asked: Statistic) -> _Found | None:
    """By what was asked; or by clients, where units tell nothing, or leave more open which is the first."""
    reads: tuple[Measure, ...] = ("quantity", "clients") if asked.measure == "quantity" else ("clients",)
    best = None
    for measure in reads:
        rows = await _cells(hands, asked, measure)
        here = _ranked(caller, asked, measure, rows) if asked.ranks else _listed(caller, asked, measure, rows)
        if here.rows and (best is None or here.doubts < best.doubts):
            best = here
        if best and best.doubts <= (0, 1, 0):
            break
    return best


def _listed(caller: Caller, asked: Statistic, measure: Measure, rows: list[asyncpg.Record]) -> _Found:
    """Each for itself, in the order of time or of names."""
    by = asked.by or asked.dimension
    cells = [(_name(caller, by, row), told(_cell(row, measure))) for row in rows]
    known = [(name, "", figure(each, caller.language)) for name, each in cells if each]
    ordered = known if asked.by == "month" else sorted(known)
    untold = tuple(name for name, each in cells if not each)
    return _Found(measure, tuple(ordered[:MOST_ROWS]), untold=untold, edition=rows[0]["edition"] if rows else 0)


def _ranked(caller: Caller, asked: Statistic, measure: Measure, rows: list[asyncpg.Record]) -> _Found:
    if not rows:
        return _Found(measure, ())
    cells = [_cell(row, measure) for row in rows]
    names = [_name(caller, asked.by, row) for row in rows]
    ranks = places(cells, rows[0]["of"], lowest=asked.direction == "least")
    leading = any(leads(cell, rows[0]["of"]) for cell in cells)
    if len(rows) == 1 and not leading:
        return _Found(measure, ())  # of one there is no ranking
    limit = min(asked.limit or DEFAULT_ROWS, MOST_ROWS)
    if limit == 1 and sum(best == 1 for best, _ in ranks) > 1:
        limit = DEFAULT_ROWS  # the one cannot be told
    possible = [n for n, (best, _) in enumerate(ranks) if best <= limit]
    figures = [told(cell, one_of=rows[0]["of"] / limit) for cell in cells]
    known = [n for n in possible if figures[n]]
    shown = known if len(known) <= limit + A_FEW_MORE else known[:limit]
    in_order = sorted(shown, key=lambda n: (ranks[n], names[n]))
    return _Found(
        measure,
        tuple((names[n], _place(*ranks[n]), figure(figures[n], caller.language)) for n in in_order),
        first=tuple(sorted(names[n] for n, (best, _) in enumerate(ranks) if best == 1)),
        more=len(known) - len(shown) + (rows[0]["of"] - len(rows) if len(known) == len(rows) else 0),
        untold=tuple(names[n] for n in possible if n not in known),
        open=not leading and asked.direction == "most",
        edition=rows[0]["edition"],
    )


def _place(best: int, worst: int) -> str:
    return str(best) if best == worst else f"{best}-{worst}"


def _cell(row: asyncpg.Record, measure: Measure) -> Cell:
    if measure == "clients":
        return clients(row["clients"], row["everybody"])
    return quantity(row["quantity"], row["spread"])


def _known(caller: Caller, hands: Hands, asked: Statistic) -> Statistic:
    """Type and place in the catalogue's spelling, and a city with its state; what says nothing to it ("%") stays as it is."""
    kind = resolve_type(asked.type)
    asked = replace(asked, type=kind) if kind and isinstance(kind, str) else asked
    if not asked.city and not asked.state:
        return asked
    place = hands.catalogue.places.resolve(asked.city, asked.state, "", caller.home)
    if not isinstance(place, Place):
        return asked
    return replace(asked, city=place.city or asked.city if asked.city else "", state=place.state or asked.state)


def _nearest(asked: Statistic) -> Iterator[Statistic]:
    """Less and less of what was asked: not that month, not that city, not that state, not so finely."""
    yield from map(_useful, _less(asked))


def _less(asked: Statistic) -> Iterator[Statistic]:
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


def _useful(asked: Statistic) -> Statistic:
    """How many there are of everybody tells nothing to who asked for one thing: what is bought most does."""
    return (
        replace(asked, by="style", limit=0, measure="quantity")
        if not asked.by and asked.dimension == "total"
        else asked
    )


def _coarser(asked: Statistic, dimension: str) -> Statistic:
    by = asked.by if asked.by in ("month", "state", "city") else "" if dimension == "total" else dimension
    dropped = {"beer": "", "brewery": ""} | ({"style": "", "type": ""} if dimension == "total" else {})
    dropped |= {"type": ""} if dimension == "style" else {"style": ""}
    return replace(asked, by=by, **dropped)


async def _cells(hands: Hands, asked: Statistic, measure: Measure) -> list[asyncpg.Record]:
    """In the order of the figures, as far as they may matter."""
    dimension = asked.dimension
    state = EACH if asked.by == "state" else asked.state or (EACH if asked.by == "city" or asked.city else "")
    city = EACH if asked.by == "city" else asked.city
    month = EACH if asked.by == "month" else asked.month
    names = {"beer": asked.beer, "brewery": asked.brewery, "style": asked.style, "type": ""}
    brewery = asked.brewery if dimension == "beer" else ""
    style = asked.style if dimension in ("beer", "style") else ""
    rows = await hands.statistics.fetch(
        "statistics.cells", dimension, state, city, month,
        _like(names.get(dimension, "")), _like(brewery), _like(style), asked.type, measure, asked.direction, MOST_COMPARED,
    )  # fmt: skip
    name = names.get(dimension, "").lower()
    exact = [row for row in rows if row["name"].lower() == name]
    return exact if exact and asked.by != dimension else rows


def _like(text: str) -> str:
    """A contains-pattern in which nothing of the text is a wildcard."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%" if text else ""


def _told(caller: Caller, asked: Statistic, found: _Found, question: Question | None) -> Result:
    by, ranked = asked.by or asked.dimension, asked.ranks
    placed = len({place for _, place, _ in found.rows}) > 1 or len(found.rows) == 1 == len(found.first)
    columns = (by, "place", found.measure) if placed else (by, found.measure)
    unit = f"statistics.of_{found.measure}"  # of two columns no heading is shown
    rows = tuple(row if placed else (row[0], say(unit, caller.language, figure=row[2])) for row in found.rows)
    content: dict[str, Any] = {
        "by": asked.by, "columns": columns, "rows": rows, "first": found.first, "more": found.more, "unknown": found.untold, "open": found.open,
        "measure": found.measure, "instead_of": asked.measure if asked.measure != found.measure else "",
        "direction": asked.direction if ranked else "", "month": asked.month, "where": everyone_there(asked.city, asked.state, asked.month, caller.language).strip(),
        "about": NO_RANKS,
    }  # fmt: skip
    content = {k: v for k, v in content.items() if v or k == "by"}
    sentence = statistic(content, question, caller.language)
    table = Table(columns=columns, rows=rows, title="statistics", caption=sentence)
    return Result(
        content={"sentence": sentence} | content,
        label=Label(frozenset({AGGREGATE}), {"statistics": str(found.edition)}),
        blocks=(table,) if len(rows) > 1 else (),
    )  # fmt: skip


def _not_published(caller: Caller, asked: Statistic, nearest: Statistic | None) -> Result:
    """No table of something else: what there is is offered."""
    content: dict[str, Any] = {"not_published": "too few clients for anyone to stay unknown"}
    if nearest:
        args = {k: v for k, v in msgspec.to_builtins(nearest).items() if k != "limit"}
        content["published"] = msgspec.to_builtins(as_question(args))
        text = say("statistics.not_that", caller.language, offer=offer(args, caller.language))
    else:
        text = say("statistics.nothing", caller.language)
    return Result(
        content=content, label=of_everyone(caller, asked), blocks=(Notice(key="nearest" if nearest else "not_published", text=text),),
    )  # fmt: skip


def _name(caller: Caller, by: str, row: asyncpg.Record) -> str:
    if by == "month":
        return spelt(row["month"], "month", caller.language)
    if by in ("state", "city"):
        return str(row[by])
    if by == "type" and has(f"type.{row['name']}", caller.language):
        return say(f"type.{row['name']}", caller.language)
    if by == "total":
        return say("statistics.everyone", caller.language)
    return f"{row['name']} ({row['brewery']})" if by == "beer" else str(row["name"])
