"""What no tool does: attacks, other clients' data, orders and payments, and everything that is not about beer."""

from __future__ import annotations

import re

from beerforyou.reading.message import Message
from beerforyou.reading.names import LIKELY, SURE
from beerforyou.reading.slots import Slots

_CLIENT_ID = re.compile(r"\b(?:clt|clientes?|clients?|customers?|id)[\s#:nº°-]*\d+", re.IGNORECASE)
_OWN_ID = re.compile(r"\b(?:sou|i am|im|my|meu|minha)\b.{0,20}$", re.IGNORECASE)
_THIRD_PERSON = {"did", "does", "has"}


def attacks(m: Message, s: Slots) -> bool:
    return m.has("attack")


def wants_person(m: Message, s: Slots) -> bool:
    if not m.has("person") or s.name(LIKELY) or m.has("brewery", "third_person", "spend"):
        return False
    return m.has("talk") or m.covered("person", "talk", "hello")


def asks_about_others(m: Message, s: Slots) -> bool:
    """One other client's data, by number, by name, or by who: never an aggregate."""
    text = " ".join(word.plain for word in m.words)
    if found := _CLIENT_ID.search(text):
        return not _OWN_ID.search(text[: found.start()])
    if _is_individual(m) and m.has(
        "buy", "spend", "purchases", "history", "profile", "preference", "personal_data", "popular"
    ):
        return True
    if m.has("who") and m.has("third_person", "they_buy") and not m.has("i", "self", "recommend"):
        return True
    if m.has("clients") and m.has("personal_data", "find", "who"):
        if any(m.starts(mark.end, "they_buy", "third_person") for mark in m.all("that")):
            return True
        return m.has("personal_data") or not m.has(
            "buy", "beer", "brewery", "popular", "most", "how_many", "self", "style"
        )
    everyone = m.all("everyone")
    others = [mark for mark in m.all("clients") if not any(e.start <= mark.start and mark.end <= e.end for e in everyone)]
    if others and m.has("most") and not m.has("beer", "style", "brewery", "buy", "spend", "popular", "dimension"):
        return True
    return _names_somebody(m, s)


def _is_individual(m: Message) -> bool:
    """One other buyer; "cliente" and "customer" may be the one who writes."""
    everyone = m.all("everyone", "clients")
    tags = ("client",) if m.has("self", "i", "possessive") else ("client", "buyer")
    return any(
        not any(other.start <= mark.start and mark.end <= other.end for other in everyone) for mark in m.all(*tags)
    )


def _names_somebody(m: Message, s: Slots) -> bool:
    """ "o bar do João", "Joe's Tavern", "quanto a Maria gastou", "what did The Rusty Nail order"."""
    if not m.has("buy", "spend", "purchases", "history", "profile", "third_person") or s.type:
        return False
    if any(_is_somebodys(m, mark.start, mark.end) for mark in m.all("business")):
        return True
    if m.has("self", "i", "clients", "everyone", "my_business"):
        return False
    subjects = [mark.start - 1 for mark in m.all("third_person")]
    subjects += [i + 1 + (m.word(i + 1) == "the") for i, word in enumerate(m.plain) if word in _THIRD_PERSON]
    return any(_is_stranger(m, s, i) for i in subjects)


def _is_somebodys(m: Message, start: int, end: int) -> bool:
    if m.ends(start, "self", "possessive") or m.has_at(start, "my_business", "everyone"):
        return False
    after = end + m.has_at(end, "of")
    return (m.has_at(end, "of") and _is_proper(m, after)) or _is_proper(m, end) or _is_proper(m, start - 1)


def _is_proper(m: Message, i: int) -> bool:
    return (
        0 <= i < len(m)
        and not m.plain[i].isdigit()
        and not m.has_at(i, "place")
        and (m.is_strange(i) or m.is_name_like(i))
    )


def _is_stranger(m: Message, s: Slots, i: int) -> bool:
    return _is_proper(m, i) and not any(name.sure >= SURE and name.start <= i < name.end for name in s.names)


def wants_action(m: Message, s: Slots) -> bool:
    """Orders, payments, deliveries, changes: nothing that this assistant does."""
    if m.has("i", "past") and m.has("how_many", "statistic", "past") and not m.has("order_now"):
        return False
    if m.has("action"):
        return not m.has("brewery", "recommend", "statistic") and not s.type
    if m.has("price") and not m.has("i", "self", "past", "most", "least", "statistic", "brewery") and not s.periods:
        return True
    if m.has("brewery", "history", "popular", "recommend", "who", "my_list") or s.type or s.novelty == "new":
        return False
    amount = m.has("container") or m.has("number") or any(word.isdigit() for word in m.plain)
    if m.has("tell_about", "website", "where"):
        return False
    goods = m.has("container", "style", "beer") or s.name(LIKELY)
    counted = any(m.ends(mark.start, "number") or m.word(mark.start - 1).isdigit() for mark in m.all("container"))
    if counted and not m.has("past", "how_many", "statistic", "least") and not s.periods:
        return True
    if _starts_with_order(m) and goods and (amount or m.has("order_now")):
        return not s.periods or m.has("order_now", "container")
    return m.has("order_now") and bool(goods) and not s.place.city


def _starts_with_order(m: Message) -> bool:
    skipped = (i for i in range(len(m)) if not m.has_at(i, "courtesy", "hello") or m.has_at(i, "imperative"))
    first = next((i for i in skipped if m.plain[i] not in {"me", "eu", "i", "please"}), 0)
    return m.has_at(first, "imperative")


def is_off_topic(m: Message, s: Slots) -> bool:
    elsewhere = m.has("business") and not m.has("my_business", "for_whom", "self", "beer", "client", "buyer", "spend", "popular", "everyone")
    if not (m.has("off_topic") or elsewhere) or s.type or s.name(SURE):
        return False
    own = m.has("i", "self") and m.has("buy", "spend")
    return not own and not m.has("brewery", "popular", "history", "profile", "my_list")
