"""The words by which a search, or a question for details, is read: each only for what it says here.

A slot's own words, what leads to them ("near", "na cidade de") or stands beside them ("only", "or"), the words of asking
("show me", "is there a brewery"), and courtesies at the edges of a clause. All other words are left over.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Set

from beerforyou.catalogue.brewery import Place
from beerforyou.reading.asking.evidence import words_of_marks
from beerforyou.reading.intents.breweries import wants_similar
from beerforyou.reading.intents.replies import wants_more
from beerforyou.reading.intents.searches import like_of, name_in, within_km
from beerforyou.reading.reading import Intent
from beerforyou.reading.slots.names import Name
from beerforyou.reading.slots.slots import Slots
from beerforyou.reading.words.lexicon import Mark, small_words
from beerforyou.reading.words.utterance import Utterance

# That something is looked for, and that it is breweries.
_ASKING = (
    "find",
    "exists",
    "want",
    "show_again",
    "where",
    "brewery",
    "breweries_all",
    "craft",
    "will_buy",
    "my_business",
)
_LEADS = ("in_place", "of", "of_or_with", "place_word", "city_word", "state_word", "and_what_about", "here")
_BESIDE = ("only", "somebody", "beer", "several", "all_of_them", "every", "and", "or", "but", "also", "prefers", "one")
_AFTER = ("only", "beer")  # of these also what stands after it
_REACH = 3  # words between "could" or "for" and what they lead to: "to be ordering", "for our next menu"
_EDGES = ("hello", "thanks", "yes", "ack", "noted", "correction", "courtesy")  # of a clause


def used_by_search(s: Slots, intent: Intent) -> set[int]:
    m = s.m
    used = _of_slots(s, intent) | _with(m, *_asking(s, intent)) | _of_buying(s, intent) | _idle(m)
    return used | _beside(m, used)


def _with(m: Utterance, *tags: str) -> set[int]:
    wanted = frozenset(tags)
    return {i for i in range(len(m)) if not wanted.isdisjoint(m.at(i))} if m.has(*wanted) else set()


def _asking(s: Slots, intent: Intent) -> Iterator[str]:
    """The tags of words that ask for it."""
    m = s.m
    yield from _ASKING
    if not m.has("brewery"):
        yield from ("somebody", "beer")  # for whom makes it: "who makes stout?", "new beers in Denver"
    if s.wishes or not m.has("brewery"):
        yield "makes"
    if intent == "recommend" and m.has("recommend"):
        yield from ("recommend", "preference", "profile", "history")  # by which it is done
    if wants_more(m, s):
        yield from ("more", "page", "dislike", "not")
    if wants_similar(m, s) and not like_of(s):
        yield from ("similar", "more", "it")  # to what was shown


def used_by_details(s: Slots, name: Name | None) -> set[int]:
    """`name`: the brewery that is asked about."""
    m = s.m
    used = _of_name(s, name) | _of_places(s, [s.place])
    used |= _with(m, "tell_about", "tell_more", "what_is", "website", "reads_site", "it") | _idle(m)
    return used


def _of_slots(s: Slots, intent: Intent) -> set[int]:
    """The words of what stands in the search."""
    m, like = s.m, bool(like_of(s))
    used = _of_name(s, name_in(s, intent)) | _of_places(s, [s.place, *s.more_places])
    used |= {i for mention in s.type_mentions for i in range(mention.start, mention.end)}
    used |= s.wanted.words | s.denials.words | s.home.words
    if like:
        used |= _with(m, "similar", "recommend")
    if s.distance:
        used |= set(range(s.distance.start, s.distance.end)) | _with(m, "from_here")
        used |= _led(m, s.distance.start, ("within",))
    if s.near_me:
        near = (mark for mark in m.all("near") if m.has_at(mark.end, "possessive", "my_business"))
        used |= _with(m, "here") | words_of_marks(*near)
    if s.novelty == "any" or (intent == "recommend" and s.novelty == "new"):
        used |= s.said_of_novelty.words
    return used


def _of_name(s: Slots, name: Name | None) -> set[int]:
    """None of a name that another sentence told."""
    if name is None:
        return set()
    pointing = _with(s.m, "it")  # "Half Acre, is it in the catalogue?"
    if name not in s.names:
        return pointing
    return set(range(name.start, name.end)) | _led(s.m, name.start, ("named", "of", "of_or_with")) | pointing


def _of_places(s: Slots, named: Iterable[Place]) -> set[int]:
    leads = (*_LEADS, "near") if within_km(s) is not None else _LEADS
    used: set[int] = set()
    for span in s.places:
        if any(_is_part(span.place, place) for place in named):
            used |= set(range(span.start, span.end)) | _led(s.m, span.start, leads)
    return used


def _is_part(part: Place, place: Place) -> bool:
    return all(getattr(part, field) in ("", getattr(place, field)) for field in ("city", "state", "country"))


def _led(m: Utterance, start: int, tags: tuple[str, ...]) -> set[int]:
    """The words before `start` that lead to it, each tag once: "near the city of"."""
    used: set[int] = set()
    left = set(tags)
    while leads := _leads(m, start, left):
        used |= words_of_marks(*leads)
        left -= {mark.tag for mark in leads}
        start = min(mark.start for mark in leads)
    return used | ({start - 1} if m.word(start - 1) in small_words("inside") else set())


def _leads(m: Utterance, start: int, tags: Set[str]) -> list[Mark]:
    """With an article between or not. Of "perto do Texas" no "perto": it is not in it."""
    end = start - 1 if m.word(start - 1) in small_words("before_place") and not m.ends(start, *tags) else start
    leads = [mark for tag in tags for mark in m.ending(end, tag)] if m.ends(end, *tags) else []
    return [mark for mark in leads if mark.tag != "here" or not m.starts(mark.start, "near")]


def _of_buying(s: Slots, intent: Intent) -> set[int]:
    """What the breweries are for ("pra eu comprar", "that I could order from", "for my menu"); what is bought is another question."""
    m, asked = s.m, intent == "recommend" and not s.novelty  # "I don't know what to buy"
    buying = [
        mark for mark in m.all("buy", "supply") if not m.has_at(mark.start, "past") and (asked or _may(m, mark.start))
    ]
    keeping = m.all("should", "keep") if asked and m.has("should") else []
    placed = [mark for mark in m.all("use") if _follows(m, mark.start, small_words("for_use"))]
    return set(words_of_marks(*buying, *keeping, *placed))


def _may(m: Utterance, i: int) -> bool:
    """ "pra eu comprar", "could we be ordering"."""
    for j in range(i - 1, max(i - _REACH, 0) - 1, -1):
        if m.plain[j] in small_words("may_do"):
            return True
        if not (m.is_function(j) or m.has_at(j, "fill")):
            return False
    return False


def _follows(m: Utterance, i: int, words: frozenset[str]) -> bool:
    return any(m.plain[j] in words for j in range(max(i - _REACH, 0), i))


def _idle(m: Utterance) -> set[int]:
    """Courtesies at the edges of clauses: "boa tarde, ...", "..., thanks"."""
    used: set[int] = set()
    for clause in m.clauses if m.has(*_EDGES, "no", "instead") else ():
        used.update(_run(m, clause), _run(m, reversed(clause)))
        if len(clause) == 1 and m.has_at(clause.start, "no"):
            used.add(clause.start)  # "não, em Dallas"
        last = clause.stop - 1
        if m.starts(last, "instead") and not m.has_at(last, "not"):
            used.add(last)  # "what about brewpubs instead?"
    return used


def _run(m: Utterance, positions: Iterable[int]) -> Iterator[int]:
    for i in positions:
        if not m.has_at(i, *_EDGES):
            return
        yield i


def _beside(m: Utterance, used: Set[int]) -> set[int]:
    """ "só brewpubs", "all of Texas", "or Dallas", "brewpubs only": they say nothing but for the word that they stand next to."""
    found: set[int] = set()
    marks = m.all(*_BESIDE)
    telling = [i for i in range(len(m)) if not (m.is_function(i) or m.has_at(i, "courtesy", "fill"))] if marks else []
    for mark in reversed(marks):
        after, ahead = bisect_left(telling, mark.end), bisect_left(telling, mark.start) - 1
        leads = after < len(telling) and (telling[after] in used or telling[after] in found)
        if leads or (mark.tag in _AFTER and ahead >= 0 and telling[ahead] in used):
            found.update(range(mark.start, mark.end))
    return found
