"""An answer's blocks as plain text: for the terminal, for the history that the planner sees, for anything that shows
no cards.
"""

from __future__ import annotations

from collections.abc import Iterable

from beerforyou.blocks import AnyBlock, BreweryCard, BreweryList, Notice, Offer, QuickReplies, Reason, Table, Text
from beerforyou.sentences import Language, has, money, number, percent, say

MONEY = ("amount", "price")  # columns
DERIVED = ("_mean", "_share", "_whole", "_before", "_after", "_change")  # ends of columns that are made of a measure

KM_A_MILE = 1.609344  # the international mile


def plain(blocks: Iterable[AnyBlock], language: Language) -> str:
    return "\n\n".join(filter(None, (block_text(block, language) for block in blocks)))


def block_text(block: AnyBlock, language: Language) -> str:
    match block:
        case Text() | Notice() | Offer():
            return block.text
        case BreweryList():
            numbered = enumerate(block.breweries, start=block.first or (block.page - 1) * block.per_page + 1)
            return "\n".join(f"{n}. {card_text(card, language)}" for n, card in numbered)
        case BreweryCard():
            return card_text(block, language, contact=True)
        case Table():
            return _table(block, language)
        case QuickReplies():
            return ""


def card_text(card: BreweryCard, language: Language, contact: bool = False) -> str:
    """Two lines: what and where, then why; with `contact`, a third."""
    place = ", ".join(filter(None, (card.city, card.state, card.country if not card.state else "")))
    distance = f" ({distance_text(card.distance_km, card.unit, language)})" if card.distance_km is not None else ""
    lines = [f"{card.name}: {say(f'type.{card.brewery_type}', language)}, {place}{distance}"]
    if card.reasons:
        lines.append("   " + "; ".join([reason_text(reason, language, card.unit) for reason in card.reasons]))
    if contact:
        lines.append("   " + ", ".join(filter(None, (card.address, card.phone, card.website))))
    return "\n".join([line for line in lines if line.strip()])


def distance_text(km: float, unit: str, language: Language) -> str:
    """ "3.2 km", "12 mi": with a decimal below ten."""
    far = km / KM_A_MILE if unit == "mi" else km
    return f"{number(round(far, 1) if far < 10 else round(far), language)} {unit}"


def reason_text(reason: Reason, language: Language, unit: str = "km") -> str:
    values = reason.values
    if "km" in values:
        values = values | {"away": distance_text(float(values["km"]), unit, language)}
    return say(f"reason.{reason.key}", language, **values)


def heading(column: str, language: Language) -> str:
    """ "Units", "Units, average": what a column holds of a measure stands behind its last underscore."""
    if has(f"column.{column}", language):
        return say(f"column.{column}", language)
    measure, _, what = column.rpartition("_")
    if f"_{what}" in DERIVED and has(f"column.{measure}", language):
        return say(f"column.of_{what}", language, measure=say(f"column.{measure}", language))
    return column


def measured(value: str | int | float | None, column: str, language: Language, currency: str = "") -> str:
    """A cell as it is written: money with its currency, counts without decimals, shares in percent."""
    if not isinstance(value, (int, float)):
        return value or ""
    measure, _, what = column.rpartition("_") if column.endswith(DERIVED) else (column, "", "")
    if what in ("share", "change"):
        return percent(value, language, signed=what == "change")
    if measure in MONEY:
        return money(value, language, currency) if currency else number(value, language, 2)
    return number(value, language, 2 if isinstance(value, float) and value != round(value, 1) else None)


def _table(table: Table, language: Language) -> str:
    """Of two columns the sentence above says what they are; of more, a line of headings."""
    rows = [
        [measured(value, column, language, table.currency) for value, column in zip(row, table.columns, strict=True)]
        for row in table.rows
    ]
    caption = [table.caption] if table.caption else []
    if len(table.columns) == 2:
        return "\n".join([*caption, *(f"- {key}: {value}" for key, value in rows)])
    titles = " | ".join(heading(column, language) for column in table.columns)
    return "\n".join([*caption, titles, *(f"- {' | '.join(row)}" for row in rows)])
