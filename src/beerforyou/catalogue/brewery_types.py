"""Types of breweries by the words people use for them, in Portuguese and English, to the catalogue's own."""

from __future__ import annotations

from beerforyou.catalogue.brewery import TYPES, Unknown
from beerforyou.catalogue.names import plain
from beerforyou.catalogue.spelling import Speller

_WORDS: dict[str, tuple[str, ...]] = {
    "micro": (
        "microbrewery", "micro brewery", "microbreweries", "micro breweries", "microcervejaria", "microcervejarias",
        "micro cervejaria", "micro cervejarias", "artesanal", "artesanais", "cervejaria artesanal",
        "cervejarias artesanais", "craft", "craft brewery", "craft breweries",
    ),
    "brewpub": ("brewpubs", "brew pub", "brew pubs", "bar cervejaria", "pub cervejeiro", "pubs cervejeiros"),
    "regional": (
        "regionals", "regional brewery", "regional breweries", "regionais", "cervejaria regional",
        "cervejarias regionais",
    ),
    "contract": (
        "contract brewer", "contract brewers", "contract brewery", "contract breweries", "contract brewing", "cigana",
        "ciganas", "cervejaria cigana", "cervejarias ciganas", "cigano", "gypsy brewer", "por contrato",
        "sob contrato", "terceirizada",
    ),
    "large": (
        "large brewery", "large breweries", "big brewery", "big breweries", "macro", "macrobrewery", "macro brewery",
        "grande", "grandes", "grande cervejaria", "grandes cervejarias", "industrial", "industriais",
    ),
    "proprietor": (
        "proprietors", "alternating proprietor", "alternating proprietors", "alternating proprietorship",
        "proprietario alternado", "proprietarios alternados", "proprietario",
    ),
    "taproom": ("taprooms", "tap room", "tap rooms", "tasting room", "tasting rooms", "sala de degustacao"),
    "bar": ("bars", "bares", "beer bar", "beer bars", "bar de cerveja", "bares de cerveja"),
    "nano": (
        "nanobrewery", "nanobreweries", "nano brewery", "nano breweries", "nanocervejaria", "nanocervejarias",
        "nano cervejaria", "nano cervejarias",
    ),
    "cidery": (
        "cideries", "cider", "ciders", "cider house", "cidermaker", "sidra", "sidras", "sidreria", "sidraria",
        "casa de sidra", "cidraria",
    ),
    "beergarden": (
        "beergardens", "beer garden", "beer gardens", "biergarten", "biergartens", "jardim de cerveja",
        "jardins de cerveja", "jardim cervejeiro",
    ),
    "location": ("locations", "filial", "filiais", "branch", "branches"),
    "closed": ("closed brewery", "closed breweries", "fechada", "fechadas", "cervejarias fechadas"),
    "planning": ("planned", "em planejamento", "planejada", "planejadas", "in planning"),
}  # fmt: skip

TYPE_WORDS = {word: kind for kind in TYPES for word in (kind, *_WORDS[kind])}
_SPELLER = Speller(TYPE_WORDS)


def resolve_type(text: str) -> str | Unknown:
    """The type these words mean, "" for none; typing mistakes are repaired when they mean one type alone."""
    words = plain(text)
    if not words or words in TYPE_WORDS:
        return TYPE_WORDS.get(words, "")
    _, near = _SPELLER.nearest(words)
    meant = {TYPE_WORDS[word] for word in near}
    if len(meant) == 1:
        return meant.pop()
    return Unknown(field="type", asked=text, suggestions=tuple(dict.fromkeys(
        TYPE_WORDS[word] for word in _SPELLER.suggestions(words)
    )))  # fmt: skip


def nearest_type(text: str) -> str | None:
    found = resolve_type(text)
    return found if isinstance(found, str) and found else None
