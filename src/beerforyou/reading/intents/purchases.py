"""Rules for questions about purchases: the client's own, what is stored about the client, and those of all together."""

from __future__ import annotations

from beerforyou.catalogue.brewery import Place
from beerforyou.reading.asking.asked import Asked
from beerforyou.reading.asking.steps import asked_of
from beerforyou.reading.intents.leftover import leftover_of
from beerforyou.reading.slots.names import LIKELY, SURE
from beerforyou.reading.slots.slots import Slots
from beerforyou.reading.words.lexicon import small_words
from beerforyou.reading.words.utterance import Utterance

# Whole questions have words of both kinds.
_WORDS = ("aggregate", "having", "moment", "ticket", "dearness", "sized")
_FULL = (
    (_WORDS, _WORDS),
    (("most", "least"), ("measure", "bought", "possessive")),
    (("how_many",), ("distinct", "grouping", "axis")),
    (("measure",), ("grouping",)),
    (("bound",), ("axis", "measure")),
    (("bought",), ("not",)),
    (("new",), ("supplier", "beer", "style")),
)
_DISTINCT = frozenset({"beers", "breweries", "styles"})
_SUMS = frozenset({"mean", "share", "change", "first", "last", "since"})


def asks_in_full(m: Utterance, s: Slots) -> bool:
    """Every word of it is a question about purchases, and of a kind that nothing else is asked in: "ticket médio"."""
    if not any(m.has(*one) and m.has(*other) for one, other in _FULL):
        return False
    if m.has("everyone", "clients", "recommend", "order_now", "tell_about") or s.near_me or s.home.words:
        return False
    if _is_ranked_there(m, s):
        return False
    asked = asked_of(s)
    if not asked.measures and (wants_taste(m, s) or _is_habit(m, s)):
        return False
    return _is_of_purchases(m, asked) and not leftover_of(s, "own_data", asked.words)


def _is_ranked_there(m: Utterance, s: Slots) -> bool:
    """ "qual estilo mais comprado na Califórnia": by all who are there."""
    return m.has("ranked_bought") and s.place != Place() and not _speaks_of_self(m)


def _is_of_purchases(m: Utterance, asked: Asked) -> bool:
    if asked.having in ("once", "stopped", "left") or asked.only_order:
        return True
    if asked.bound:
        return m.has("measure", "order", "i", "possessive") or asked.by in (("order",), ("month",), ("week",), ("day",))
    if asked.having == "new":
        return m.has("past") or (m.has("bought", "supplier", "beer", "style") and bool(asked.spans))
    if asked.aggregate in _SUMS:
        return bool(asked.spans) or m.has("measure", "axis", "regular", "ticket", "bought", "purchases")
    if not _DISTINCT.isdisjoint(asked.measures):
        return _speaks_of_self(m) or (bool(asked.spans) and m.has("distinct"))
    if asked.measures and asked.by and m.has("grouping"):
        return True  # "units by brewery"
    mine = m.has("possessive") or (_speaks_of_self(m) and m.has("bought"))
    sums_money = asked.measures and (m.has("spend", "order", "which") or (asked.by and not m.has("brewery")))
    return bool(asked.direction and asked.by) and bool(mine or sums_money)


def lists_own(m: Utterance, s: Slots) -> bool:
    """ "breweries I buy from in Texas", "which IPAs do I buy": nothing else is in it."""
    if not _speaks_of_self(m) or _is_habit(m, s) or m.has("not", "recommend", "should", "will_buy", "where", "profile"):
        return False
    asked = asked_of(s)
    listed = m.has("buy", "purchases") or (m.has("possessive") and asked.aggregate == "list" and m.has("shows"))
    listed = listed or (m.has("supplier") and m.has("keep", "possessive"))
    return listed and not asked.is_empty and not leftover_of(s, "own_data", asked.words)


def wants_profile(m: Utterance, s: Slots) -> bool:
    """ "who am I", "meu perfil": asked for by its name."""
    return m.has("about_me", "profile") and not s.counted and not m.has("spend") and not s.name(LIKELY)


def wants_taste(m: Utterance, s: Slots) -> bool:
    """ "o que costumo comprar", "my favourite beers", "meu histórico": the profile knows, nothing is counted."""
    if s.place.city or s.counted or not (_recalls(m, s) or (s.mine and not s.name(SURE) and _ranks_taste(m))):
        return False
    return m.has("preference") or asked_of(s).limit != 1


def _recalls(m: Utterance, s: Slots) -> bool:
    return m.has("history") and not s.name(LIKELY)


def _ranks_taste(m: Utterance) -> bool:
    return m.has("preference") or (m.has("top") and m.has("dimension"))


