"""The output guard. Only the corridor's last step and its speech ask it; what they say is what passed."""

from __future__ import annotations

from typing import TypeVar

from beerforyou.blocks import AnyBlock, Text
from beerforyou.guards.canonical import everywhere, presentable

T = TypeVar("T")


def sentence(text: str) -> str:
    """Of the model, while it still writes."""
    return presentable(text)


def blocks(drafted: tuple[AnyBlock, ...]) -> tuple[AnyBlock, ...]:
    """With every string in them as it may be shown; a text of which nothing is left is none."""
    clean = (everywhere(block) for block in drafted)
    return tuple(block for block in clean if not isinstance(block, Text) or block.text)


def context(leaning: T) -> T:
    """What the next message may lean on: it comes back in answers."""
    return everywhere(leaning)
