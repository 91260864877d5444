"""Which words for types of breweries say a type here: "brewpubs" always, "grandes" beside breweries, "bar" rarely."""

from __future__ import annotations

from collections.abc import Iterator, Set

from beerforyou.catalogue.mentions import Mention
from beerforyou.reading.words.lexicon import small_words
from beerforyou.reading.words.utterance import Utterance

_BESIDE = small_words("type_noun")  # what a type stands next to
_ALONE = frozenset({"brewpub", "taproom", "nano", "micro", "beergarden", "cidery"})  # their words mean nothing else


def types_in(m: Utterance, named: Set[int], has_place: bool) -> list[Mention]:
    """`named` are the words of breweries' names."""
    said = [mention for mention in m.mentions_of("type") if mention.start not in named]
    beside = ("only", "and_what_about", "place", "find", "leave_out", "exists", "also", "more", "correction")
    rest = set(m.besides(*beside)) if said else set()
    types = [
        mention
        for mention in said
        if (_is_bar(m, mention, has_place) if mention.name == "bar" else _is_type(m, mention, rest))
    ]
    return sorted([*types, *_sized(m, types)], key=lambda mention: mention.start)


def _sized(m: Utterance, types: list[Mention]) -> Iterator[Mention]:
    """ "cervejarias pequenas", "the small ones": micro and nano; "the big ones": large."""
    taken = {i for mention in types for i in range(mention.start, mention.end)}
    for mark in m.all("small", "big"):
        if mark.start not in taken and (mark.end - mark.start > 1 or _stands_beside(m, mark.start, mark.end)):
            for name in ("micro", "nano") if mark.tag == "small" else ("large",):
                yield Mention(start=mark.start, end=mark.end, kind="type", name=name)


def _stands_beside(m: Utterance, start: int, end: int) -> bool:
    beside = (start - 2, start - 1, end, end + 1)
    alone = all(m.is_function(i) or m.has_at(i, "only", "courtesy") for i in range(len(m)) if not start <= i < end)
    return alone or any(m.word(i) in _BESIDE or m.has_at(i, "brewery") for i in beside)


def _is_type(m: Utterance, mention: Mention, rest: Set[int]) -> bool:
    """`rest`: the words of the message that say more than "and only ...?"."""
    words = range(mention.start, mention.end)
    craft = mention.name == "micro" and any(m.has_at(i, "craft") for i in words)  # "brewery", and no type
    if mention.name == "location" or craft:
        return False
    if mention.name in _ALONE or len(words) > 1:
        return True
    beside = (mention.start - 1, mention.start, mention.end, mention.end + 1)
    stands_out = any(m.ends(i, "leave_out", "only") for i in (mention.start, mention.start - 1))
    return stands_out or any(m.word(i) in _BESIDE or m.has_at(i, "brewery") for i in beside) or rest <= set(words)


def _is_bar(m: Utterance, mention: Mention, has_place: bool) -> bool:
    """ "bares em Chicago", "beer bars"; not "meu bar", "os bares compram", "recommend for a bar"."""
    if m.plain[mention.start : mention.end] == ["bar"] and not has_place:
        return False
    somebodys = m.has("my_business", "buy", "spend", "popular", "who", "brewery", "client")
    return not somebodys and not m.ends(mention.start, "self", "for_whom")
