"""The state of one planning: the conversation as the model sees it, what was called, and what came of it."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

from beerforyou.answering.turn import Turn
from beerforyou.llm.model import Content, TextPart
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
    """

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
        self.share = asyncio.Semaphore(max(1, turn.settings.database_pool // SHARE))
