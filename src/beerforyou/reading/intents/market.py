"""What is asked of all clients and is not published: what grows, and how oneself stands beside them. Said as such, never as something else."""

from __future__ import annotations

from msgspec.structs import replace

from beerforyou.reading.question import Question
from beerforyou.reading.slots.slots import Slots
from beerforyou.reading.words.utterance import Utterance


def asks_beside_all(m: Utterance, s: Slots) -> bool:
    """ "what do I buy most compared to everyone", "estou acima da média"; not "em que mês gastei acima da média"."""
    if m.has("recommend"):
        return False  # "suggest something different from what I buy"
    if _is_beside_all(m):
        return True
    own = s.periods or m.has("dimension", "axis") or (m.has("spend") and m.has("which"))
    return m.has("above_average") and not own and not m.has("brewery", "popular")


def asks_what_grows(m: Utterance, s: Slots) -> bool:
    """ "cervejarias em alta", "whats trending in texas"; not "minhas compras estão caindo"."""
    return m.has("growing") and not m.has("i", "self", "possessive", "spend")


def of_market(question: Question, m: Utterance) -> Question:
    """The question about all clients with what of this it asks."""
    if _is_beside_all(m) or m.has("above_average"):
        return replace(question, aggregate="beside")
    return replace(question, aggregate="change") if m.has("growing") else question


def _is_beside_all(m: Utterance) -> bool:
    """ "me compara com os outros bares" names both, too."""
    both = m.has("compare") and m.has("everyone", "clients") and m.has("i", "self", "possessive")
    return both or (m.has("beside_all") and m.has("i", "self", "possessive", "compare", "buy", "bought"))
