"""New to me, known to me, or either: what a message says about breweries that the client buys from already.

A negation reaches to the end of its clause: "não quero novas, as que já compro" asks for the known ones,
"novas, não as que já compro" for the new.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from beerforyou.reading.lexicon import Mark
from beerforyou.reading.message import Message

Novelty = Literal["", "new", "known", "any"]
_REACH = 6  # words between a negation and the verb that it denies, in the examples that we have


class Verdict(msgspec.Struct, frozen=True):
    novelty: Novelty = ""
    negated: bool = False


def novelty_in(m: Message) -> Verdict:
    said: list[Novelty] = []
    negated = False
    for clause in m.clauses():
        for mark in m.all("new", "buy", "my_list"):
            if mark.start in clause and (verdict := _verdict(m, mark, clause)):
                said.append(verdict)
                negated |= _before(m, mark, clause, "not", "without")
    if "any" in said:
        return Verdict("any", negated)
    if "known" in said and "new" in said:
        return Verdict(said[-1] if negated else "known", negated)
    return Verdict(said[0] if said else "", negated)


def _verdict(m: Message, mark: Mark, clause: range) -> Novelty:
    if _before(m, mark, clause, "including"):
        return "any"
    denied = _before(m, mark, clause, "not", "without", "yet")
    if mark.tag == "new":
        return "known" if _before(m, mark, clause, "not") else "new"
    if mark.tag == "my_list":
        return "new" if denied else ""
    if not _is_mine(m, mark, clause):
        return ""
    if denied:
        return "new"
    return "known" if _before(m, mark, clause, "already") and _relative(m, mark, clause) else ""


def _before(m: Message, mark: Mark, clause: range, *tags: str) -> bool:
    return any(
        other.start in clause and other.end <= mark.start and mark.start - other.end < _REACH for other in m.all(*tags)
    )


def _is_mine(m: Message, mark: Mark, clause: range) -> bool:
    return "i" in m.at(mark.start) or any(
        other.start in clause and other.end <= mark.start and m.plain[other.start] in {"i", "we", "ive", "weve", "eu", "a", "my", "meu", "nos"}
        for other in m.all("self")
    )


def _relative(m: Message, mark: Mark, clause: range) -> bool:
    """ "as que já compro", "the ones I already buy": a clause about breweries, not the question whether I bought."""
    return any(m.plain[i] in {"que", "that", "ones", "which", "who", "from", "quem"} for i in clause if i != mark.start)
