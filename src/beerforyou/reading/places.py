"""The place that a message is about, and which of the catalogue's places its words really mean.

Ordinary words are places too ("media", "bend", "me"): a name counts by what leads to it, by its capital, or by the
company of another place. What follows "in" or "em" and is no word that anybody knows is a place that the catalogue lacks.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from beerforyou.catalogue.brewery import Place
from beerforyou.catalogue.mentions import Mention
from beerforyou.catalogue.names import fold
from beerforyou.reading.message import Message
from beerforyou.reading.text import TRADE

STRONG_LEADS = ("in_place", "near", "place_word", "city_word", "state_word")
LEADS = (*STRONG_LEADS, "of", "and_what_about")
FEW = 3  # open breweries: a name of fewer is taken for a place only when something leads to it
SMALL = 10  # open breweries: a city of fewer yields to a brewery of its name, when the message asks about one
_KINDS = ("city", "state", "country")
_ARTICLES = {"the", "o", "a", "os", "as", "downtown", "greater"}
_JOINERS = {"de", "do", "da", "dos", "das", "of", "the", "del", "la", "e"}
_BEGINNINGS = {"sao", "nova", "novo", "new", "santa", "santo", "porto", "boa", "bom", "los", "las", "el", "st", "fort", "port", "north", "south", "east", "west"}  # fmt: skip
_ASKS_ABOUT_ONE = ("tell_about", "makes", "website", "summary", "exists", "named", "where")


class PlaceSpan(msgspec.Struct, frozen=True):
    """Words `start` to `end` (exclusive) name this place; `led` when a preposition of place stands before them."""

    start: int
    end: int
    place: Place
    led: bool = False


def places_in(m: Message) -> list[PlaceSpan]:
    found: list[PlaceSpan] = []
    for candidates in _candidates(m):
        last = found[-1] if found else None
        if (not last or candidates[0].start >= last.end) and (span := _read(m, candidates, last)):
            found.append(_whole(m, span))
    return found or list(_unknown(m))


def place_of(spans: list[PlaceSpan]) -> Place:
    """The first place named, with the state and the country that follow it; the first led to, if any is."""
    if len(spans) > 1 and not spans[0].led and not _merged(spans[0].place, spans[1].place):
        spans = spans[next((i for i, span in enumerate(spans) if span.led), 0) :]
    place, end = Place(), 0
    for span in spans:
        if place == Place():
            place = span.place
        elif span.start - end > 2 or not (merged := _merged(place, span.place)):
            break
        else:
            place = merged
        end = span.end
    return place


def _merged(place: Place, around: Place) -> Place | None:
    finer = (place.city and not around.city) or (place.state and not around.city and not around.state)
    if not finer or place.country or (place.state and around.state):
        return None
    return Place(city=place.city, state=place.state or around.state, country=around.country)


def _candidates(m: Message) -> Iterator[list[Mention]]:
    """Mentions of one name: a city, a state and a country at most. The longest at each word."""
    named = [*m.mentions_of(*_KINDS), *_by_other_names(m)]
    for start in sorted({mention.start for mention in named}):
        here = [mention for mention in named if mention.start == start]
        yield [mention for mention in here if mention.end == max(other.end for other in here)]


def _by_other_names(m: Message) -> Iterator[Mention]:
    for kind in _KINDS:
        for mark in m.all(f"place_{kind}"):
            yield Mention(start=mark.start, end=mark.end, kind=kind, name=mark.value, weight=FEW)
    for mark in m.all("demonym"):
        if m.language == "pt" and m.is_name_like(mark.start):  # "o Bar do Alemão": no adjective has a capital
            continue
        yield Mention(start=mark.start, end=mark.end, kind="country", name=mark.value, weight=FEW)


def _read(m: Message, candidates: list[Mention], last: PlaceSpan | None) -> PlaceSpan | None:
    start, end = candidates[0].start, candidates[0].end
    follows = last is not None and last.end == start and last.place.city != ""
    is_place = _is_code if candidates[0].short else _is_name
    if not is_place(m, candidates, follows):
        return None
    mention, end = _meant(m, {mention.kind: mention for mention in candidates}, end, follows)
    if follows and last and mention.kind == "city" and mention.name == last.place.city and mention.places:  # "Washington, D.C."
        return PlaceSpan(start, end, Place(state=mention.places[0].state))
    return PlaceSpan(start, end, _place(m, mention), is_led(m, start))


def _place(m: Message, mention: Mention) -> Place:
    """As little as was said; "Washington DC" says the state too, since it means one of several Washingtons."""
    said = " ".join(m.plain[mention.start : mention.end])
    if mention.kind == "city" and len(mention.places) == 1 and said == f"{fold(mention.name)} dc":
        return Place(city=mention.name, state=mention.places[0].state)
    return Place(**{mention.kind: mention.name})


def is_led(m: Message, start: int, leads: tuple[str, ...] = STRONG_LEADS) -> bool:
    """Does a preposition of place stand before word `start`, with an article between them or not?"""
    before = start - 1 if m.word(start - 1) in _ARTICLES else start
    return m.ends(start, *leads) or m.ends(before, *leads)


def _is_name(m: Message, candidates: list[Mention], follows: bool) -> bool:
    start, end = candidates[0].start, candidates[0].end
    if follows and any(mention.kind != "city" for mention in candidates):
        return True
    if _is_brewery(m, candidates):
        return False
    led = is_led(m, start, LEADS)
    if all(m.is_known(i) for i in range(start, end)) and not m.has_at(
        start, "demonym", "place_city", "place_country"
    ):
        named = led and m.is_name_like(start) and not m.has_at(start, "month", "weekday")
        of_breweries = led and is_about_breweries(m, start - 2) and not m.has_at(start, "month", "weekday", "everyone", "here", "website")
        return named or of_breweries or m.ends(start, "city_word") or _state_follows(m, end)
    known_well = sum(mention.weight for mention in candidates) >= FEW
    return led or known_well or end - start > 1 or end - start == len(m) or m.is_name_like(start)


def _is_code(m: Message, candidates: list[Mention], follows: bool) -> bool:
    """ "TX", "or", "me", "nyc": capitals, or the company of a place or a brewery, tell codes from words."""
    start, end = candidates[0].start, candidates[0].end
    known = any(m.is_function(i) or m.at(i) for i in range(start, end))
    upper = all(word.raw.isupper() for word in m.words[start:end])
    last = end == len(m) or m.words[end].begins_clause
    if upper and (m.capitals_count or follows or end - start == len(m)):
        return follows or not known or is_led(m, start, LEADS) or m.has_at(end, "brewery") or m.is_type(end)
    if known:
        return follows and last
    return follows or is_led(m, start, LEADS) or end - start == len(m) or m.has_at(end, "brewery")


def _is_brewery(m: Message, candidates: list[Mention]) -> bool:
    """Is it a brewery's name or a part of one ("New Belgium", "Fremont Brewing", "a New Glarus tem site?")?"""
    start, end = candidates[0].start, candidates[0].end
    if not is_led(m, start, LEADS) and _is_in_name(m, start, end):
        return True
    for name in m.mentions_of("brewery"):
        if name.start < start and end <= name.end and not m.has_at(start - 1, *LEADS):
            return True
        if name.start == start and end < name.end and is_trade_name(m, name, end):
            return True
        if name.start == start and name.end >= end and not is_led(m, start) and m.has(*_ASKS_ABOUT_ONE):
            return sum(mention.weight for mention in candidates) < SMALL or _is_feminine(m, start)
    return False


