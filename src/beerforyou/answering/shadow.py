"""A sample of what the reading planned is planned by the model too, once the client has the answer, and the two are compared: so
that the error of sure plans is a known figure. Nothing is called for it, and no answer changes by it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

import msgspec
from msgspec.structs import replace

from beerforyou.answering.turn import Shadow, Turn
from beerforyou.errors import BeerForYouError, ModelError
from beerforyou.llm.model import Reply, ToolCall
from beerforyou.llm.settling import settled
from beerforyou.runs.journal import Entry
from beerforyou.tools import TOOLS
from beerforyou.usage import Usage

log = logging.getLogger(__name__)

PURPOSE = "shadow"


def is_in(run_id: UUID, share: float) -> bool:
    """By the last bytes of the run's id, which are random: the same for whoever works on it."""
    return int.from_bytes(run_id.bytes[-4:]) < share * 2**32


async def compare(turn: Turn, shadow: Shadow) -> None:
    """The model's first reply to the same message. What it cost is kept, also where nothing comes of it."""
    started, lost = time.perf_counter(), Usage()

    async def pay(void: Reply) -> None:
        nonlocal lost
        lost += void.usage

    assert turn.model is not None, "else there is nobody to compare with"
    try:
        request = replace(shadow.request, paid=pay)
        said = settled(await turn.model.generate(request), request)
        compared: dict[str, Any] = {"same": same(shadow.planned, said.tool_calls), "called": _plain(said.tool_calls)}
    except ModelError as error:
        said, compared = Reply(parts=()), {"error": error.message}
    entry = Entry(
        turn=1, purpose=PURPOSE, kind="model", name=said.model or turn.model_name, input={"planned": _plain(shadow.planned)},
        output=compared, usage=said.usage + lost, ms=(time.perf_counter() - started) * 1000,
    )  # fmt: skip
    try:
        await turn.journal.afterwards(entry)
    except BeerForYouError as error:
        log.warning("run %s: what the model would have planned is not kept: %s", turn.run_id, error.message)


def same(planned: Sequence[ToolCall], called: Sequence[ToolCall]) -> bool:
    """The same tools with equal arguments, in any order, however they are written."""
    return sorted(map(_meant, planned)) == sorted(map(_meant, called))


def _meant(call: ToolCall) -> tuple[str, bytes]:
    """With the defaults of what was left out. What the tool would refuse is equal to itself alone."""
    args: Any = call.args
    with suppress(KeyError, msgspec.ValidationError):
        args = msgspec.to_builtins(msgspec.convert(args, TOOLS[call.name].args, strict=False))
    return call.name, msgspec.json.encode(args, order="sorted").lower()


def _plain(calls: Sequence[ToolCall]) -> list[dict[str, Any]]:
    return [{"tool": call.name, "args": call.args} for call in calls]
