"""Which of those that were shown a message points at, and whether it says anything else.

Details cost money, so that a message is an answer only when each of its words is known to be part of one: what is not in the
tables for this is no yes. What points outside of the list, or at several for one, is said (`Reading.unsure`), never guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

from msgspec.structs import replace

from beerforyou.catalogue.brewery import Place
from beerforyou.catalogue.geo import Point
from beerforyou.catalogue.names import brewery_key, fold
from beerforyou.reading.reading import Context, Ref
from beerforyou.reading.slots.fingers import Item, words_of
from beerforyou.reading.slots.names import LIKELY, POSSIBLE, Name
from beerforyou.reading.slots.slots import Slots
from beerforyou.reading.words.lexicon import Mark, beside
from beerforyou.reading.words.utterance import Utterance

Unsure = Literal["", "outside", "several", "nothing"]

_BESIDE = (
    "pointing",
    "comparing",
    "explaining",
    "choosing",
    "asking",
    "joining",
)  # kinds of words that say nothing there
_ANSWERING = ("pointing", "yes", "ack", "tell_more", "tell_about", "it", "thanks", "option", "shown", "corrects", "chooses",
              "orders_one", "all_of", "and_what_about", "summary", "merely")  # fmt: skip
_REQUESTS = ("tell_about", "tell_more", "summary", "website", "reads_site", "makes", "what_is")
ON_THE_WEB = frozenset({"hours", "beers", "other"})  # asked of a brewery, and not in the catalogue: details are offered
_ALSO_YES = (
    "yes",
    "tell_more",
    "tell_about",
    "from_end",
    "nearest",
    "farthest",
    "all_of",
    "corrects",
    "orders_one",
    "asks",
)


class Picked(NamedTuple):
    refs: tuple[Ref, ...] = ()
    unsure: Unsure = ""


def says_only(m: Utterance, *tags: str, besides: Iterable[int] = (), free: bool = False) -> bool:
    """Is each word one of these, or stands under one of these tags, and, where it is not `free`, does none take back what the
    others say?"""
    others, allowed = set(besides), {*tags, "courtesy"}
    silent = beside(m.language, *(kind for kind in _BESIDE if kind in allowed))
    known = (i in others or word in silent or not allowed.isdisjoint(m.at(i)) for i, word in enumerate(m.plain))
    return all(known) and (free or not takes_back(m, others))


def takes_back(m: Utterance, besides: Iterable[int] = ()) -> bool:
    """ "sim, mas", "talvez", "depois": unless it is said within a yes, as in "why not". "No" is Portuguese for "in the", too, but
    not where a clause ends."""
    others = set(besides)
    marks = [mark for mark in m.all("hedges") if not others.issuperset(range(mark.start, mark.end))]
    marks += [mark for mark in m.all("no") if _ends_clause(m, mark.end)]
    return len(without_parts(marks, m.all(*_ALSO_YES))) > 0 if marks else False


def without_parts(marks: Sequence[Mark], longer: Sequence[Mark]) -> list[Mark]:
    """Those marks that are no part of a longer one of the others, which are in the order of the message."""
    longest: dict[int, int] = {}
    for mark in longer:
        longest[mark.start] = max(mark.end, longest.get(mark.start, 0))
    kept, reach, starts = list[Mark](), 0, sorted(longest)
    at = 0
    for mark in sorted(marks, key=lambda mark: mark.start):
        while at < len(starts) and starts[at] < mark.start:
            reach = max(reach, longest[starts[at]])
            at += 1
        if reach < mark.end and longest.get(mark.start, 0) <= mark.end:
            kept.append(mark)
    return kept


def _ends_clause(m: Utterance, i: int) -> bool:
    return i == len(m) or m.words[i].begins_clause


def points(m: Utterance, s: Slots) -> bool:
    """ "a segunda", "#3", "the last one", "sim, a 2 e a 3", "as duas primeiras", "a mais perto", "both"."""
    items = s.fingers
    if not items or s.periods or m.has("weekday", "unit"):
        return False
    if items[0].kind == "nearest" and (m.has("brewery") or s.near_me):
        return False  # of all that there are
    if m.has("merely") and (len(items) > 1 or items[0].kind not in ("nth", "number", "end")):
        return False  # "só as 3 primeiras" is less of the list
    return not _calculates(m) and says_only(m, *_ANSWERING, besides=words_of(items))


def requests(m: Utterance, s: Slots) -> bool:
    """ "o resumo dela", "what does their site say?": details are asked for, and nothing else is said."""
    said = words_of(s.fingers) | {i for span in s.places for i in range(span.start, span.end)}
    return says_only(m, *_ANSWERING, "website", "reads_site", besides=said)


def requests_of(m: Utterance, s: Slots) -> bool:
    """Are details of the brewery that is named asked for? Not by "a Stone é cara", nor by "não me fala da Stone"; and of an
    ordinary word only where nothing else is said."""
    if m.has("not") and not _asks_in_a_clause(m):
        return False
    words = {i for name in s.names for i in range(name.start, name.end)}
    only = says_only(m, *_ANSWERING, *_REQUESTS, "place", "of", "in_place", besides=words)
    sure = s.name(LIKELY) is not None or s.subject is not None
    only = only and (sure or not takes_back(m))  # "the other one" is a brewery's name
    return (sure and _asks(m)) or (only and (m.has("yes", "ack") or _asks(m) or m.is_beside(len(m) - 1, "stand_in")))


def _asks(m: Utterance) -> bool:
    return m.has(*_REQUESTS) or any(mark.value in ON_THE_WEB for mark in m.all("asks"))


def _asks_in_a_clause(m: Utterance) -> bool:
    """ "a Fulton eu não conheço, me fala dela": where details are asked for, nothing is denied."""
    return any(
        any(m.has_at(i, *_REQUESTS) for i in clause) and not any(m.has_at(i, "not") for i in clause)
        for clause in m.clauses
    )


def _calculates(m: Utterance) -> bool:
    """ "2x3", "-1", "1.5": and not "1, 5" or "#3"."""
    signs = any(word.gap != " " and set(word.gap.strip()) - set(".,;:!?#()&…-–—\"'") for word in m.words)
    return signs or any(set(word.gap) - set(" #(") and " " not in word.gap for word in m.words if word.raw[0].isdigit())


def resolved(items: Sequence[Item], m: Utterance, context: Context, home: Point | None) -> Picked:
    """Those of the list that the fingers point at, in the order in which they were named."""
    if any(item.kind == "all" and item.value and item.value == len(context.told) for item in items):
        return Picked(context.told)  # "as duas", of which was just told
    if not context.shown:
        return Picked(unsure="nothing")
    positions: list[int] = []
    for item in items:
        found = _positions(item, m, context, home)
        if isinstance(found, str):
            return Picked(unsure=found)
        positions += found
    return Picked(tuple(context.shown[i] for i in dict.fromkeys(positions)))


def _positions(item: Item, m: Utterance, context: Context, home: Point | None) -> list[int] | Unsure:
    count, value = len(context.shown), item.value
    match item.kind:
        case "nth":
            return _nth(value, count, context.first)
        case "number":
            position = value - context.first
            return [position] if 0 <= position < count else "outside"
        case "end":
            return [count - value] if value <= count else "outside"
        case "firsts":
            return "several" if not value else list(range(value)) if value <= count else "outside"
        case "lasts":
            return "several" if not value else list(range(count - value, count)) if value <= count else "outside"
        case "middle":
            return [count // 2] if count % 2 else "several"
        case "all":
            return list(range(count)) if value in (0, count) else "several"
        case "range":
            return "several"
    return _by_distance(item, m, context, home)


def _nth(value: int, count: int, first: int) -> list[int] | Unsure:
    """ "A segunda" is the second on the screen, "a oitava" the one with that number; where it may be either, neither."""
    here = {i for i in (value - 1, value - first) if 0 <= i < count}
    if len(here) == 1:
        return [here.pop()]
    return "several" if here else "outside"


def _by_distance(item: Item, m: Utterance, context: Context, home: Point | None) -> list[int] | Unsure:
    """The one that is nearest to what the list was around, or to the client; none of two that are as near, or where one's
    distance is not known."""
    catalogue = m.lookups.catalogue
    center = _center(m, context) or home
    known = [ref for ref in context.shown if catalogue.brewery(ref.id)]
    away = [catalogue.distance_km(ref.id, center) for ref in known] if center else []
    if not away or None in away or len(known) < len(context.shown):
        return "several"
    wanted = (min if item.kind == "nearest" else max)(km for km in away if km is not None)
    nearest = [i for i, km in enumerate(away) if km is not None and abs(km - wanted) < _SAME_KM]
    return nearest if len(nearest) == 1 else "several"


_SAME_KM = 0.05  # what is shown as one distance


def _center(m: Utterance, context: Context) -> Point | None:
    last = context.search
    if last is None or last.within_km is None or last.near_me or not last.city:
        return None
    catalogue = m.lookups.catalogue
    place = catalogue.places.resolve(last.city, last.state, last.country)
    return catalogue.point(place) if isinstance(place, Place) else None


def deictic(m: Utterance, items: Sequence[Item]) -> bool:
    """ "essa última", "that last one": of what was just told rather than of the list."""
    return any(item.kind == "end" and item.value == 1 and m.has_at(item.start - 1, "it") for item in items)


def named(s: Slots, shown: Sequence[Ref]) -> tuple[list[Ref], set[int]]:
    """The breweries of the list that the message names, and the words of the names. A part of a name that is no other's will do."""
    refs: list[Ref] = []
    words: set[int] = set()
    for name in sorted(each_name(s), key=lambda name: name.start):
        if name.sure >= POSSIBLE and len(same := _called(name, shown)) == 1:
            refs += same
            words |= set(range(name.start, name.end))
    return list(dict.fromkeys(refs)), words


