"""A brewery of the catalogue as the card that a client sees."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from beerforyou.blocks import BreweryCard, Reason
from beerforyou.catalogue.brewery import Brewery
from beerforyou.catalogue.phones import readable


def card(
    brewery: Brewery, distance_km: float | None = None, reasons: Sequence[Reason] = (), unit: Literal["km", "mi"] = "km"
) -> BreweryCard:
    return BreweryCard(
        brewery_id=brewery.id,
        name=brewery.name,
        brewery_type=brewery.brewery_type,
        city=brewery.city,
        state=brewery.state,
        country=brewery.country,
        address=brewery.address,
        phone=readable(brewery.phone, brewery.country),
        website=brewery.website,
        distance_km=round(distance_km, 1) if distance_km is not None else None,
        unit=unit,
        reasons=tuple(reasons),
    )
