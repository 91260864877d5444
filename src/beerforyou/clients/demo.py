"""Demo clients and what they bought: invented and seeded, but skewed as real orders are.

Few clients buy much; each has weekly deliveries, suppliers near home, beers that it repeats, seasons, and now and
then a try. The breweries are those of the catalogue, spelled as a warehouse would. Load it with `load.py`.
"""

import csv
from bisect import bisect
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from importlib import resources
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import Literal

import msgspec

from beerforyou.catalogue.brewery import Brewery
from beerforyou.clients.columns import CLIENTS, PURCHASES
from beerforyou.errors import SetupError

SEED = 20260802
HOW_MANY = 300
DAYS = 150
FIRST_HOME = ("San Diego", "California")  # of CLT-00001, where the catalogue has it
LEVELS = ("city", "state", "country", "world")
NEARNESS = (0.35, 0.40, 0.20, 0.05)  # share of suppliers at each level
TRY = 0.06  # share of lines that are no favourite
SKIPPED = 0.07  # share of deliveries that a client does without
IN_SEASON, OUT_OF_SEASON = 2.5, 0.5

Pools = Mapping[tuple[str, ...], Sequence[Brewery]]


class Style(msgspec.Struct, frozen=True):
    name: str
    price: float
    weight: int
    season: Literal["", "warm", "cold"] = ""


class Names(msgspec.Struct, frozen=True):
    order: tuple[str, ...]
    parts: dict[str, tuple[str, ...]]


class Words(msgspec.Struct, frozen=True):
    beers: tuple[str, ...]
    forms: tuple[str, ...]
    bars: dict[str, Names]
    styles: tuple[Style, ...]


WORDS = msgspec.toml.decode((resources.files(__package__) / "demo_words.toml").read_text("utf-8"), type=Words)


class Beer(msgspec.Struct, frozen=True):
    brewery: Brewery
    name: str
    style: Style
    price: float


class Buyer(msgspec.Struct, frozen=True, kw_only=True):
    """`size` 1 is the median client. Deliveries come every `every` days from `start` to `end`, counted in days."""

    client_id: str
    name: str
    home: Brewery
    language: str
    size: float
    every: int
    start: int
    end: int


def write(folder: Path, breweries: Sequence[Brewery], *, seed: int = SEED, today: date) -> tuple[Path, Path]:
    """clients.csv and purchases.csv in this folder. Raises SetupError for a catalogue without open breweries."""
    clients, purchases = generate(breweries, seed=seed, today=today)
    paths = folder / "clients.csv", folder / "purchases.csv"
    _write(paths[0], [column.name for column in CLIENTS], clients)
    _write(paths[1], [column.name for column in PURCHASES], purchases)
    return paths


def _write(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)


def generate(
    breweries: Sequence[Brewery], *, seed: int = SEED, today: date
) -> tuple[Iterator[dict[str, object]], Iterator[dict[str, object]]]:
    """Rows of clients and of purchases, with the columns of `columns.py`."""
    pools = _pools(breweries)
    if not pools:
        raise SetupError("the catalogue has no open brewery to buy from", "run `beerforyou catalogue sync` first")
    buyers = [_buyer(number, pools, seed) for number in range(1, HOW_MANY + 1)]
    return map(_client, buyers), _purchases(buyers, pools, seed, today)


def _pools(breweries: Sequence[Brewery]) -> Pools:
    """Open breweries by city, state, country, and all of them under the empty key."""
    pools: dict[tuple[str, ...], list[Brewery]] = defaultdict(list)
    for brewery in sorted(breweries, key=lambda b: b.id):
        if brewery.is_open and brewery.city and brewery.state:
            for level in LEVELS:
                pools[_pool(brewery, level)].append(brewery)
    return pools


def _pool(home: Brewery, level: str) -> tuple[str, ...]:
    place = (home.country, home.state, home.city)
    return place[: 3 - LEVELS.index(level)]


def _random(*parts: object) -> Random:
    """One of its own for each client and brewery, so that neither order nor number of others matters."""
    return Random(":".join(map(str, parts)))  # noqa: S311 (nothing secret)


def _buyer(number: int, pools: Pools, seed: int) -> Buyer:
    rng = _random(seed, "client", number)
    everywhere = pools[()]
    first = [b for b in everywhere if (b.city, b.state) == FIRST_HOME] if number == 1 else []
    home = rng.choice(first or everywhere)  # more clients where more breweries are
    language = "pt" if number == 1 or home.country == "Portugal" or rng.random() < 0.3 else "en"
    size = 1.0 if number == 1 else rng.lognormvariate(0, 0.9)
    lapsed = number > 1 and rng.random() < 0.04
    late = number > 1 and not lapsed and rng.random() < 0.1
    return Buyer(
        client_id=f"CLT-{number:05}",
        name=_name(rng, language),
        home=home,
        language=language,
        size=size,
        every=3 if size > 3 else 14 if size < 0.4 else 7,
        start=DAYS - rng.randint(20, 60) if late else rng.randrange(7),
        end=DAYS - rng.randint(95, 120) if lapsed else DAYS,
    )


