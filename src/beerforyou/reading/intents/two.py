"""Two questions in one message: both are read, and two measures of the same purchases are one question."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec.structs import replace

from beerforyou.reading.asking.questions import merged
from beerforyou.reading.question import Question
from beerforyou.reading.reading import Reading
from beerforyou.reading.words.utterance import Utterance

_LONGEST = 40  # words: of a longer one focus.py finds the sentence that asks


def two_questions(m: Utterance, read: Callable[[Utterance], Reading]) -> Reading | None:
    """`read` reads a part. None when the message is one question. Raises Tangled."""
    if len(m) > _LONGEST or not (m.has("cue", "brewery") and m.has("measure", "bought")):
        return None
    for at in dict.fromkeys(_cuts(m)):
        one, rest = read(m.part(range(at))), m.part(range(at + m.has_at(at, "and"), len(m)))
        if _asks(one) and not one.leans and (both := _both(one, read(rest), rest)):
            return both
    return None


def _asks(reading: Reading) -> bool:
    """Does it say what it asks? A search of nothing in particular is a story."""
    if reading.question:
        return not reading.leftover or reading.leans
    search = reading.search
    return search is not None and bool(search.city or search.state or search.country or search.type or search.name)


def _cuts(m: Utterance) -> Iterator[int]:
    """Where a second question may begin: at "quanto", "which", "me indica" after "and", a comma or a full stop; and at any
    "and" between breweries and purchases of one's own."""
    for mark in m.all("and") if m.has("brewery") and m.has("possessive", "bought") else ():
        if _parts_kinds(m, mark.start):
            yield mark.start
    for mark in m.all("cue"):
        i = mark.start
        if i > 1 and m.ends(i, "and"):
            yield i - 1
        elif i > 0 and m.words[i].begins_clause:
            yield i


def _parts_kinds(m: Utterance, at: int) -> bool:
    """Are purchases on one side of this "and", and breweries on the other?"""
    bought = {mark.start > at for mark in m.all("measure", "bought", "possessive")}
    return len(bought) == 1 and any((mark.start > at) not in bought for mark in m.all("brewery"))


def _both(one: Reading, other: Reading, rest: Utterance) -> Reading | None:
    """None when the second half asks nothing, or no half is about purchases."""
    if one.question and other.question and one.intent == other.intent:
        pointing = {rest.plain[i] for i in range(len(rest)) if rest.has_at(i, "pointing")}
        if one.question.limit == 1 and other.leftover and pointing.issuperset(other.leftover):
            return _of_the_first(one, one.question, other.question)
        only_measured = Question(about=other.question.about, measures=other.question.measures)
        if other.question == only_measured and not other.leftover and one.question != only_measured:
            return _of_the_first(one, one.question, other.question)  # "... e quanto custou"
        if both := merged(one.question, other.question):
            return replace(one, question=both, leftover=tuple(dict.fromkeys((*one.leftover, *other.leftover))))
    whole = other.question or rest.has("brewery", "cue")  # "das cervejarias Alter e Surly" is one question about both
    return replace(one, also=other) if whole and _asks(other) and (one.question or other.question) else None


def _of_the_first(one: Reading, ranked: Question, about_it: Question) -> Reading:
    """ "qual minha cerveja mais comprada e quanto gastei com ela?": another measure of the one."""
    measures = tuple(dict.fromkeys((*ranked.measures, *about_it.measures)))
    return replace(one, question=replace(ranked, measures=measures))
