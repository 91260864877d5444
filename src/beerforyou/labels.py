"""What somebody may ask for, who may see a result, and what it was made from.

Every tool says beforehand what it will read, and every result carries a `Label`; an answer carries the union of its
results' labels. Caches, journal and export decide by it alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, get_args

import msgspec

Scope = Literal["profile", "purchases", "breweries", "web"]
SCOPES: frozenset[str] = frozenset(get_args(Scope))  # what a token allows, unless it is narrowed down

PUBLIC = "public"
AGGREGATE = "aggregate"

APART = "+"  # between two versions of one thing: the whole is equal to neither


def of_client(client_id: str) -> str:
    return f"client:{client_id}"


class Label(msgspec.Struct, frozen=True):
    """`audience`: `public`, `aggregate`, `client:<id>`. `versions`: of catalogue, profile, purchases, home, statistics,
    day, prompts, model, each where the result depends on it.
    """

    audience: frozenset[str] = frozenset({PUBLIC})
    versions: dict[str, str] = {}

    @property
    def mixed(self) -> bool:
        """Made from two versions of one thing, so that it is true of neither."""
        return any(APART in version for version in self.versions.values())


def union(labels: Iterable[Label]) -> Label:
    """The label of what was made from all of these: every audience must be satisfied, and versions that differ are kept
    apart, as in "41+42".
    """
    audience: frozenset[str] = frozenset()
    versions: dict[str, str] = {}
    for label in labels:
        audience |= label.audience
        for name, version in label.versions.items():
            versions[name] = _both(versions.get(name, version), version)
    return Label(audience or frozenset({PUBLIC}), versions)


def _both(one: str, other: str) -> str:
    return one if one == other else APART.join(sorted({*one.split(APART), *other.split(APART)}))
