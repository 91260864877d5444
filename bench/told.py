"""What statistics over all clients can tell, and how often it is false: by how many clients there are, and by the scale of the noise.

    python bench/told.py BREWERIES.csv [CLIENTS...] [--noise 20]

Demo clients of the catalogue, counted here; noise is drawn as clients/statistics.py says (`stats.clip` is done again here), and what may be
said of it is the product's own code. A ranking is what one can ask for: beers, breweries, styles or types of everybody, of a state or (styles
and types) a city; styles and types of a month.
"""

from __future__ import annotations

import argparse
import math
import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

from beerforyou.catalogue.sync import read_csv
from beerforyou.clients import demo, statistics, telling

TODAY = date(2026, 11, 28)
Key = tuple[str, ...]
COMPARED, SHOWN = 100, 10  # as tools/statistics.py


class Truth(NamedTuple):
    clients: int
    quantity: int
    clip_sums: tuple[int, ...]  # of the n largest

    def clip(self, most: float) -> float:
        least = max(1.0, max(total / (most + n) for n, total in enumerate(self.clip_sums, start=1)))
        digit = 10 ** math.floor(math.log10(least))
        return math.ceil(least / digit) * digit


def world(breweries: Path, clients: int, seed: int) -> dict[Key, dict[str, Truth]]:
    """Of each ranking the truth behind each of its cells that could be published."""
    demo.HOW_MANY = clients
    people, lines = demo.generate(read_csv(breweries), seed=seed, today=TODAY)
    homes = {row["client_id"]: (row["state"], row["city"]) for row in people}
    types = {b.name: b.brewery_type for b in read_csv(breweries)}
    bought: dict[Key, dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(Counter))
    for line in lines:
        who, quantity = str(line["client_id"]), int(str(line["quantity"]))
        for ranking, name in _cells(line, homes[who], types):
            bought[ranking][name][who] += quantity
    return {
        ranking: {name: _truth(list(of.values())) for name, of in cells.items()} for ranking, cells in bought.items()
    }


def _cells(line: dict[str, object], home: tuple[str, str], types: dict[str, str]) -> Iterator[tuple[Key, str]]:
    names = {
        "style": line["style"],
        "type": types.get(str(line["brewery"]), ""),
        "beer": line["beer"],
        "brewery": line["brewery"],
    }
    state, city = home
    for dimension, name in names.items():
        if name:
            yield (dimension,), str(name)
            yield (dimension, state), str(name)
            if dimension in ("style", "type"):
                yield (dimension, state, city), str(name)
                yield (dimension, "month", str(line["purchased_on"])[:7]), str(name)


def _truth(quantities: list[int]) -> Truth:
    sums, total = [], 0
    for quantity in sorted(quantities, reverse=True):
        total += quantity
        sums.append(total)
    return Truth(len(quantities), total, tuple(sums))


def laplace(rng: random.Random) -> float:
    return rng.expovariate(1) - rng.expovariate(1)


class Drawn(NamedTuple):
    name: str
    clients: telling.Cell
    quantity: telling.Cell


def drawn(cells: dict[str, Truth], everybody: float, noise: float, rng: random.Random) -> list[Drawn]:
    """What would be published of a ranking."""
    found = []
    for name, truth in cells.items():
        about = round((truth.clients + noise * laplace(rng)) / 10) * 10
        if truth.clients < statistics.FEWEST or about < 3 * noise or 2 * truth.clip_sums[0] > truth.quantity:
            continue
        clip = truth.clip(noise * rng.uniform(0.5, 1))
        clipped = min(total + (truth.clients - n) * clip for n, total in enumerate((0, *truth.clip_sums)))
        spread = noise * clip
        step = 10 ** math.floor(math.log10(spread))
        quantity = clipped + spread * laplace(rng)
        told = round(quantity / step) * step if quantity >= 3 * spread else None
        found.append(
            Drawn(
                name,
                telling.Cell(about=about, spread=noise, measure="clients", everybody=everybody),
                telling.Cell(about=told, spread=spread, measure="quantity"),
            )
        )
    return found


