"""Conversations of a file, each with its last turn planned by the model that is being measured, and what became of it: judging.py says
whether it is right, the run's ledger what it took. The turns before are planned by rule, so that every model begins at the same place.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

import msgspec
from msgspec.structs import replace

from beerforyou import clock
from beerforyou.blocks import Text
from beerforyou.cli.expected import ANALYSIS, FORM, Line, wanted
from beerforyou.cli.judging import Made, Wanted, brought, ungrounded
from beerforyou.cli.walking import context_of
from beerforyou.conversations.accepting import accept
from beerforyou.errors import BadInput, BeerForYouError, Conflict
from beerforyou.house import House
from beerforyou.llm.connect import OFFLINE, Models
from beerforyou.llm.model import Model
from beerforyou.runs.looking import look
from beerforyou.runs.run import Run, Step
from beerforyou.tools import TOOLS
from beerforyou.usage import Usage
from beerforyou.worker.worker import work

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

OF_PURCHASES = (ANALYSIS, "run_sql")


class Judged(msgspec.Struct, kw_only=True):
    """A line's last turn. `planned`: by whom its calls were; `tool`: the fitting tools were called, `fits`: and brought what was wanted;
    `executed`: a query came through (null where none was wanted). `ungrounded` are numbers and names that no tool told. `asked`: model
    calls. `money` is null without a price, `s` is wall time."""

    id: str
    lang: str
    kind: str
    model: str
    right: bool
    tool: bool
    fits: bool
    executed: bool | None
    grounded: bool
    ungrounded: list[str]
    planned: str
    outcome: str | None
    calls: list[dict[str, Any]]
    text: str
    tokens: Usage
    asked: int
    money: float | None
    s: float

    @property
    def failed(self) -> bool:
        """It was not answered, so that nothing is known of how it plans."""
        return (self.outcome or "").startswith("error")


class Price(NamedTuple):
    """Of a million tokens."""

    input: float
    output: float
    cached: float

    def of(self, used: Usage) -> float:
        fresh = used.input - used.cached
        return (fresh * self.input + used.cached * self.cached + used.output * self.output) / 1e6


class Limits(NamedTuple):
    """Before a line that would pass one of them, were it as dear as the dearest so far, the evaluation stops."""

    tokens: int | None = None
    money: float | None = None


class Budget:
    """What was spent, and is being spent by those under way, at the price of the dearest line."""

    def __init__(self, limits: Limits, price: Price | None, before: Iterable[Judged]) -> None:
        self._limits, self._price, self._under_way = limits, price, 0
        self._spent, self._dearest = [0.0, 0.0], [0.0, 0.0]
        for line in before:
            self._add(line)

    def allows(self) -> bool:
        more = self._under_way + 1
        known = zip(self._limits, self._spent, self._dearest, strict=True)
        return all(limit is None or spent + more * dearest <= limit for limit, spent, dearest in known)

    def begin(self) -> None:
        self._under_way += 1

    def end(self, line: Judged) -> None:
        self._under_way -= 1
        self._add(line)

    def _add(self, line: Judged) -> None:
        used = line.tokens
        cost = float(used.input + used.output), self._price.of(used) if self._price else 0.0
        self._spent = [spent + each for spent, each in zip(self._spent, cost, strict=True)]
        self._dearest = [max(pair) for pair in zip(self._dearest, cost, strict=True)]


class Stage(NamedTuple):
    """The house that is measured, and the same one planning by rule, for what comes before."""

    house: House
    by_rule: House
    model: str
    price: Price | None


async def evaluated(
    stage: Stage,
    lines: Sequence[Line],
    before: Sequence[Judged],
    limits: Limits,
    at_once: int,
    done: Callable[[Judged], None],
) -> bool:
    """Whether all of them could be afforded; each is told to `done` as it is judged."""
    budget, room = Budget(limits, stage.price, before), asyncio.Semaphore(at_once)
    try:
        async with asyncio.TaskGroup() as tasks:
            for line in lines:
                await room.acquire()
                if not budget.allows():
                    return False
                budget.begin()
                tasks.create_task(_one(stage, line, budget, room, done))
    except* BadInput as errors:
        raise errors.exceptions[0] from None
    return True


async def _one(
    stage: Stage, line: Line, budget: Budget, room: asyncio.Semaphore, done: Callable[[Judged], None]
) -> None:
    try:
        judged = await _judged(stage, line)
    except BeerForYouError as error:
        raise BadInput(f"{line.id}: {error.message}", error.hint or FORM) from None
    budget.end(judged)
    room.release()
    done(judged)


async def _judged(stage: Stage, line: Line) -> Judged:
    conversation, runs = None, []
    for turn in line.turns[:-1]:
        conversation, run = await walked(stage.by_rule, line.client, turn, conversation)
        runs.append(run)
    context = await context_of(stage.house, line.client, conversation)
    began = time.perf_counter()
    conversation, run = await walked(stage.house, line.client, line.turns[-1], conversation)
    taken = time.perf_counter() - began
    alternatives = await wanted(stage.house, line, context)
    tools = [step for step in run.steps or () if step.kind == "tool"]
    thoughts = [step for step in run.steps or () if step.kind == "model"]
    picked, fits = _compared(alternatives, tools)
    unknown = _ungrounded(stage.house, line, [*runs, run])
    used = msgspec.convert(run.usage, Usage)
    return Judged(
        id=line.id,
        lang=line.lang,
        kind=line.kind,
        model=stage.model,
        right=fits and run.outcome in line.outcome,
        tool=picked,
        fits=fits,
        executed=None if line.calls else fits or _executed(tools),
        grounded=not unknown,
        ungrounded=unknown,
        planned=_who(run),
        outcome=run.outcome,
        calls=[{"tool": step.name, "args": step.input} for step in tools],
        text=_sentence(run),
        tokens=used,
        asked=sum(step.name != OFFLINE for step in thoughts),
        money=stage.price.of(used) if stage.price else None,
        s=round(taken, 2),
    )


async def walked(house: House, client: str, message: str, conversation: UUID | None) -> tuple[UUID, Run]:
    """Raises Conflict where somebody else took the run."""
    accepted = await accept(house, client, message, conversation)
    await work(house, accepted.run)
    run = await look(house.database.as_client(client), accepted.run, steps=True)
    if run.finished_at is None:
        raise Conflict(f"another worker has run {accepted.run}", "stop what serves or works on this database")
    return accepted.conversation_id, run


def _compared(alternatives: Sequence[Sequence[Wanted]], tools: Sequence[Step]) -> tuple[bool, bool]:
    """Whether the calls are of the tools of an alternative, and bring what it brings; nothing that costs may be called besides."""
    called = {_kind(step.name) for step in tools}
    picked = fits = False
    for alternative in alternatives:
        names = {_kind(each.tool) for each in alternative}
        besides = {name for name in called - names if not alternative or (name in TOOLS and TOOLS[name].paid)}
        if names <= called and not besides:
            picked = True
            fits = fits or all(brought(each, _made(each.tool, tools)) for each in alternative)
    return picked, fits


def _kind(tool: str) -> str:
    """Questions about purchases have several ways, and each is right that brings the rows."""
    return ANALYSIS if tool in OF_PURCHASES else tool


def _made(tool: str, tools: Sequence[Step]) -> list[Made]:
    return [Made(step.name, step.input, step.output) for step in tools if _kind(step.name) == _kind(tool)]


def _executed(tools: Sequence[Step]) -> bool:
    return any({"error", "not_published"}.isdisjoint(each.content) for each in _made(ANALYSIS, tools))


def _who(run: Run) -> str:
    """Calls before any thought follow from the reading."""
    first = next(iter(run.steps or ()), None)
    return "nobody" if first is None else "model" if first.kind == "model" and first.name != OFFLINE else "rule"


def _sentence(run: Run) -> str:
    return " ".join(block.text for block in run.blocks if isinstance(block, Text))


def _ungrounded(house: House, line: Line, runs: Sequence[Run]) -> list[str]:
    told = [step.output for run in runs for step in run.steps or () if step.kind == "tool"]
    shown = [block for run in runs for block in run.blocks if run is not runs[-1] or not isinstance(block, Text)]
    today = clock.today(house.settings.time_zone)
    material = msgspec.to_builtins([told, shown, line.turns, today])
    return ungrounded(_sentence(runs[-1]), material, house.catalogue.now)


@asynccontextmanager
async def beside(house: House, planner: Model | None, **changed: Any) -> AsyncIterator[House]:
    """The same house with another planner, by rule where there is none, and changed settings."""
    named = {"model": planner.name if planner else OFFLINE, "fallback_models": ""}
    settings = replace(house.settings, **named, **changed)
    other = House(
        settings, house.database, house.valkey, house.subscriptions, house.queue, house.catalogue, Models(planner, by_rule=False)
    )  # fmt: skip
    try:
        yield other
    finally:
        await other.bell.close()


@asynccontextmanager
async def staged(house: House, model: str, price: Price | None) -> AsyncIterator[Stage]:
    async with beside(house, None) as by_rule:
        yield Stage(house, by_rule, model, price)


def summary(lines: Sequence[Judged]) -> dict[str, Any]:
    """Shares of lines, sums of tokens and money, means of calls and seconds; of all, by kind, by language and by who planned."""
    return _sums(lines) | {name: dict(_by(lines, name)) for name in ("kind", "lang", "planned")}


def _by(lines: Sequence[Judged], name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for value in sorted({getattr(line, name) for line in lines}):
        yield value, _sums([line for line in lines if getattr(line, name) == value])


def _sums(lines: Sequence[Judged]) -> dict[str, Any]:
    queries = [line.executed for line in lines if line.executed is not None]
    used = sum((line.tokens for line in lines), Usage())
    money = [line.money for line in lines if line.money is not None]
    count = max(1, len(lines))
    return {
        "n": len(lines),
        "right": sum(line.right for line in lines),
        "tool": sum(line.tool for line in lines),
        "fits": sum(line.fits for line in lines),
        "queries": len(queries),
        "executed": sum(queries),
        "rows": sum(line.fits for line in lines if line.executed is not None),
        "grounded": sum(line.grounded for line in lines),
        "input": used.input,
        "cached": used.cached,
        "output": used.output,
        "asked": round(sum(line.asked for line in lines) / count, 2),
        "money": round(sum(money), 6) if money else None,
        "s": round(sum(line.s for line in lines) / count, 2),
    }