def _name(rng: Random, language: str) -> str:
    words = WORDS.bars[language]
    return " ".join(rng.choice(words.parts[part]) for part in words.order)


def _client(buyer: Buyer) -> dict[str, object]:
    return {
        "client_id": buyer.client_id,
        "name": buyer.name,
        "city": buyer.home.city,
        "state": buyer.home.state,
        "country": buyer.home.country,
        "postal_code": buyer.home.postal_code,
        "language": buyer.language,
    }


def _purchases(buyers: Sequence[Buyer], pools: Pools, seed: int, today: date) -> Iterator[dict[str, object]]:
    number = 0
    for buyer in buyers:
        for day, beer, rng in _lines(buyer, pools, seed, today):
            number += 1
            yield _purchase(f"P{number:07}", buyer, day, beer, rng)


def _lines(buyer: Buyer, pools: Pools, seed: int, today: date) -> Iterator[tuple[date, Beer, Random]]:
    rng = _random(seed, "orders", buyer.client_id)
    favourites = _favourites(buyer, pools, rng, seed)
    south = (buyer.home.latitude or 0) < 0
    for offset in range(buyer.start, buyer.end, buyer.every):
        if rng.random() < SKIPPED:
            continue
        day = today - timedelta(days=DAYS - 1 - offset)
        weights = list(accumulate(w * _season(beer.style, day, south) for beer, w in favourites))
        for _ in range(min(30, 1 + round(rng.expovariate(1 / (3 * buyer.size + 1))))):
            tried = rng.random() < TRY
            beer = (
                _tried(buyer, pools, rng, seed) if tried else favourites[bisect(weights, rng.random() * weights[-1])][0]
            )
            yield day, beer, rng


def _favourites(buyer: Buyer, pools: Pools, rng: Random, seed: int) -> list[tuple[Beer, float]]:
    """Beers of the client's suppliers with their weights: the n-th is bought 1/n times as often as the first."""
    suppliers = [
        rng.choice(pools[_pool(buyer.home, level)])
        for level in rng.choices(LEVELS, NEARNESS, k=min(25, 6 + round(4 * buyer.size)))
    ]
    beers = list({beer.name: beer for supplier in suppliers for beer in _beers(supplier, seed)}.values())
    rng.shuffle(beers)
    return [(beer, 1 / rank) for rank, beer in enumerate(beers, start=1)]


def _tried(buyer: Buyer, pools: Pools, rng: Random, seed: int) -> Beer:
    return rng.choice(_beers(rng.choice(pools[_pool(buyer.home, "country")]), seed))


def _beers(brewery: Brewery, seed: int) -> list[Beer]:
    rng = _random(seed, brewery.id)
    dear = rng.uniform(0.85, 1.25)
    return [
        Beer(brewery, f"{' '.join(rng.sample(WORDS.beers, 2))} {style.name}", style, style.price * dear)
        for style in rng.choices(WORDS.styles, [style.weight for style in WORDS.styles], k=rng.randint(2, 5))
    ]


def _season(style: Style, day: date, south: bool) -> float:
    cold = day.month in ((5, 6, 7, 8, 9) if south else (11, 12, 1, 2, 3))
    if not style.season:
        return 1
    return IN_SEASON if (style.season == "cold") == cold else OUT_OF_SEASON


def _purchase(purchase_id: str, buyer: Buyer, day: date, beer: Beer, rng: Random) -> dict[str, object]:
    forgotten = rng.random() < 0.03  # a line without the brewery's place
    return {
        "purchase_id": purchase_id,
        "client_id": buyer.client_id,
        "purchased_on": day.isoformat(),
        "beer": beer.name,
        "style": beer.style.name,
        "brewery": _spelled(beer.brewery.name, rng),
        "brewery_city": "" if forgotten else beer.brewery.city,
        "brewery_state": "" if forgotten else beer.brewery.state,
        "quantity": max(1, round(rng.expovariate(1 / (2 * buyer.size + 1)))),
        "unit_price": f"{beer.price:.2f}",
    }


def _spelled(name: str, rng: Random) -> str:
    """Mostly as the catalogue has it; else with another form of "Brewing Company", or in capitals."""
    chance = rng.random()
    if chance < 0.75:
        return name
    if chance < 0.80:
        return name.upper()
    form = next((form for form in WORDS.forms if name.endswith(f" {form}")), None)
    return name.removesuffix(form) + rng.choice(WORDS.forms) if form else name
