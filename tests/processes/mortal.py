"""`beerforyou`, and at each place where something is written or costs money, the question whether to die there.

The harness answers it, and its answer is SIGKILL. It also counts the calls of one more tool. The arguments are those of
`beerforyou`. Each line on the standard input starts one such process, as a fork of this one: to import everything anew
costs a second of CPU, and hundreds of them die.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import random
import signal
import sys
from collections.abc import Callable
from typing import Any

import aiohttp
import msgspec
import uvicorn  # noqa: F401

import beerforyou.api.app
import beerforyou.backends.queue.amqp
import beerforyou.llm.gemini  # noqa: F401 (what the commands would import)
from beerforyou.answering import planner
from beerforyou.answering import run as runner
from beerforyou.api import runs
from beerforyou.cli import main
from beerforyou.llm.fallback import Fallback
from beerforyou.outside.leave import asking_leave
from beerforyou.runs.journal import Journal, Step
from beerforyou.tools import TOOLS
from beerforyou.tools.tool import Caller, Outcome, tool
from beerforyou.webhooks.delivery import Postman
from beerforyou.worker import worker

HARNESS = os.environ.get("CHAOS_URL", "")  # empty where only its places are read
STEPS = ("model1", "tool2", "model3", "tool4", "model5")  # the run that the harness's model leads through
PLACES = (
    *(f"accept.{place}" for place in ("before", "during", "after")),
    *(f"claim.{place}" for place in ("before", "during", "after")),
    *(f"begin.{place}" for place in ("before", "after")),
    *(f"{step}.{place}" for step in STEPS for place in ("before", "during", "made", "writing", "written")),
    *(f"finish.{place}" for place in ("before", "during", "unpublished", "after")),
    *(f"remember.{place}" for place in ("before", "after")),
    *(f"ack.{place}" for place in ("before", "after")),
)
CALL_S, WRITE_S = 0.04, 0.006  # how far into a call, or a commit, `during` may be
ASK_S = 20.0
# Between the attempts at a webhook, and of its lease: in days nobody waits for the end of a test.
SCHEDULE, LEASE_S = (2.0,) * 9, 8.0

Where = Callable[..., tuple[str, object]]


class Cellar(msgspec.Struct, frozen=True):
    marker: str


async def count_cellar(caller: Caller, args: Cellar) -> Outcome:
    """How many bottles are in the caller's cellar; what this costs is counted."""
    async with _http().post(f"{HARNESS}/tool", params={"marker": args.marker}) as response:
        response.raise_for_status()
    return Outcome(content={"bottles": 12}, label=caller.public())


@functools.cache
def _http() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ASK_S), trace_configs=[asking_leave()])


async def here(place: str, who: object) -> None:
    """The last line of this process, if the harness wants it."""
    if await _wanted(place, who):
        die()


async def _wanted(place: str, who: object) -> bool:
    """No, when it was too long ago: this process was stopped in between."""
    with contextlib.suppress(aiohttp.ClientError, TimeoutError):
        async with _http().get(f"{HARNESS}/die", params={"place": place, "who": str(who)}) as response:
            return await response.read() == b"yes"
    return False


def die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


async def _somewhere(place: str, who: object, within_s: float) -> None:
    await asyncio.sleep(random.uniform(0, within_s))
    await here(place, who)


def mortal(owner: Any, name: str, where: Where, *, before: str = "", during: str = "", after: str = "") -> None:
    """Asks around this coroutine function, and while it is under way, without holding it up."""
    whole = getattr(owner, name)
    within_s = CALL_S if name in ("generate", "_run") else WRITE_S

    @functools.wraps(whole)
    async def asking(*args: Any, **kwargs: Any) -> Any:
        what, who = where(*args, **kwargs)
        if before:
            await here(f"{what}.{before}", who)
        if during:
            middle = _somewhere(f"{what}.{during}", who, within_s)
            result, _ = await asyncio.gather(whole(*args, **kwargs), middle)
        else:
            result = await whole(*args, **kwargs)
        if after:
            await here(f"{what}.{after}", who)
        return result

    setattr(owner, name, asking)


def _next_step(kind: str, journal: Journal) -> tuple[str, object]:
    return f"{kind}{journal._step_seq + 1}", journal._claim.run_id


def _of_step(journal: Journal, step: Step) -> tuple[str, object]:
    return _next_step(step.kind, journal)


def _of_reply(_: Fallback, request: object, say: Any) -> tuple[str, object]:
    return _next_step("model", say.__self__._journal)


def _between_commit_and_publishing() -> None:
    finish = Journal.finish

    async def finishing(journal: Journal, answer: dict[str, Any]) -> Any:
        if await _wanted("finish.unpublished", journal._claim.run_id):
            journal._on_commit = die
        return await finish(journal, answer)

    Journal.finish = finishing  # type: ignore[method-assign]


def arm() -> None:
    """`before` is asked before the lease is looked at: asking must not make a worker spend for a run that it lost."""
    mortal(
        runs,
        "accept",
        lambda house, client, text, *more: ("accept", text),
        before="before",
        during="during",
        after="after",
    )
    mortal(runner.Walk, "_claim", lambda walk: ("claim", walk.run_id), before="before", during="during", after="after")
    mortal(runner, "begin", lambda claim, *_: ("begin", claim.run_id), before="before", after="after")
    mortal(planner._Walk, "_ask", lambda walk, _: _next_step("model", walk.turn.journal), before="before")
    mortal(Fallback, "generate", _of_reply, during="during")
    mortal(planner._Walk, "_run_and_record", lambda walk, _: _next_step("tool", walk.turn.journal), before="before")
    mortal(planner._Walk, "_run", lambda walk, _: _next_step("tool", walk.turn.journal), during="during")
    mortal(Journal, "step", _of_step, before="made", during="writing", after="written")
    _between_commit_and_publishing()
    mortal(Journal, "finish", lambda j, _: ("finish", j._claim.run_id), before="before", during="during", after="after")
    mortal(runner, "remember", lambda claim, *_: ("remember", claim.run_id), before="before", after="after")
    mortal(worker.Worker, "_ack", lambda _, delivery, __: ("ack", delivery.run_ids[0]), before="before", after="after")


def start() -> int:
    """The program in a process of its own, without our standard input. Its id."""
    if pid := os.fork():
        return pid
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)  # what we say is for the harness; it finds an address among the notes
    try:
        main()
    except SystemExit as end:
        os._exit(int(end.code or 0))
    os._exit(0)


def nursery() -> None:
    """Says the id of each process that it started, and when it has ended how."""
    for _ in sys.stdin:
        pid = start()
        print(pid, flush=True)
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    TOOLS["count_cellar"] = tool(count_cellar, "breweries")
    worker.Postman = functools.partial(Postman, schedule=SCHEDULE, lease_s=LEASE_S)  # type: ignore[misc, assignment]
    arm()
    nursery()
