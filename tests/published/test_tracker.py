"""The tracker: 10,000 questions to find out of 1,000 clients whether each bought one beer, before and after a publication.

Each target is the last client of its city, and alone among its state's clients in being asked about that beer. What the
attack reaches is measured here and told in docs/explanation/statistics.md.
"""

import math
from collections.abc import Callable
from random import Random
from statistics import NormalDist, fmean, median, pstdev
from typing import Any

import pytest

from beerforyou.clients.statistics import NOISE
from tests.published.conftest import Asker
from tests.published.market import APRIL, MARCH, Market

STATES = ["Ohio", "Texas", "Oregon", "Maine", "Nevada", "Utah", "Iowa", "Kansas", "Vermont", "Florida",
          "Georgia", "Idaho", "Indiana", "Kentucky", "Alabama", "Arizona", "Colorado", "Delaware", "Hawaii", "Illinois",
          "Louisiana", "Maryland", "Michigan", "Minnesota", "Missouri", "Montana", "Nebraska", "Oklahoma", "Tennessee",
          "Virginia", "Wisconsin", "Wyoming", "Arkansas", "California", "Connecticut", "Massachusetts", "Mississippi",
          "Pennsylvania", "Alaska", "New Mexico"]  # fmt: skip
BEERS = 25  # in each state a target for each of them
CLIENTS = 180  # of a state besides the targets
QUESTIONS = 10  # about each target

OTHERS_BEFORE, OTHERS_LATER, BOUGHT = 0.5, 0.12, "x"
BUY = """
INSERT INTO core.purchases (client_id, purchase_id, purchased_on, beer_id, quantity, unit_price, changed_at)
SELECT c, tag || c || b, date '2026-03-03', b, q, 1, clock_timestamp()
FROM unnest($1::text[], $2::bigint[], $3::int[]) AS t (c, b, q), (SELECT $4::text AS tag) AS tagged
"""


class Guess:
    """Right or not, over all targets."""

    def __init__(self, scores: list[float], secrets: list[bool]) -> None:
        line = median(scores)
        self.right = fmean((score > line) == secret for score, secret in zip(scores, secrets, strict=True))

    def is_no_better_than(self, bound: float, trials: int) -> bool:
        """Within three standard errors: chance alone goes beyond that once in seven hundred times."""
        return self.right <= bound + 3 * math.sqrt(0.25 / trials)


class World:
    """Who is there and what they buy; `secrets` is what the tracker wants to know."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.targets = [(state, beer) for state in STATES for beer in range(BEERS)]
        self.secrets = [self.random.random() < 0.5 for _ in self.targets]

    async def settle(self, market: Market) -> None:
        for state in STATES:
            await market.settle(f"{state}-", state, "Capital", CLIENTS)
            for beer in range(BEERS):
                await market.settle(f"{state}-target-{beer}-", state, f"Village {beer}", 1)
        self.beers = [await market.brew(f"Beer {n}", style=f"Style {n % 5}", brewery=f"B {n}") for n in range(BEERS)]

    def others(self, share: float) -> list[tuple[str, int, int]]:
        return [
            (f"{state}-{n}", beer, self.random.randint(1, 10))
            for state in STATES for n in range(1, CLIENTS + 1) for beer in self.beers if self.random.random() < share
        ]  # fmt: skip

    def theirs(self) -> list[tuple[str, int, int]]:
        chosen = zip(self.targets, self.secrets, strict=True)
        return [
            (f"{state}-target-{beer}-1", self.beers[beer], self.random.randint(1, 10))
            for (state, beer), bought in chosen if bought
        ]  # fmt: skip


class Asked:
    """Questions between two publications: the same one again has the same answer (test_rules.py), and is not put again."""

    def __init__(self, asker: Asker) -> None:
        self._asker = asker
        self._answers: dict[tuple[str, ...], tuple[float, float]] = {}

    async def ask(self, **asked: str) -> tuple[float, float]:
        key = tuple(word for pair in sorted(asked.items()) for word in pair)
        if key not in self._answers:
            self._answers[key] = await cell(self._asker, **asked)
        return self._answers[key]


async def cell(asker: Asker, **asked: Any) -> tuple[float, float]:
    """Clients and quantity of exactly that cell, as they stand in the table, of which answers tell less; 0 where it is not published."""
    asked = {"state": "", "city": "", "beer": "", "style": "", **asked}
    dimension = "beer" if asked["beer"] else "style" if asked["style"] else "total"
    rows = await asker.hands.statistics.fetch(
        "statistics.cells", dimension, asked["state"], asked["city"], "", asked["beer"] or asked["style"], "", "", "", "clients", "most", 1
    )  # fmt: skip
    return (float(rows[0]["clients"]), float(rows[0]["quantity"] or 0)) if rows else (0.0, 0.0)


async def observed(asked: Asked, state: str, beer: int) -> list[float]:
    """Five questions: the beer in the state, everywhere, in the village; the village; the state's style."""
    name, village = f"Beer {beer}", f"Village {beer}"
    answers = [
        await asked.ask(beer=name, state=state),
        await asked.ask(beer=name),
        await asked.ask(beer=name, state=state, city=village),
        await asked.ask(state=state, city=village),
        await asked.ask(style=f"Style {beer % 5}", state=state),
    ]
    return [number for answer in answers for number in answer]


