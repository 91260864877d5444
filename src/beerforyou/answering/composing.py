"""Makes an answer of a sentence and of what the tools brought: blocks in order, the offer, the union of labels."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from beerforyou import prompts
from beerforyou.answering.turn import Answer, Outcome, Turn
from beerforyou.blocks import AnyBlock, BreweryList, Notice, Offer, QuickReplies, Table, Text
from beerforyou.guards.outgoing import everywhere, presentable
from beerforyou.labels import Label, union
from beerforyou.llm.model import OFFLINE, Reply
from beerforyou.reading.reading import Context
from beerforyou.sentences import say, sentences
from beerforyou.sentences.rendering import plain
from beerforyou.tools.tool import Outcome as ToolOutcome

QUICK_PICKS = 3  # more buttons than this don't fit on a phone


def compose(turn: Turn, reply: Reply, outcomes: Sequence[ToolOutcome]) -> Answer:
    """What the client gets at the end of a planning."""
    asks = any(outcome.asks for outcome in outcomes)
    context = _context(turn, outcomes)
    text = presentable(reply.text)
    blocks = [
        *([Text(text=text)] if text else []),
        *_notices(turn, reply),
        *_found(outcomes),
        *_who_answers(turn, reply),
        *([] if asks else _offer(turn, context, outcomes)),
    ]
    made = Label(versions={"prompts": prompts.VERSION, "model": reply.model or turn.model.name})
    label = union([made, *_history(turn), *(outcome.label for outcome in outcomes)])
    outcome: Outcome = (
        "error_model" if reply.finish == "safety" and not text else "clarification" if asks else "answered"
    )
    return _answer(turn, outcome, tuple(blocks), label, context)


def canned(turn: Turn, key: str, outcome: Outcome, **values: str) -> Answer:
    """A sentence of the table; with `values` in it, it is the client's own. The conversation stays where it was."""
    context = replace(turn.context, language=turn.language)
    label = turn.caller.own() if "{" in sentences(turn.language)[key] else Label()
    return _answer(turn, outcome, (Text(text=say(key, turn.language, **values)),), label, context)


def cancelled(turn: Turn) -> Answer:
    """Nothing is said, and the conversation stays where it was."""
    return Answer(outcome="cancelled", text="", blocks=(), label=Label(), context=turn.context)


def failed(turn: Turn, outcome: Outcome) -> Answer:
    key = {"error_model": "error.model", "error_timeout": "error.timeout"}.get(outcome, "error.internal")
    return canned(turn, key, outcome)


def _history(turn: Turn) -> list[Label]:
    """What was said before is the client's own, and a model may say it again."""
    return [turn.caller.own()] if turn.history else []


def _answer(turn: Turn, outcome: Outcome, blocks: tuple[AnyBlock, ...], label: Label, context: Context) -> Answer:
    """The one way out: what is stored, shown and remembered of it is what passed here."""
    blocks = everywhere(blocks)
    return Answer(outcome=outcome, text=plain(blocks, turn.language), blocks=blocks, label=label, context=context)


def _context(turn: Turn, outcomes: Sequence[ToolOutcome]) -> Context:
    """The last outcome that a follow-up can lean on; without one, the conversation stays where it was."""
    leaning = [outcome.context for outcome in outcomes if outcome.context != Context()]
    return replace(leaning[-1] if leaning else turn.context, language=turn.language)


def _notices(turn: Turn, reply: Reply) -> list[AnyBlock]:
    key = {"length": "cut_short", "safety": "safety"}.get(reply.finish)
    return [Notice(key=key, text=say(f"error.{key}", turn.language))] if key else []


def _who_answers(turn: Turn, reply: Reply) -> list[AnyBlock]:
    """That another model than usual answered; and once a conversation, that nobody thought about this."""
    by_rule = OFFLINE in (turn.model.name, reply.model) and (turn.fell_back or not turn.history)
    keys = [*(["fallback"] if turn.fell_back else []), *(["offline"] if by_rule else [])]
    return [Notice(key=key, text=say(f"talk.{key}", turn.language)) for key in keys]


def _found(outcomes: Sequence[ToolOutcome]) -> list[AnyBlock]:
    """Blocks of the tools, each once. A profile that was read on the way to something else is not shown."""
    every = [block for outcome in outcomes for block in outcome.blocks]
    blocks = [block for n, block in enumerate(every) if block not in every[:n]]
    aside = len(outcomes) > 1
    return [block for block in blocks if not (aside and isinstance(block, Table) and block.title == "profile")]


def _offer(turn: Turn, context: Context, outcomes: Sequence[ToolOutcome]) -> list[AnyBlock]:
    """ "Shall I tell you more?", when something was found in this turn."""
    if not context.offered or not any(outcome.context.shown for outcome in outcomes):
        return []
    shown, language = context.shown, turn.language
    text = say("offer.one", language, name=shown[0].name) if len(shown) == 1 else say("offer.several", language)
    picks = (
        [say("offer.yes", language)]
        if len(shown) == 1
        else [say("offer.pick", language, name=ref.name) for ref in shown[:QUICK_PICKS]]
    )
    more = [say("offer.more", language)] if _has_more(outcomes) else []
    return [Offer(brewery_ids=tuple(ref.id for ref in shown), text=text), QuickReplies(replies=(*picks, *more))]


def _has_more(outcomes: Sequence[ToolOutcome]) -> bool:
    return any(isinstance(block, BreweryList) and block.next_page for outcome in outcomes for block in outcome.blocks)
