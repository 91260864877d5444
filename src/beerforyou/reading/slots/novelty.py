"""New to me, known to me, or either: what a message says about breweries that the client buys from already.

A negation reaches to the end of its clause: "as que não compro" are the new ones, "as que já compro" the known.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from beerforyou.reading.words.lexicon import Mark, small_words
from beerforyou.reading.words.utterance import Utterance

Novelty = Literal["", "new", "known", "any"]
_REACH = 6  # words between a negation and what it denies
_SUBJECTS = small_words("subjects")
_OBJECTS = small_words("objects")
_RELATIVES = small_words("relatives")
_ON_LIST = small_words("on_list")


def novelty_in(m: Utterance) -> Novelty:
    said = set(_verdicts(m, "new", "buy", "my_list", "keep"))
    return "any" if "any" in said else "known" if "known" in said else "new" if said else ""


def denies_purchase(m: Utterance) -> bool:
    """ "que ainda não compro", "not on my list": new by what was not bought, and not by the word."""
    return any(verdict == "new" for verdict in _verdicts(m, "buy", "my_list", "keep"))


class _Clause:
    """A clause and who is in it, looked for once, whatever number of verbs it has."""

    def __init__(self, m: Utterance, words: range) -> None:
        said = m.plain[words.start : words.stop]
        self.start = words.start
        self.subject = next((i for i in words if m.plain[i] in _SUBJECTS), words.stop)
        self.has_object = not _OBJECTS.isdisjoint(said)
        self.is_relative = not _RELATIVES.isdisjoint(said)


def _verdicts(m: Utterance, *tags: str) -> Iterator[Novelty]:
    if not m.has(*tags):
        return
    for words, marks in m.by_clause(*tags):
        if marks:
            clause = _Clause(m, words)
            yield from (verdict for mark in marks if (verdict := _verdict(m, mark, clause)))


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
    return m.has(*tags) and any(m.ends(end, *tags) for end in range(first + 1, mark.start + 1))


def _is_mine(m: Utterance, mark: Mark, clause: _Clause) -> bool:
    """Is it the client who buys, or whom somebody supplies?"""
    if m.has_at(mark.start, "supply") and clause.has_object:
        return True
    if any(m.has_at(i, "i", "my_business") for i in range(mark.start, mark.end)):
        return True
    return clause.subject < mark.start
