"""New to me, known to me, or either: what a message says about breweries that the client buys from already.

A negation reaches to the end of its clause: "as que não compro" are the new ones, "as que já compro" the known.
"""

from __future__ import annotations

from typing import Literal

from beerforyou.reading.lexicon import Mark
from beerforyou.reading.message import Message

Novelty = Literal["", "new", "known", "any"]
_REACH = 6  # words between a negation and what it denies
_SUBJECTS = {"i", "im", "ive", "we", "were", "weve", "eu", "gente", "nos", "my", "our"}
_RELATIVES = {"que", "that", "which", "who", "ones", "quem", "from"}


def novelty_in(m: Message) -> Novelty:
    said: list[Novelty] = [
        verdict
        for clause in m.clauses()
        for mark in m.all("new", "buy", "my_list", "keep")
        if mark.start in clause and (verdict := _verdict(m, mark, clause))
    ]
    if "any" in said:
        return "any"
    return "known" if "known" in said else "new" if "new" in said else ""


def denies_purchase(m: Message) -> bool:
    """ "que ainda não compro", "not on my list": new by what was not bought, and not by the word."""
    return any(
        mark.tag != "new" and mark.start in clause and _verdict(m, mark, clause) == "new"
        for clause in m.clauses()
        for mark in m.all("buy", "my_list", "keep")
    )


def _verdict(m: Message, mark: Mark, clause: range) -> Novelty:
    if _before(m, mark, clause, "including"):
        return "any"
    if mark.tag == "new":
        return "known" if _before(m, mark, clause, "not") else "new"
    if mark.tag != "my_list" and not _is_mine(m, mark, clause):
        return ""
    if mark.tag == "keep":
        near = m.has_at(mark.start - 1, "not", "yet") or m.has_at(mark.start - 2, "not")
        left_out = _before(m, mark, clause, "without") and _before(m, mark, clause, "already")
        return "new" if near or left_out else ""
    if _before(m, mark, clause, "not", "without", "yet"):
        return "new"
    if mark.tag == "my_list":
        return "known" if m.has_at(mark.start - 1, "in_place") or m.word(mark.start - 1) in {"on", "entre", "among"} else ""
    relative = not _RELATIVES.isdisjoint(m.plain[i] for i in clause)
    return "known" if relative and _before(m, mark, clause, "already") else ""


def _before(m: Message, mark: Mark, clause: range, *tags: str) -> bool:
    return any(
        other.start in clause and other.end <= mark.start and mark.start - other.end < _REACH for other in m.all(*tags)
    )


def _is_mine(m: Message, mark: Mark, clause: range) -> bool:
    return any(m.has_at(i, "i", "my_business") for i in range(mark.start, mark.end)) or any(m.plain[i] in _SUBJECTS for i in clause if i < mark.start)
