"""The last step, and the only way out: what is shown, stored and remembered of an answer is what passed here."""

from __future__ import annotations

from beerforyou.answering.turn import Answer, Draft, Turn
from beerforyou.guards import outgoing
from beerforyou.sentences.rendering import plain


def guard_out(turn: Turn, draft: Draft) -> Answer:
    """Every string of every block, and of what a follow-up leans on."""
    blocks = outgoing.blocks(draft.blocks)
    return Answer(
        outcome=draft.outcome,
        text=plain(blocks, turn.language),
        blocks=blocks,
        label=draft.label,
        context=outgoing.context(draft.context),
    )
