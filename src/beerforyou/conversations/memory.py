"""What a conversation remembers: the turns that succeeded, the newest with the model's own sentence and a note of what was
shown below it, older ones as a short summary.

Valkey has it for any worker to go on with; PostgreSQL has the messages, and the memory is made of them again where it
is missing or behind. Which run it ends with tells: the claim says which one was answered last.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from uuid import UUID

import msgspec

from beerforyou import prompts
from beerforyou.backends.valkey import Valkey
from beerforyou.blocks import AnyBlock, BreweryCard, BreweryList, Notice, Offer, Table, Text
from beerforyou.db.database import ClientReads
from beerforyou.errors import BeerForYouError
from beerforyou.llm.model import Content, TextPart
from beerforyou.reading.reading import Context
from beerforyou.runs.claim import Claim

log = logging.getLogger(__name__)

# Not where the conversation was deleted a moment ago: a worker may have been between the end of its run and this.
KEEP = """
if redis.call('GET', KEYS[1]) == '' then return nil end
return redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
"""
DELETED_MS = 60_000  # much longer than that takes
KEPT = 40  # turns; what was said before them is forgotten
CHARS_A_TOKEN = 4  # about, in both languages
QUOTED = 100  # characters of an old question that a summary quotes
NAMED = 5  # breweries of a list
MOST_NOTED, LONGEST_NOTE = 4, 1_000  # blocks, and characters, that are told of one turn; ids have 36
WORDLESS = "(see below)"  # an answer of blocks alone


class Past(msgspec.Struct, frozen=True, omit_defaults=True):
    """A turn that is over. `sentence` is what the model said, without what was shown below it: a model that reads lists and
    offers as words of its own writes such. `found` is that, in a few words, and `shown` the same with ids.
    """

    question: str
    sentence: str
    found: str = ""
    shown: str = ""


class Memory(msgspec.Struct, frozen=True, omit_defaults=True):
    """`last` is the run that it ends with; turns are oldest first."""

    last: UUID | None = None
    context: Context = Context()
    turns: tuple[Past, ...] = ()

    def messages(self, turns: int, tokens: int) -> tuple[Content, ...]:
        """What the model is shown: at most so many turns word for word, within the budget, and a summary of the others."""
        word_for_word = _fitting(self.turns[-turns:] if turns else (), tokens)
        older = self.turns[: len(self.turns) - len(word_for_word)]
        said = [message for past in word_for_word for message in _said(past)]
        return tuple(_summarised(older, tokens, said))

    def and_then(self, run_id: UUID, past: Past | None, context: Context) -> Memory:
        """With one more run; without a turn, when it came to nothing."""
        return Memory(run_id, context, (*self.turns, *([past] if past else []))[-KEPT:])


def past(question: str, blocks: Sequence[AnyBlock]) -> Past:
    """Of blocks that passed the output guard."""
    texts = [block.text for block in blocks if isinstance(block, Text)]
    sentence = "\n".join(texts or [block.text for block in blocks if isinstance(block, Notice)])
    return Past(question, sentence or WORDLESS, _listed(blocks, _named), _listed(blocks, _with_id))


async def remembered(claim: Claim, valkey: Valkey, reads: ClientReads) -> Memory:
    if claim.previous is None:
        return Memory()
    kept = await _kept(claim, valkey)
    return kept if kept and kept.last == claim.previous else await _rebuilt(claim, reads)


async def remember(claim: Claim, memory: Memory, valkey: Valkey, seconds: float) -> None:
    """A memory that cannot be kept is made again of the messages."""
    try:
        key = _key(claim.client_id, claim.conversation_id)
        await valkey("EVAL", KEEP, 1, key, msgspec.json.encode(memory), int(seconds * 1000))
    except BeerForYouError as error:
        log.warning("conversation %s is not remembered: %s", claim.conversation_id, error.message)


async def forget(client_id: str, conversation_id: UUID, valkey: Valkey) -> None:
    """Of a conversation that is deleted. Nothing is kept for longer than memories are, if this fails."""
    try:
        await valkey("SET", _key(client_id, conversation_id), "", "PX", DELETED_MS)
    except BeerForYouError as error:
        log.warning("what conversation %s remembered is kept until it ends: %s", conversation_id, error.message)


def _key(client_id: str, conversation_id: UUID) -> str:
    return f"beerforyou:memory:{client_id}:{conversation_id}"


async def _kept(claim: Claim, valkey: Valkey) -> Memory | None:
    try:
        data = await valkey("GET", _key(claim.client_id, claim.conversation_id))
        return msgspec.json.decode(data, type=Memory) if data else None
    except (BeerForYouError, msgspec.DecodeError) as error:  # or of a version that kept something else
        log.warning("conversation %s is remembered from its messages: %s", claim.conversation_id, error)
        return None


async def _rebuilt(claim: Claim, reads: ClientReads) -> Memory:
    rows = await reads.fetch("conversations.earlier", claim.conversation_id, KEPT)
    context = msgspec.json.decode(rows[0]["context"] or "{}", type=Context) if rows else Context()
    return Memory(claim.previous, context, tuple(_past(row) for row in reversed(rows)))


def _past(row: Any) -> Past:
    return past(row["question"], msgspec.json.decode(row["blocks"], type=list[AnyBlock]))


def _fitting(turns: Sequence[Past], tokens: int) -> Sequence[Past]:
    """The newest of them that fit."""
    left = tokens * CHARS_A_TOKEN
    for number, turn in enumerate(reversed(turns)):
        left -= sum(len(part.text) for said in _said(turn) for part in said.parts if isinstance(part, TextPart))
        if left < 0:
            return turns[len(turns) - number :]
    return turns


def _said(turn: Past) -> tuple[Content, Content]:
    """The note stands where results do: after the question, before the sentence."""
    note = [TextPart(prompts.note(turn.shown))] if turn.shown else []
    return Content("user", (TextPart(turn.question), *note)), Content("model", (TextPart(turn.sentence),))


def _summarised(older: Sequence[Past], tokens: int, said: list[Content]) -> list[Content]:
    """The summary stands before the first question, in one message with it: two of a user in a row are not every
    provider's taste."""
    lines = [f"- {_quoted(turn.question[:QUOTED])}{f': {turn.found}' if turn.found else ''}" for turn in older]
    left, kept = tokens * CHARS_A_TOKEN // 4, []
    for line in reversed(lines):
        left -= len(line)
        if left < 0:
            break
        kept.append(line)
    if not kept:
        return said
    summary = TextPart("\n".join([prompts.EARLIER, *reversed(kept)]))
    first, *rest = said or [Content("user", ())]
    return [Content("user", (summary, *first.parts)), *rest]


def _listed(blocks: Iterable[AnyBlock], name: Callable[[BreweryCard], str]) -> str:
    return "; ".join([gist for block in blocks if (gist := _gist(block, name))][:MOST_NOTED])[:LONGEST_NOTE]


def _gist(block: AnyBlock, name: Callable[[BreweryCard], str]) -> str:
    match block:
        case BreweryList(breweries=cards, total=total):
            of = f" of {total}" if total > len(cards) else ""
            more = ", ..." if len(cards) > NAMED else ""
            return f"a list of {len(cards)}{of} breweries: {', '.join(map(name, cards[:NAMED]))}{more}"
        case BreweryCard():
            return f"details of {name(block)}"
        case Table(columns=columns, rows=rows):
            return f"a table of {', '.join(map(_quoted, columns))} with {len(rows)} rows"
        case Offer():
            return "an offer to tell more"
    return ""


def _named(card: BreweryCard) -> str:
    return _quoted(card.name)


def _with_id(card: BreweryCard) -> str:
    return f"{_named(card)} (id {card.brewery_id})"


def _quoted(name: str) -> str:
    """What strangers write, or call something, is no word of ours."""
    return msgspec.json.encode(name).decode()
