"""The state of one planning: the conversation as the model sees it, what was called, and what came of it."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

from beerforyou.answering.turn import Turn
from beerforyou.by_rule.planner import Known
from beerforyou.llm.connect import OFFLINE
from beerforyou.llm.model import Content, Reply, TextPart
from beerforyou.tools import TOOLS
from beerforyou.tools.tool import Result

SHARE = 4  # one run uses at most this part of the tools' connections, so that others find some


class Called(NamedTuple):
    """What a tool brought, or nothing but the `content` that told the model why not."""

    content: Any
    result: Result | None


class Planning:
    """`made` has every call that was let through, `refused` those that a gate withheld; `left` are models that made no
    sense. `talk_only`: no more calls, it has made enough of them or the same again.

    From `foreseen.py`: `sure`, the calls follow from the reading; `doubt`, why they do not; `needs_a_call`, one is certain to be needed;
    `hint`, for a model to read. `prepared`: the sentence of a sure plan is that of the table. `without_call` is a reply that lacked a
    certain call, `required_in` the turn in which one must be made.
    """

    known: Known

    def __init__(self, turn: Turn) -> None:
        self.turn = turn
        # A tool whose scope the caller lacks does not exist for this run.
        self.tools = {name: tool for name, tool in TOOLS.items() if tool.scope in turn.caller.scopes}
        turn.decided.hidden = frozenset(TOOLS) - self.tools.keys()
        self.messages = [*turn.history, Content("user", (TextPart(turn.text),))]
        self.made: dict[str, asyncio.Future[Called]] = {}
        self.refused: set[str] = set()
        self.left: set[str] = set()
        self.talk_only = False
        self.sure, self.doubt, self.needs_a_call = False, "", False
        self.hint: Any = None
        self.prepared = turn.settings.words == "prepared"
        self.without_call: Reply | None = None
        self.required_in = 0
        self.share = asyncio.Semaphore(max(1, turn.settings.database_pool // SHARE))

    @property
    def has_called(self) -> bool:
        return bool(self.made or self.refused)

    def lacks_a_call(self, reply: Reply) -> bool:
        """Of a reply of the model's without one: whether to ask for it, once."""
        told = reply.finish == "stop" and reply.model != OFFLINE and not reply.tool_calls
        return told and self.needs_a_call and not self.has_called and self.without_call is None
