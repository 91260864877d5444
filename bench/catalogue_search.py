"""What the catalogue costs: building it, searching, finding names, understanding places. Needs a CSV of Open Brewery DB.

python bench/catalogue_search.py breweries.csv
"""

from __future__ import annotations

import gc
import random
import string
import sys
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from statistics import quantiles
from typing import Any

from beerforyou.catalogue.brewery import Ambiguous, Brewery, Criteria, Place, Unknown
from beerforyou.catalogue.index import Catalogue
from beerforyou.catalogue.names import fold, plain
from beerforyou.catalogue.ranking import Taste, recommend
from beerforyou.catalogue.sync import read_csv

ROUNDS = 2000
HOME = Place(city="San Diego", state="California", country="United States")
MESSAGES = (
    "Cervejarias novas em San Diego",
    "quais brewpubs tem em Portland, Oregon?",
    "conte mais sobre a Stone Brewing Company",
    "what did I buy most last month?",
    "Bom dia! Quais brewpubs e microcervejarias novas existem em San Diego, Portland e na Carolina do Norte, "
    "parecidas com a Stone Brewing e a Deschutes Brewery, que eu ainda não compro?",
)


def main(path: Path) -> None:
    rows = read_csv(path)
    catalogue = _built(rows)
    chance = random.Random(1)
    cities = sorted({(p.city, p.state, p.country) for p in catalogue.columns.place})
    states = sorted({(p.state, p.country) for p in catalogue.columns.place})
    names = [b.name for b in rows]

    print(f"\n{'microseconds of CPU':42}{'p50':>8}{'p95':>8}{'p99':>8}")
    search, any_city = catalogue.search, lambda: chance.choice(cities)
    _show("search: city, state and country", lambda: search(Criteria(**_place(any_city()))))
    _show("search: city alone", lambda: search(Criteria(city=any_city()[0])))
    _show(
        "search: state", lambda: search(Criteria(**dict(zip(("state", "country"), chance.choice(states), strict=True))))
    )
    _show("search: country and type", lambda: search(Criteria(country="Germany", type="microcervejaria")))
    _show("search: name", lambda: search(Criteria(name=chance.choice(names))))
    _show("search: name, misspelt", lambda: search(Criteria(name=_mistyped(chance.choice(names), chance))))
    _show("search: city, misspelt", lambda: search(Criteria(city=_mistyped(any_city()[0], chance))))
    _show("search: within 50 km of a city", lambda: search(Criteria(**_place(any_city()), within_km=50)))
    _show("search: within 300 km of a city", lambda: search(Criteria(**_place(any_city()), within_km=300)))
    taste = Taste(
        types={"micro": 0.5, "brewpub": 0.3, "regional": 0.2},
        bought=frozenset(b.id for b in chance.sample(rows, 30)),
    )
    _show("recommend: in a city", lambda: recommend(catalogue, Criteria(**_place(any_city()), per_page=5), taste, HOME))
    _show("recommend: around home", lambda: recommend(catalogue, Criteria(per_page=5), taste, HOME))
    _show(
        "recommend: around a home of any city",
        lambda: recommend(catalogue, Criteria(per_page=5), taste, Place(**_place(any_city()))),
    )
    _show("recommend: in California", lambda: recommend(catalogue, Criteria(state="CA", per_page=5), taste, HOME), 300)
    _show(
        "known_as: name, city, state",
        lambda: catalogue.known_as(*chance.choice([(b.name, b.city, b.state) for b in rows[:500]])),
    )
    for message in MESSAGES:
        words = plain(message).split()
        _show(f"mentions: {len(words)} words", lambda words=words: catalogue.mentions(words))
    _show("nearest: city, misspelt", lambda: catalogue.nearest("city", _mistyped(any_city()[0], chance)))
    _show("nearest: brewery, misspelt", lambda: catalogue.nearest("brewery", _mistyped(chance.choice(names), chance)))
    _memory(catalogue, chance.sample(cities, 400), taste)
    _understood(catalogue, chance)


