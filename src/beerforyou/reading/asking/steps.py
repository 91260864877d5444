"""Reads the slots of a question about purchases, in a fixed order: what one has used is not there for the next.

"mais barata" is about the price and not the most, "nunca mais" is no superlative, "último mês" is a time and no last order.
"""

from __future__ import annotations

from beerforyou.reading.asking import asked_bounds, asked_ranks, asked_sums, asked_times
from beerforyou.reading.asking.asked import Asked, Unread
from beerforyou.reading.asking.filters import filters_in
from beerforyou.reading.question import Question
from beerforyou.reading.slots.slots import Slots

_STEPS = (
    asked_bounds.bound, asked_times.having, asked_times.dates, asked_sums.ticket, asked_ranks.dearness, asked_sums.measures, asked_sums.each_one, asked_sums.groups,
    asked_sums.change, asked_sums.share, asked_sums.mean, asked_ranks.rank, asked_bounds.groups, asked_ranks.rows, asked_ranks.idle_nouns,
)  # fmt: skip


def asked_in(s: Slots, follows: Question | None = None, listed: int = 0) -> Asked:
    """`follows` is the question before, `listed` the number of rows of its table: what they don't have is not pointed at."""
    r = Unread(s, follows)
    asked_times.beside_the_last(r)
    asked_times.spans(r)
    asked_ranks.pointed(r, listed)
    found = filters_in(s, frozenset(r.taken))
    r.asked.filters, r.valued = found.value, found.words
    r.used |= found.words
    for step in _STEPS:
        step(r)
    r.asked.words = frozenset(r.used)
    return r.asked


def asked_of(s: Slots) -> Asked:
    """The same without a question before it, read once."""
    if s.asked is None:
        s.asked = asked_in(s)
    return s.asked
