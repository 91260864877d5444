"""What no tool does: attacks, orders and payments, and everything that is not about beer."""

from __future__ import annotations

from beerforyou.reading.names import LIKELY, SURE
from beerforyou.reading.slots import Slots
from beerforyou.reading.utterance import Utterance


def attacks(m: Utterance, s: Slots) -> bool:
    return m.has("attack")


def wants_person(m: Utterance, s: Slots) -> bool:
    if m.has("human") and not m.has("help", "brewery", "buy", "spend"):
        return True
    if not m.has("person") or s.name(LIKELY) or m.has("brewery", "third_person", "spend"):
        return False
    return m.has("talk") or m.covered("person", "talk", "hello")


def wants_action(m: Utterance, s: Slots) -> bool:
    """Orders, payments, deliveries, changes."""
    if m.has("i", "past") and m.has("how_many", "statistic", "past") and not m.has("order_now"):
        return False
    if m.has("action"):
        return not m.has("brewery", "recommend", "statistic") and not s.type
    return _asks_price(m, s) or _orders(m, s)


def _asks_price(m: Utterance, s: Slots) -> bool:
    own = m.has("i", "self", "past", "most", "least", "statistic", "brewery") or bool(s.periods)
    return m.has("price") and not own


def _orders(m: Utterance, s: Slots) -> bool:
    """ "compra 10 caixas de IPA", "I'd like to order 20 kegs", "manda 3 barris"."""
    if not m.has("container", "imperative", "order_now"):
        return False
    if m.has("brewery", "history", "popular", "recommend", "who", "my_list") or s.type or s.novelty == "new":
        return False
    if m.has("tell_about", "website", "summary", "where"):
        return False
    counted = any(m.ends(mark.start, "number") or m.word(mark.start - 1).isdigit() for mark in m.all("container"))
    if counted and not m.has("past", "how_many", "statistic", "least") and not s.periods:
        return True
    goods = m.has("container", "style", "beer") or s.name(LIKELY) is not None
    if _starts_with_order(m) and goods and (m.has("container", "number", "order_now") or s.digits):
        return not s.periods or m.has("order_now", "container")
    return m.has("order_now") and goods and not s.place.city


def _starts_with_order(m: Utterance) -> bool:
    said = (i for i in range(len(m)) if m.has_at(i, "imperative") or not m.has_at(i, "courtesy", "hello"))
    first = next((i for i in said if m.plain[i] not in {"me", "eu", "i", "please"}), 0)
    return m.has_at(first, "imperative")


def is_off_topic(m: Utterance, s: Slots) -> bool:
    if s.type or s.name(SURE) or m.has("brewery", "popular", "history", "profile", "my_list", "my_business"):
        return False
    own = m.has("i", "self") and m.has("buy", "spend")
    return (m.has("off_topic") and not own) or _looks_for_restaurant(m)


def _looks_for_restaurant(m: Utterance) -> bool:
    return m.has("business") and m.covered(
        "business", "place", "find", "exists", "good", "recommend", "most", "in_place"
    )
