"""One walk through the corridor: what is asked, by whom, and what the walk has cost so far."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal
from uuid import UUID

import msgspec

from beerforyou.answering.ledger import Ledger
from beerforyou.answering.speaking import Speaking
from beerforyou.blocks import AnyBlock
from beerforyou.catalogue.brewery import Place
from beerforyou.conversations.memory import Memory
from beerforyou.house import House
from beerforyou.labels import Label
from beerforyou.llm.model import Message, Model
from beerforyou.reading.reading import Context, Reading
from beerforyou.runs.journal import Claim, Journal, Superseded
from beerforyou.runs.why import Decision
from beerforyou.sentences import Language
from beerforyou.settings import Settings
from beerforyou.tools.tool import Caller
from beerforyou.usage import Usage

Outcome = Literal[
    "answered",
    "clarification",
    "refused_privacy",
    "error_model",
    "error_timeout",
    "error_internal",
    "cancelled",
]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """`text` is the whole answer as plain text, blocks included; `context` is what a follow-up may lean on."""

    outcome: Outcome
    text: str
    blocks: tuple[AnyBlock, ...]
    label: Label
    context: Context = Context()

    @property
    def status(self) -> Literal["succeeded", "failed", "cancelled"]:
        if self.outcome == "cancelled":
            return "cancelled"
        return "failed" if self.outcome.startswith("error") else "succeeded"


class Turn(msgspec.Struct, kw_only=True):
    run_id: UUID
    conversation_id: UUID
    text: str
    caller: Caller
    history: tuple[Message, ...]
    context: Context
    journal: Journal
    speaking: Speaking
    ledger: Ledger
    model: Model
    settings: Settings
    today: date
    reading: Reading | None = None
    usage: Usage = Usage()
    fell_back: bool = False
    decisions: list[Decision] = []

    @property
    def language(self) -> Language:
        return self.caller.language

    def read(self) -> Reading:
        assert self.reading is not None, "the first step of the pipeline reads the message"
        return self.reading

    async def facts(self) -> dict[str, Any]:
        """For models in this process: what the reading and the conversation know, and the brewery of a question."""
        question = self.read().question
        asked = question.brewery if question else ""
        ids, names = await self.caller.known_as(asked) if asked else ([], [])
        return {
            "reading": self.read(),
            "context": self.context,
            "name": self.caller.name,
            "language": self.language,
            "brewery_ids": ids,
            "brewery_names": names,
            "brewery_vague": bool(asked) and not ids and not names and self.caller.catalogue.is_vague(asked),
        }


async def begin(claim: Claim, house: House, memory: Memory, ledger: Ledger, journal: Journal) -> Turn:
    """All that is known before the walk begins."""
    row = await house.database.as_client(claim.client_id).fetchrow("runs.turn", claim.run_id)
    if row is None:  # its conversation was deleted since the claim
        raise Superseded(str(claim.run_id))
    caller = Caller(
        client_id=claim.client_id,
        name=row["name"],
        home=Place(city=row["city"], state=row["state"], country=row["country"]),
        language=row["language"],
        rows=house.database.for_tools(claim.client_id),
        fence=house.database.fence,
        statistics=house.database.statistics,
        catalogue=house.catalogue.now,
        permit=journal.go_on,
        scopes=frozenset(row["scopes"]),
        shown=memory.context.shown,
    )
    return Turn(
        run_id=claim.run_id,
        conversation_id=claim.conversation_id,
        text=row["text"],
        caller=caller,
        history=memory.messages(house.settings.history_turns, house.settings.history_tokens),
        context=memory.context,
        journal=journal,
        speaking=Speaking(journal),
        ledger=ledger,
        model=house.model,
        settings=house.settings,
        today=date.today(),
    )
