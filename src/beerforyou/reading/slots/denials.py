"""What a message does not want: places and types that are left out or set right, and wishes that are denied.

"Nova mas não em Austin" leaves Austin out; in "Austin, digo, Dallas" the second takes the place of the first; "não quero o
site, só a cidade" denies a wish. What is left out is a slot like any other; a denied wish no longer says what is wanted.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from itertools import islice

import msgspec

from beerforyou.catalogue.mentions import Mention
from beerforyou.reading.slots.places import PlaceSpan
from beerforyou.reading.words.lexicon import Mark, small_words
from beerforyou.reading.words.utterance import Utterance

_REACH = 6  # words between a denial and the thing that it leaves out
_MOST = 5  # corrections that are heeded: who has more of them has no question
_NEAR = 3  # words between a denial and the wish that it denies
_CONTENT = ("brewery", "new", "recommend", "buy", "my_list", "where", "named", "tell_about", "website", "summary", "find",
            "ordinal", "spend", "preference", "history", "profile", "here", "only", "popular")  # fmt: skip
_DENIED = ("brewery", "new", "where", "website", "summary", "recommend")
_SKIPPED = small_words("after_denial")
_BLOCKS = ("buy", "keep", "i", "exists", "they_buy", "supply", "yet", "my_list", "including")  # another verb is denied
_JOINS = ("and", "or")


def _no(m: Utterance) -> frozenset[str]:
    return small_words("last_no", m.language)


class Denials(msgspec.Struct, frozen=True):
    """`words`: positions that say what is left out, the denials themselves included. `wishes`: the words of what is denied
    besides. Neither says any more what is wanted. `wanted`: places that stay."""

    places: tuple[PlaceSpan, ...] = ()
    types: tuple[Mention, ...] = ()
    wanted: tuple[PlaceSpan, ...] = ()
    words: frozenset[int] = frozenset()
    wishes: frozenset[int] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.words or self.wishes)


Thing = PlaceSpan | Mention


def denials_in(m: Utterance, places: list[PlaceSpan], types: list[Mention]) -> Denials:
    if not m.has("leave_out", "correction", "instead", "not") and _no(m).isdisjoint(m.plain):
        return Denials()
    every: list[Thing] = [*places, *types]
    things = sorted(every, key=lambda thing: thing.start)
    left_out, words = _left_out(m, things)
    left_out, words = _corrected(m, things, left_out, words)
    wishes = _wishes(m, words, [thing for thing in things if thing not in left_out])
    return Denials(
        places=tuple(thing for thing in left_out if isinstance(thing, PlaceSpan)),
        types=tuple(thing for thing in left_out if isinstance(thing, Mention)),
        wanted=tuple(span for span in places if span not in left_out and span.start not in wishes),
        words=frozenset(words),
        wishes=frozenset(wishes - words),
    )


def _left_out(m: Utterance, things: list[Thing]) -> tuple[list[Thing], set[int]]:
    found: list[Thing] = []
    words: set[int] = set()
    for clause, marks in m.by_clause("leave_out"):
        for cue in marks:
            for thing in _things_after(m, cue, clause, things):
                found += [thing] if thing not in found else []
                words |= set(range(cue.start, cue.end)) | set(range(thing.start, thing.end))
        if (last := _before_no(m, clause, things)) and last not in found:
            found.append(last)
            words |= {clause.stop - 1, *range(last.start, last.end)}
    return found, words


def _things_after(m: Utterance, cue: Mark, clause: range, things: list[Thing]) -> Iterator[Thing]:
    """The first thing after a denial when nothing else is denied before it, with those that "or" joins to it."""
    if m.has_at(cue.start, "no_answer", "exists") or _says_in(m, cue):
        return
    at = cue.end
    for thing in islice(things, bisect_left(things, cue.end, key=lambda thing: thing.start), None):
        if not _leads_to(m, at, thing.start, clause, joined=at > cue.end):
            return
        yield thing
        at = thing.end


def _leads_to(m: Utterance, start: int, end: int, clause: range, joined: bool) -> bool:
    between = range(start, end)
    if joined:  # "not Austin, Dallas": what stands alone after a comma is wanted
        inside = end < clause.stop or any(m.has_at(i, *_JOINS) for i in between)
        return inside and len(between) <= _NEAR and any(m.has_at(i, *_JOINS, "leave_out") for i in between)
    if end >= clause.stop or len(between) > _REACH or any(m.has_at(i, *_BLOCKS, "only", "but") for i in between):
        return False
    return all(
        m.is_function(i) or m.has_at(i, "deniable", "brewery", "in_place", "of", "near", "instead", "several", "one")
        for i in between
    )


def _says_in(m: Utterance, cue: Mark) -> bool:
    """ "new breweries no Texas": in Portuguese "no" is "in the"."""
    before = m.has_at(cue.start - 1, "brewery", "new") or m.mention_at("type", cue.start - 1) is not None
    return m.plain[cue.start] in small_words("no_or_in", m.language) and before and not m.words[cue.start].begins_clause


def _before_no(m: Utterance, clause: range, things: list[Thing]) -> Thing | None:
    """ "Austin não", "brewpub no": the no may come last."""
    if m.word(clause.stop - 1) not in _no(m):
        return None
    return next((thing for thing in things if thing.end == clause.stop - 1), None)


def _corrected(
    m: Utterance, things: list[Thing], left_out: list[Thing], words: set[int]
) -> tuple[list[Thing], set[int]]:
    """ "Austin, digo, Dallas": the thing before a correction yields to one of its kind after it."""
    for mark in m.all("correction")[:_MOST]:
        after = [type(thing) for thing in things if thing.start >= mark.end and thing not in left_out]
        yielding = [
            thing for thing in things if thing.end <= mark.start and type(thing) in after and thing not in left_out
        ]
        left_out = [*left_out, *yielding]
        words = words | {i for thing in yielding for i in range(thing.start, thing.end)}
        words |= set(range(mark.start, mark.end)) if yielding else set()
    return left_out, words


def _wishes(m: Utterance, left_out: set[int], wanted: list[Thing]) -> set[int]:
    """What is denied besides things; nothing when nothing else is in the message."""
    denied: set[int] = set()
    for clause, marks in m.by_clause("not", "instead"):
        first = next((mark.start for mark in marks if _denies_wish(m, mark, clause)), None)
        if first is not None:
            denied |= set(range(first, _turn(m, first, clause)))
    rest = [i for i in range(len(m)) if i not in denied and i not in left_out]
    named = any(thing.start in rest for thing in wanted)
    return denied if named or any(m.has_at(i, *_CONTENT) for i in rest) else set()


def _denies_wish(m: Utterance, mark: Mark, clause: range) -> bool:
    """Is it a wish that is denied ("não quero site", "no more breweries"), and not a purchase?"""
    if m.has_at(mark.start, "including", "yet", "no_answer") or _says_in(m, mark):
        return False
    following = range(mark.end, min(mark.end + _NEAR, clause.stop))
    if mark.tag == "not" and any(m.starts(i, "deniable") for i in following):
        return not any(m.has_at(i, "my_list") for i in following)
    thing = mark.end + (m.word(mark.end) in _SKIPPED)
    if m.has_at(mark.start, "without") and m.starts(thing, "website", "summary", "has"):
        return False  # "without a website" says which ones
    return thing in clause and m.starts(thing, *_DENIED)


def _turn(m: Utterance, start: int, clause: range) -> int:
    """Where the denial stops: "only" and "but" turn around within a clause."""
    return next((i for i in range(start + 1, clause.stop) if m.has_at(i, "only", "but")), clause.stop)
