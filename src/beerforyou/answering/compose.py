"""Makes a draft of a sentence and of what the tools brought: blocks in order, the offer, the union of labels."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from beerforyou import prompts
from beerforyou.answering import markup
from beerforyou.answering.turn import Draft, Outcome, Turn
from beerforyou.blocks import AnyBlock, BreweryList, Notice, Offer, QuickReplies, Table, Text
from beerforyou.by_rule.figures import says_all
from beerforyou.labels import Label, union
from beerforyou.llm.connect import OFFLINE
from beerforyou.llm.model import Reply
from beerforyou.reading.intents.picks import ON_THE_WEB
from beerforyou.reading.reading import Context, Reading, Ref
from beerforyou.sentences import say
from beerforyou.tools.tool import Result

QUICK_PICKS = 3  # more buttons than this don't fit on a phone


async def compose(turn: Turn) -> Draft | None:
    """What the client gets at the end of a planning."""
    assert turn.reply is not None, "the planner has left one, or a draft"
    reply, results = turn.reply, turn.results
    asks = _open(results)
    context = _context(turn, results)
    blocks = (
        *_sentences(_said(turn, reply), results),
        *_notices(turn, reply),
        *_found(results, reply),
        *_who_answers(turn, reply),
        *([] if asks else _offer(turn, context, results)),
    )
    made = Label(versions={"prompts": prompts.VERSION, "model": reply.model or turn.model_name})
    label = union([made, *_history(turn), *(result.label for result in results)])
    return Draft(outcome=_outcome(reply, results), blocks=blocks, label=label, context=context)


def _said(turn: Turn, reply: Reply) -> str:
    return reply.text if reply.model == OFFLINE else markup.plain(reply.text, turn.given)


def _outcome(reply: Reply, results: Sequence[Result]) -> Outcome:
    if reply.finish == "safety" and not reply.text.strip():
        return "error_model"
    if reply.finish == "failed":
        return "error_internal"
    asks = _open(results) or (results and all(map(_was_refused, results)))
    return "clarification" if asks or reply.finish == "asks" else "answered"


def _open(results: Sequence[Result]) -> list[Result]:
    """Those that ask something, and were not followed by a call of their tool that found something."""
    found = {result.tool: result.turn for result in results if not result.asks}
    return [result for result in results if result.asks and found.get(result.tool, 0) <= result.turn]


def _sentences(said: str, results: Sequence[Result]) -> list[Text]:
    """What a tool asks is asked in its own words, whatever the model makes of it; beside what else was found, after its."""
    asked = dict.fromkeys(result.content["ask"] for result in _open(results))
    ours = [ask for ask in asked if ask not in said]
    theirs = [] if ours and all(result.asks for result in results) else [said]
    return [Text(text=text) for text in (*theirs, *ours) if text.strip()]


def _was_refused(result: Result) -> bool:
    """The client is asked for the question in another way."""
    return any(isinstance(block, Notice) and block.key == "query_refused" for block in result.blocks)


def _history(turn: Turn) -> list[Label]:
    """What was said before is the client's own, and a model may say it again."""
    return [turn.caller.own()] if turn.history else []


def _context(turn: Turn, results: Sequence[Result]) -> Context:
    """The last outcome that a follow-up can lean on; without one, the conversation stays where it was. Who was told of is known
    until there is another list; an offer is open until the next answer."""
    leaning = [result.context for result in results if result.context != Context(told=result.context.told)]
    told = _told(turn.read(), results)
    kept = leaning[-1] if leaning else turn.context
    told = told or (() if leaning and kept.shown else turn.context.told)
    offered = any(context.offered for context in leaning) or (bool(results) and _offers_told(turn.read(), told))
    return replace(kept, language=turn.language, told=told, offered=offered, pending=_pending(turn.read()))


def _pending(reading: Reading) -> tuple[str, ...]:
    """What the answer to "which one?" will be about."""
    nobody = reading.tool == "get_website_summary" and not reading.brewery and not reading.picks
    if not reading.unsure and not nobody:
        return ()
    return (reading.intent, *reading.asks) if reading.intent in ("facts", "compare") else ("accept",)


def _told(reading: Reading, results: Sequence[Result]) -> tuple[Ref, ...]:
    """By the tools, or by the sentence that gives the reasons for one."""
    if results and reading.intent == "why":
        return reading.picks
    return tuple(dict.fromkeys(ref for result in results for ref in result.context.told))


def _offers_told(reading: Reading, told: Sequence[Ref]) -> bool:
    """Of one brewery, where what was asked is not in the catalogue, or nothing was asked but the brewery itself."""
    return (
        reading.intent == "facts" and len(told) == 1 and (not reading.asks or not ON_THE_WEB.isdisjoint(reading.asks))
    )


def _notices(turn: Turn, reply: Reply) -> list[AnyBlock]:
    key = {"length": "cut_short", "safety": "safety"}.get(reply.finish)
    return [Notice(key=key, text=say(f"error.{key}", turn.language))] if key else []


def _who_answers(turn: Turn, reply: Reply) -> list[AnyBlock]:
    """That another model than usual answered; and, once a conversation where there is none, that nobody thought about this. A sentence
    of the table that was chosen to speak is no stand-in."""
    by_rule = turn.fell_back and reply.model == OFFLINE if turn.model else not turn.history
    keys = [*(["fallback"] if turn.fell_back else []), *(["offline"] if by_rule else [])]
    return [Notice(key=key, text=say(f"talk.{key}", turn.language)) for key in keys]


def _found(results: Sequence[Result], reply: Reply) -> list[AnyBlock]:
    """Blocks of the tools, each once. A profile that was read on the way to something else is not shown."""
    every = [block for result in results for block in result.blocks]
    blocks = [block for n, block in enumerate(every) if block not in every[:n]]
    aside, by_rule = len(results) > 1, reply.model == OFFLINE
    shown = [block for block in blocks if not (isinstance(block, Table) and _is_said(block, aside, by_rule))]
    return [replace(block, caption="") if by_rule and isinstance(block, Table) else block for block in shown]


def _is_said(table: Table, aside: bool, by_rule: bool) -> bool:
    if table.title:
        return aside and table.title == "profile"
    return by_rule and says_all(table.columns, table.rows)


def _offer(turn: Turn, context: Context, results: Sequence[Result]) -> list[AnyBlock]:
    """ "Shall I tell you more?", when something was found in this turn."""
    if not context.offered:
        return []
    shown, language = context.told or context.shown, turn.language
    text = say("offer.one", language, name=shown[0].name) if len(shown) == 1 else say("offer.several", language)
    picks = (
        [say("offer.yes", language)]
        if len(shown) == 1
        else [say("offer.pick", language, name=ref.name) for ref in shown[:QUICK_PICKS]]
    )
    more = [say("offer.more", language)] if _has_more(results) else []
    return [Offer(brewery_ids=tuple(ref.id for ref in shown), text=text), QuickReplies(replies=(*picks, *more))]


def _has_more(results: Sequence[Result]) -> bool:
    return any(isinstance(block, BreweryList) and block.next_page for result in results for block in result.blocks)