def wants_own_data(m: Utterance, s: Slots) -> bool:
    if (m.has("everyone") and not _speaks_of_self(m) and wants_statistics(m, s)) or _is_ranked_there(m, s):
        return False
    if m.has("popular") and s.place != Place() and not _speaks_of_self(m):
        return False  # "qual estilo mais comprado na Califórnia": by those who are there
    if m.has("popular") and m.has("my_business") and not m.has("everyone", "clients"):
        return True  # what sells here, which purchases don't tell
    if s.novelty == "known" or (s.mine and m.has("last_time", "stopped")):
        return True
    if s.home.words and not m.has("i", "buy", "purchases", "spend"):
        return False  # "how many breweries are there in my state"
    if m.has("price") and m.has("possessive") and m.has("last"):
        return True  # "the price of my last IPA"
    if m.has("last_time") and m.has("order") and not m.has("everyone", "clients"):
        return True
    if s.novelty == "any" and (m.has("brewery") or s.type):
        return False
    asks_history = s.counted or (s.name(SURE) and not m.has("tell_about", "website", "summary"))
    if s.mine and m.has("history") and asks_history:
        return True
    if m.has("popular", "everyone") and not m.has("i"):
        return False
    return _is_about_money(m, s) or _is_about_purchases(m, s) or _is_about_my_beers(m, s)


def _speaks_of_self(m: Utterance) -> bool:
    """ "gasto" and "comprado" may be what I spend and bought, or what anybody does."""
    said = any(m.plain[mark.start] not in small_words("anybodys") for mark in m.all("i"))
    return said or m.has("self", "possessive")


def _is_about_money(m: Utterance, s: Slots) -> bool:
    return m.has("spend") and (s.mine or bool(s.periods) or m.has("how_many", "statistic", "dimension"))


def _is_about_purchases(m: Utterance, s: Slots) -> bool:
    if s.mine and m.has("buy", "purchases"):
        will = m.has("will_buy") and not m.has("past", "how_many")
        return not will and not _is_habit(m, s)
    if m.has("how_many") and m.has("beer", "style") and (s.periods or s.mine):
        return not m.has("clients", "everyone")
    if not m.has("purchases") or m.has("clients"):
        return False
    if s.periods or m.has("statistic", "dimension", "how_many"):
        return True
    return not m.has("popular", "brewery", "history") and not s.type


def _is_habit(m: Utterance, s: Slots) -> bool:
    counted = s.counted or m.has("most", "weekday", "spend")
    return m.has("preference", "history") and not counted and not s.name(LIKELY)


def _is_about_my_beers(m: Utterance, s: Slots) -> bool:
    """ "top 3 das minhas cervejas", "my 5 favourite breweries", "which of my beers are stouts"."""
    if not m.has("possessive") or m.has("recommend") or s.near_me or s.within_km:
        return False
    if m.has("beer") and m.has("style"):
        return True
    return s.counted and not s.type and m.has("beer", "style", "brewery", "preference", "top")


def wants_statistics(m: Utterance, s: Slots) -> bool:
    if m.has("popular"):
        return True
    if m.has("everyone", "clients") and m.has(
        "buy", "spend", "statistic", "style", "top", "most", "least", "preference"
    ):
        return True
    if m.has("how_many") and (m.has("buyer") or (m.has("clients") and m.has("they_buy"))):
        return True
    if any(m.has_at(mark.end, "clients") for mark in m.all("how_many")) and not s.type:
        return True  # "quantos clientes vocês têm na Califórnia"; bars may be what is sought
    if _asks_which_beer(m) and s.place != Place() and not m.has("makes", "self", "i", "brewery"):
        return True
    if m.has("brewery") or s.type:
        return False
    return _ranks_beers(m) or (m.has("most", "least", "statistic") and m.has("style", "buy"))


def ranks_own(m: Utterance, s: Slots) -> bool:
    """ "minhas 5 mais compradas", "top 3 beers last month": a ranking, and nobody else is named."""
    they_buy = m.has("they_buy") and not m.has("ranked_bought")
    others = they_buy or m.has("everyone", "clients") or s.place != Place()
    own = m.has("possessive", "ranked_bought") or not m.has("popular")
    return wants_statistics(m, s) and not others and own


def ranks_suppliers(m: Utterance, s: Slots) -> bool:
    """ "biggest supplier": nobody else has suppliers here."""
    looks = m.has("place", "here", "find", "recommend", "nearest", "wish", "new") or s.place != Place()
    return m.has("supplier") and m.has("most", "least") and not looks


def _ranks_beers(m: Utterance) -> bool:
    """ "best beers", "ranking of styles": the superlative stands beside what is ranked."""
    ranks = {i for mark in m.all("most", "least", "statistic") for i in range(mark.start - 2, mark.end + 2)}
    return any(mark.value in {"beer", "style"} and mark.start in ranks for mark in m.all("dimension"))


def _asks_which_beer(m: Utterance) -> bool:
    return any(m.ends(mark.start, "which") for mark in m.all("dimension") if mark.value in {"style", "beer"})


def continues_question(m: Utterance, s: Slots) -> bool:
    """ "e em março?", "and by style?": the rest of the question was said before."""
    grouped = any(m.word(mark.start - 1) in small_words("per") for mark in m.all("dimension"))
    timed = [i for period in s.periods for i in range(period.start, period.end)]
    by = ("dimension",) if grouped else ()  # else "breweries" is what is sought, and no grouping
    return (grouped or bool(timed)) and m.covered(
        *by, "and_what_about", "in_place", "of", "unit", "place", "spend", "compare", "statistic", "how_many",
        "most", "least", besides=timed,
    )  # fmt: skip
