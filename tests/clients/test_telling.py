"""What figures with noise tell: drawn many times, less than one in a hundred of what is told is false."""

import math
import random
from collections.abc import Callable, Sequence

import pytest

from beerforyou.clients.statistics import FEWEST, NOISE
from beerforyou.clients.telling import ABOUT, Cell, Told, clients, places, quantity, told

WORLDS = 1_000


def noise(chance: random.Random) -> float:
    return chance.expovariate(1) - chance.expovariate(1)


def counted(truth: int, chance: random.Random) -> Cell:
    return clients(round((truth + NOISE * noise(chance)) / 10) * 10, None)


def weighed(truth: int, chance: random.Random) -> Cell:
    """With as much cut off as may be."""
    clip = max(1, truth // 400)
    spread = int(NOISE * clip)
    step = 10 ** math.floor(math.log10(spread))
    about = round((truth - spread + spread * noise(chance)) / step) * step
    return quantity(about if about >= 3 * spread else None, spread)


def ranked(
    truths: Sequence[int], make: Callable[[int, random.Random], Cell], chance: random.Random
) -> list[tuple[int, tuple[int, int]]]:
    """Each truth with its places."""
    cells = [(make(truth, chance), truth) for truth in truths]
    cells.sort(key=lambda one: -math.inf if one[0].about is None else one[0].about, reverse=True)
    found = places([cell for cell, _ in cells], len(cells))
    return [(truth, place) for (_, truth), place in zip(cells, found, strict=True)]


@pytest.mark.parametrize("make", [counted, weighed])
@pytest.mark.parametrize(
    "truths",
    [[1_000] * 2, [1_000] * 13, [400] * 30, [1_000, 990, 980, 970], [*range(200, 1_000, 100)], [5_000, *[900] * 11], [60] * 8],
)  # fmt: skip
def test_fewer_than_one_ranking_of_a_hundred_tells_a_false_order(
    truths: list[int], make: Callable[[int, random.Random], Cell]
) -> None:
    chance, wrong = random.Random(3), 0
    for _ in range(WORLDS):
        rows = ranked(truths, make, chance)
        wrong += any(a <= b and worst < best for a, (_, worst) in rows for b, (best, _) in rows)
    assert wrong < WORLDS / 100


@pytest.mark.parametrize(("truths", "make"), [([3_000, 2_400, 1_500], counted), ([900_000, 300_000, 50_000], weighed)])
def test_what_is_far_apart_is_told_in_order(truths: list[int], make: Callable[[int, random.Random], Cell]) -> None:
    chance = random.Random(4)
    right = sum([place for _, place in ranked(truths, make, chance)] == [(1, 1), (2, 2), (3, 3)] for _ in range(100))
    assert right > 90


@pytest.mark.parametrize("truth", [10, 23, 80, 150, 300, 2_900])
def test_fewer_than_one_figure_of_a_hundred_is_false(truth: int) -> None:
    chance, wrong = random.Random(5), 0
    for _ in range(WORLDS):
        found = told(counted(truth, chance))
        assert found
        off = abs(found.low - truth) > ABOUT * truth + 10 if found.form == "about" else truth < found.low
        wrong += off or (found.form == "between" and truth > found.high)
    assert wrong <= WORLDS / 100 + 10  # two standard errors and a half


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        (clients(80, 80), Told(form="at_least", low=FEWEST)),  # in a state that may have 23
        (clients(180, None), Told(form="at_least", low=30)),
        (clients(320, 300), Told(form="between", low=220, high=400)),
        (clients(2_900, 3_000), Told(form="about", low=2_900)),
        (clients(3_100, 3_000), Told(form="about", low=3_000)),  # never more than there are
        (quantity(40_000, 2_000), Told(form="between", low=25_000, high=57_000)),
        (quantity(400_000, 2_000), Told(form="about", low=400_000)),
        (quantity(7_000, 2_000), None),
        (quantity(None, 2_000), None),
        (quantity(7_000, None), None),  # published before its spread was
    ],
)
def test_a_figure_is_told_as_far_as_it_is_known(cell: Cell, words: Told | None) -> None:
    assert told(cell) == words


def test_a_quantity_that_is_not_known_may_be_any_of_them() -> None:
    known, small, open_ = quantity(90_000, 1_000), quantity(None, 1_000), quantity(None, None)
    assert places([known, small, open_], 3) == [(1, 2), (2, 3), (1, 3)]


def test_those_that_were_not_read_are_below_what_is_far_above_the_last() -> None:
    rows = [clients(n, None) for n in (3_000, 1_000, 950)]
    assert places(rows, 50) == [(1, 1), (2, 50), (2, 50)]
    assert places(rows[::-1], 50, lowest=True) == [(1, 49), (1, 49), (3, 50)]
