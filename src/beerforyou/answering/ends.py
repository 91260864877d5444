"""Every way a run can end that is no answer of a step: in time or not, by the model's fault or ours, or by the client's word."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from msgspec.structs import replace

from beerforyou.answering.turn import Draft, Outcome, Turn
from beerforyou.blocks import Text
from beerforyou.errors import ModelError, ModelTimeout, Unavailable
from beerforyou.labels import Label
from beerforyou.runs.claim import Cancelled, Superseded
from beerforyou.sentences import say, sentences

log = logging.getLogger(__name__)

LEAST_S = 1.0  # what a run that is taken over may take still, however long it took before

Step = Callable[[Turn], Awaitable[Draft | None]]


async def ended(turn: Turn, steps: Sequence[Step]) -> Draft:
    """The draft of the first step that has one, or of what stopped them. Raises Superseded, and Unavailable of the journal:
    another worker goes on from the ledger.
    """
    try:
        async with asyncio.timeout(max(LEAST_S, turn.settings.run_timeout_s - turn.ledger.spent_s)):
            for step in steps:
                if draft := await step(turn):
                    return draft
        raise AssertionError("the last step always has a draft")
    except (TimeoutError, ModelTimeout):
        return failed(turn, "error_timeout")
    except ModelError as error:
        log.warning("run %s: the model failed: %s", turn.run_id, error.message)
        return failed(turn, "error_model")
    except Cancelled:
        return cancelled(turn)
    except (Superseded, Unavailable):
        raise
    except Exception:
        log.exception("run %s: an error of ours", turn.run_id)
        return failed(turn, "error_internal")


def canned(turn: Turn, key: str, outcome: Outcome, **values: str) -> Draft:
    """A sentence of the table; with `values` in it, it is the client's own."""
    label = turn.caller.own("home") if "{" in sentences(turn.language)[key] else Label()
    return worded(turn, say(key, turn.language, **values), outcome, label)


def worded(turn: Turn, text: str, outcome: Outcome = "answered", label: Label | None = None) -> Draft:
    """What needs no tool. The conversation stays where it was, but what was offered is not answered by what comes next."""
    context = replace(turn.context, language=turn.language, offered=False, pending=())
    return Draft(outcome=outcome, blocks=(Text(text=text),), label=label or Label(), context=context)


def cancelled(turn: Turn) -> Draft:
    """Nothing is said, and the conversation stays where it was."""
    return Draft(outcome="cancelled", blocks=(), label=Label(), context=turn.context)


def failed(turn: Turn, outcome: Outcome) -> Draft:
    key = {"error_model": "error.model", "error_timeout": "error.timeout"}.get(outcome, "error.internal")
    return canned(turn, key, outcome)