def _is_in_name(m: Message, start: int, end: int) -> bool:
    """Written as one with a strange name before it or with "Brewing" after it."""
    before = start > 0 and not m.words[start].gap.strip() and m.is_name_like(start - 1) and m.is_strange(start - 1)
    after = end < len(m) and m.words[end].capital and m.plain[end] in TRADE and m.words[start].capital
    return before or (after and m.capitals_count)


def is_trade_name(m: Message, name: Mention, end: int) -> bool:
    """ "Denver Brewing" is a brewery, "Denver brewery" and "Denver brewpubs" are breweries of Denver."""
    return bool({"brewing", "company", "co", "beer"} & set(m.plain[end : name.end])) or name.end - end > 1


def _is_feminine(m: Message, start: int) -> bool:
    """ "a Boulder", "da Boulder": in Portuguese a brewery has an article, and a city has none."""
    return m.language == "pt" and start > 0 and m.plain[start - 1] in {"a", "da", "na", "pela"}


def _state_follows(m: Message, end: int) -> bool:
    """ "Media, PA": what stands before a state is a city, however ordinary the word."""
    return any(
        mention.start == end and mention.kind == "state" and (not mention.short or m.words[end].raw.isupper())
        for mention in m.mentions
    )


def _meant(m: Message, kinds: dict[str, Mention], end: int, follows: bool) -> tuple[Mention, int]:
    """Of one name that is a city, a state and a country, the one that is meant, and where its words end."""
    start = next(iter(kinds.values())).start
    following = m.plain[end] if end < len(m) else ""
    if "state" in kinds and (following in {"state", "estado"} or m.ends(start, "state_word")):
        return kinds["state"], end + (following in {"state", "estado"})
    if "city" in kinds and following == "city":
        return kinds["city"], end + 1
    if "city" in kinds and (m.ends(start, "city_word") or _state_follows(m, end)):
        return kinds["city"], end
    if follows and len(kinds) > 1:
        kinds = {kind: mention for kind, mention in kinds.items() if kind != "city"}
    return _likeliest(kinds), end


