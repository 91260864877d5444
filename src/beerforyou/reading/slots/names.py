"""The brewery that a message names: one of the catalogue, or as written when the catalogue lacks it."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from beerforyou.catalogue.brewery import Place
from beerforyou.catalogue.mentions import Mention
from beerforyou.catalogue.names import brewery_key
from beerforyou.reading.reading import Ref
from beerforyou.reading.slots.place_sense import is_trade_name
from beerforyou.reading.slots.places import PlaceSpan
from beerforyou.reading.words.lexicon import small_words
from beerforyou.reading.words.lookups import Tangled
from beerforyou.reading.words.text import TRADE
from beerforyou.reading.words.utterance import Utterance

SURE, LIKELY, POSSIBLE = 3, 2, 1
_LONGEST = 15  # words: no name of Open Brewery DB has more than 12, and what has more is a list of names
_HEADS = small_words("heads") | {"brouwerij", "brasserie", "brauerei"}  # stand before the name
_JOINERS = small_words("joins_brewery")
_NOT_NAMES = ("business", "month", "weekday", "style", "number", "relative_day")


class Name(msgspec.Struct, frozen=True):
    """Words `start` to `end` (exclusive) name a brewery, of the catalogue when it has `ids`.

    `sure` is POSSIBLE for an ordinary or a strange word, LIKELY for one that is not, SURE for a whole name.
    """

    start: int
    end: int
    text: str
    ids: tuple[str, ...]
    sure: int


def names_in(m: Utterance, places: list[PlaceSpan], dated: frozenset[int]) -> list[Name]:
    """Names that may be a brewery's, the surest first; of overlapping ones the longest. `dated`: words of a period.

    Raises Tangled.
    """
    if not m.may_name("brewery") and not m.has("place"):
        return []
    found: list[Name] = []
    taken: set[int] = set()
    every = [*_mentioned(m, places), *_unknown(m, places, dated)]
    for name in sorted(every, key=lambda name: (-(name.end - name.start), -name.sure)):
        if taken.isdisjoint((name.start, name.end - 1)):  # none that was taken is shorter, and lies inside
            found.append(name)
            taken.update(range(name.start, name.end))
    return sorted(found, key=lambda name: (-name.sure, name.start))


def _lengthened(m: Utterance, name: Name) -> Name:
    """ "pizza port", "great divide rino barrel bar": strange words after a name may belong to it."""
    end = name.end
    while (
        end < len(m) and end < name.end + 4 and not m.words[end].gap.strip() and (end > name.end or m.is_strange(end))
    ):
        end += 1
    for stop in range(end, name.end, -1):
        text = m.written(name.start, stop)
        if found := m.lookups.find(text):
            ids = tuple(match.brewery.id for match in found)
            whole = brewery_key(found[0].brewery.name) == brewery_key(text)
            return Name(name.start, stop, found[0].brewery.name if whole else text, ids, LIKELY)
    return name


def ref_of(m: Utterance, name: Name, place: Place) -> Ref:
    """The brewery, with its id when it can be only one."""
    catalogue = m.lookups.catalogue
    found = [brewery for id in name.ids if (brewery := catalogue.brewery(id))]
    here = [
        b for b in found if _is_in(catalogue.place_of(b.id), place) and brewery_key(b.name) == brewery_key(name.text)
    ]
    if here and catalogue.same_brewery(here[0].id).issuperset(b.id for b in here):
        return Ref(id=here[0].id, name=name.text, city=here[0].city, state=here[0].state)
    return Ref(id="", name=name.text, city=place.city, state=place.state)


def _is_in(place: Place, asked: Place) -> bool:
    return asked.city in ("", place.city) and asked.state in ("", place.state)


def _mentioned(m: Utterance, places: list[PlaceSpan]) -> Iterator[Name]:
    place_at = {i: place for place in places for i in range(place.start, place.end)}
    for mention in m.mentions_of("brewery"):
        place = place_at.get(mention.start)
        if place and (place.led or not is_trade_name(m, mention, place.end)):
            continue
        if sure := _sureness(m, mention):
            yield _lengthened(m, Name(mention.start, mention.end, mention.name, mention.breweries, sure))


def _sureness(m: Utterance, mention: Mention) -> int:
    words = range(mention.start, mention.end)
    strange = [i for i in words if m.is_strange(i)]
    if len(words) == 1 and (len(m.plain[mention.start]) == 1 or m.is_function(mention.start)):
        return 0
    traded = mention.full and bool(TRADE & set(m.plain[mention.start + 1 : mention.end]))
    if traded or (len(words) > 1 and (strange or all(m.words[i].capital for i in words))):
        return SURE
    if strange or len(words) > 2 or m.is_name_like(mention.start):
        return LIKELY
    return POSSIBLE


def _unknown(m: Utterance, places: list[PlaceSpan], dated: frozenset[int]) -> Iterator[Name]:
    """Runs of words that nobody knows, with "Brewing" after them or "Cervejaria" before them if that is there."""
    taken = dated | {i for p in places if not _belongs(m, p) for i in range(p.start, p.end)}
    i = 0
    while i < len(m):
        end = i
        while end < len(m) and _is_part(m, end, i, taken):
            end += 1
        while end > i and m.plain[end - 1] in _JOINERS:
            end -= 1
        if end > i:
            capitals = [j for j in range(i, end) if m.capitals_count and m.words[j].capital]
            yield _named(m, capitals[0] if capitals else i, end)
        i = max(end, i + 1)


def _belongs(m: Utterance, place: PlaceSpan) -> bool:
    """Is the place's name a part of a brewery's: "siera nevada", "Grants Pass Brewing Company"?"""
    before, after = place.start - 1, m.plain[place.end] if place.end < len(m) else ""
    strange = before >= 0 and m.is_strange(before) and not m.words[place.start].gap.strip()
    return not place.led and (strange or after in {"brewing", "company"})


def _is_part(m: Utterance, i: int, start: int, taken: frozenset[int]) -> bool:
    if i in taken or (i > start and m.words[i].begins_clause and "." not in m.words[i].gap):
        return False
    if i > start and m.plain[i] in _JOINERS:
        follows = i + 1 < len(m) and i + 1 not in taken and _is_strange(m, i + 1)
        return follows and m.words[i - 1].capital and m.words[i + 1].capital
    return _is_strange(m, i)


def _is_strange(m: Utterance, i: int) -> bool:
    if m.has_at(i, "place"):  # one that belongs to the name; the others are taken
        return True
    if not m.is_strange(i) and not m.is_name_like(i):
        return False
    if m.plain[i].isdigit() or m.has_at(i, *_NOT_NAMES):
        return False
    if m.mention_at("type", i):
        return False
    named = m.is_name_like(i) and m.plain[i] not in _HEADS and not m.is_function(i) and len(m.plain[i]) > 1
    return m.is_strange(i) or named


def _is_tail(m: Utterance, i: int) -> bool:
    """ "Brewing", or the type that a name has in it: "Wasatch Brew Pub"."""
    house = m.mention_at("type", i)
    titled = house and house.name in {"brewpub", "taproom"} and m.words[i].capital and m.capitals_count
    return bool(m.plain[i] in TRADE or titled) and not m.words[i].begins_clause


def _named(m: Utterance, start: int, end: int) -> Name:
    tail = end
    while tail < len(m) and _is_tail(m, tail):
        tail += 1
    head = start - 1 if m.plain[start - 1] in _JOINERS and start > 1 and m.plain[start - 2] in _HEADS else start
    head = head - 1 if head and m.plain[head - 1] in _HEADS else start
    traded = tail > end or head < start or bool(TRADE & set(m.plain[start:end]))
    sure = SURE if traded else LIKELY if m.is_name_like(start) else POSSIBLE
    if sure >= LIKELY and tail - head > _LONGEST:
        raise Tangled
    text = m.written(head, tail)
    text = text[:-2] if m.words[tail - 1].owner else text
    ids = tuple(match.brewery.id for match in m.lookups.find(text)) if sure >= LIKELY and tail - head > 1 else ()
    return Name(head, tail, text, ids, sure)
