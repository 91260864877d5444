"""One walk through the corridor: what is asked, by whom, and what the steps have made of it so far."""

from __future__ import annotations

from typing import Literal, NamedTuple
from uuid import UUID

import msgspec

from beerforyou.answering.decided import Decided
from beerforyou.answering.speaking import Speaking
from beerforyou.blocks import AnyBlock
from beerforyou.labels import Label
from beerforyou.llm.connect import OFFLINE
from beerforyou.llm.model import Content, Model, Reply, Request, ToolCall
from beerforyou.reading.reading import Context, Reading
from beerforyou.runs.journal import Journal
from beerforyou.runs.ledger import Ledger
from beerforyou.sentences import Language
from beerforyou.settings import Settings
from beerforyou.tools.caller import Caller, Hands
from beerforyou.tools.tool import Result

Outcome = Literal[
    "answered",
    "clarification",
    "refused_privacy",
    "error_model",
    "error_timeout",
    "error_internal",
    "cancelled",
]


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that nobody has seen: the output guard makes an `Answer` of it. `context` is what a follow-up may lean on."""

    outcome: Outcome
    blocks: tuple[AnyBlock, ...]
    label: Label
    context: Context = Context()


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What passed the output guard: shown, stored and remembered. `text` is all of it as plain text, blocks included."""

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


class Shadow(NamedTuple):
    """What was planned without the model, and what the model would have been asked for it."""

    request: Request
    planned: tuple[ToolCall, ...]


class Turn(msgspec.Struct, kw_only=True):
    """`model` is none where the planner by rule is the choice; with `by_rule` it stands in when no model can.

    `reading` is there from the step `read` on; `reply` and `results` are what the planner came to.
    """

    run_id: UUID
    text: str
    caller: Caller
    hands: Hands
    history: tuple[Content, ...]
    context: Context
    journal: Journal
    ledger: Ledger
    speaking: Speaking
    model: Model | None
    by_rule: bool
    settings: Settings
    decided: Decided = msgspec.field(default_factory=Decided)
    reading: Reading | None = None
    reply: Reply | None = None
    results: list[Result] = []
    fell_back: bool = False
    shadow: Shadow | None = None

    @property
    def language(self) -> Language:
        return self.caller.language

    @property
    def model_name(self) -> str:
        return self.model.name if self.model else OFFLINE

    def given(self) -> str:
        """What was asked, said before and found, where a name stands as it is written."""
        found = [(result.content, result.blocks) for result in self.results]
        return msgspec.json.encode([self.text, self.history, found]).decode()

    def read(self) -> Reading:
        assert self.reading is not None, "a step before this one reads the message"
        return self.reading
