"""Rows that the fence brought of the caller's own purchases: as a model reads them, as the client sees them, and as the next
message points at them."""

from __future__ import annotations

from typing import Any, get_args

from beerforyou.blocks import Table
from beerforyou.db.fence.ask import Found
from beerforyou.reading.question import Field, Filter
from beerforyou.sentences import has, say
from beerforyou.sentences.periods import spelt
from beerforyou.sentences.rendering import MONEY
from beerforyou.tools.caller import Caller

FIELDS: dict[str, Field] = {field: field for field in get_args(Field)}
AMONG = "among"  # of how many the one is the first: for the sentence
LISTED = 10  # rows that can be pointed at


def content(found: Found, caller: Caller) -> dict[str, Any]:
    """A row of nothing but NULL is none: nothing was summed up, which is not zero. One cell is a figure, for the sentence."""
    rows = tuple(row for row in found.rows if any(value is not None for value in row))
    if not rows:
        return {"nothing": "no purchases match"}
    more: dict[str, Any] = {"currency": caller.currency} if _has_money(found) else {}
    if found.truncated:
        more["truncated"] = "there are more rows than these; aggregate, or ask for fewer"
    if is_figure(found):
        return {"figure": rows[0][0]} | more
    return {"columns": found.columns, "rows": rows} | more


def is_figure(found: Found) -> bool:
    return len(found.rows) == len(found.columns) == 1


def table(found: Found, caller: Caller, caption: str = "") -> tuple[Table, ...]:
    if not found.rows or is_figure(found):
        return ()
    shown = [n for n, column in enumerate(found.columns) if column != AMONG]
    columns = tuple(found.columns[n] for n in shown)
    rows = tuple(tuple(_cell(found.columns[n], row[n], caller) for n in shown) for row in found.rows)
    currency = caller.currency if _has_money(found) else ""
    return (Table(columns=columns, rows=rows, caption=caption, truncated=found.truncated, currency=currency),)


def listed(found: Found) -> tuple[Filter, ...]:
    """What the rows stand for, for "with the first one" to mean it."""
    if not found.columns or found.columns[0] not in FIELDS:
        return ()
    field = FIELDS[found.columns[0]]
    return tuple(Filter(field=field, values=(str(row[0] or ""),)) for row in found.rows[:LISTED])


def _has_money(found: Found) -> bool:
    return any(column.startswith(MONEY) for column in found.columns)


def _cell(column: str, value: Any, caller: Caller) -> Any:
    """What a brewery, a month or a weekday is called in the client's words."""
    if value in (None, "") and column in FIELDS:
        return say("column.unknown", caller.language)
    key = f"type.{value}"
    if column == "type" and has(key, caller.language):
        return say(key, caller.language)
    if isinstance(value, str) or column == "weekday":
        return spelt(str(value), column, caller.language)
    return value
