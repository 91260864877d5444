"""Whether words that could be a place are one here, and which of several it is.

Ordinary words are places too ("media", "bend", "me"): a name counts by what leads to it, by its capital, or by the
company of another place.
"""

from __future__ import annotations

from collections.abc import Sequence

from beerforyou.catalogue.mentions import Mention
from beerforyou.reading.words.lexicon import small_words
from beerforyou.reading.words.text import TRADE
from beerforyou.reading.words.utterance import Utterance

STRONG_LEADS = ("in_place", "near", "place_word", "city_word", "state_word")
LEADS = (*STRONG_LEADS, "of", "and_what_about", "correction", "leave_out")
FEW = 3  # open breweries: a name of fewer is taken for a place only when something leads to it
SMALL = 10  # open breweries: a city of fewer yields to a brewery of its name, when the message asks about one
_IN = small_words("inside")  # in messages of any language
_ARTICLES = small_words("before_place")
_ASKS_ABOUT_ONE = ("tell_about", "makes", "website", "summary", "exists", "named", "where")
_OTHER_SENSES = ("month", "weekday", "everyone", "here", "website")
_NAMED_BY_US = ("demonym", "place_city", "place_country")


def is_led(m: Utterance, start: int, leads: tuple[str, ...] = STRONG_LEADS) -> bool:
    """Does a preposition of place stand before word `start`, with an article between them or not?"""
    before = start - 1 if m.word(start - 1) in _ARTICLES else start
    return m.ends(start, *leads) or m.ends(before, *leads) or m.word(start - 1) in _IN


def is_about_breweries(m: Utterance, i: int) -> bool:
    """Is word `i` "breweries", or a type of them? A bar is somebody's more often than a type."""
    kind = m.mention_at("type", i)
    return m.has_at(i, "brewery") or (kind is not None and kind.name != "bar")


def is_place(m: Utterance, candidates: Sequence[Mention], follows: bool, listed: bool = False) -> bool:
    """`follows`: a city stands right before, so that this may be its state. `listed`: a place does, with "and" or a comma."""
    start, end = candidates[0].start, candidates[0].end
    if candidates[0].short:
        return _is_code(m, start, end, follows)
    if follows and any(mention.kind != "city" for mention in candidates):
        return True
    if _is_brewery(m, candidates) or (m.ends(start, "named") and not m.ends(start, "city_word")):
        return False
    if all(m.is_known(i) for i in range(start, end)) and not m.has_at(start, *_NAMED_BY_US):
        return _is_ordinary_place(m, start, end)
    beside = is_about_breweries(m, end) or is_about_breweries(m, start - 1)
    known_well = sum(mention.weight for mention in candidates) >= FEW
    whole = end - start > 1 or end - start == m.spoken or _state_follows(m, end)
    return listed or is_led(m, start, LEADS) or beside or known_well or whole or m.is_name_like(start)


def _is_ordinary_place(m: Utterance, start: int, end: int) -> bool:
    """ "breweries in golden", "in Hope", "the town of March", "Media, PA": places in spite of their everyday words."""
    led = is_led(m, start, LEADS)
    named = led and (m.is_name_like(start) or end - start > 1) and not m.has_at(start, "month", "weekday")
    of_breweries = led and is_about_breweries(m, start - 2) and not m.has_at(start, *_OTHER_SENSES)
    return named or of_breweries or m.ends(start, "city_word") or _state_follows(m, end)


def _is_code(m: Utterance, start: int, end: int, follows: bool) -> bool:
    """ "TX", "or", "me", "nyc": capitals, or the company of a place or of "breweries", tell codes from words."""
    in_company = follows or is_led(m, start, LEADS) or is_about_breweries(m, end)
    word = any(m.is_function(i) or m.at(i) for i in range(start, end))
    alone = end - start == m.spoken
    if all(w.raw.isupper() for w in m.words[start:end]) and (m.capitals_count or follows or alone):
        return in_company or not word
    if word:
        return follows and (end == len(m) or m.words[end].begins_clause or is_about_breweries(m, end))
    return in_company or alone


