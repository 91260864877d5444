"""One other client's data: asked for by number, by name, or by who. What all clients do together is nobody's secret."""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import accumulate

from beerforyou.reading.slots.slots import Slots
from beerforyou.reading.words.lexicon import Mark, small_words
from beerforyou.reading.words.utterance import Utterance

_CLIENT_ID = re.compile(rf"\b(?:clt|{'|'.join(small_words('numbered'))}) \d+")
_OWN_ID = re.compile(rf"\b(?:{'|'.join(small_words('own_number'))})\b.{{0,20}}$")
_DID = small_words("did") | small_words("has_done")
_ARTICLES = small_words("articles")
_DATA = ("buy", "spend", "purchases", "history", "profile", "preference", "personal_data", "popular", "compare", "top",
         "third_person")  # fmt: skip
_GOODS = ("buy", "spend", "beer", "style", "brewery", "popular", "dimension", "how_many")


def asks_about_others(m: Utterance, s: Slots) -> bool:
    text = " ".join(m.plain) if any(word[0].isdigit() for word in m.plain) else ""
    if found := _CLIENT_ID.search(text):
        return not _OWN_ID.search(text[: found.start()])
    if m.has("who") and m.has("third_person", "they_buy") and not m.has("i", "self", "recommend"):
        return True
    if m.has(*_DATA) and (_is_individual(m) or _names_somebody(m, s)):
        return True
    return _lists_clients(m)


def _is_individual(m: Utterance) -> bool:
    """One other buyer; "cliente" and "customer" may be the one who writes."""
    tags = ("client",) if m.has("self", "i", "possessive") else ("client", "buyer")
    return bool(_outside(m.all(*tags), m.all("everyone", "clients")))


def _outside(marks: list[Mark], others: list[Mark]) -> list[Mark]:
    """The marks that lie in none of the others; both are in the order of the message."""
    starts = [other.start for other in others]
    furthest = [0, *accumulate((other.end for other in others), max)]
    return [mark for mark in marks if furthest[bisect_right(starts, mark.start)] < mark.end]


def _lists_clients(m: Utterance) -> bool:
    """ "lista dos clientes com telefone", "the bars that buy Stone", "your best customers": each of them, by name."""
    clients = _outside(m.all("clients"), m.all("everyone"))
    if clients and m.has("most") and not m.has(*_GOODS):
        return True
    if m.has("who") and m.has("most", "least") and m.has("buyer") and not m.has("self", "i", *_GOODS):
        return True  # "who is your biggest client"
    if not m.has("clients") or not m.has("personal_data", "find", "who"):
        return False
    by_purchase = any(m.starts(mark.end, "they_buy", "third_person") for mark in m.all("that"))
    return by_purchase or m.has("personal_data") or not m.has(*_GOODS, "most", "self")


def _names_somebody(m: Utterance, s: Slots) -> bool:
    """ "o bar do João", "Joe's Tavern", "quanto a Maria gastou", "what did The Rusty Nail order"."""
    if s.type:
        return False
    if any(_is_somebodys(m, mark) for mark in m.all("business")) or any(_is_owner(m, s, i) for i in range(len(m))):
        return True
    if m.has("self", "i", "clients", "everyone", "my_business"):
        return False
    subjects = [mark.start - 1 for mark in m.all("third_person")]
    subjects += [i + 1 + (m.word(i + 1) in _ARTICLES) for i, word in enumerate(m.plain) if word in _DID]
    return any(_is_proper(m, i) and i not in s.sure_words for i in subjects)


def _is_somebodys(m: Utterance, business: Mark) -> bool:
    if m.ends(business.start, "self", "possessive") or m.has_at(business.start, "everyone"):
        return False
    if m.has_at(business.end, "of") and _is_proper(m, business.end + 1):
        return True
    mine = m.has_at(business.start, "my_business")
    return not mine and (_is_proper(m, business.end) or _is_proper(m, business.start - 1))


def _is_owner(m: Utterance, s: Slots, i: int) -> bool:
    """ "Anna's order history"."""
    if not m.words[i].owner:
        return False
    owned = any(m.has_at(j, "order", "purchases", "history", "profile", "preference") for j in (i + 1, i + 2))
    return owned and _is_proper(m, i) and i not in s.sure_words


def _is_proper(m: Utterance, i: int) -> bool:
    """A word that can be somebody's name."""
    if not 0 <= i < len(m) or m.plain[i].isdigit() or m.has_at(i, "place"):
        return False
    return m.is_strange(i) or m.is_name_like(i)
