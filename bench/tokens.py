"""Tokens a question, by kind, beside the prototype's way, on the conversations of tests/evals/planner.jsonl with a model that makes the
fitting calls: `python -m bench.tokens [--data FOLDER]`, on demo clients (`beerforyou demo --once`). No model is asked.

A token is taken for four characters of what is sent as JSON, the rule of thumb that OpenAI publishes; both ways are counted by it, so
that the ratio hardly depends on it. The prototype's system prompt had 11.5 kB, and went along on each of up to ten calls. How many
they were is not known: here they are as few as can be (one for each tool, one after the other, and one for the answer; for a
recommendation it read the profile first; small talk was a call, too), and ten.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import uvloop
from rich.console import Console
from rich.table import Table

from beerforyou import settings
from beerforyou.cli.expected import Line, asking, caller_of, chosen, filled
from beerforyou.cli.planners import beside, walked
from beerforyou.cli.walking import context_of
from beerforyou.house import House, opened
from beerforyou.llm.connect import OFFLINE
from beerforyou.llm.model import Reply, Request, TextPart, ToolCall
from beerforyou.runs.run import Run
from beerforyou.settings import Settings
from beerforyou.tools import TOOLS

CHARS_A_TOKEN = 4  # https://help.openai.com/en/articles/4936856-what-are-tokens-and-how-to-count-them
PROTOTYPE_SYSTEM = 11_500  # characters
MOST_CALLS = 10
PROTOTYPE = ("prototype", "ten calls")
PROFILE = 800  # characters of the profile that it carried by hand into a search
SET = Path(__file__).parents[1] / "tests/evals/planner.jsonl"
NOT_SENT = {"paid", "left", "tool_choice", "max_output_tokens", "temperature", "grounded"}
SQL = "run_sql" if "run_sql" in TOOLS else "run_analytical_query"
WAYS: dict[str, dict[str, Any]] = {
    "model plans": {"sure_reading_plans": False},
    "sure, words=model": {"sure_reading_plans": True, "words": "model"},
    "sure, words=prepared": {"sure_reading_plans": True, "words": "prepared"},
}


class Fitting:
    """Makes the fitting calls, then says the sentence; counts what it read and wrote, in characters."""

    name = "fitting:"

    def __init__(self, calls: Sequence[ToolCall], sentence: str) -> None:
        self._calls, self._sentence = tuple(calls), sentence
        self.read, self.wrote, self.asked = 0, 0, 0

    async def generate(self, request: Request, on_text: Callable[[str], None] | None = None) -> Reply:
        sent = [getattr(request, name) for name in request.__struct_fields__ if name not in NOT_SENT]
        plans = self._calls and not self.asked and request.tool_choice != "none"
        parts = self._calls if plans else (TextPart(self._sentence),)
        self.read, self.wrote, self.asked = self.read + _size(sent), self.wrote + _size(parts), self.asked + 1
        return Reply(parts=parts, model="fitting-1")

    async def close(self) -> None: ...


class Counted(NamedTuple):
    """Characters of input and output, and model calls."""

    read: int = 0
    wrote: int = 0
    asked: int = 0

    @property
    def tokens(self) -> float:
        return (self.read + self.wrote) / CHARS_A_TOKEN


def _size(value: Any) -> int:
    return len(msgspec.json.encode(value).decode())


async def counted(house: House, line: Line) -> dict[str, Counted]:
    """Each way to answer the line's last turn."""
    async with beside(house, None) as by_rule:
        sentence = await _sentence(by_rule, line)
        ways = dict(zip(PROTOTYPE, await _prototype(by_rule, line, sentence), strict=True))
        for name, changed in WAYS.items():
            if changed.keys() <= set(Settings.__struct_fields__) or name == "model plans":
                known = {key: value for key, value in changed.items() if key in Settings.__struct_fields__}
                ways[name] = await _ours(house, by_rule, line, sentence, known)
    return ways


async def _ours(house: House, by_rule: House, line: Line, sentence: str, changed: dict[str, Any]) -> Counted:
    conversation, _ = await _begun(by_rule, line)
    model = Fitting(await _calls(by_rule, line, conversation), sentence)
    async with beside(house, model, **changed) as measured:
        await walked(measured, line.client, line.turns[-1], conversation)
    return Counted(model.read, model.wrote, model.asked)


