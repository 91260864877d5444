"""New to me, known to me, or either: what a message says about breweries that the client buys from already, and in which
words.

A negation reaches to the end of its clause: "as que não compro" are the new ones, "as que já compro" the known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Literal

from beerforyou.reading.words.lexicon import Mark, small_words
from beerforyou.reading.words.utterance import Utterance

Novelty = Literal["", "new", "known", "any"]
_REACH = 6  # words between a negation and what it denies
_SUBJECTS = small_words("subjects")
_OBJECTS = small_words("objects")
_RELATIVES = small_words("relatives")
_ON_LIST = small_words("on_list")
_TO_COME = small_words("may_do")


_TIMES = ("yet", "already", "past", "before", "keep")  # beside the verb: "haven't tried before"
_DENIES = ("leave_out", "not", "without", "yet", "including")


class Said:
    """What a message says about it."""

    def __init__(self, m: Utterance) -> None:
        self._m = m
        self._verdicts = list(_verdicts(m, "new", "buy", "my_list", "keep"))

    @property
    def novelty(self) -> Novelty:
        verdicts = {verdict for verdict, *_ in self._verdicts}
        return "any" if "any" in verdicts else "known" if "known" in verdicts else "new" if verdicts else ""

    @cached_property
    def words(self) -> frozenset[int]:
        """The positions of those that say it."""
        return frozenset(i for _, mark, clause in self._verdicts for i in _words(self._m, mark, clause))

    @property
    def denies_purchase(self) -> bool:
        """ "que ainda não compro", "not on my list": new by what was not bought, and not by the word."""
        return any(verdict == "new" and mark.tag != "new" for verdict, mark, _ in self._verdicts)


class _Clause:
    """A clause and who is in it, looked for once, whatever number of verbs it has."""

    def __init__(self, m: Utterance, words: range) -> None:
        said = m.plain[words.start : words.stop]
        self.start, self.stop = words.start, words.stop
        self.subject = next((i for i in words if m.plain[i] in _SUBJECTS), words.stop)
        self.has_object = not _OBJECTS.isdisjoint(said)
        self.is_relative = not _RELATIVES.isdisjoint(said)


def _verdicts(m: Utterance, *tags: str) -> Iterator[tuple[Novelty, Mark, _Clause]]:
    if not m.has(*tags):
        return
    for words, marks in m.by_clause(*tags):
        if marks:
            clause = _Clause(m, words)
            yield from ((verdict, mark, clause) for mark in marks if (verdict := _verdict(m, mark, clause)))


def _words(m: Utterance, mark: Mark, clause: _Clause) -> Iterator[int]:
    """Those of the mark, the nearest denial before it, and "already" or "yet" beside them."""
    first, following = max(clause.start, mark.start - _REACH), range(mark.end, clause.stop)
    denials = (each for end in range(mark.start, first, -1) for tag in _DENIES for each in m.ending(end, tag))
    denial = next(denials, mark)
    around = m.all("including") if m.has_at(mark.start, "including") else []
    for each in (mark, denial, *(each for each in around if each.start <= mark.start < each.end)):
        yield from range(each.start, each.end)
    if mark.tag == "new":
        yield from _next_to(m, following, _REACH, "already", "keep")  # "diferente do que já tenho"
        return
    yield from (i for i in range(denial.start, mark.start) if m.has_at(i, *_TIMES) or m.plain[i] in _ON_LIST)
    before = _next_to(m, range(denial.start - 1, first - 1, -1), 1, *_TIMES)
    yield from (i for i in before if not m.has_at(i, "already"))  # "já não compro" is another thing
    yield from _next_to(m, following, 1, *_TIMES)


def _next_to(m: Utterance, positions: Iterable[int], reach: int, *tags: str) -> Iterator[int]:
    """The words of these tags, with at most so many small words between: "ainda não compro", "haven't bought from yet"."""
    for i in positions:
        if m.has_at(i, *tags):
            yield i
        elif not reach or not m.is_function(i) or m.has_at(i, "turning"):
            return
        else:
            reach -= 1


def _verdict(m: Utterance, mark: Mark, clause: _Clause) -> Novelty:
    if _before(m, mark, clause, "including") or m.has_at(mark.start, "including"):
        return "any"
    if mark.tag == "new":
        return "known" if _before(m, mark, clause, "not") else "new"
    if mark.tag == "my_list":
        return _of_list(m, mark, clause)
    if not _is_mine(m, mark, clause):
        return ""
    return _of_having(m, mark, clause) if mark.tag == "keep" else _of_buying(m, mark, clause)


def _of_list(m: Utterance, mark: Mark, clause: _Clause) -> Novelty:
    if _before(m, mark, clause, "not", "without"):
        return "new"
    return "known" if m.word(mark.start - 1) in _ON_LIST else ""


def _of_having(m: Utterance, mark: Mark, clause: _Clause) -> Novelty:
    """ "have" and "know" say much else: only what directly denies them counts."""
    denied = m.has_at(mark.start - 1, "not", "yet") or m.has_at(mark.start - 2, "not")
    left_out = _before(m, mark, clause, "without") and _before(m, mark, clause, "already")
    return "new" if denied or left_out else ""


def _of_buying(m: Utterance, mark: Mark, clause: _Clause) -> Novelty:
    """ "Que ainda compro" is still bought; "have yet to buy" is not yet."""
    if _before(m, mark, clause, "not", "without") or (
        m.word(mark.start - 1) in _TO_COME and m.has_at(mark.start - 2, "yet")
    ):
        return "new"
    return "known" if clause.is_relative and _before(m, mark, clause, "already", "yet") else ""


def _before(m: Utterance, mark: Mark, clause: _Clause, *tags: str) -> bool:
    first = max(clause.start, mark.start - _REACH)
    return m.has(*tags) and any(m.ends(end, *tags) for end in range(first + 1, mark.start + 1))


def _is_mine(m: Utterance, mark: Mark, clause: _Clause) -> bool:
    """Is it the client who buys, or whom somebody supplies?"""
    if m.has_at(mark.start, "supply") and clause.has_object:
        return True
    if any(m.has_at(i, "i", "my_business") for i in range(mark.start, mark.end)):
        return True
    return clause.subject < mark.start
