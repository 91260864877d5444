"""Breweries by name: by the whole of it, by what tells it from others, by its words, and misspelt.

Numbers are positions in the catalogue's list of breweries.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from itertools import chain

from beerforyou.catalogue.names import BreweryName
from beerforyou.catalogue.spelling import Speller

_Positions = dict[str, list[int]]


@dataclass(init=False, eq=False, repr=False)
class NameIndex:
    _by_trade: _Positions
    _by_key: _Positions
    _by_brand: _Positions
    _by_word: dict[str, set[int]]
    _wholes: list[str]
    _speller: Speller

    def __init__(self, names: Sequence[BreweryName], aliases: Iterable[tuple[int, BreweryName]] = ()) -> None:
        self._by_trade, self._by_key, self._by_brand, self._by_word = {}, {}, {}, {}
        for position, name in (*enumerate(names), *aliases):
            _append(self._by_trade, name.trade, position)
            _append(self._by_key, name.key, position)
            _append(self._by_brand, name.brand, position)
            for word in name.whole.split():
                self._by_word.setdefault(word, set()).add(position)
        self._wholes = [name.whole for name in names]
        self._speller = Speller(self._by_key)

    def exact(self, text: str) -> Iterator[Sequence[int]]:
        """Those called so: by the whole name if it is one ("stone brewing"), by its key, by a chain's brand."""
        name = BreweryName.of(text)
        if name.trade != name.key:
            yield self._by_trade.get(name.trade, ())
        yield self._by_key.get(name.key, ())
        yield self._by_brand.get(name.key, ())

    def misspelt(self, text: str) -> tuple[int, ...]:
        """Those that one misspelt name means, when it is one name."""
        key = self.nearest(text)
        return tuple(self._by_key[key]) if key else ()

    def nearest(self, text: str) -> str | None:
        key = BreweryName.of(text).key
        if key in self._by_key:
            return key
        _, keys = self._speller.nearest(key)
        return keys[0] if len(keys) == 1 else None

    def containing(self, text: str) -> Set[int]:
        """Those with all these words in their name, whole words only."""
        words = set(BreweryName.of(text).key.split())
        fewest_first = sorted((self._by_word.get(word, set()) for word in words), key=len)
        return fewest_first[0].intersection(*fewest_first[1:]) if fewest_first else set()

    def in_order(self, text: str, positions: Iterable[int]) -> list[int]:
        """Names that begin with the text's key first."""
        beginning = f"{BreweryName.of(text).key} "
        return sorted(positions, key=lambda i: (not f"{self._wholes[i]} ".startswith(beginning), i))

    def find(self, text: str) -> Iterator[Collection[int]]:
        """What the name can mean, better first: exactly so called, containing its words, misspelt."""
        yield from self.exact(text)
        yield self.containing(text)
        yield self.misspelt(text)

    def search(self, text: str) -> Sequence[int]:
        """All that the name can mean at once, the better first; misspelt only when nothing else is found."""
        found = dict.fromkeys(chain(*self.exact(text), self.in_order(text, self.containing(text))))
        return tuple(found) or self.misspelt(text)


def _append(table: _Positions, key: str, position: int) -> None:
    positions = table.setdefault(key, [])
    if not positions or positions[-1] != position:
        positions.append(position)