def _memory(catalogue: Catalogue, homes: list[tuple[str, str, str]], taste: Taste) -> None:
    """What is kept when clients of many cities ask for more than is kept."""
    catalogue = Catalogue(catalogue.breweries)
    gc.collect()
    tracemalloc.start()
    for home in homes:
        for criteria in (Criteria(), Criteria(state="CA"), Criteria(country="US")):
            recommend(catalogue, criteria, taste, Place(**_place(home)))
    gc.collect()
    print(f"kept of 1,200 searches: {tracemalloc.get_traced_memory()[0] / 1e6:.1f} MB")
    tracemalloc.stop()


def _built(rows: list[Brewery]) -> Catalogue:
    times = []
    for _ in range(3):
        start = time.perf_counter()
        Catalogue(rows)
        times.append(time.perf_counter() - start)
    gc.collect()
    tracemalloc.start()
    catalogue = Catalogue(rows)
    gc.collect()
    size = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    print(f"{len(rows)} breweries: built in {min(times):.2f} s, {size / 1e6:.1f} MB beside the rows")
    return catalogue


def _show(what: str, ask: Callable[[], Any], rounds: int = ROUNDS) -> None:
    times = []
    for _ in range(rounds):
        start = time.thread_time()
        ask()
        times.append(1e6 * (time.thread_time() - start))
    cuts = quantiles(times, n=100)
    print(f"{what:42}{cuts[49]:8.0f}{cuts[94]:8.0f}{cuts[98]:8.0f}")


def _understood(catalogue: Catalogue, chance: random.Random) -> None:
    """How often a city's bare name is asked about, and what becomes of mistyped ones."""
    opened = {p for p, n in catalogue.places.open_breweries.items() if p.city and n}
    by_name = {fold(p.city): p.city for p in opened}
    shared = {key for key, n in Counter(fold(p.city) for p in opened).items() if n > 1}
    found = {key: catalogue.places.resolve(name) for key, name in by_name.items()}
    kinds = Counter(type(result).__name__ for result in found.values())
    decided = sum(isinstance(found[key], Place) for key in shared)
    print(f"\n{len(by_name)} city names with open breweries, nothing else said: {dict(kinds)}")
    print(f"of the {len(shared)} that several places share: {decided} taken, {len(shared) - decided} asked about")
    asked = sum(_breweries(catalogue, found[k]) for k in found if isinstance(found[k], Ambiguous))
    every = sum(catalogue.places.open_breweries[p] for p in opened)
    print(f"weighed by breweries, {asked / every:.1%} of the names people would say are asked about")

    weights = [catalogue.places.open_breweries[p] for p in opened]
    meant = [p.city for p in chance.choices(sorted(opened, key=str), weights, k=4000)]
    for what, shortest, mistakes in (("one mistake", 5, 1), ("two mistakes", 9, 2)):
        outcome = Counter[str]()
        for city in (city for city in meant if len(city) >= shortest):
            text = city
            for _ in range(mistakes):
                text = _mistyped(text, chance)
            repaired = catalogue.nearest("city", text)
            outcome["not repaired" if repaired is None else "right" if repaired == city else "wrong"] += 1
        print(f"{what} in a name of {shortest} letters or more, weighed by breweries: {_shares(outcome)}")


def _breweries(catalogue: Catalogue, found: Place | Ambiguous | Unknown) -> int:
    return sum(catalogue.places.open_breweries[c] for c in found.choices) if isinstance(found, Ambiguous) else 0


def _shares(outcome: Counter[str]) -> str:
    return ", ".join(f"{what} {n / outcome.total():.1%}" for what, n in outcome.most_common())


def _place(of: tuple[str, str, str]) -> dict[str, str]:
    return dict(zip(("city", "state", "country"), of, strict=True))


def _mistyped(word: str, chance: random.Random) -> str:
    if len(word) < 3:
        return word
    at = chance.randrange(1, len(word) - 1)
    left, letter, right = word[:at], word[at], word[at + 1 :]
    return chance.choice([
        left + right, left + letter + letter + right, left + right[0] + letter + right[1:],
        left + chance.choice(string.ascii_lowercase) + right,
    ])  # fmt: skip


if __name__ == "__main__":
    main(Path(sys.argv[1]))
