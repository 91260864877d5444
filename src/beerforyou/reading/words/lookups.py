"""What one message asks of the catalogue: each question once, and no more of them than a message that makes sense.

They are counted, never timed, so that a text always has the same reading. A message with more of them is Tangled.
"""

from __future__ import annotations

from beerforyou.catalogue.brewery import Match
from beerforyou.catalogue.index import Catalogue
from beerforyou.catalogue.mentions import MentionKind

# Names looked up, spellings looked for, and sentences taken one by one. Of the messages in tests/evals none has more than 17.
MOST = 50


class Tangled(Exception):
    """The message names too much, or says too many things, to be one question."""


class Lookups:
    """`country` is the client's."""

    def __init__(self, catalogue: Catalogue, country: str = "") -> None:
        self.catalogue, self.country = catalogue, country
        self._count = 0
        self._found: dict[str, tuple[Match, ...]] = {}
        self._nearest: dict[tuple[MentionKind, str], str | None] = {}

    def find(self, name: str) -> tuple[Match, ...]:
        """The breweries that a name can mean. Raises Tangled."""
        if name not in self._found:
            self.more()
            self._found[name] = self.catalogue.find(name)
        return self._found[name]

    def nearest(self, kind: MentionKind, name: str) -> str | None:
        """The catalogue's spelling of a misspelt name. Raises Tangled."""
        if (kind, name) not in self._nearest:
            self.more()
            self._nearest[kind, name] = self.catalogue.nearest(kind, name)
        return self._nearest[kind, name]

    def more(self) -> None:
        """One more of what is counted. Raises Tangled."""
        self._count += 1
        if self._count > MOST:
            raise Tangled
