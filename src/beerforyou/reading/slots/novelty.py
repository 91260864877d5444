"""New to me, known to me, or either: what a message says about breweries that the client buys from already, and in which
words.

A negation reaches to the end of its clause: "as que não compro" are the new ones, "as que já compro" the known.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from beerforyou.reading.words.lexicon import Mark, small_words
from beerforyou.reading.words.utterance import Utterance

Novelty = Literal["", "new", "known", "any"]
_REACH = 6  # words between a negation and what it denies
_AFTER = 4  # words after the verb that still belong to it: "haven't tried any of yet"
_SUBJECTS = small_words("subjects")
_OBJECTS = small_words("objects")
_RELATIVES = small_words("relatives")
_ON_LIST = small_words("on_list")


_DENIES = ("leave_out", "not", "without", "yet", "including")
_TIMES = ("yet", "already", "past", "before", "keep")  # around the verb: "ainda não compro", "haven't tried before"


class Said(NamedTuple):
    """`words`: positions of those that say it."""

    novelty: Novelty = ""
    words: frozenset[int] = frozenset()


def novelty_in(m: Utterance) -> Said:
    said = list(_verdicts(m, "new", "buy", "my_list", "keep"))
    verdicts = {each.novelty for each in said}
    novelty: Novelty = "any" if "any" in verdicts else "known" if "known" in verdicts else "new" if said else ""
    return Said(novelty, frozenset().union(*(each.words for each in said)))


def denies_purchase(m: Utterance) -> bool:
    """ "que ainda não compro", "not on my list": new by what was not bought, and not by the word."""
    return any(each.novelty == "new" for each in _verdicts(m, "buy", "my_list", "keep"))


class _Clause:
    """A clause and who is in it, looked for once, whatever number of verbs it has."""

    def __init__(self, m: Utterance, words: range) -> None:
        said = m.plain[words.start : words.stop]
        self.start, self.stop = words.start, words.stop
        self.subject = next((i for i in words if m.plain[i] in _SUBJECTS), words.stop)
        self.has_object = not _OBJECTS.isdisjoint(said)
        self.is_relative = not _RELATIVES.isdisjoint(said)


def _verdicts(m: Utterance, *tags: str) -> Iterator[Said]:
    if not m.has(*tags):
        return
    for words, marks in m.by_clause(*tags):
        if marks:
            clause = _Clause(m, words)
            for mark in marks:
                if verdict := _verdict(m, mark, clause):
                    yield Said(verdict, _words(m, mark, clause))


def _words(m: Utterance, mark: Mark, clause: _Clause) -> frozenset[int]:
    """Those of the mark, the nearest denial before it, and "already" or "yet" around it."""
    first, last = max(clause.start, mark.start - _REACH), min(clause.stop, mark.end + _AFTER)
    denials = (each for end in range(mark.start, first, -1) for tag in _DENIES for each in m.ending(end, tag))
    around = [mark, *(each for each in m.all("including") if each.start <= mark.start < each.end)]
    around += [each for _, each in zip(range(1), denials, strict=False)]
    times = {i for i in range(first, last) if m.has_at(i, *_TIMES) or (i < mark.start and m.plain[i] in _ON_LIST)}
    return frozenset(times.union(*(range(each.start, each.end) for each in around)))


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
    if _before(m, mark, clause, "not", "without", "yet"):
        return "new"
    return "known" if m.word(mark.start - 1) in _ON_LIST else ""


def _of_having(m: Utterance, mark: Mark, clause: _Clause) -> Novelty:
    """ "have" and "know" say much else: only what directly denies them counts."""
    denied = m.has_at(mark.start - 1, "not", "yet") or m.has_at(mark.start - 2, "not")
    left_out = _before(m, mark, clause, "without") and _before(m, mark, clause, "already")
    return "new" if denied or left_out else ""


def _of_buying(m: Utterance, mark: Mark, clause: _Clause) -> Novelty:
    if _before(m, mark, clause, "not", "without", "yet"):
        return "new"
    return "known" if clause.is_relative and _before(m, mark, clause, "already") else ""


def _before(m: Utterance, mark: Mark, clause: _Clause, *tags: str) -> bool:
    first = max(clause.start, mark.start - _REACH)
    return any(m.ends(end, *tags) for end in range(first + 1, mark.start + 1))


def _is_mine(m: Utterance, mark: Mark, clause: _Clause) -> bool:
    """Is it the client who buys, or whom somebody supplies?"""
    if m.has_at(mark.start, "supply") and clause.has_object:
        return True
    if any(m.has_at(i, "i", "my_business") for i in range(mark.start, mark.end)):
        return True
    return clause.subject < mark.start
