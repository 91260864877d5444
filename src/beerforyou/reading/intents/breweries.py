"""Rules for breweries: recommending new ones, telling about one, and finding them."""

from __future__ import annotations

from beerforyou.catalogue.brewery import Place
from beerforyou.reading.slots.names import LIKELY, POSSIBLE, SURE, Name
from beerforyou.reading.slots.slots import Slots
from beerforyou.reading.words.lexicon import small_words
from beerforyou.reading.words.utterance import Utterance

_ABOUT_ONE = ("tell_about", "website", "summary")
_INTERROGATIVES = small_words("interrogatives")
# Words that look for something in a place, and say nothing of their own.
_ABOUT_PLACE = (
    "place", "find", "exists", "want", "fill", "good", "more", "only", "hello", "thanks", "yes", "ack", "not", "here",
    "in_place", "of", "near", "and_what_about", "name", "place_word", "city_word", "state_word", "number", "beer", "style",
    "makes", "buy", "will_buy",
)  # fmt: skip


def wants_recommendation(m: Utterance, s: Slots) -> bool:
    """Said in so many words, or by leaving out what is bought already."""
    if m.has("how_many", "spend") or s.novelty == "known" or _is_about_one(m, s):
        return False
    if m.has("should") and m.has("buy", "keep"):
        return True
    if m.has("recommend"):
        return _is_about_beer(m, s)
    if s.novelty != "new" or s.periods or m.has("last_time") or _asks_of_beers(m, s):
        return False
    if not m.has("past", "most", "least", "statistic"):
        return True
    looked_for = m.has("brewery", "place", "new", "find", "only", "relative") or s.type or s.near_me
    return bool(looked_for) and s.said_of_novelty.denies_purchase


def _is_about_beer(m: Utterance, s: Slots) -> bool:
    """Not "recommend a good book": breweries, beer, a place or something new, or nothing said of what."""
    if (
        m.has(
            "brewery", "beer", "style", "place", "here", "new", "my_business", "buy", "keep", "name", "similar", "wish"
        )
        or s.type
    ):
        return True
    tags = (
        "recommend",
        "fill",
        "want",
        "self",
        "good",
        "find",
        "thanks",
        "hello",
        "it",
        "history",
        "profile",
        "preference",
    )
    rest = [i for i in range(len(m)) if not m.has_at(i, *tags, "courtesy", "for_whom") and not m.is_function(i)]
    return len(rest) <= m.has("for_whom")


def wants_new(m: Utterance, s: Slots) -> bool:
    """Not "which suppliers are new this month": new among those that are bought from."""
    return s.novelty == "new" and not (s.periods and m.has("supplier", "beer", "style"))


def _is_about_one(m: Utterance, s: Slots) -> bool:
    if s.name(SURE) and m.has("where", "makes"):
        return True
    return s.name(LIKELY) is not None and m.has(*_ABOUT_ONE) and not m.has("recommend")


def _asks_of_beers(m: Utterance, s: Slots) -> bool:
    """ "which beers haven't I reordered?": about purchases, since no brewery is looked for."""
    asks = m.word(0) in _INTERROGATIVES and m.has("i", "self") and m.has("not")
    return asks and not m.has("brewery", "place") and not s.type


def tells_of(m: Utterance, s: Slots) -> bool:
    """ "more info about Cerebral Brewing": said in so many words, whatever else is in the sentence."""
    data = m.has("spend", "how_many", "purchases", "history", "order", "third_person", "past", "last_time", "recommend")
    return s.name(SURE) is not None and m.has("tell_about", "tell_more", "website") and not data and not s.periods


def wants_similar(m: Utterance, s: Slots) -> bool:
    """ "something similar to Freetail", "more like this"."""
    if not m.has("similar") or m.has("spend", "how_many", "popular"):
        return False
    pointing = ("similar", "more", "it", "find", "option", "one", "several", "want", "shown", "and_what_about", "brewery", "exists",
                "recommend", "fill")  # fmt: skip
    return s.name(POSSIBLE) is not None or (m.covered(*pointing) and not m.has("recommend"))