class Tally(Counter[str]):
    def ranking(self, measure: str, cells: dict[str, Truth], published: list[Drawn]) -> None:
        def known(one: Drawn) -> telling.Cell:
            return one.clients if measure == "clients" else one.quantity

        if len(published) < 2:
            return
        published.sort(key=lambda one: -1 if known(one).about is None else known(one).about, reverse=True)
        places = telling.places([known(one) for one in published[:COMPARED]], len(published))
        truths = [getattr(cells[one.name], measure) for one in published[:COMPARED]]
        apart = [(i, j) for i, (_, worst) in enumerate(places) for j, (best, _) in enumerate(places) if worst < best]
        wrong = sum(truths[i] < truths[j] for i, j in apart)
        self[f"{measure} rankings"] += 1
        first = {one.name for one, (best, _) in zip(published, places, strict=False) if best == 1}
        if any(telling.leads(known(one), len(published)) for one in published[:COMPARED]):
            self[f"{measure} first"] += len(first) == 1
            self[f"{measure} few first"] += len(first) <= 3 < len(places)
            if len(first) < len(places):
                self[f"{measure} first told"] += 1
                self[f"{measure} false first"] += (
                    max(cells, key=lambda name: getattr(cells[name], measure)) not in first
                )
        self[f"{measure} ordered"] += bool(apart)
        self[f"{measure} pairs"] += len(places) * (len(places) - 1) // 2
        self[f"{measure} told pairs"] += len(apart)
        self[f"{measure} false pairs"] += wrong
        self[f"{measure} false rankings"] += wrong > 0
        for one, truth in zip(published[:SHOWN], truths, strict=False):
            self.figure(measure, telling.told(known(one), one_of=len(published) / SHOWN), truth)

    def figure(self, measure: str, told: telling.Told | None, truth: int) -> None:
        form = told.form if told else "untold"
        self[f"{measure} figures"] += 1
        self[f"{measure} {form}"] += 1
        if told:
            self[f"{measure} figures told"] += 1
            near = abs(truth - told.low) <= telling.ABOUT * truth * 1.1 if form == "about" else told.low <= truth
            self[f"{measure} false figures"] += not near or (form == "between" and truth > told.high)


def measure(clients: int, truth: dict[Key, dict[str, Truth]], noise: float, draws: int, everybody: int) -> None:
    for kind in ("everyone", "state", "city", "month"):
        tally, rng = Tally(), random.Random(7)
        for ranking, cells in truth.items():
            where = (
                "everyone"
                if len(ranking) == 1
                else "state"
                if len(ranking) == 2
                else "month"
                if ranking[1] == "month"
                else "city"
            )
            if where == kind and sum(t.clients >= statistics.FEWEST for t in cells.values()) > 1:
                for _ in range(draws):
                    tally["asked"] += 1
                    published = drawn(cells, math.inf, noise, rng)
                    tally.ranking("clients", cells, list(published))
                    tally.ranking("quantity", cells, published)
        report(clients, noise, kind, tally)


def report(clients: int, noise: float, kind: str, tally: Tally) -> None:
    for measure in ("clients", "quantity"):
        n, pairs, figures = (max(1, tally[f"{measure} {what}"]) for what in ("rankings", "pairs", "figures"))
        told = max(1, tally[f"{measure} told pairs"])
        print(
            f"{clients:>6} noise {noise:g} {kind:<9}{measure:<9} asked {tally['asked']:>6} published {tally[f'{measure} rankings'] / max(1, tally['asked']):6.1%}"
            f" one first {tally[f'{measure} first'] / n:6.1%} one of three {tally[f'{measure} few first'] / n:6.1%} some order {tally[f'{measure} ordered'] / n:6.1%}"
            f" pairs {tally[f'{measure} told pairs'] / pairs:6.1%} false pairs {tally[f'{measure} false pairs'] / told:7.3%}"
            f" first told {tally[f'{measure} first told'] / n:6.1%} false first {tally[f'{measure} false first'] / max(1, tally[f'{measure} first told']):7.3%}"
            f" false rankings {tally[f'{measure} false rankings'] / n:7.3%} | about {tally[f'{measure} about'] / figures:6.1%} between"
            f" {tally[f'{measure} between'] / figures:6.1%} at least {tally[f'{measure} at_least'] / figures:6.1%}"
            f" false {tally[f'{measure} false figures'] / max(1, tally[f'{measure} figures told']):7.3%}",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("breweries", type=Path)
    parser.add_argument("clients", type=int, nargs="*", default=[100, 300, 3_000, 30_000])
    parser.add_argument("--noise", type=float, nargs="*", default=[statistics.NOISE])
    asked = parser.parse_args()
    for clients in asked.clients:
        truth = world(asked.breweries, clients, seed=1)
        for noise in asked.noise:
            measure(clients, truth, noise, max(2, 3_000 // clients * 5), clients)


if __name__ == "__main__":
    main()
