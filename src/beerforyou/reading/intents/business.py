"""What the distributor is asked and not we: orders, prices, stock, deliveries, invoices, complaints; by topic."""

from __future__ import annotations

from beerforyou.reading.slots.names import LIKELY
from beerforyou.reading.slots.slots import Slots
from beerforyou.reading.words.utterance import Utterance


def asks_distributor(m: Utterance, s: Slots) -> bool:
    return bool(topic_of(m, s))


def topic_of(m: Utterance, s: Slots) -> str:
    """Empty for what is no matter of the distributor's."""
    if m.has("i", "past") and m.has("how_many", "statistic", "past") and not m.has("order_now", "business"):
        return ""
    if _paid_before(m):
        return ""
    if (said := m.all("business")) and _is_meant(m, s):
        return max(said, key=lambda mark: mark.end - mark.start).value
    if _asks_price(m, s):
        return "price"
    return "order" if _orders(m, s) else ""


def _paid_before(m: Utterance) -> bool:
    """ "what was the price of my last IPA", "price of stout over time": of what was bought."""
    changed = any(mark.value == "change" for mark in m.all("aggregate"))
    return m.has("price") and (
        changed or m.has("ticket") or (m.has("possessive", "i") and m.has("past", "last_time", "moment"))
    )


def _is_meant(m: Utterance, s: Slots) -> bool:
    looks_for = m.has("brewery", "recommend") or bool(s.type)
    counted = m.has("contrast") or (m.has("how_many", "statistic", "most", "least") and (s.mine or bool(s.periods)))
    return (not counted or m.has("order_now", "owes")) and not (
        looks_for and s.name(LIKELY) is None and not m.has("my_list")
    )


def _asks_price(m: Utterance, s: Slots) -> bool:
    own = m.has("i", "self", "past", "most", "least", "statistic", "brewery", "bound") or bool(s.periods)
    return m.has("price") and not own


def _orders(m: Utterance, s: Slots) -> bool:
    """ "compra 10 caixas de IPA", "I'd like to order 20 kegs", "manda 3 barris"."""
    if not m.has("container", "imperative", "order_now"):
        return False
    if m.has("brewery", "history", "popular", "recommend", "who", "my_list") or s.type or s.novelty == "new":
        return False
    if m.has("tell_about", "website", "summary", "where") or (m.has("bound") and not m.has("order_now")):
        return False
    if m.has("possessive") and m.has("top", "ranked_bought"):
        return False  # "me manda meu top 5"
    counted = any(m.ends(mark.start, "number") or m.word(mark.start - 1).isdigit() for mark in m.all("container"))
    if counted and not m.has("past", "how_many", "statistic", "least") and not s.periods:
        return True
    goods = m.has("container", "style", "beer") or s.name(LIKELY) is not None
    if _starts_with_order(m) and goods and (m.has("container", "number", "order_now") or s.digits):
        return not s.periods or m.has("order_now", "container")
    return m.has("order_now") and goods and not s.place.city


def _starts_with_order(m: Utterance) -> bool:
    said = (i for i in range(len(m)) if m.has_at(i, "imperative") or not m.has_at(i, "courtesy", "hello", "self"))
    return m.has_at(next(said, 0), "imperative")
