"""Demo clients: the same seed makes the same files, and they are like an operator's."""

import csv
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import asyncpg
import pytest

from beerforyou.catalogue.brewery import Brewery
from beerforyou.catalogue.index import Catalogue
from beerforyou.clients import demo
from beerforyou.clients.load import load
from beerforyou.clients.profiles import compute, decode
from beerforyou.errors import SetupError
from tests.clients.operator_files import DAYS, SHUT, TODAY, keep

STATES = {"California": ("San Diego", "Los Angeles", "Eureka"), "Idaho": ("Boise", "Moscow"), "Ohio": ("Akron",)}


def invented(per_city: int = 12) -> list[Brewery]:
    return [
        Brewery(
            id=f"{city}-{number}", name=f"{city} House {number} Brewing Co", brewery_type=("micro", "brewpub", "closed")[number % 3],
            city=city, state=state, country="United States", postal_code="90000",
        )
        for state, cities in STATES.items() for city in cities for number in range(per_city)
    ]  # fmt: skip


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return demo.write(tmp_path_factory.mktemp("demo"), invented(), today=TODAY)


def test_the_same_seed_makes_the_same_files(written: tuple[Path, Path], tmp_path: Path) -> None:
    again = demo.write(tmp_path, list(reversed(invented())), today=TODAY)
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in written]
    other = demo.write(tmp_path, invented(), seed=1, today=TODAY)
    assert other[1].read_bytes() != written[1].read_bytes()


def test_orders_are_skewed_as_real_ones_are(written: tuple[Path, Path]) -> None:
    purchases = rows(written[1])
    assert 20_000 < len(purchases) < 100_000
    lines = Counter(row["client_id"] for row in purchases)
    big = sum(count for _, count in lines.most_common(30))
    assert len(lines) == demo.HOW_MANY and big > 0.3 * len(purchases), "a tenth of the clients buys a third"
    days = {date.fromisoformat(row["purchased_on"]) for row in purchases}
    assert max(days) <= TODAY and max(days) - min(days) >= timedelta(days=120)


def test_nobody_buys_from_a_closed_brewery(written: tuple[Path, Path]) -> None:
    closed = {b.name.upper().removesuffix(" BREWING CO") for b in invented() if not b.is_open}
    spelled = {row["brewery"].upper().partition(" BREWING")[0] for row in rows(written[1])}
    assert spelled and not spelled & closed


async def test_the_demo_loads_as_an_operators_files_do(
    written: tuple[Path, Path], operator: asyncpg.Connection
) -> None:
    breweries = invented()
    await keep(operator, *breweries)
    report = await load(operator, *written, catalogue=Catalogue(breweries), days=DAYS)
    assert (report.clients, report.bad, report.ignored) == (demo.HOW_MANY, (), ())
    nameless = await operator.fetchval("SELECT count(*) FROM beers WHERE brewery_id IS NULL")
    assert nameless == 0, "every spelling is one of the catalogue's breweries"
    assert await compute(operator, DAYS) == demo.HOW_MANY
    first = decode(await operator.fetchval("SELECT data FROM profiles WHERE client_id = 'CLT-00001'"))
    assert (first.city, first.state, first.language, first.window) == ("San Diego", "California", "pt", "90d")
    here = {b.id for b in breweries if b.city == "San Diego" and b.is_open}
    assert here - first.brewery_ids, "something in San Diego is left to discover"
    windows = await operator.fetch("SELECT DISTINCT data ->> 'window' AS name FROM profiles ORDER BY 1")
    assert [row["name"] for row in windows] == ["90d", "all"], "some clients have stopped buying"


def test_without_an_open_brewery_there_is_nothing_to_buy() -> None:
    with pytest.raises(SetupError, match="no open brewery"):
        demo.generate([SHUT], today=TODAY)
