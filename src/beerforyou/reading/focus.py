"""The part of a message that asks: without what the client says not to want, and without the story around it.

"Não quero brewpub, só micro" asks for micros; of three sentences about a brother-in-law in Missoula, the one with the
question counts, and the others only tell it the place or the brewery that it means.
"""

from __future__ import annotations

from beerforyou.reading.lexicon import Mark
from beerforyou.reading.message import Message

SHORT = 9  # words: a shorter message is read as one, whatever full stops it has
_CONTENT = ("brewery", "new", "recommend", "buy", "my_list", "where", "named", "tell_about", "website", "summary", "find",
            "ordinal", "spend", "preference", "history", "profile", "here", "only", "popular")  # fmt: skip
_REACH = 3  # words between a negation and the wish that it denies


def without_denied(m: Message) -> Message:
    """The message without what it says is not wanted; the message itself when nothing else is in it."""
    denied: set[int] = set()
    for clause in m.clauses():
        start = min(
            (mark.start for mark in m.all("not", "instead") if mark.start in clause and _denies(m, mark, clause)),
            default=clause.stop,
        )
        denied |= set(range(start, _end(m, start, clause)))
    rest = [i for i in range(len(m)) if i not in denied]
    if not denied or not _has_content(m, rest):
        return m
    return m.part(rest)


def _denies(m: Message, mark: Mark, clause: range) -> bool:
    """Is it a wish or a thing that is denied ("não quero brewpub", "no more San Diego") and not a purchase?"""
    if m.has_at(mark.start, "including", "yet", "no_answer"):
        return False
    following = range(mark.end, min(mark.end + _REACH, clause.stop))
    if mark.tag == "not" and any(m.starts(i, "deniable") for i in following):
        return not any(m.has_at(i, "my_list") for i in following)
    after = mark.end + (
        m.word(mark.end)
        in {"more", "mais", "a", "o", "as", "os", "any", "the", "de", "um", "uma", "in", "em", "no", "na"}
    )
    named = any(
        mention.start == after and not mention.short for mention in m.mentions_of("type", "city", "state", "country")
    )
    return after in clause and (named or m.starts(after, "brewery", "new", "where", "website", "summary", "recommend"))


def _end(m: Message, start: int, clause: range) -> int:
    """Where the denial stops: "only" and "but" turn around within a clause."""
    return next((i for i in range(start + 1, clause.stop) if m.has_at(i, "only", "but")), clause.stop)


def _has_content(m: Message, positions: list[int]) -> bool:
    kept = set(positions)
    named = any(mention.start in kept and not mention.short for mention in m.mentions)
    return named or any(m.has_at(i, *_CONTENT) for i in positions)
