"""Of which purchases: beers, breweries, styles, types, places and weekdays, several of each, and those that are denied.

The client's own beers and suppliers are known to its rows alone: a name that the catalogue lacks stays as it was written.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from beerforyou.catalogue.names import brewery_key
from beerforyou.reading.asking.evidence import NONE, Found, Words, before, free_marks, narrowing, words_of_marks
from beerforyou.reading.question import Field, Filter
from beerforyou.reading.slots.names import LIKELY, Name
from beerforyou.reading.slots.slots import Slots
from beerforyou.reading.words.lexicon import Mark
from beerforyou.reading.words.text import TRADE
from beerforyou.reading.words.utterance import Utterance

_QUOTES = frozenset('"“”«»')
_REACH = 3  # words between a denial and what it denies: "sem contar a"; of a name, after the place that it begins with


class _Value(msgspec.Struct, frozen=True):
    start: int
    end: int
    field: Field
    text: str


def filters_in(s: Slots, taken: Words) -> Found[tuple[Filter, ...]]:
    m = s.m
    values = sorted(_values(s, taken), key=lambda value: value.start)
    groups: dict[tuple[Field, bool], list[str]] = {}
    words: set[int] = set()
    last: tuple[_Value, bool] | None = None
    for value in values:
        denial = before(m, value.start, "excludes", _REACH)
        denial = None if denial and _is_less(m, denial) else denial
        only = narrowing(m, value.start)
        joined = last is not None and _joins(m, last[0].end, value.start)
        negated = denial is not None or (last is not None and joined and last[1])
        compared = last is not None and bool(
            m.starts(last[0].end, "than")
        )  # "mais IPA do que stout": `change` reads it
        if last is not None and joined and last[0].field == value.field and not compared:
            words.update(range(last[0].end, value.start))
        groups.setdefault((value.field, negated), []).append(value.text)
        words.update(range(value.start, value.end), *(range(each.start, each.end) for each in (denial, only) if each))
        words |= _noun_before(m, value)
        last = value, negated
    weekdays = tuple(str(day) for day in s.times.weekdays)
    if weekdays:
        groups.setdefault(("weekday", False), []).extend(weekdays)
    found = (
        Filter(field=field, values=tuple(dict.fromkeys(texts)), negated=no) for (field, no), texts in groups.items()
    )
    return Found(tuple(sorted(found)), frozenset(words) | s.times.weekday_words)


def _is_less(m: Utterance, denial: Mark) -> bool:
    """ "comprei menos stout que..." compares, where "tudo menos stout" denies."""
    less = m.has_at(denial.start, "least") and m.has_at(denial.start - 1, "bought", "i")
    return less or m.has_at(denial.start, "either_way")


def _joins(m: Utterance, end: int, start: int) -> bool:
    """Is there nothing but "and", "or" and articles between two values?"""
    between = range(end, start)
    return len(between) <= _REACH and all(m.is_function(i) and not m.has_at(i, "excludes") for i in between)


def _noun_before(m: Utterance, value: _Value) -> Words:
    """ "do fornecedor Fall", "do estilo IPA", "da cerveja Rook": the noun says what the name is of."""
    nouns = [mark for mark in m.ending(value.start, "axis") if mark.value in (value.field, "brewery", "beer")]
    return words_of_marks(*nouns)


def _values(s: Slots, taken: Words) -> Iterator[_Value]:
    used = set(taken)
    for found in (_quoted(s.m), _numbered(s.m), _named_after_a_city(s), _named(s), _places(s), _styles(s.m), _types(s)):
        for value in found:
            if used.isdisjoint(range(value.start, value.end)):
                used.update(range(value.start, value.end))
                yield value


def _quoted(m: Utterance) -> Iterator[_Value]:
    yield from (_Value(words.start, words.stop, "beer", m.written(words.start, words.stop)) for words in quoted(m))


def quoted(m: Utterance) -> Iterator[range]:
    """Words between quotation marks; an open one lasts to the end."""
    start: int | None = None
    for i, gap in enumerate([*(word.gap for word in m.words), '"']):
        if not _QUOTES.isdisjoint(gap):
            if start is not None and i > start:
                yield range(start, i)
                start = None
            elif i < len(m):
                start = i


def _numbered(m: Utterance) -> Iterator[_Value]:
    """ "Beer 1", "cerveja 12": a noun in the singular with a number after it, and no list of numbers."""
    for mark in m.all("axis"):
        at, alone = mark.end, mark.value == "beer" and not m.has_at(mark.start, "plural")
        numbered = (
            m.word(at).isdecimal() and len(m.word(at)) < 4 and not m.starts(at + 1, "unit", "vessel", "axis", "style")
        )
        if alone and numbered:
            yield _Value(mark.start, at + 1, "beer", m.written(mark.start, at + 1))


def _named_after_a_city(s: Slots) -> Iterator[_Value]:
    """ "Napa Smith": a brewery's name that begins with a place."""
    m = s.m
    for span in s.places:
        end, last = span.end, min(len(m), span.end + _REACH)
        while end < last and not m.words[end].begins_clause and (m.is_name_like(end) or m.is_strange(end)):
            end += 1
        text = m.written(span.start, end)
        found = m.lookups.find(text) if end > span.end else ()
        if any(brewery_key(each.brewery.name).startswith(brewery_key(text)) for each in found):
            yield _Value(span.start, end, "brewery", text)


