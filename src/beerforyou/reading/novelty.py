"""New to me, known to me, or either: what a message says about breweries that the client buys from already.

A negation reaches to the end of its clause: "as que não compro" are the new ones, "as que já compro" the known.
"""

from __future__ import annotations

from typing import Literal

from beerforyou.reading.lexicon import Mark
from beerforyou.reading.message import Message

Novelty = Literal["", "new", "known", "any"]
_REACH = 6  # words between a negation and what it denies
_SUBJECTS = frozenset({"i", "im", "ive", "we", "were", "weve", "eu", "gente", "nos", "my", "our"})
_OBJECTS = frozenset({"me", "us", "mim", "nos", "gente"})
_RELATIVES = frozenset({"que", "that", "which", "who", "ones", "quem", "from"})
_ON_LIST = frozenset({"on", "in", "na", "no", "nas", "nos", "entre", "among"})


def novelty_in(m: Message) -> Novelty:
    said = {
        verdict
        for clause in m.clauses()
        for mark in m.all("new", "buy", "my_list", "keep")
        if mark.start in clause and (verdict := _verdict(m, mark, clause))
    }
    return "any" if "any" in said else "known" if "known" in said else "new" if said else ""


def denies_purchase(m: Message) -> bool:
    """ "que ainda não compro", "not on my list": new by what was not bought, and not by the word."""
    return any(
        mark.start in clause and _verdict(m, mark, clause) == "new"
        for clause in m.clauses()
        for mark in m.all("buy", "my_list", "keep")
    )


def _verdict(m: Message, mark: Mark, clause: range) -> Novelty:
    if _before(m, mark, clause, "including") or m.has_at(mark.start, "including"):
        return "any"
    if mark.tag == "new":
        return "known" if _before(m, mark, clause, "not") else "new"
    if mark.tag == "my_list":
        return _of_list(m, mark, clause)
    if not _is_mine(m, mark, clause):
        return ""
    return _of_having(m, mark, clause) if mark.tag == "keep" else _of_buying(m, mark, clause)


def _of_list(m: Message, mark: Mark, clause: range) -> Novelty:
    if _before(m, mark, clause, "not", "without", "yet"):
        return "new"
    return "known" if m.word(mark.start - 1) in _ON_LIST else ""


def _of_having(m: Message, mark: Mark, clause: range) -> Novelty:
    """ "have" and "know" say much else: only what directly denies them counts."""
    denied = m.has_at(mark.start - 1, "not", "yet") or m.has_at(mark.start - 2, "not")
    left_out = _before(m, mark, clause, "without") and _before(m, mark, clause, "already")
    return "new" if denied or left_out else ""


def _of_buying(m: Message, mark: Mark, clause: range) -> Novelty:
    if _before(m, mark, clause, "not", "without", "yet"):
        return "new"
    relative = not _RELATIVES.isdisjoint(m.plain[i] for i in clause)
    return "known" if relative and _before(m, mark, clause, "already") else ""


def _before(m: Message, mark: Mark, clause: range, *tags: str) -> bool:
    return any(
        other.start in clause and other.end <= mark.start and mark.start - other.end < _REACH for other in m.all(*tags)
    )


def _is_mine(m: Message, mark: Mark, clause: range) -> bool:
    """Is it the client who buys, or whom somebody supplies?"""
    if m.has_at(mark.start, "supply") and not _OBJECTS.isdisjoint(m.plain[i] for i in clause):
        return True
    if any(m.has_at(i, "i", "my_business") for i in range(mark.start, mark.end)):
        return True
    return any(m.plain[i] in _SUBJECTS for i in clause if i < mark.start)
