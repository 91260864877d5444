"""The real catalogue, read once; and a way to write small ones by hand."""

from itertools import count
from pathlib import Path
from typing import Any, Protocol

import pytest

from beerforyou.catalogue.brewery import Brewery
from beerforyou.catalogue.index import Catalogue
from beerforyou.catalogue.sync import read_csv


class Make(Protocol):
    def __call__(self, name: str, city: str = ..., state: str = ..., **rest: Any) -> Brewery: ...


@pytest.fixture(scope="session")
def real_data(real_catalogue: Path) -> bytes:
    return real_catalogue.read_bytes()


@pytest.fixture(scope="session")
def real_rows(real_catalogue: Path) -> list[Brewery]:
    return read_csv(real_catalogue)


@pytest.fixture(scope="session")
def real(real_rows: list[Brewery]) -> Catalogue:
    return Catalogue(real_rows, version="1")


@pytest.fixture
def make() -> Make:
    numbers = count(1)

    def one(name: str, city: str = "San Diego", state: str = "California", **rest: Any) -> Brewery:
        values = {"brewery_type": "micro", "country": "United States", "id": f"b{next(numbers)}"} | rest
        return Brewery(name=name, city=city, state=state, **values)

    return one