def _is_brewery(m: Utterance, candidates: Sequence[Mention]) -> bool:
    """Is it a brewery's name or a part of one ("New Belgium", "Fremont Brewing", "a New Glarus tem site?")?"""
    start, end = candidates[0].start, candidates[0].end
    if not is_led(m, start, LEADS) and _is_in_strange_name(m, start, end):
        return True
    name = m.mention_at("brewery", start)
    if name is None:
        return False
    if name.start == start:
        return is_trade_name(m, name, end) or _is_rather(m, name, candidates)
    return end <= name.end and not m.has_at(start - 1, *LEADS)


def _is_in_strange_name(m: Utterance, start: int, end: int) -> bool:
    """Written as one with a strange name before it or with "Brewing" after it."""
    before = start > 0 and not m.words[start].gap.strip() and m.is_name_like(start - 1) and m.is_strange(start - 1)
    after = end < len(m) and m.words[end].capital and m.plain[end] in TRADE and m.words[start].capital
    return before or (after and m.capitals_count)


def is_trade_name(m: Utterance, name: Mention, end: int) -> bool:
    """ "Denver Brewing" is a brewery, "Denver brewery" and "Denver brewpubs" are breweries of Denver."""
    if name.end <= end or m.words[end].gap.strip() or m.words[end].raw == "CO":  # "Denver, CO" is in Colorado
        return False
    titled_beer = m.plain[end] == "beer" and m.words[end].capital
    return name.end - end > 1 or titled_beer or m.plain[end] in {"brewing", "company", "co"}


def _is_rather(m: Utterance, name: Mention, candidates: Sequence[Mention]) -> bool:
    """Where one brewery is asked about, its name comes before that of a small place."""
    start, end = candidates[0].start, candidates[0].end
    if name.end < end or is_led(m, start) or not m.has(*_ASKS_ABOUT_ONE):
        return False
    small = sum(mention.weight for mention in candidates) < SMALL
    return small or _has_article(m, start) or _is_titled(m, name, end)


def _has_article(m: Utterance, start: int) -> bool:
    """ "a Boulder", "da Boulder": in some languages a brewery has an article, and a city has none."""
    return m.word(start - 1) in small_words("brewerys_article", m.language)


def _is_titled(m: Utterance, name: Mention, end: int) -> bool:
    """ "Brooklyn Brewery": with capitals, or as the one that is to be told about."""
    if not name.full or name.end == end or m.plain[end].endswith("s"):
        return False
    capitals = m.capitals_count and m.words[name.start].capital and m.words[end].capital
    return capitals or m.has("tell_about", "website", "summary")


def _state_follows(m: Utterance, end: int) -> bool:
    """ "Media, PA": what stands before a state is a city, however ordinary the word."""
    return any(not state.short or m.words[end].raw.isupper() for state in m.mentions_from(end, "state"))


def meant(m: Utterance, candidates: Sequence[Mention], follows: bool) -> tuple[Mention, int]:
    """Of one name that is a city, a state and a country, the one that is meant, and where its words end."""
    kinds = {mention.kind: mention for mention in candidates}
    start, end = candidates[0].start, candidates[0].end
    following = m.word(end)
    if "state" in kinds and (following in small_words("state_noun") or m.ends(start, "state_word")):
        return kinds["state"], end + (following in small_words("state_noun"))
    if "city" in kinds and following in small_words("city_noun"):
        return kinds["city"], end + 1
    if "city" in kinds and (m.ends(start, "city_word") or _state_follows(m, end)):
        return kinds["city"], end
    if follows and len(kinds) > 1:
        kinds.pop("city", None)
    return _likeliest(list(kinds.values())), end


def _likeliest(candidates: Sequence[Mention]) -> Mention:
    """As the catalogue decides it: New York is the city in New York; Oregon is more than the Oregon in Ohio."""
    kinds = {mention.kind: mention for mention in candidates}
    city, state, country = kinds.get("city"), kinds.get("state"), kinds.get("country")
    if country and state and state.name == country.name:
        return country
    if city and state and not state.short:
        inside = any(c.state == s.state for c in city.places for s in state.places)
        return city if inside and not country else state
    if city and country and (country.name == city.name or not country.places):
        return country
    return city or state or candidates[0]
