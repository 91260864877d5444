"""Conversations of a file, walked turn by turn through the corridor without a server, and what came of the last one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from beerforyou import clock
from beerforyou.blocks import AnyBlock
from beerforyou.catalogue.brewery import Place
from beerforyou.conversations.accepting import accept
from beerforyou.errors import BadInput, BeerForYouError
from beerforyou.house import House
from beerforyou.reading.question import Question
from beerforyou.reading.read import read
from beerforyou.reading.reading import Context, Reading
from beerforyou.runs.looking import look
from beerforyou.runs.why import Planned
from beerforyou.worker.worker import work

if TYPE_CHECKING:
    from beerforyou.runs.run import Run

EXPECTED = ("tool", "without", "args", "question", "outcome", "leftover")


class Line(msgspec.Struct, kw_only=True):
    """`tool` ("" for none) to `leftover` are what the last turn should bring, each where it is there; of `args` those that
    matter. `without`: a tool that it must not call."""

    id: str
    client: str
    turns: Annotated[tuple[str, ...], Meta(min_length=1)]
    tool: str | None = None
    without: str | None = None
    args: dict[str, Any] | None = None
    question: Question | None = None
    outcome: str | None = None
    leftover: tuple[str, ...] | None = None


class Walked(msgspec.Struct, kw_only=True):
    """The last turn: the first tool that was called ("" for none) with its arguments, all calls, the question as it was read,
    how the run ended, what the client reads, the words that were not understood, and who planned it."""

    id: str
    tool: str
    args: dict[str, Any]
    calls: list[str]
    question: dict[str, Any] | None
    outcome: str | None
    text: str
    blocks: list[AnyBlock]
    leftover: tuple[str, ...]
    planned: Planned


async def walked(house: House, lines: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Each line with what came of it, and `ok` where it says what should. Raises BadInput with the line's number."""
    done = [await _line(house, number, raw) for number, raw in enumerate(lines, start=1)]
    judged = [line["ok"] for line in done if "ok" in line]
    sure = [line for line in done if line["planned"].get("by") == "reading"]
    wrong = sum(not line.get("ok", True) for line in sure)
    summary = {"expected": len(judged), "right": sum(judged), "by_reading": len(sure), "by_reading_wrong": wrong}
    return {"n": len(done), "summary": summary, "lines": done}


async def _line(house: House, number: int, raw: dict[str, Any]) -> dict[str, Any]:
    try:
        line = msgspec.convert(raw, Line)
        came = await _walk(house, line)
    except (msgspec.ValidationError, BeerForYouError) as error:
        said = error.message if isinstance(error, BeerForYouError) else error
        raise BadInput(f"line {number}: {said}", 'each line is {"id", "client", "turns"}') from None
    wanted = {name: raw[name] for name in EXPECTED if name in raw}
    judged = {"ok": _as_expected(line, came), "expected": wanted} if wanted else {}
    kept = {name: value for name, value in raw.items() if name not in EXPECTED}
    return kept | msgspec.to_builtins(came) | judged


async def _walk(house: House, line: Line) -> Walked:
    conversation: UUID | None = None
    for turn in line.turns:
        context = await context_of(house, line.client, conversation)
        accepted = await accept(house, line.client, turn, conversation)
        conversation = accepted.conversation_id
        await work(house, accepted.run)
    run = await look(house.database.as_client(line.client), accepted.run, steps=True)
    today, home = clock.today(house.settings.time_zone), await _home(house, line.client)
    return _last(line.id, run, read(line.turns[-1], house.catalogue.now, context, today, home))


async def _home(house: House, client: str) -> Place:
    profile, _ = await house.profiles.of(house.database.as_client(client), "")
    return Place(city=profile.city, state=profile.state, country=profile.country) if profile else Place()


async def context_of(house: House, client: str, conversation: UUID | None) -> Context:
    """What the next message may lean on."""
    rows = await house.database.as_client(client).fetch("conversations.earlier", conversation, 1)
    return msgspec.json.decode(rows[0]["context"] or "{}", type=Context) if rows else Context()


def _last(name: str, run: Run, reading: Reading) -> Walked:
    calls = [step for step in run.steps or () if step.kind == "tool"]
    return Walked(
        id=name,
        tool=calls[0].name if calls else "",
        args=calls[0].input if calls else {},
        calls=[step.name for step in calls],
        question=msgspec.to_builtins(reading.question),
        outcome=run.outcome,
        text=run.text or "",
        blocks=run.blocks,
        leftover=reading.leftover,
        planned=run.planned,
    )


def _as_expected(line: Line, came: Walked) -> bool:
    tool = line.tool in (None, came.tool) and line.without not in came.calls
    args = all(came.args.get(name) == value for name, value in (line.args or {}).items())
    question = line.question is None or line.question.key == msgspec.convert(came.question or {}, Question).key
    outcome = line.outcome is None or line.outcome == came.outcome
    return tool and args and question and outcome and line.leftover in (None, came.leftover)
