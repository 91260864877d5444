"""The part of a message that asks: without what the client says not to want, and without the story around it.

"Não quero brewpub, só micro" asks for micros; of three sentences about a brother-in-law in Missoula, the one with the
question counts, and the others only tell it the place or the brewery that it means.
"""

from __future__ import annotations

from datetime import date

from beerforyou.reading.intents import ANSWERS, WISHES, Rules, decide
from beerforyou.reading.lexicon import Mark
from beerforyou.reading.reading import Intent
from beerforyou.reading.refusals import wants_person
from beerforyou.reading.slots import Slots
from beerforyou.reading.text import sentences_of
from beerforyou.reading.utterance import Utterance

_SHORT = 9  # words: a shorter message is read as one, whatever full stops it has
_REACH = 3  # words between a negation and the wish that it denies
_CONTENT = ("brewery", "new", "recommend", "buy", "my_list", "where", "named", "tell_about", "website", "summary", "find",
            "ordinal", "spend", "preference", "history", "profile", "here", "only", "popular")  # fmt: skip
_DENIED = ("brewery", "new", "where", "website", "summary", "recommend")
_SKIPPED = frozenset({"more", "mais", "a", "o", "as", "os", "any", "the", "de", "um", "uma", "in", "em", "no", "na"})
_NO = frozenset({"nao", "not"})
_CUES = ("where", "tell_about", "website", "recommend", "how_many", "find")  # questions have no mark in a chat
_TOLD: Rules = (("person", wants_person), *WISHES)  # what one sentence of a story can want
_IDLE = frozenset({"greeting", "thanks", "goodbye", "unclear", "accept", "decline"})


def understood(whole: Utterance, today: date) -> tuple[Intent, Slots, bool]:
    """The intent, the slots of the part that asks, and whether something was said not to be wanted."""
    is_story = len(whole) > _SHORT and len(sentences_of(whole.words)) > 1 and not whole.has("attack")
    if is_story:
        m = without_denied(whole)
        return *_asking(m, today), m is not whole
    slots = Slots(whole, today)
    if answer := decide(whole, slots, ANSWERS):
        return answer, slots, False
    m = without_denied(whole)
    negated = m is not whole
    slots = Slots(m, today) if negated else slots
    return decide(m, slots, ANSWERS + WISHES) or "unclear", slots, negated


def without_denied(m: Utterance) -> Utterance:
    """The message without what it says is not wanted; the message itself when nothing else is in it."""
    if not m.has("not", "instead") and _NO.isdisjoint(m.plain):
        return m
    denied: set[int] = set()
    for clause, marks in m.by_clause("not", "instead"):
        if _ends_in_no(m, clause):
            denied |= set(clause)
        first = next((mark.start for mark in marks if _denies(m, mark, clause)), None)
        if first is not None:
            denied |= set(range(first, _turn(m, first, clause)))
    rest = [i for i in range(len(m)) if i not in denied]
    return m.part(rest) if denied and _has_content(m, rest) else m


def _ends_in_no(m: Utterance, clause: range) -> bool:
    """ "Austin não", "brewpub não": in Portuguese the no may come last."""
    before = clause.stop - 2
    named = (m.mention_at(kind, before) for kind in ("city", "state", "type"))
    return m.word(clause.stop - 1) in _NO and any(name and name.end == before + 1 for name in named)


def _denies(m: Utterance, mark: Mark, clause: range) -> bool:
    """Is it a wish or a thing that is denied ("não quero brewpub", "no more San Diego") and not a purchase?"""
    if m.has_at(mark.start, "including", "yet", "no_answer"):
        return False
    if m.plain[mark.start] == "no" and (
        m.has_at(mark.start - 1, "brewery", "new") or m.mention_at("type", mark.start - 1)
    ):
        return False  # "new breweries no Texas": Portuguese for "in the"
    following = range(mark.end, min(mark.end + _REACH, clause.stop))
    if mark.tag == "not" and any(m.starts(i, "deniable") for i in following):
        return not any(m.has_at(i, "my_list") for i in following)
    thing = mark.end + (m.word(mark.end) in _SKIPPED)
    named = any(not mention.short for mention in m.mentions_from(thing, "type", "city", "state", "country"))
    return thing in clause and (named or m.starts(thing, *_DENIED))


def _turn(m: Utterance, start: int, clause: range) -> int:
    """Where the denial stops: "only" and "but" turn around within a clause."""
    return next((i for i in range(start + 1, clause.stop) if m.has_at(i, "only", "but")), clause.stop)


def _has_content(m: Utterance, positions: list[int]) -> bool:
    kept = set(positions)
    named = any(mention.start in kept and not mention.short for mention in m.mentions)
    return named or any(m.has_at(i, *_CONTENT) for i in positions)


def _asking(m: Utterance, today: date) -> tuple[Intent, Slots]:
    """Of several sentences the one that asks: a question before a statement, the last before the others."""
    alone = [Slots(m.part(sentence), today) for sentence in sentences_of(m.words)]
    for i, slots in enumerate(alone):
        slots.story = [*alone[i + 1 :], *alone[:i]]
    intents: list[Intent] = [decide(slots.m, slots, _TOLD) or "unclear" for slots in alone]
    ranks = [_rank(slots.m, intent) for slots, intent in zip(alone, intents, strict=True)]
    best = max(range(len(alone)), key=lambda i: (ranks[i], i))
    for slots in alone[:best] + alone[best + 1 :]:
        slots.story = ()  # what holds each other is there until the garbage collector finds it
    if intents[best] == "search" and "recommend" in intents:
        return "recommend", alone[best]
    return intents[best], alone[best]


def _rank(m: Utterance, intent: Intent) -> int:
    if intent in _IDLE:
        return 0
    return 1 if intent == "off_topic" else 3 if m.words[-1].asked or m.has(*_CUES) else 2
