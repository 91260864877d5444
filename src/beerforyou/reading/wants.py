"""What the tools do: rules for questions about data, for one brewery's details, and for finding breweries."""

from __future__ import annotations

from beerforyou.catalogue.brewery import Place
from beerforyou.reading.message import Message
from beerforyou.reading.names import LIKELY, POSSIBLE, SURE, Name
from beerforyou.reading.novelty import denies_purchase
from beerforyou.reading.slots import Slots


def wants_recommendation(m: Message, s: Slots) -> bool:
    """Said in so many words, or by leaving out what is bought already."""
    if s.name(LIKELY) and m.has("tell_about", "website", "summary") and not m.has("recommend"):
        return False
    if m.has("how_many", "spend") or s.novelty in {"known", "any"}:
        return m.has("recommend") and s.novelty == "any"
    if m.has("recommend") or (m.has("should") and m.has("buy", "keep")):
        return True
    if _asks_of_beers(m, s):
        return False
    if s.novelty == "new" and not m.has("past", "last_time", "most", "least", "statistic") and not s.periods:
        return True
    head = m.has("brewery", "place", "new", "find", "only", "relative") or s.type or s.near_me
    return bool(head) and denies_purchase(m) and not s.periods and not m.has("last_time")


def _asks_of_beers(m: Message, s: Slots) -> bool:
    """ "which beers haven't I reordered?": about purchases, since no brewery is looked for."""
    asks = m.word(0) in {"what", "which", "quais", "que", "o", "qual"}
    return asks and m.has("i", "self") and m.has("not") and not m.has("brewery", "place") and not s.type


def wants_profile(m: Message, s: Slots) -> bool:
    return m.has("about_me", "profile") and not _is_counted(m, s) and not m.has("spend") and not s.name(LIKELY)


def wants_own_data(m: Message, s: Slots) -> bool:
    mine = m.has("i", "self", "my_business")
    if s.novelty == "known" or (mine and m.has("last_time", "stopped")):
        return True
    if s.novelty == "any" and (m.has("brewery") or s.type):
        return False
    if mine and m.has("history") and s.name(SURE) and not m.has("tell_about", "website", "summary"):
        return True
    if m.has("popular", "everyone") and not m.has("i"):
        return False
    return _is_about_money(m, s, mine) or _is_about_purchases(m, s, mine) or _is_about_my_things(m, s)


def _is_about_money(m: Message, s: Slots, mine: bool) -> bool:
    return m.has("spend") and (mine or bool(s.periods) or m.has("how_many", "statistic", "dimension"))


def _is_about_purchases(m: Message, s: Slots, mine: bool) -> bool:
    if mine and m.has("buy", "purchases"):
        will = m.has("will_buy") and not m.has("past", "how_many")
        return not will and not _is_habit(m, s)
    if m.has("purchases") and (bool(s.periods) or m.has("statistic", "dimension", "how_many")):
        return not m.has("clients")
    return m.has("purchases") and not m.has("clients", "popular", "brewery", "history") and not s.type


def _is_about_my_things(m: Message, s: Slots) -> bool:
    """ "top 3 das minhas cervejas", "my 5 favourite breweries"."""
    things = m.has("beer", "style", "brewery", "dimension", "preference")
    if m.has("possessive") and m.has("beer") and m.has("style"):
        return True
    elsewhere = m.has("recommend") or s.type or s.near_me or s.within_km
    return m.has("possessive") and _is_counted(m, s) and things and not elsewhere


def _is_counted(m: Message, s: Slots) -> bool:
    digits = any(word.isdigit() for word in m.plain)
    return digits or bool(s.periods) or m.has("how_many", "statistic", "least", "number")


def _is_habit(m: Message, s: Slots) -> bool:
    """ "o que costumo comprar": the profile knows, nothing has to be counted."""
    counted = _is_counted(m, s) or m.has("most", "weekday", "spend")
    return m.has("preference", "history") and not counted and not s.name(LIKELY)


def wants_taste(m: Message, s: Slots) -> bool:
    if s.place.city or _is_counted(m, s):
        return False
    mine = m.has("self", "i", "my_business")
    history = m.has("profile", "history") and not s.name(LIKELY)
    return history or (mine and (m.has("preference") or (m.has("top") and m.has("dimension"))))