def wants_quality(m: Utterance, s: Slots) -> bool:
    """ "something hoppy", "a cheap one": of breweries, if of anything here."""
    return (
        bool(s.wishes)
        and m.has("wish")
        and m.covered(
            "wish",
            "find",
            "want",
            "fill",
            "exists",
            "more",
            "most",
            "good",
            "it",
            "option",
            "one",
            "several",
            "makes",
            "beer",
            "style",
            "least",
            "only",
        )
    )


def wants_details(m: Utterance, s: Slots) -> bool:
    if (m.has("where") and not m.has("website")) or s.near_me:
        return False
    name = s.name(LIKELY) or s.subject
    if not any(name is None or not name.start <= mark.start < name.end for mark in m.all(*_ABOUT_ONE)):
        return _asks_more_than_name(m, s)  # "founders" may be whom somebody asks for, or a brewery
    if name and (name.ids or name.sure >= SURE):
        return True
    if m.has("it") and not m.has("breweries_all") and s.place == Place():
        return m.has("website", "summary", "tell_more")
    name = s.name(POSSIBLE)
    return name is not None and not m.has("breweries_all") and not s.type and _says_only(m, name)


def _asks_more_than_name(m: Utterance, s: Slots) -> bool:
    """ "a Surly trabalha com lager?": something is asked about one brewery, and not whether or where it is."""
    name = s.name(LIKELY)
    if name is None or not (name.ids or name.sure >= SURE or m.has("makes")) or not _is_pointed_at(m, name):
        return False
    if m.has("exists", "find", "named", "breweries_all") or s.type or (m.has("only") and not m.has("makes")):
        return False
    rest = (i for i in range(len(m)) if not name.start <= i < name.end)
    return sum(not m.has_at(i, "place", "courtesy", "in_place") for i in rest) > (not m.has("what_is"))


def _is_pointed_at(m: Utterance, name: Name) -> bool:
    """A whole name, a capital, the first word, or an article: one lower-case word may be a word like any other."""
    article = m.word(name.start - 1) in small_words("before_name")
    return name.sure >= SURE or name.end - name.start > 1 or name.start == 0 or article or m.is_name_like(name.start)


def _says_only(m: Utterance, name: Name) -> bool:
    tags = (*_ABOUT_ONE, "tell_more", "of", "of_or_with", "it", "yes", "hello")
    return m.covered(*tags, besides=range(name.start, name.end))


def wants_search(m: Utterance, s: Slots) -> bool:
    if m.has("brewery") or s.type or s.within_km or s.near_me or searched_name(m, s):
        return True
    if s.denials.places or s.denials.types or s.wanted.nearest or s.wanted.has:
        return True
    sure = any(span.known for span in s.places) or m.has("find", "exists", "and_what_about", "more")
    return s.place != Place() and sure and _is_about_place(m)


def _is_about_place(m: Utterance) -> bool:
    """Nothing is said but a place, and words that look for something there: not "what's the population of Ohio?"."""
    if m.has("tell_about", "summary") and not m.has("find", "beer", "and_what_about"):
        return False
    rest = [i for i in range(len(m)) if not m.has_at(i, *_ABOUT_PLACE, "courtesy") and not m.is_function(i)]
    return not rest or (len(rest) == 1 and not m.is_strange(rest[0]) and m.plain[0] not in _INTERROGATIVES)


def searched_name(m: Utterance, s: Slots) -> Name | None:
    """The brewery that a search is for: whose name is likely, or known to the catalogue and asked for."""
    name = s.name(POSSIBLE)
    if name is None:
        return s.subject if m.has("where") else None
    if m.has("breweries_all") and not m.has("named") and name.sure < SURE:
        return None
    if m.has("named") or name.sure >= SURE or (name.sure == LIKELY and (name.ids or len(m) <= 2)):
        return name
    asked = m.has("where", "exists", "find") and not m.has("brewery") and s.place == Place()
    return name if asked and (name.ids or name.sure >= LIKELY) and s.strange_words <= 1 else None


def asked_about(s: Slots) -> Name | None:
    """The brewery that details are asked of."""
    return s.name(LIKELY) or s.subject or s.name(POSSIBLE)
