"""Typing mistakes in names: the one name that was meant, or none.

A name is repaired only when no other name is as near; whoever finds none can still offer the nearest few.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from rapidfuzz import process
from rapidfuzz.distance import OSA


def mistakes_allowed(length: int) -> int:
    """Edits forgiven in a name of so many characters (a swap of neighbours is one).

    Below 5 letters one edit makes another word ("Lyon", "Lyons"; "Bend", "Bern"); from 9 on two edits still point
    to one name. Measured by bench/catalogue_search.py on typos made in every city name of the catalogue.
    """
    return 0 if length < 5 else 1 if length < 9 else 2


@dataclass(init=False, eq=False, repr=False)
class Speller:
    """The known names by length and first letter.

    A repair changes the length by no more than the edits allowed, and people mind the first letter: Zürich is no
    misspelt Aurich. So a few hundred names are compared instead of all.
    """

    _names: dict[tuple[int, str], list[str]]

    def __init__(self, names: Iterable[str]) -> None:
        self._names = {}
        for name in filter(None, dict.fromkeys(names)):
            self._names.setdefault((len(name), name[0]), []).append(name)

    def nearest(self, text: str) -> tuple[int, tuple[str, ...]]:
        """Edits, and the names that many edits away (several when it is a tie, none when all are too far)."""
        found = self._scored(text, mistakes_allowed(len(text)))
        least = min((distance for _, distance in found), default=0)
        return least, tuple(name for name, distance in found if distance == least)

    def suggestions(self, text: str, limit: int = 3) -> tuple[str, ...]:
        """Names near enough to ask "did you mean?", nearest first."""
        found = self._scored(text, max(1, len(text) // 3))
        return tuple(name for name, _ in sorted(found, key=lambda match: (match[1], match[0]))[:limit])

    def _scored(self, text: str, edits: int) -> list[tuple[str, int]]:
        if not text or not edits:
            return []
        lengths = range(len(text) - edits, len(text) + edits + 1)
        near = [name for length in lengths for name in self._names.get((length, text[0]), ())]
        found = process.extract(text, near, scorer=OSA.distance, score_cutoff=edits, limit=None)
        return [(name, int(distance)) for name, distance, _ in found]
