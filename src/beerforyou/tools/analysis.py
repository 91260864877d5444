"""Tool 1B: a question about the caller's own purchases, measured in the database.

The question comes as slots and runs one fixed statement, so no argument can reach another client's rows; the policy of
the table would show none anyway.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from beerforyou.blocks import Notice, Table
from beerforyou.catalogue.brewery import TYPES, Place, Unknown
from beerforyou.catalogue.brewery_types import resolve_type
from beerforyou.catalogue.names import brewery_key
from beerforyou.errors import BadInput
from beerforyou.messages import say
from beerforyou.reading.reading import Context, Question
from beerforyou.tools.tool import Caller, Outcome

DEFAULT_ROWS = 10
MOST_ROWS = 100
CALENDAR = frozenset({"month", "week", "day", "weekday"})


async def run_analytical_query(caller: Caller, args: Question) -> Outcome:
    """Answers a question about the caller's own purchases: a total, or a ranking by one dimension.

    measure: quantity (units), amount (money), orders (days with a purchase), beers or breweries (how many different).
    by: the dimension of the table; leave out for one total. direction and limit: "top 3" is most, 3. since and until:
    ISO dates, until exclusive. Filters: beer, brewery, type, style, city, state (of the brewery). about: everyone for
    statistics over all clients. Never for another client's data.
    """
    if args.about == "everyone":
        notice = Notice(key="statistics_off", text=say("analysis.statistics_off", caller.language))
        error = {"error": "statistics over all clients are not available yet"}
        return Outcome(content=error, label=caller.public(), blocks=(notice,), context=Context(question=args))
    limit = min(args.limit or (MOST_ROWS if args.by in CALENDAR else DEFAULT_ROWS), MOST_ROWS)
    records = await caller.rows.fetch(
        "analysis.answer", *(await _parameters(caller, args, limit + 1))
    )  # the total is a row of its own
    overall = next((float(r["value"]) for r in records if r["overall"]), 0.0)
    rows = [(_key(args, r["key"], caller), float(r["value"])) for r in records if not r["overall"]]
    groups = records[0]["groups"] if records else 0
    content: dict[str, Any] = {"measure": args.measure, "by": args.by, "since": args.since, "until": args.until,
               "total": overall, "rows": rows, "of": groups}  # fmt: skip
    return Outcome(
        content={k: v for k, v in content.items() if v != ""},
        label=caller.own(profile=records[0]["profile"] or "", catalogue=caller.catalogue.version),
        blocks=_table(args, rows, groups),
        context=Context(question=args),
    )


async def _parameters(caller: Caller, args: Question, limit: int) -> tuple[Any, ...]:
    by_key = args.by in CALENDAR and not args.limit
    ids, names = await _brewery(caller, args.brewery)
    place = _place(caller, args)
    return (
        args.measure, args.by, args.direction, by_key, _day(args, "since"), _day(args, "until"),
        _like(args.beer), bool(args.brewery), ids, names, _type(args), _like(args.style),
        place.city.lower(), place.state.lower(), limit,
    )  # fmt: skip


async def _brewery(caller: Caller, name: str) -> tuple[list[str], list[str]]:
    """Ids and, where the catalogue knows none, spellings under which the client buys from it. Never by a part of it."""
    if not name:
        return [], []
    profile, _ = await caller.profile()
    bought = [b for b in (profile.history if profile else ()) if brewery_key(b.name) == brewery_key(name)]
    found = [match.brewery.id for match in caller.catalogue.find(name)] + [b.brewery_id for b in bought]
    ids = {same for id in found if id for same in caller.catalogue.same_brewery(id)}
    return sorted(ids), [b.name for b in bought if not b.brewery_id]


def _place(caller: Caller, args: Question) -> Place:
    """In the catalogue's spelling where it knows the place: Virginia is not West Virginia."""
    place = (
        caller.catalogue.places.resolve(args.city, args.state, "", caller.home) if args.city or args.state else Place()
    )
    if isinstance(place, Place):
        return Place(city=place.city if args.city else "", state=place.state if args.state else "")
    return Place(city=args.city, state=args.state)


def _type(args: Question) -> str:
    kind = resolve_type(args.type)
    if isinstance(kind, Unknown):
        raise BadInput(f"run_analytical_query: there is no type {args.type!r}", f"types are {', '.join(TYPES)}")
    return kind


def _day(args: Question, field: str) -> date | None:
    text = getattr(args, field)
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise BadInput(f"run_analytical_query: {field} is {text!r}", "give a date as 2026-03-31") from None


def _like(text: str) -> str:
    """A contains-pattern in which nothing of the text is a wildcard."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%" if text else ""


def _key(args: Question, key: str, caller: Caller) -> str:
    if args.by == "weekday":
        return say(f"weekday.{key}", caller.language)
    if args.by == "type":
        return say(f"type.{key}", caller.language)
    return key


def _table(args: Question, rows: list[tuple[str, float]], groups: int) -> tuple[Table, ...]:
    if not rows:
        return ()
    return (Table(columns=(args.by, args.measure), rows=tuple(rows), truncated=groups > len(rows)),)
