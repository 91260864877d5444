"""What published figures tell: between what bounds each lies, and which order of them the noise cannot have made.

Noise is drawn as clients/statistics.py says: Laplace, of scale `spread`. The bounds hold in 99 of 100 cases, and so does all of a
ranking, whatever clients buy: docs/explanation/statistics.md says how they follow from how the noise is drawn.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import Literal

import msgspec

from beerforyou.clients.statistics import FEWEST, NOISE

FALSE = 0.01  # of ranges, and of rankings, noise makes no more false than this
WITHIN = -math.log(FALSE)  # spreads from the truth, beyond which Laplace noise is found that often
FAR = -math.log(
    FALSE / 10
)  # the same where most that could be told would be, because its noise is high: small counts, quantities
ABOUT = 0.1  # a figure whose bounds are no farther away is told by itself
ROUGHLY = 0.5  # one whose bounds are no farther away is told by them; else the lower one alone

Measure = Literal["clients", "quantity"]


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """A figure as it was published. `about` None: only known to be less than three spreads, with noise. `everybody`: about how many
    clients there are."""

    about: int | None
    spread: float
    measure: Measure
    everybody: float = math.inf

    @property
    def rounding(self) -> float:
        """Clients are published in tens, quantities in the power of ten that the spread has."""
        if self.measure == "clients":
            return 5
        return 10 ** math.floor(math.log10(self.spread)) / 2 if self.spread < math.inf else 0

    @property
    def cut(self) -> float:
        """From the largest buyers of a quantity up to a spread is cut off."""
        return 0 if self.measure == "clients" else self.spread

    @property
    def most(self) -> float:
        """What its published figure is at most."""
        return self.about if self.about is not None else 3 * self.spread


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """About `low`, between `low` and `high`, or at least `low`."""

    form: Literal["about", "between", "at_least"]
    low: int
    high: int = 0


def clients(about: int, everybody: int | None) -> Cell:
    return Cell(about=about, spread=NOISE, measure="clients", everybody=math.inf if everybody is None else everybody)


def quantity(about: int | None, spread: int | None) -> Cell:
    """A spread that is not known may be anything."""
    return Cell(about=None if spread is None else about, spread=spread or math.inf, measure="quantity")


def told(cell: Cell, one_of: float = 1) -> Told | None:
    """None where there is no figure, or too little of it is sure. `one_of` so many is shown, the highest: their noise is high, too, and
    for fewer than FALSE of those shown to be false, it must be that much rarer (false coverage rate, Benjamini and Yekutieli 2005)."""
    if cell.about is None:
        return None
    chosen = math.log(max(one_of, 1))
    reach = ((WITHIN if cell.measure == "clients" else FAR) + chosen) * cell.spread + cell.rounding
    low, high = cell.about - reach, min(cell.about + reach + cell.cut, cell.everybody + reach)
    if reach + cell.cut <= ABOUT * cell.about:
        return Told(form="about", low=_down(min(cell.about, cell.everybody), cell.measure, digits=3))
    least = max(_down(low, cell.measure), FEWEST)
    if reach + cell.cut <= ROUGHLY * cell.about and _up(high, cell.measure) > least:
        return Told(form="between", low=least, high=_up(high, cell.measure))
    if cell.measure == "quantity":
        return None
    return Told(
        form="at_least", low=max(_down(cell.about - (FAR + chosen) * cell.spread - cell.rounding, cell.measure), FEWEST)
    )


def _down(value: float, measure: Measure, digits: int = 2) -> int:
    step = _step(value, measure, digits)
    return max(0, math.floor(value / step) * step)


def _up(value: float, measure: Measure) -> int:
    step = _step(value, measure, 2)
    return math.ceil(value / step) * step


def _step(value: float, measure: Measure, digits: int) -> int:
    """Tens, and of quantities and what stands for itself so many digits."""
    if measure == "clients" and digits == 2:
        return 10
    return int(10 ** max(1, math.floor(math.log10(max(value, 1))) + 1 - digits))


@cache
def gap(cells: int) -> float:
    """By how many spreads two of so many cells must differ: that the noise of any two makes more of two equals is rarer than FALSE.

    The first of two draws is x or more above the second with the probability (2 + x) / 4 * exp(-x), and there are n (n - 1) such pairs.
    """
    pairs, x = max(2, cells * (cells - 1)), 1.0
    for _ in range(50):  # it closes in on the solution by a factor of two and more each time
        x = math.log(pairs * (2 + x) / 4 / FALSE)
    return x


def leads(cell: Cell, of: int) -> bool:
    """Whether it is above what is not published: that counts, with noise, fewer than three spreads of clients, or as little of units."""
    hidden = 3 * cell.spread
    return cell.about is not None and cell.about - hidden - 2 * cell.rounding - cell.cut > gap(of + 1) * cell.spread


def places(cells: Sequence[Cell], of: int, lowest: bool = False) -> list[tuple[int, int]]:
    """Of each cell the best and the worst place that it may have among all `of`, the first of which are given: in the order of their
    figures, those without one last. `lowest`: the first place is the smallest."""
    unseen = _unseen(cells, of, lowest)
    above, below = [0] * len(cells), [0] * len(cells)
    judged = [*((cell, 1) for cell in cells), *([(unseen, of - len(cells))] if unseen else [])]
    limits = [(cell.about, cell.most + cell.cut + cell.rounding, cell.rounding, cell.spread) for cell, _ in judged]
    scales = gap(of)
    for i, (about, _, rounding, spread) in enumerate(limits):
        if about is None:
            continue
        for j, (_, most, _, other) in enumerate(limits):
            if about - rounding - most > scales * (
                spread if spread > other else other
            ):  # more than noise makes of two equals
                if j < len(cells):
                    above[j] += judged[i][1]
                if i < len(cells):
                    below[i] += judged[j][1]
    sides = zip(below, above, strict=True) if lowest else zip(above, below, strict=True)
    return [(1 + better, of - worse) for better, worse in sides]


def _unseen(cells: Sequence[Cell], of: int, lowest: bool) -> Cell | None:
    """What stands for those that are not given: from the most, each is at most the last one that has a figure; from the least nothing
    is known."""
    if of == len(cells):
        return None
    last = cells[-1]
    if lowest or last.about is None:
        return Cell(about=None, spread=math.inf, measure=last.measure)
    return Cell(
        about=last.about,
        spread=max(last.spread, 0 if last.measure == "clients" else last.about / 3),
        measure=last.measure,
    )
