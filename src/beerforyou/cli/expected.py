"""What a line of an evaluation of planners expects of its last turn, and what that brings: made now, on the same data and by the same
tools as what a model is measured by (judging.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from beerforyou import clock
from beerforyou.by_rule.planner import Known, breweries_in, reply
from beerforyou.catalogue.brewery import Place
from beerforyou.cli.judging import Wanted
from beerforyou.errors import BadInput
from beerforyou.house import House
from beerforyou.llm.model import Request, ToolCall
from beerforyou.reading.question import Question
from beerforyou.reading.reading import Context, Reading, Tool
from beerforyou.sentences import Language
from beerforyou.tools import TOOLS
from beerforyou.tools.caller import Caller, Hands

ANALYSIS: Tool = "run_analytical_query"
FORM = 'each line is {"id", "client", "turns"} and what is expected of the last turn'


class Call(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`$1` in an argument is the id of the first brewery that the conversation has shown, `$-1` of the last."""

    tool: str
    args: dict[str, Any] = {}


class Line(msgspec.Struct, kw_only=True):
    """Right is any of the alternatives: `calls` (one after the other; none: nothing is called), a `question` about purchases (or one of several), or
    the `sql` of the client's own. Of their tables `columns` are those that matter; `ordered`: the order too. `outcome`: how the run may end."""

    id: str
    client: str
    turns: Annotated[tuple[str, ...], Meta(min_length=1)]
    lang: Language = "en"
    kind: str = ""
    calls: tuple[tuple[Call, ...], ...] = ()
    question: Question | tuple[Question, ...] = ()
    sql: str = ""
    columns: tuple[str, ...] = ()
    ordered: bool = False
    outcome: tuple[str, ...] = ("answered",)

    @property
    def questions(self) -> tuple[Question, ...]:
        return (self.question,) if isinstance(self.question, Question) else self.question


def chosen(lines: Sequence[dict[str, Any]], limit: int | None) -> list[Line]:
    """So many, of all kinds and languages as evenly as they come: the first of each before the second of any. Raises BadInput with the
    line's number."""
    read = [_line(number, raw) for number, raw in enumerate(lines, start=1)]
    if again := [name for name, times in Counter(line.id for line in read).items() if times > 1]:
        raise BadInput(f"{', '.join(again)}: more than one line", "give each line an id of its own")
    before: Counter[tuple[str, str]] = Counter()
    turns = []
    for line in read:
        turns.append(before[line.kind, line.lang])
        before[line.kind, line.lang] += 1
    return [read[n] for n in sorted(range(len(read)), key=turns.__getitem__)[:limit]]


def _line(number: int, raw: dict[str, Any]) -> Line:
    try:
        line = msgspec.convert(raw, Line)
    except msgspec.ValidationError as error:
        raise BadInput(f"line {number}: {error}", FORM) from None
    if unknown := {call.tool for calls in line.calls for call in calls} - TOOLS.keys():
        raise BadInput(f"line {number}: there is no tool {', '.join(sorted(unknown))}", f"there are {', '.join(TOOLS)}")
    if not (line.calls or line.question or line.sql):
        raise BadInput(f"line {number}: nothing is expected of {line.id}", "give calls, question or sql")
    return line


async def wanted(house: House, line: Line, context: Context) -> list[list[Wanted]]:
    """What each alternative brings, made now, for this client, of this conversation."""
    caller, hands = await caller_of(house, line, context)
    found = [
        [await _brings(caller, hands, call.tool, filled(call.args, context)) for call in calls] for calls in line.calls
    ]
    if line.sql:
        rows = await house.database.fence.ask(line.client, line.sql, caller.time_zone)
        found.append([_table(Wanted(tool=ANALYSIS, content=msgspec.to_builtins(rows)), line, Question())])
    for question in line.questions:
        call = await asking(caller, hands, question)
        found.append([_table(await _brings(caller, hands, call.name, call.args), line, question)])
    return found


def _table(wanted: Wanted, line: Line, asked: Question) -> Wanted:
    rows = wanted.content.get("rows", ())
    return replace(
        wanted,
        columns=line.columns,
        ordered=line.ordered,
        open=bool(asked.direction and not asked.limit),
        apart=len(asked.spans) > 1 or (len(rows) == 1 and len(rows[0]) > 1),
    )


async def _brings(caller: Caller, hands: Hands, tool: str, args: dict[str, Any]) -> Wanted:
    """Arguments that don't fit are the file's mistake. Raises BadInput."""
    result = await TOOLS[tool](caller, hands, args)
    content = msgspec.json.decode(msgspec.json.encode(result.content))
    counted = args.get("limit") == 0 or bool(args.get("count_only"))
    return Wanted(tool=tool, content=content, args=args, exact="limit" in args, counted=counted)


async def asking(caller: Caller, hands: Hands, question: Question) -> ToolCall:
    """The call that the planner by rule makes of a question."""
    own = question.about == "me"
    reading = Reading(
        language=caller.language, intent="own_data" if own else "statistics", tool=ANALYSIS, question=question
    )
    known = Known(
        reading=reading,
        context=Context(),
        language=caller.language,
        breweries={name: await hands.bought_as(name) for name in breweries_in(reading)},
        today=caller.today,
        currency=caller.currency,
    )
    calls = reply(known, Request(system="", messages=(), tools=tuple(tool.spec for tool in TOOLS.values()))).tool_calls
    if not calls:
        raise BadInput("no call answers the question", "give its sql instead")
    return calls[0]


async def caller_of(house: House, line: Line, context: Context) -> tuple[Caller, Hands]:
    database = house.database
    row = await database.as_client(line.client).fetchrow("clients.who")
    if row is None:
        raise BadInput(f"there is no client {line.client}", "load the clients that the file names; `demo` has some")
    zone = row["time_zone"] or house.settings.time_zone
    caller = Caller(
        client_id=line.client,
        name=row["name"],
        home=Place(city=row["city"], state=row["state"], country=row["country"]),
        language=line.lang,
        today=clock.today(zone),
        time_zone=zone,
        currency=house.settings.currency,
        shown=tuple(dict.fromkeys((*context.shown, *context.told))),
    )
    hands = Hands(
        database.for_tools(line.client),
        database.fence,
        database.statistics,
        house.catalogue.now,
        profiles=house.profiles,
    )
    return caller, hands


def filled(args: dict[str, Any], context: Context) -> dict[str, Any]:
    return {name: _fill(value, context) for name, value in args.items()}


def _fill(value: Any, context: Context) -> Any:
    if isinstance(value, list):
        return [_fill(each, context) for each in value]
    if not (isinstance(value, str) and value.startswith("$")):
        return value
    try:
        number = int(value[1:])
        return context.shown[number - 1 if number > 0 else number].id
    except (ValueError, IndexError):
        why = f"{value} is none of the {len(context.shown)} breweries that the conversation has shown"
        raise BadInput(why, "$1 is the first, $-1 the last") from None