def wants_statistics(m: Message, s: Slots) -> bool:
    if m.has("popular"):
        return True
    counted = m.has("buy", "spend", "statistic", "style", "top", "most", "least")
    if m.has("everyone", "clients") and (counted or (m.has("how_many") and m.has("client", "clients", "buyer"))):
        return True
    asked = any(m.ends(mark.start, "which") for mark in m.all("dimension") if mark.value in {"style", "beer"})
    if asked and s.place != Place() and not m.has("makes", "self", "i"):
        return True
    return m.has("most", "least", "statistic") and m.has("beer", "style", "buy") and not m.has("brewery") and not s.type


def wants_details(m: Message, s: Slots) -> bool:
    if m.has("where") and not m.has("website"):
        return False
    if not m.has("tell_about", "website", "summary"):
        return _asks_more_than_name(m, s)
    name = s.name(LIKELY) or s.subject
    if name and (name.ids or name.sure >= SURE):
        return True
    if m.has("it") and not m.has("breweries_all") and s.place == Place():
        return m.has("website", "summary", "tell_more")
    name = s.name(POSSIBLE)
    return name is not None and not m.has("breweries_all") and not s.type and _says_only(m, name)


def _asks_more_than_name(m: Message, s: Slots) -> bool:
    """Something is said about a brewery of the catalogue, and it is not whether or where it is."""
    name = s.name(LIKELY)
    if not name or not name.ids or m.has("exists", "find", "named", "breweries_all", "style", "only") or s.type:
        return False
    rest = [i for i in range(len(m)) if not name.start <= i < name.end and not m.has_at(i, "place", "courtesy", "in_place")]
    return len(rest) > 1


def _says_only(m: Message, name: Name) -> bool:
    return m.covered(
        "tell_about", "tell_more", "of", "of_or_with", "it", "website", "summary", "yes", "hello",
        besides=range(name.start, name.end),
    )  # fmt: skip


def wants_new(m: Message, s: Slots) -> bool:
    return s.novelty == "new"


def wants_search(m: Message, s: Slots) -> bool:
    if m.has("brewery") or s.type or s.within_km or s.near_me or searched_name(m, s):
        return True
    return s.place != Place() and _is_about_place(m)


def _is_about_place(m: Message) -> bool:
    """Nothing is said but a place, and words that look for something there: not "what's the population of Ohio?"."""
    tags = ("place", "find", "exists", "want", "fill", "good", "more", "only", "hello", "thanks", "yes", "ack", "not",
            "here", "in_place", "of", "near", "and_what_about", "name", "place_word", "city_word", "state_word", "number", "beer", "style", "makes", "buy", "will_buy")  # fmt: skip
    if m.has("tell_about", "summary") and not m.has("find", "beer", "and_what_about"):
        return False
    rest = [i for i in range(len(m)) if not m.has_at(i, *tags, "courtesy") and not m.is_function(i)]
    asks_what = m.plain[0] in {"what", "whats", "who", "qual", "quem", "how", "quando", "when", "why"}
    return not rest or (len(rest) == 1 and not asks_what)


def searched_name(m: Message, s: Slots) -> Name | None:
    """The brewery that a search is for: whose name is likely, or known to the catalogue and asked for."""
    name = s.name(POSSIBLE)
    if name is None:
        return s.subject if m.has("where") else None
    if name.sure >= SURE or (name.sure == LIKELY and (name.ids or len(m) <= 4)):
        return name
    if m.has("named"):
        return name
    asked = (
        m.has("where", "exists", "find") and not m.has("brewery") and s.place == Place() and strange_words(m, s) <= 1
    )
    return name if asked and (name.ids or name.sure >= LIKELY) else None


def strange_words(m: Message, s: Slots) -> int:
    """How many words nothing explains."""
    explained = {i for span in [*s.places, *s.names] for i in range(span.start, span.end)}
    return sum(i not in explained and m.is_strange(i) for i in range(len(m)))


def continues_question(m: Message, s: Slots) -> bool:
    """ "e em março?", "and by style?": the rest of the question was said before."""
    grouped = any(m.word(mark.start - 1) in {"by", "per", "por"} for mark in m.all("dimension"))
    return bool(s.periods) or (grouped and m.covered("dimension", "and_what_about", "in_place", "of", "unit"))