def standardized(column: list[float]) -> list[float]:
    mean, spread = fmean(column), pstdev(column) or 1.0
    return [(value - mean) / spread for value in column]


@pytest.mark.parametrize("seed", [1])
async def test_a_tracker_does_no_better_than_a_coin(
    market: Market, asker: Asker, seed: int, record_property: Callable[[str, object], None]
) -> None:
    world = World(seed)
    await market.admin.execute("UPDATE stats.secret SET secret = sha256($1)", f"noise {seed}".encode())
    await world.settle(market)
    await market.admin.execute(BUY, *zip(*world.others(OTHERS_BEFORE), strict=True), "a")
    await market.publish(MARCH)
    asked = Asked(asker)
    before = [await observed(asked, state, beer) for state, beer in world.targets]
    later = world.others(OTHERS_LATER)
    await market.admin.execute(BUY, *zip(*later, strict=True), "b")
    known = await truth(market)  # all but the targets: what a tracker would know who knows everybody else
    await market.admin.execute(BUY, *zip(*world.theirs(), strict=True), BOUGHT)
    await market.publish(APRIL)
    asked = Asked(asker)
    after = [await observed(asked, state, beer) for state, beer in world.targets]

    moved = [[b - a for a, b in zip(*pair, strict=True)] for pair in zip(before, after, strict=True)]
    columns = [standardized(list(column)) for column in zip(*moved, strict=True)]
    tracker = Guess([sum(row) for row in zip(*columns, strict=True)], world.secrets)
    single = Guess([row[0] for row in moved], world.secrets)
    cells = zip(after, world.targets, strict=True)
    omniscient = Guess([row[0] - known.get((s, world.beers[b]), 0) for row, (s, b) in cells], world.secrets)

    trials = len(world.targets)
    assert trials * 2 * 5 == trials * QUESTIONS == 10_000
    record_property("tracker", tracker.right)
    print(
        f"tracker {tracker.right:.3f}, one difference {single.right:.3f}, knowing everybody else {omniscient.right:.3f}"
    )
    assert tracker.is_no_better_than(0.5, trials)
    assert single.is_no_better_than(0.5, trials)
    assert omniscient.is_no_better_than(bound_of_one_number(), trials)


def bound_of_one_number() -> float:
    """Of who knows everything but the one bit, from one number: a shift by 1 under Laplace noise of that scale."""
    return 0.5 + (1 - math.exp(-1 / (2 * NOISE))) / 2


async def truth(market: Market) -> dict[tuple[str, int], int]:
    rows = await market.admin.fetch(
        """SELECT state, beer_id, count(DISTINCT client_id) AS clients
           FROM core.purchases JOIN core.clients USING (client_id) GROUP BY 1, 2"""
    )
    return {(row["state"], row["beer_id"]): row["clients"] for row in rows}


def test_the_test_would_notice_a_leak() -> None:
    """The same guess on numbers without noise is right every time."""
    world = World(2)
    assert (
        Guess([float(secret) + NormalDist(0, 0.01).inv_cdf(0.5) for secret in world.secrets], world.secrets).right > 0.9
    )
