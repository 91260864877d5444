"""What every part of the proof gives: how much it tried, and what it found wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from beerforyou.isolation.canaries import Canary


class Part(msgspec.Struct, frozen=True):
    name: str
    checks: int
    holes: list[str]


def found_in(where: str, text: str, made: Sequence[Canary], but: Canary | None = None) -> Iterator[str]:
    """Words of canaries; and their ids, where it is `but` one who looks."""
    for canary in made:
        if canary is not but and (canary.word in text or (but and canary.client_id in text)):
            yield f"{where} holds a word of {canary.client_id}"