def _named(s: Slots) -> Iterator[_Value]:
    m = s.m
    dated = s.times.words | s.times.unknown
    for name in sorted(s.names, key=lambda name: name.start):
        if not dated.isdisjoint(range(name.start, name.end)) or not _is_name(m, name):
            continue
        if not name.ids and (parts := _parts(m, name)):
            yield from parts
            continue
        end = name.end if name.ids else _whole(m, name)
        text = name.text if end == name.end else m.written(name.start, end)
        yield _Value(name.start, end, _kind(m, name, end), text)


def _parts(m: Utterance, name: Name) -> list[_Value]:
    """ "Stone e Alter": two names of the catalogue, and not one that nobody knows."""
    joiner = next((i for i in range(name.start + 1, name.end - 1) if m.is_function(i)), None)
    if joiner is None:
        return []
    halves = [(name.start, joiner), (joiner + 1, name.end)]
    values = [_Value(start, end, "brewery", m.written(start, end)) for start, end in halves]
    return values if all(m.lookups.find(value.text) for value in values) else []


def _is_name(m: Utterance, name: Name) -> bool:
    """A capital or the catalogue says so; a strange word must stand where a name stands: "de rook", "rook ipa"."""
    which = any(m.ends(mark.start, "which") for mark in m.ending(name.start, "axis"))
    if which and not name.ids and not m.is_name_like(name.start):
        return False  # "qual fornecedor entregou": what is asked for is not named
    if name.sure >= LIKELY:
        return True
    noun = any(mark.value in ("beer", "brewery") for mark in m.ending(name.start, "axis"))
    led = noun or m.ends(name.start, "name_lead") or m.starts(name.end, "style")
    return led and m.is_strange(name.start)


def _whole(m: Utterance, name: Name) -> int:
    """Where the name of a beer ends: "Rook Quarry Hazy IPA" has the style in it."""
    end = name.end
    while end < len(m) and not m.words[end].begins_clause and (m.has_at(end, "style") or m.plain[end] in TRADE):
        end += 1
    return end


def _kind(m: Utterance, name: Name, end: int) -> Field:
    noun = next((mark.value for mark in m.ending(name.start, "axis")), "")
    if noun == "brewery" or (
        noun != "beer" and (name.ids or TRADE & set(m.plain[name.start : end]) - {"beer", "ales"})
    ):
        return "brewery"
    return "beer"


def _places(s: Slots) -> Iterator[_Value]:
    for span in s.places:
        if not span.known:
            yield from _brewery_at(s.m, span.start, span.end)  # "na Stone"
        elif span.place.city or span.place.state:
            field: Field = "city" if span.place.city else "state"
            yield _Value(span.start, span.end, field, span.place.city or span.place.state)


def _brewery_at(m: Utterance, start: int, end: int) -> Iterator[_Value]:
    text = m.written(start, end)
    if m.lookups.find(text):
        yield _Value(start, end, "brewery", text)


def _types(s: Slots) -> Iterator[_Value]:
    for mention in s.type_mentions:
        if mention.name != "bar":  # "all bars" are who buys
            yield _Value(mention.start, mention.end, "type", mention.name)


def _styles(m: Utterance) -> Iterator[_Value]:
    """The widest of overlapping ones: "double ipa" is no ipa."""
    for mark in free_marks(m, "style", NONE):
        yield _Value(mark.start, mark.end, "style", mark.value)
