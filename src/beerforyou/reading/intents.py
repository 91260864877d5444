"""What the client wants: an ordered list of rules, each a sentence about the words; the first that holds decides.

Refusals and replies come first, then questions about data, then what remains: breweries.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from beerforyou.catalogue.brewery import Place
from beerforyou.reading.message import Message
from beerforyou.reading.names import LIKELY, POSSIBLE, SURE, Name
from beerforyou.reading.reading import Intent, Tool
from beerforyou.reading.slots import Slots

Rule = Callable[[Message, Slots], bool]

TOOL_OF: dict[Intent, Tool] = {
    "search": "search_breweries",
    "recommend": "search_breweries",
    "details": "get_website_summary",
    "accept": "get_website_summary",
    "own_data": "run_analytical_query",
    "statistics": "run_analytical_query",
    "profile": "get_client_profile",
}
_CLIENT_ID = re.compile(r"\b(?:CLT|cliente?|client|customer|id)[\s#:nº°-]*\d+", re.IGNORECASE)
_SELF_ID = re.compile(r"\b(?:sou|eu sou|i am|i'm|im|my|meu|minha)\b[^.,;]{0,20}$", re.IGNORECASE)


def is_attack(m: Message, s: Slots) -> bool:
    return m.has("attack")


def asks_for_person(m: Message, s: Slots) -> bool:
    if not m.has("person") or s.name(LIKELY) or m.has("brewery", "they_bought", "spend"):
        return False
    return m.has("talk") or m.covered("person", "talk", "hello")


def declines(m: Message, s: Slots) -> bool:
    return m.has("no") and m.covered("no", "thanks", "not") and not m.has("ordinal", "here")


def says_thanks(m: Message, s: Slots) -> bool:
    return m.has("thanks") and m.covered("thanks", "ack", "hello", "bye") and not _says_yes(m)


def says_goodbye(m: Message, s: Slots) -> bool:
    return m.has("bye") and m.covered("bye", "thanks", "ack", "hello")


def accepts(m: Message, s: Slots) -> bool:
    if m.has("about_me"):
        return False
    if m.has("tell_more") and m.covered("tell_more", "tell_about", "it", "yes", "ordinal", "last", "option", "summary", "fill"):
        return True
    if _points(m, s):
        return True
    yes = m.has("yes", "ack", "all_of_them", "it")
    if _points_at_place(m, s):
        return True
    return yes and m.covered("yes", "ack", "all_of_them", "tell_more", "tell_about", "it", "thanks", "option", "and")


def _says_yes(m: Message) -> bool:
    return bool(m.at(0) & {"yes"}) and "thanks" not in m.at(0)


def _points(m: Message, s: Slots) -> bool:
    """ "a segunda", "#3", "the last one", "a de Denver", "the brewpub": one of those shown."""
    if any(set(word.gap.strip()) - set(".,;:!?#()") for word in m.words):
        return False
    numbered = m.has("ordinal") or any(word.isdigit() and len(word) < 3 for word in m.plain)
    rest = [i for i, word in enumerate(m.plain) if not (word.isdigit() and len(word) < 3)]
    tags = {"ordinal", "last", "option", "yes", "ack", "it", "thanks", "tell_more", "tell_about", "courtesy", "number", "all_of_them"}
    if (numbered or m.has("last")) and all(m.at(i) & tags or m.is_function(i) for i in rest):
        return not (m.has("unit", "weekday") or s.periods)
    return False


def _points_at_place(m: Message, s: Slots) -> bool:
    """ "a de Denver", "the one in Denver", "the brewpub"."""
    if len(m) < 2 or m.plain[0] not in {"a", "o", "the", "aquela", "that"} or not (s.place != Place() or s.type):
        return False
    singular = s.type and not any(m.plain[mention.end - 1].endswith("s") for mention in s.type_mentions)
    typed = {i for mention in s.type_mentions for i in range(mention.start, mention.end)} if singular else set()
    one = m.plain[1] in {"de", "do", "da", "one"} or bool(typed)
    return one and all(m.at(i) & {"place"} or i in typed or m.is_function(i) or m.plain[i] == "one" for i in range(len(m)))


def greets(m: Message, s: Slots) -> bool:
    return m.has("hello") and m.covered("hello", "thanks", "ack")


def asks_for_help(m: Message, s: Slots) -> bool:
    return m.has("help") and m.covered("help", "hello", "fill", "not")


def asks_about_others(m: Message, s: Slots) -> bool:
    if (found := _CLIENT_ID.search(" ".join(word.raw for word in m.words))):
        return not _SELF_ID.search(found.string[: found.start()])
    data = m.has("buy", "spend", "purchases", "history", "profile", "preference", "order")
    if _is_individual(m) and (data or m.has("personal_data")):
        return True
    if m.has("who") and m.has("they_bought", "third_person") and not m.has("i", "self"):
        return True
    if m.has("clients") and m.has("personal_data", "find") and not m.has("buy", "beer", "brewery", "popular", "most", "how_many", "self"):
        return True
    return _names_somebody(m, s)


def _is_individual(m: Message) -> bool:
    plural = [mark for mark in m.all("everyone", "clients")]
    return not m.has("statistic") and any(
        not any(p.start <= mark.start and mark.end <= p.end for p in plural) for mark in m.all("client")
    )


def _names_somebody(m: Message, s: Slots) -> bool:
    """ "o bar do João", "Joe's Tavern", "quanto a Maria gastou"."""
    if not m.has("buy", "spend", "purchases", "history", "profile", "they_bought"):
        return False
    for mark in m.all("business"):
        if m.ends(mark.start, "self") or m.at(mark.start) & {"my_business", "everyone"}:
            continue
        after = mark.end + 1 if "of" in m.at(mark.end) else mark.end
        if after < len(m) and _is_stranger(m, after) or (mark.start and _is_stranger(m, mark.start - 1)):
            return True
    third = [mark for mark in m.all("third_person") if not m.has("self", "i", "clients", "everyone", "my_business")]
    if any(_is_stranger(m, mark.start - 1) for mark in third if mark.start):
        return True
    return any(
        m.plain[i] in {"did", "does"} and _is_stranger(m, i + 1) and m.has("buy", "spend") and not m.has("self", "i")
        and not any(n.sure >= SURE and n.start == i + 1 for n in s.names)
        for i in range(len(m) - 1)
    )  # fmt: skip


def _is_stranger(m: Message, i: int) -> bool:
    return i < len(m) and (not m.is_known(i) or m.is_name_like(i)) and not m.plain[i].isdigit()


def asks_for_action(m: Message, s: Slots) -> bool:
    if m.has("how_many", "past") and m.has("i") and not m.has("container"):
        return False
    if m.has("action"):
        return not (m.has("brewery") or s.type or m.has("recommend"))
    if m.has("brewery", "history", "popular", "recommend", "who") or s.type or s.novelty.novelty == "new":
        return False
    first = next((i for i in range(len(m)) if not m.at(i) & {"courtesy", "hello"} and m.plain[i] not in {"me", "eu", "i"}), 0)
    counted = m.has("number") or any(word.isdigit() for word in m.plain)
    if "imperative" in m.at(first) and (m.has("container", "style") or s.name(LIKELY)) and (counted or m.has("container") or m.has("order_now")):
        return not s.periods or m.has("order_now", "container")
    return m.has("order_now") and first in range(*_span(m, "order_now")) and m.has("container", "style", "beer") and not s.place.city


def _span(m: Message, tag: str) -> tuple[int, int]:
    mark = m.all(tag)[0]
    return mark.start, mark.end


def is_off_topic(m: Message, s: Slots) -> bool:
    if not m.has("off_topic"):
        return False
    return not (m.has("brewery", "popular", "history", "profile") or s.type or (m.has("i", "self") and m.has("buy", "spend")) or _sure_name(s))


def _sure_name(s: Slots) -> bool:
    return s.name(SURE) is not None


def asks_recommendation(m: Message, s: Slots) -> bool:
    verdict = s.novelty
    if m.has("how_many", "spend") or verdict.novelty in {"known", "any"}:
        return False
    if m.has("recommend"):
        return True
    head = m.has("brewery", "place", "new", "find", "only", "relative") or s.type or s.near_me
    return verdict.novelty == "new" and verdict.negated and bool(head) and not s.periods and not m.has("last_time")


def asks_own_data(m: Message, s: Slots) -> bool:
    if s.novelty.novelty == "known":
        return True
    mine = m.has("i", "self", "my_business")
    if mine and m.has("last_time", "stopped"):
        return True
    if mine and m.has("history", "brewery", "beer") and s.name(SURE) and not m.has("tell_about", "website", "summary"):
        return True
    if m.has("popular", "everyone") and not m.has("i"):
        return False
    if m.has("spend") and (mine or s.periods or m.has("how_many", "statistic", "dimension")):
        return True
    if s.novelty.novelty == "any" and (m.has("brewery") or s.type):
        return False
    if mine and m.has("buy", "purchases"):
        return not (m.has("will_buy") and not m.has("past", "how_many")) and not _is_habit(m, s)
    if m.has("purchases") and (s.periods or m.has("statistic", "dimension", "how_many")) and not m.has("clients"):
        return True
    if m.has("possessive") and _is_counted(m, s) and m.has("beer", "style", "brewery", "dimension", "preference"):
        return not (m.has("recommend") or s.type or s.near_me or s.within_km)
    return False


def _is_counted(m: Message, s: Slots) -> bool:
    return m.has("how_many", "statistic", "least", "number") or bool(s.periods) or any(word.isdigit() for word in m.plain)


def _is_habit(m: Message, s: Slots) -> bool:
    """ "o que costumo comprar": the profile knows, nothing has to be counted."""
    return m.has("preference", "history") and not _is_counted(m, s) and not m.has("most", "weekday", "spend") and not s.name(LIKELY)


def asks_who_i_am(m: Message, s: Slots) -> bool:
    return m.has("about_me", "profile") and not _is_counted(m, s) and not m.has("spend") and not s.name(LIKELY)


def asks_profile(m: Message, s: Slots) -> bool:
    if s.place.city or _is_counted(m, s):
        return False
    mine = m.has("self", "i", "my_business")
    if m.has("profile", "history") and not s.name(LIKELY):
        return True
    if m.has("preference") and mine and not m.has("recommend"):
        return True
    return mine and m.has("top") and m.has("dimension")


def asks_statistics(m: Message, s: Slots) -> bool:
    data = m.has("buy", "spend", "style", "beer", "dimension", "statistic")
    if m.has("popular"):
        return True
    if m.has("everyone", "clients") and m.has("buy", "spend", "statistic", "style") and not m.has("recommend"):
        return True
    if m.has("how_many") and m.has("clients", "everyone", "client") and data:
        return True
    return m.has("most", "least", "statistic") and m.has("beer", "style", "buy") and not m.has("brewery") and not s.type


def picks_by_name(m: Message, s: Slots) -> bool:
    """ "sim, a Stone", "the Pizza Port one": a yes, or a finger, that names the brewery."""
    name = s.name(POSSIBLE)
    if not name or m.has("brewery"):
        return False
    said = m.has("yes") or (m.plain[0] == "the" and m.plain[-1] == "one")
    rest = [i for i in range(len(m)) if not name.start <= i < name.end]
    return said and all(m.has_at(i, "yes", "ack", "tell_about", "courtesy") or m.is_function(i) or m.plain[i] == "one" for i in rest)


def asks_details(m: Message, s: Slots) -> bool:
    cue = m.has("tell_about", "website", "summary", "makes")
    if m.has("where") and not m.has("website"):
        return False
    if s.name(LIKELY):
        return cue
    if cue and m.has("it") and not m.has("breweries_all") and not s.place.city:
        return m.has("website", "summary", "tell_more")
    return cue and s.name(POSSIBLE) is not None and not m.has("breweries_all") and not s.type and _only_name(m, s)


def _only_name(m: Message, s: Slots) -> bool:
    name = s.name(POSSIBLE)
    tags = {"tell_about", "tell_more", "courtesy", "of", "of_or_with", "it", "website", "summary"}
    return name is not None and all(
        name.start <= i < name.end or m.at(i) & tags or m.is_function(i) for i in range(len(m))
    )


def asks_new(m: Message, s: Slots) -> bool:
    return s.novelty.novelty == "new"


def asks_search(m: Message, s: Slots) -> bool:
    if m.has("brewery") or s.type or s.within_km or s.near_me:
        return True
    if searched_name(m, s):
        return True
    if m.has("more") and m.covered("more", "page", "find", "yes", "ack", "option", "ordinal", "fill", "thanks"):
        return True
    return s.place.city + s.place.state + s.place.country != "" and _is_short(m, s)


def searched_name(m: Message, s: Slots) -> Name | None:
    """The brewery that a search is for: whose name is likely, or known to the catalogue and asked for."""
    name = s.name(LIKELY) or s.name(POSSIBLE)
    asked = m.has("where", "named", "exists", "find") and not m.has("breweries_all") and _is_short(m, s)
    return name if name and (name.sure >= LIKELY or (asked and (name.ids or m.has("named")))) else None


def _is_short(m: Message, s: Slots) -> bool:
    """No more than one word that nothing explains."""
    explained = {i for span in [*s.places, *s.names] for i in range(span.start, span.end)}
    return sum(i not in explained and not m.is_known(i) for i in range(len(m))) <= 1


def asks_time_only(m: Message, s: Slots) -> bool:
    """ "e em março?", "and by style?": the rest of the question was said before."""
    return bool(s.periods) or (m.has("dimension") and m.covered("dimension", "and_what_about", "in_place", "of", "unit"))


RULES: tuple[tuple[Intent, Rule], ...] = (
    ("off_topic", is_attack),
    ("person", asks_for_person),
    ("decline", declines),
    ("thanks", says_thanks),
    ("goodbye", says_goodbye),
    ("greeting", greets),
    ("accept", accepts),
    ("help", asks_for_help),
    ("other_client", asks_about_others),
    ("details", picks_by_name),
    ("off_topic", asks_for_action),
    ("off_topic", is_off_topic),
    ("recommend", asks_recommendation),
    ("profile", asks_who_i_am),
    ("own_data", asks_own_data),
    ("profile", asks_profile),
    ("statistics", asks_statistics),
    ("details", asks_details),
    ("recommend", asks_new),
    ("search", asks_search),
    ("own_data", asks_time_only),
)


def decide(m: Message, s: Slots) -> Intent:
    return next((intent for intent, rule in RULES if rule(m, s)), "unclear")
