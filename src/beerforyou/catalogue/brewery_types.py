"""Types of breweries by the words people use for them (brewery_types.toml), to the catalogue's own."""

from __future__ import annotations

import tomllib
from importlib import resources

from beerforyou.catalogue.brewery import TYPES, Unknown
from beerforyou.catalogue.names import plain
from beerforyou.catalogue.spelling import Speller

BY_LANGUAGE: dict[str, dict[str, list[str]]] = tomllib.loads(
    resources.files("beerforyou.catalogue").joinpath("brewery_types.toml").read_text(encoding="utf-8")
)
TYPE_WORDS = {kind: kind for kind in TYPES} | {
    plain(word): kind for said in BY_LANGUAGE.values() for kind, words in said.items() for word in words
}
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
