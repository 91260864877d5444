"""The part of a message that asks, without the story around it.

Of three sentences about a brother-in-law in Missoula, the one with the question counts, and the others only tell it the
place or the brewery that it means.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import pairwise

from beerforyou.reading.intents.refusals import wants_person
from beerforyou.reading.intents.rules import ANSWERS, WISHES, Rules, decide
from beerforyou.reading.reading import Intent
from beerforyou.reading.slots.denials import denials_in
from beerforyou.reading.slots.slots import Slots
from beerforyou.reading.words.text import sentences_of
from beerforyou.reading.words.utterance import Utterance

_SHORT = 9  # words: a shorter message is read as one, whatever full stops it has
_CUES = ("where", "tell_about", "website", "recommend", "how_many", "find")  # questions have no mark in a chat
_TOLD: Rules = (("person", wants_person), *WISHES)  # what one sentence of a story can want
_ENDS = frozenset(".!?…\n")  # of sentences, between their words
_IDLE = frozenset({"greeting", "thanks", "goodbye", "unclear", "accept", "decline"})


def understood(whole: Utterance, today: date) -> tuple[Intent, Slots]:
    """The intent, and the slots of the part that asks."""
    if len(whole) > _SHORT and len(sentences_of(whole.words)) > 1 and not whole.has("attack"):
        return _asking(whole, today)
    slots = Slots(whole, today)
    if answer := decide(whole, slots, ANSWERS):
        return answer, slots
    wanted = _without_denied(slots)
    rules = WISHES if wanted is slots else ANSWERS + WISHES  # with nothing denied it is no answer a second time
    return decide(whole, wanted, rules) or "unclear", wanted


def _without_denied(slots: Slots, story: Sequence[Slots] = ()) -> Slots:
    """What is left out is a slot; it doesn't say any more what is wanted."""
    denials = denials_in(slots.m, slots.places, slots.type_mentions)
    return Slots(slots.m, slots.today, story, denials) if denials else slots


def _asking(m: Utterance, today: date) -> tuple[Intent, Slots]:
    """Of several sentences the one that asks: a question before a statement, the last before the others."""
    parts = sentences_of(m.words)
    alone = [_without_denied(Slots(m.part(part), today)) for part in parts]
    sentences = _whole_sentences(m, parts)
    for i, slots in enumerate(alone):
        slots.story = [*alone[i + 1 :], *alone[:i]]
        slots.mates = [alone[j] for j in sentences[i] if j != i]
    intents: list[Intent] = [decide(slots.m, slots, _TOLD) or "unclear" for slots in alone]
    ranks = [_rank(slots.m, intent) for slots, intent in zip(alone, intents, strict=True)]
    best = max(range(len(alone)), key=lambda i: (ranks[i], i))
    for slots in alone[:best] + alone[best + 1 :]:
        slots.story = ()  # what holds each other is there until the garbage collector finds it
    if intents[best] == "search" and "recommend" in intents:
        return "recommend", alone[best]
    return intents[best], alone[best]


def _whole_sentences(m: Utterance, parts: list[range]) -> list[range]:
    """For each part of a long sentence, cut at its commas, the parts that this sentence has."""
    begins = [n for n, part in enumerate(parts) if n == 0 or not _ENDS.isdisjoint(m.words[part.start].gap)]
    wholes = [range(a, b) for a, b in pairwise([*begins, len(parts)])]
    return [whole for whole in wholes for _ in whole]


def _rank(m: Utterance, intent: Intent) -> int:
    if intent in _IDLE:
        return 0
    if m.starts(0, "because"):
        return 1
    return 1 if intent == "off_topic" else 3 if m.asks or m.has(*_CUES) else 2