async def _prototype(by_rule: House, line: Line, sentence: str) -> tuple[Counted, Counted]:
    """With as few calls as there can be, and with ten. What it had said before, the message and the results so far go along each time."""
    conversation, answers = await _begun(by_rule, line)
    said = sum(map(len, [*line.turns, *answers]))
    calls = await _calls(by_rule, line, conversation)
    sizes = [(_size(call), len(await _result(by_rule, line, conversation, call))) for call in calls]
    if any(call.args.get("only_new") for call in calls):
        sizes.insert(0, (_size(ToolCall("p", "get_client_profile", {})), PROFILE))
    read = [PROTOTYPE_SYSTEM + said + sum(map(sum, sizes[:number])) for number in range(MOST_CALLS)]
    wrote = sum(size for size, _ in sizes) + len(sentence)
    fewest = len(sizes) + 1
    return Counted(sum(read[:fewest]), wrote, fewest), Counted(sum(read), wrote, MOST_CALLS)


async def _result(house: House, line: Line, conversation: UUID | None, call: ToolCall) -> str:
    caller, hands = await caller_of(house, line, await context_of(house, line.client, conversation))
    result = await TOOLS[call.name](caller, hands, call.args)
    return msgspec.json.encode(result.content).decode()


async def _begun(by_rule: House, line: Line) -> tuple[UUID | None, list[str]]:
    """The conversation before its last turn, and what was answered so far, blocks included."""
    conversation, answers = None, []
    for turn in line.turns[:-1]:
        conversation, run = await walked(by_rule, line.client, turn, conversation)
        answers.append(run.text or "")
    return conversation, answers


async def _sentence(by_rule: House, line: Line) -> str:
    conversation, _ = await _begun(by_rule, line)
    _, run = await walked(by_rule, line.client, line.turns[-1], conversation)
    return _text(run)


def _text(run: Run) -> str:
    return " ".join(block.text for block in run.blocks if hasattr(block, "text"))


async def _calls(house: House, line: Line, conversation: UUID | None) -> list[ToolCall]:
    context = await context_of(house, line.client, conversation)
    if line.calls:
        return [ToolCall(f"c{n}", call.tool, filled(call.args, context)) for n, call in enumerate(line.calls[0])]
    if line.sql:
        return [ToolCall("c0", SQL, {"sql": line.sql})]
    return [await asking(*await caller_of(house, line, context), line.questions[0])]


def _table(found: list[tuple[Line, dict[str, Counted]]]) -> Table:
    names = list(found[0][1])
    ours = [name for name in names if name not in PROTOTYPE]
    table = Table(
        "kind",
        "n",
        *names,
        *(f"{name}, % of {of}" for of in PROTOTYPE for name in ours),
        *(f"calls, {name}" for name in ours),
    )
    kinds: dict[str, list[dict[str, Counted]]] = defaultdict(list)
    for line, ways in found:
        kinds[line.kind].append(ways)
        kinds["all"].append(ways)
    for kind in sorted(kinds, key=lambda kind: (kind == "all", kind)):
        each = kinds[kind]
        mean = {name: sum(ways[name].tokens for ways in each) / len(each) for name in names}
        shares = (f"{100 * mean[name] / mean[of]:.1f}" for of in PROTOTYPE for name in ours)
        asked = (f"{sum(ways[name].asked for ways in each) / len(each):.2f}" for name in ours)
        table.add_row(kind, str(len(each)), *(f"{mean[name]:.0f}" for name in names), *shares, *asked)
    return table


async def main(data: Path | None, lines: list[Line]) -> None:
    ours = settings.load(data=data, model=OFFLINE, fallback_models="", shadow_share="0")
    async with opened(ours) as house:
        found = [(line, await counted(house, line)) for line in lines]
    Console(width=200).print(_table(found))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--file", type=Path, default=SET)
    given = parser.parse_args()
    uvloop.run(
        main(given.data, chosen([json.loads(text) for text in given.file.read_text("utf-8").splitlines()], None))
    )
