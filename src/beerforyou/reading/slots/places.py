"""The places that a message names, known to the catalogue or not, and the one that it is about.

What follows "in" or "em" and is no word that anybody knows is a place that the catalogue lacks.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Literal

import msgspec
from msgspec.structs import replace

from beerforyou.catalogue.brewery import Place
from beerforyou.catalogue.mentions import Mention
from beerforyou.catalogue.names import fold
from beerforyou.reading.slots.place_sense import FEW, STRONG_LEADS, is_about_breweries, is_led, is_place, meant
from beerforyou.reading.words.lexicon import Mark, capital_names, small_words
from beerforyou.reading.words.text import TRADE
from beerforyou.reading.words.utterance import Utterance

KINDS: tuple[Literal["city", "state", "country"], ...] = ("city", "state", "country")
_ARTICLES = small_words("articles")
_JOINERS = small_words("joins_place")  # inside of names
_BEGINNINGS = small_words("begins_place")  # ordinary words that begin names
_BETWEEN = 4  # words at most between two places of a list: "Houston and also in Dallas"
_NEIGHBOURS = 2  # words at most between a city and its state: "Vancouver, no Canadá"


class PlaceSpan(msgspec.Struct, frozen=True):
    """Words `start` to `end` (exclusive) name this place; `led` when a preposition of place stands before them.

    `known`: the catalogue, or the lexicon, has the name.
    """

    start: int
    end: int
    place: Place
    led: bool = False
    known: bool = True


def places_in(m: Utterance) -> list[PlaceSpan]:
    if not m.may_name(*KINDS) and not m.has("place_city", "place_state", "place_country", "demonym"):
        return []
    found: list[PlaceSpan] = []
    for candidates in _candidates(m):
        last = found[-1] if found else None
        if (not last or candidates[0].start >= last.end) and (span := _span(m, candidates, last)):
            found.append(_whole(m, span))
    return _qualified(m, found) or _unknown(m)


def _qualified(m: Utterance, spans: list[PlaceSpan]) -> list[PlaceSpan]:
    """ "Oregon, Ohio", "Victoria, Canada": what lies in another state or country is a city there, whether we know it or not."""
    for i, (span, around) in enumerate(pairwise(spans)):
        if span.place.city or around.place.city or around.start != span.end:
            continue
        listed = i + 2 < len(spans) and _are_listed(m, around.end, spans[i + 2].start)
        place, catalogue = span.place, m.lookups.catalogue
        meant = catalogue.places.resolve("", place.state or around.place.state, place.country or around.place.country)
        fits = isinstance(meant, Place) and bool(place.state) and not around.place.state
        if not listed and not fits:
            spans[i] = replace(span, place=Place(city=m.written(span.start, span.end)))
    return spans


def place_of(spans: list[PlaceSpan]) -> Place:
    """The first place named, with the state and the country that follow it; the first led to, if any is."""
    if len(spans) > 1 and not spans[0].led and not _merged(spans[0].place, spans[1].place):
        spans = spans[next((i for i, span in enumerate(spans) if span.led), 0) :]
    if len(spans) > 1 and spans[1].led and not spans[0].place.city and spans[1].place.city:
        spans = [spans[1], spans[0]]  # "Na Finlândia, em Helsinki": the wider place first
    place, end = (spans[0].place, spans[0].end) if spans else (Place(), 0)
    for span in spans[1:]:
        merged = _merged(place, span.place)
        if not merged or span.start - end > _NEIGHBOURS:
            break
        place, end = merged, span.end
    return place


def groups_of(m: Utterance, spans: list[PlaceSpan]) -> list[list[list[PlaceSpan]]]:
    """Spans that name one place together ("Portland, Maine"), and such places where they are listed ("Austin, Houston e
    Dallas")."""
    lists: list[list[list[PlaceSpan]]] = []
    for span in spans:
        before = lists[-1][-1] if lists else None
        if before and span.start - before[-1].end <= _NEIGHBOURS and _merged(place_of(before), span.place):
            before.append(span)
        elif before and _are_listed(m, before[-1].end, span.start):
            lists[-1].append([span])
        else:
            lists.append([[span]])
    return lists


def _are_listed(m: Utterance, start: int, end: int) -> bool:
    """Nothing between them but "and in the", or a comma."""
    between = range(start, end)
    if len(between) > _BETWEEN:
        return False
    joined = any(m.has_at(i, "and", "or") for i in between) or m.words[end].gap.strip() in {",", "/", "+", "&"}
    return joined and all(m.is_function(i) or m.has_at(i, *STRONG_LEADS) for i in between)


def _merged(place: Place, around: Place) -> Place | None:
    """A place and what it lies in; None when the second is no wider than the first."""
    finer = (place.city and not around.city) or (place.state and not around.city and not around.state)
    if not finer or place.country or (place.state and around.state):
        return None
    return Place(city=place.city, state=place.state or around.state, country=around.country)


def _candidates(m: Utterance) -> Iterator[list[Mention]]:
    """What each stretch of words may name: a city, a state and a country at most. The longest at each word."""
    named: dict[int, list[Mention]] = {}
    for mention in (*m.mentions_of(*KINDS), *_by_other_names(m)):
        named.setdefault(mention.start, []).append(mention)
    for _, here in sorted(named.items()):
        end = max(mention.end for mention in here)
        yield [mention for mention in here if mention.end == end]


def _by_other_names(m: Utterance) -> Iterator[Mention]:
    for kind in KINDS:
        for mark in m.all(f"place_{kind}"):
            yield Mention(start=mark.start, end=mark.end, kind=kind, name=mark.value, weight=FEW)
    if m.has("brewery", "beer", "new", "recommend", "find", "style", "keep") or m.mentions_of("type"):
        for mark in m.all("demonym"):
            if not capital_names(m.language) or not m.is_name_like(mark.start):  # "o Bar do Alemão" is somebody's name
                yield Mention(start=mark.start, end=mark.end, kind="country", name=mark.value, weight=FEW)


def _span(m: Utterance, candidates: list[Mention], last: PlaceSpan | None) -> PlaceSpan | None:
    start = candidates[0].start
    follows = last is not None and last.end == start and last.place.city != ""
    listed = last is not None and _are_listed(m, last.end, start)
    if not is_place(m, candidates, follows, listed) or (follows and last and _is_word_after(m, candidates[0], last)):
        return None
    mention, end = meant(m, candidates, follows)
    place = _place(m, mention)
    said = end > mention.end or m.plain[mention.end - 1] in small_words("state_noun") or m.ends(start, "state_word")
    if mention.kind == "state" and said:
        place = _state(m, mention, place)
    return PlaceSpan(start, end, place, is_led(m, start))


def _state(m: Utterance, mention: Mention, place: Place) -> Place:
    """ "Washington state" is no city, even for who is at home in one of that name: its country says so."""
    is_city = bool(m.lookups.catalogue.places.named("city", fold(mention.name)))
    return replace(place, country=mention.places[0].country) if is_city and mention.places else place


def _is_word_after(m: Utterance, code: Mention, city: PlaceSpan) -> bool:
    """ "aqui em San Ramon né" is not in Nebraska: small letters that mean something are a state's only if the city is there."""
    if not code.short or code.kind != "state" or m.words[code.start].raw.isupper() or not m.at(code.start):
        return False
    there = m.lookups.catalogue.places.resolve(city.place.city, code.name)
    return not (isinstance(there, Place) and there.city)


def _place(m: Utterance, mention: Mention) -> Place:
    """As little as was said; "Washington DC" says the state too, since it means one of several Washingtons."""
    said = " ".join(m.plain[mention.start : mention.end])
    if mention.kind == "city" and len(mention.places) == 1 and said == f"{fold(mention.name)} dc":
        return Place(city=mention.name, state=mention.places[0].state)
    return Place(**{mention.kind: mention.name})


def _whole(m: Utterance, span: PlaceSpan) -> PlaceSpan:
    """ "Rio Bonito" is not Rio, Wisconsin: strange words that go on make it a place that nobody knows."""
    going_on = span.end + (m.word(span.end) in _JOINERS)
    if not span.led or going_on >= len(m) or any(m.words[i].begins_clause for i in range(span.end, going_on + 1)):
        return span
    if not _is_strange(m, going_on) or m.mentions_from(going_on, *KINDS, "type", "brewery"):
        return span
    end = _run(m, going_on).stop
    return PlaceSpan(span.start, end, Place(city=m.written(span.start, end)), led=True, known=False)


def _unknown(m: Utterance) -> list[PlaceSpan]:
    of_breweries = [mark for mark in m.all("of") if is_about_breweries(m, mark.start - 1) and not m.has("named")]
    for mark in sorted((*m.all(*STRONG_LEADS), *of_breweries), key=lambda mark: (mark.start, -mark.end)):
        run = _run(m, mark.end + (m.word(mark.end) in _ARTICLES))
        if run and not _is_measure(m, mark, run):
            return [PlaceSpan(run.start, run.stop, Place(city=m.written(run.start, run.stop)), led=True, known=False)]
    return []


def _is_measure(m: Utterance, lead: Mark, run: range) -> bool:
    """ "top 5 beers by revenue": what things are ranked by is no place next to them."""
    return lead.tag == "near" and not m.is_name_like(run.start) and not m.has("brewery") and not m.mentions_of("type")


def _run(m: Utterance, start: int) -> range:
    """The words from `start` that can only be a name."""
    end = start
    while end < len(m) and (end == start or not m.words[end].begins_clause) and _is_part(m, start, end):
        end += 1
    while end > start and m.plain[end - 1] in _JOINERS:
        end -= 1
    return range(start, end) if any(_is_name(m, i) for i in range(start, end)) else range(0)


def _is_part(m: Utterance, start: int, i: int) -> bool:
    goes_on = i + 1 < len(m) and (_is_strange(m, i + 1) or m.is_name_like(i + 1))
    joins = (i == start and m.plain[i] in _BEGINNINGS) or (i > start and m.plain[i] in _JOINERS)
    return _is_name(m, i) or (goes_on and joins)


def _is_name(m: Utterance, i: int) -> bool:
    """A strange word, or an ordinary one with a name's capital: "Nice", "Boa Vista"."""
    ordinary = m.is_function(i) or m.has_at(i, "month", "weekday", "brewery", "number", "style")
    name = m.mention_at("brewery", i)
    in_brewery = name is not None and name.end - name.start > 1
    return _is_strange(m, i) or (m.is_name_like(i) and m.plain[i].isalpha() and not ordinary and not in_brewery)


def _is_strange(m: Utterance, i: int) -> bool:
    return m.is_strange(i) and m.plain[i] not in TRADE and not m.mention_at("brewery", i)
