"""A small catalogue with the names that are easy to get wrong, and `said`: what a message was read as."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from beerforyou.catalogue.brewery import Brewery
from beerforyou.catalogue.index import Catalogue
from beerforyou.catalogue.sync import read_csv
from beerforyou.reading.read import read
from beerforyou.reading.reading import Context, Reading

Said = Callable[..., Reading]
TODAY = date(2026, 11, 22)  # a Sunday

_BREWERIES = """
Stone Brewing | regional | Escondido | California
Stone Brewing Liberty Station | brewpub | San Diego | California
Alter Brewing Company | micro | Downers Grove | Illinois
Russian River Brewing Company | brewpub | Santa Rosa | California
Sierra Nevada Brewing Co | regional | Chico | California
New Belgium Brewing Company | large | Fort Collins | Colorado
Denver Beer Co | micro | Denver | Colorado
Fremont Brewing | micro | Seattle | Washington
Lagunitas Brewing Company | large | Petaluma | California
Tap House San Diego | taproom | San Diego | California
Harbor Lane Ales | micro | San Jose | California
Mill Creek Brewing | brewpub | Portland | Oregon
Far Shore Brewery | micro | Portland | Oregon
Casco Light Brewing | micro | Portland | Maine
Congress Street Brewing | brewpub | Austin | Texas
High Plains Nano | nano | Austin | Texas
Rogue Valley Works | brewpub | Grants Pass | Oregon
Cascade Lake Brewing | micro | Bend | Oregon
Golden Mesa Brewing | micro | Golden | Colorado
Piedmont Brewers | micro | Richmond | Virginia
Coal River Brewing | micro | Charleston | West Virginia
Hudson Yard Brewing | micro | New York | New York
Bayou Bend Beer | micro | New Orleans | Louisiana
Gateway Brewing | micro | Saint Louis | Missouri
Haus am Markt | brewpub | München | Bayern | Germany
Ponte Velha | micro | Lisboa | Lisboa | Portugal
"""


def _brewery(number: int, line: str) -> Brewery:
    name, kind, city, state, *country = (part.strip() for part in line.split("|"))
    return Brewery(
        id=f"b{number}", name=name, brewery_type=kind, city=city, state=state, country=(country or ["United States"])[0]
    )


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return Catalogue(_brewery(number, line) for number, line in enumerate(_BREWERIES.strip().splitlines()))


@pytest.fixture(scope="session")
def whole_catalogue(real_catalogue: Path) -> Catalogue:
    """Open Brewery DB; skipped where its file is not at hand."""
    return Catalogue(read_csv(real_catalogue))


@pytest.fixture
def said(catalogue: Catalogue) -> Said:
    def one(text: str, context: Context = Context(), today: date = TODAY) -> Reading:  # noqa: B008
        return read(text, catalogue, context, today)

    return one


@pytest.fixture
def said_of_all(whole_catalogue: Catalogue) -> Said:
    def one(text: str, context: Context = Context(), today: date = TODAY) -> Reading:  # noqa: B008
        return read(text, whole_catalogue, context, today)

    return one
