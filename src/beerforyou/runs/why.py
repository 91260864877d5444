"""Who planned a run, and why; and why each tool was or was not called: what the gates said, turn by turn."""

from __future__ import annotations

from typing import Literal

import msgspec

By = Literal["", "reading", "model", "rule"]


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """Of one tool in one turn of the planner; turn 0 is what was said before it planned, and nothing after it.

    `calls`: how many were let through. `gate`: which one withheld the tool, empty when none did; `why` is its reason.
    `expected`: a rule that is independent of the model would have called it.
    """

    turn: int = 0
    tool: str
    calls: int
    gate: str = ""
    expected: bool
    why: str


class Planned(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`by`: the reading, since the calls follow from it; the model; a rule, where no model is or none answered; empty where nothing was
    planned. `why` is one of few sentences, `leftover` the words that nobody but a model could use.
    """

    by: By = ""
    why: str = ""
    leftover: tuple[str, ...] = ()