def _likeliest(kinds: dict[str, Mention]) -> Mention:
    """As the catalogue decides it: New York is the city in New York; Oregon is more than the Oregon in Ohio."""
    city, state, country = kinds.get("city"), kinds.get("state"), kinds.get("country")
    if city and state and not state.short:
        inside = any(c.state == s.state for c in city.places for s in state.places)
        return city if inside and not country else state
    if city and country and (country.name == city.name or not country.places):
        return country
    return city or state or next(iter(kinds.values()))


def _whole(m: Message, span: PlaceSpan) -> PlaceSpan:
    """ "Rio Bonito" is not Rio, Wisconsin: strange words that go on make it a place that nobody knows."""
    joined = span.end < len(m) and m.plain[span.end] in _JOINERS
    going_on = span.end + joined
    if not span.led or going_on >= len(m) or m.words[span.end].begins_clause or m.words[going_on].begins_clause:
        return span
    if not _is_strange(m, going_on) or any(mention.start == going_on for mention in m.mentions):
        return span
    end = _run(m, going_on).stop
    return PlaceSpan(span.start, end, Place(city=m.written(span.start, end)), led=True)


def _unknown(m: Message) -> Iterator[PlaceSpan]:
    """What a preposition of place leads to and nobody knows: a place outside of the catalogue."""
    led = [*m.all("in_place", "near", "place_word", "city_word", "state_word")]
    led += [mark for mark in m.all("of") if is_about_breweries(m, mark.start - 1) and not m.has("named")]
    for mark in sorted(led, key=lambda mark: (mark.start, -mark.end)):
        start = mark.end + (mark.end < len(m) and m.plain[mark.end] in _ARTICLES)
        if run := _run(m, start):
            yield PlaceSpan(run.start, run.stop, Place(city=m.written(run.start, run.stop)), led=True)
            return


def is_about_breweries(m: Message, i: int) -> bool:
    return m.has_at(i, "brewery") or any(t.start <= i < t.end and t.name != "bar" for t in m.mentions_of("type"))


def _run(m: Message, start: int) -> range:
    """The words from `start` that can only be a name."""
    end = start
    while end < len(m) and (end == start or not m.words[end].begins_clause) and _is_part(m, start, end):
        end += 1
    while end > start and m.plain[end - 1] in _JOINERS:
        end -= 1
    return range(start, end) if any(_is_strange(m, i) or _is_proper(m, i) for i in range(start, end)) else range(0)


def _is_part(m: Message, start: int, i: int) -> bool:
    if _is_strange(m, i) or _is_proper(m, i):
        return True
    goes_on = i + 1 < len(m) and (_is_strange(m, i + 1) or m.is_name_like(i + 1))
    return goes_on and ((i == start and m.plain[i] in _BEGINNINGS) or (i > start and m.plain[i] in _JOINERS))


def _is_proper(m: Message, i: int) -> bool:
    """An ordinary word with a name's capital: "Nice", "Boa Vista"."""
    ordinary = m.is_function(i) or m.has_at(i, "month", "weekday", "brewery", "number", "style")
    return m.is_name_like(i) and not ordinary and not _is_in_mention(m, i)


def _is_strange(m: Message, i: int) -> bool:
    named = any(name.start <= i < name.end for name in m.mentions_of("brewery"))
    return m.is_strange(i) and m.plain[i] not in TRADE and not named


def _is_in_mention(m: Message, i: int) -> bool:
    return any(name.start <= i < name.end and name.end - name.start > 1 for name in m.mentions_of("brewery"))
