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
from collections.abc import Coroutine
from typing import Any

import aiohttp
import msgspec

import beerforyou.api.app
import beerforyou.backends.queue.amqp
import beerforyou.llm.gemini  # noqa: F401 (what the commands would import)
from beerforyou import seams
from beerforyou.answering import gates
from beerforyou.cli import main
from beerforyou.outside.leave import asking_leave
from beerforyou.runs.journal import BEHIND_S
from beerforyou.tools import TOOLS
from beerforyou.tools.caller import Caller, Hands
from beerforyou.tools.tool import Result, tool
from beerforyou.webhooks.delivery import Postman
from beerforyou.worker import worker

HARNESS = os.environ.get("CHAOS_URL", "")  # empty where only its places are read
# The run that the harness's model leads through: a tool that costs, one that does not, and one that takes its time.
STEPS = ("model1", "tool2", "model3", "tool4", "model5", "tool6", "model7")
COSTS = (1, 2, 3, 5, 7)
# The commits, by the last step in them: before each cost, and where a step waited for long enough. The end has the last one.
WRITES = (1, 2, 4, 5, 6)
PLACES = (
    *(f"accept.{place}" for place in ("before", "during", "after")),
    *(f"claim.{place}" for place in ("before", "during", "after")),
    *(f"begin.{place}" for place in ("before", "after")),
    *(f"{step}.{place}" for step in STEPS for place in ("before", "during", "after")),
    *(f"write{number}.{place}" for number in WRITES for place in ("before", "during", "after")),
    *(f"finish.{place}" for place in ("before", "during", "unpublished", "after")),
    *(f"remember.{place}" for place in ("before", "after")),
    *(f"ack.{place}" for place in ("before", "after")),
)
LEAVE = asking_leave()
CALL_S, WRITE_S = 0.04, 0.006  # how far into a call, or a commit, `during` may be
ASK_S, TOOL_S = 20.0, 110.0  # what the harness may take for an answer
# Between the attempts at a webhook, and of its lease: in days nobody waits for the end of a test.
SCHEDULE, LEASE_S = (2.0,) * 9, 8.0


class Cellar(msgspec.Struct, frozen=True):
    marker: str


async def count_cellar(caller: Caller, hands: Hands, args: Cellar) -> Result:
    """How many bottles are in the caller's cellar; what this costs is counted."""
    patience = aiohttp.ClientTimeout(total=TOOL_S)
    async with _http(LEAVE).post(f"{HARNESS}/tool", params={"marker": args.marker}, timeout=patience) as response:
        response.raise_for_status()
    return Result(content={"bottles": 12}, label=caller.public())


class Cellarer(msgspec.Struct, frozen=True): ...


async def ask_cellarer(caller: Caller, hands: Hands, args: Cellarer) -> Result:
    """Whether the cellar is cool. He takes longer than a step waits to be written, and costs nothing."""
    await asyncio.sleep(1.5 * BEHIND_S)
    return Result(content={"cool": True}, label=caller.public())


@functools.cache
def _http(*trace: aiohttp.TraceConfig) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ASK_S), trace_configs=trace)


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


async def mortal(place: str, who: object, work: Coroutine[Any, Any, Any]) -> Any:
    """Asks before it, after it, and while it is under way, without holding it up."""
    before, during, after = _named(place)
    if before:
        await here(before, who)
    if during:
        within_s = CALL_S if place.startswith(("model", "tool")) else WRITE_S
        result, _ = await asyncio.gather(work, _somewhere(during, who, within_s))
    else:
        result = await work
    if after:
        await here(after, who)
    return result


def _named(place: str) -> tuple[str, str, str]:
    """What the harness calls the moments before, during and after it, where it knows them."""
    if place == "publish":
        names = ["finish.unpublished", "", ""]
    else:
        names = [f"{place}.{moment}" for moment in ("before", "during", "after")]
    before, during, after = (name if name in PLACES else "" for name in names)
    return before, during, after


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
    TOOLS["count_cellar"] = tool(count_cellar, lambda caller, args: caller.public(), "breweries", paid=True)
    TOOLS["ask_cellarer"] = tool(ask_cellarer, lambda caller, args: caller.public(), "breweries")
    gates.GATES = tuple(gate for gate in gates.GATES if gate is not gates.consent)  # no customer is asked for a yes
    worker.Postman = functools.partial(Postman, schedule=SCHEDULE, lease_s=LEASE_S)  # type: ignore[misc, assignment]
    seams.hang(mortal)
    nursery()