def each_name(s: Slots) -> Iterator[Name]:
    """ "Freetail and Blue Star", which nobody is called, are two."""
    for name in s.names:
        joints = [] if name.ids else [i for i in range(name.start + 1, name.end - 1) if s.m.is_beside(i, "joining")]
        starts = [name.start, *(i + 1 for i in joints)]
        for start, end in zip(starts, [*joints, name.end], strict=True):
            text = s.m.written(start, end)
            yield replace(name, start=start, end=end, text=text) if joints else name


def _called(name: Name, shown: Sequence[Ref]) -> list[Ref]:
    key = brewery_key(name.text)
    if not key:
        return []
    whole = [ref for ref in shown if brewery_key(ref.name) == key or ref.id in name.ids]
    return whole[:1] if len(whole) == 1 else [ref for ref in shown if f" {key} " in f" {brewery_key(ref.name)} "]


def alike(s: Slots, shown: Sequence[Ref]) -> list[Ref]:
    """Those of the list in the place and of the type that were said."""
    return [ref for ref in shown if _is_alike(ref, s)]


def _is_alike(ref: Ref, s: Slots) -> bool:
    brewery = s.m.lookups.catalogue.brewery(ref.id)
    of_type = not s.type or (brewery is not None and brewery.brewery_type == s.type)
    return of_type and is_at(Place(city=ref.city, state=ref.state), s.place)


def is_at(place: Place, asked: Place) -> bool:
    """Is every part that was said a part of the place? A state's name may have been taken for a city, and back."""
    parts = {fold(part) for part in (place.city, place.state, place.country) if part}
    return {fold(part) for part in (asked.city, asked.state, asked.country) if part} <= parts
