"""What somebody may ask for, who may see a result, and what it was made from.

Every tool result carries a `Label`; an answer carries the union of its results' labels. Caches, journal and
export decide by it alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, get_args

import msgspec

Scope = Literal["profile", "purchases", "breweries", "web"]
SCOPES: frozenset[str] = frozenset(get_args(Scope))  # what a token allows, unless it is narrowed down

PUBLIC = "public"
AGGREGATE = "aggregate"


def of_client(client_id: str) -> str:
    return f"client:{client_id}"


class Label(msgspec.Struct, frozen=True):
    """`audience`: `public`, `aggregate`, `client:<id>`. `versions`: of catalogue, profile, prompts, model."""

    audience: frozenset[str] = frozenset({PUBLIC})
    versions: dict[str, str] = {}


def union(labels: Iterable[Label]) -> Label:
    """The label of what was made from all of these: every audience must be satisfied, every version counts."""
    audience: frozenset[str] = frozenset()
    versions: dict[str, str] = {}
    for label in labels:
        audience |= label.audience
        versions |= label.versions
    return Label(audience or frozenset({PUBLIC}), versions)
