"""The planner: a loop of ours around one model, at most five calls, a few tools at a time, every step in the ledger.

What a loop of ours owes is here: wrong arguments go back to the model, tools have a time limit, too many calls or a
repeated one end the calling, nothing that costs money runs without the client's yes, what is said beside a call is not
the answer, and what an earlier worker finished is not done again. `llm/` asks again where a reply makes no sense.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

import msgspec
from msgspec.structs import replace

from beerforyou import prompts
from beerforyou.answering.composing import compose, failed
from beerforyou.answering.decisions import decide
from beerforyou.answering.ledger import Result, call_key, model_step, tool_step
from beerforyou.answering.turn import Answer, Turn
from beerforyou.db.turns import WorkLimit
from beerforyou.errors import BadInput
from beerforyou.guards.outgoing import everywhere, line
from beerforyou.llm.calls import NOT_MADE
from beerforyou.llm.model import Message, Reply, Request, Text, ToolCall, ToolResult
from beerforyou.llm.settling import settled
from beerforyou.runs.journal import Cancelled, Superseded
from beerforyou.sentences import say
from beerforyou.tools import TOOLS
from beerforyou.tools.tool import Outcome

log = logging.getLogger(__name__)

ASK_FIRST = "not called: it costs money, so offer it and wait for the client's yes"
MOST_CALLS = 20  # of a run: two replies with as many as one may have; the answer shows no more
SHARE = 4  # one run uses at most this part of the tools' connections, so that others find some
LONGEST_WHY = 300  # characters of what a model is told when a call fails
ENOUGH = f"not called: a run makes {MOST_CALLS} calls, and this one has made them; answer with what you have"
AGAIN = "this call was made before, with the same result; answer with what you have"


async def plan(turn: Turn) -> Answer:
    walk = _Walk(turn)
    answer = await walk.walk()
    turn.decisions = decide(turn.read(), walk.calls, walk.refused, walk.tools)
    return answer


class _Walk:
    """The state of one planning: the conversation as the model sees it, what tools brought, what was called."""

    def __init__(self, turn: Turn) -> None:
        self.turn = turn
        # A tool whose scope the caller lacks does not exist for this run.
        self.tools = {name: tool for name, tool in TOOLS.items() if tool.scope in turn.caller.scopes}
        self.messages = [*turn.history, Message("user", (Text(turn.text),))]
        self.outcomes: list[Outcome] = []
        self.calls: list[ToolCall] = []
        self.refused: dict[str, str] = {}
        self._made: dict[bytes, asyncio.Future[Result]] = {}
        self._talk_only = False
        self._share = asyncio.Semaphore(max(1, turn.settings.database_pool // SHARE))
        self._left: set[str] = set()
        self._asked: dict[str, Any] = {}
        self._asked_at = 0.0

    async def walk(self) -> Answer:
        limit = self.turn.settings.max_iterations
        for iteration in range(1, limit + 1):
            reply = await self._think(talk_only=self._talk_only or iteration == limit)
            if reply.void:
                continue
            if not reply.tool_calls:
                return compose(self.turn, reply, self.outcomes)
            results = await asyncio.gather(*(self._call(call) for call in reply.tool_calls))
            self.messages += [Message("model", reply.parts), Message("tool", tuple(results))]
        # Five replies without an answer: what the tools brought is still worth showing.
        gave_up = Reply(parts=(Text(say("error.gave_up", self.turn.language)),))
        return compose(self.turn, gave_up, self.outcomes) if self.outcomes else failed(self.turn, "error_model")

    async def _think(self, talk_only: bool) -> Reply:
        while (earlier := self.turn.ledger.reply()) and earlier.void:
            self.turn.usage += earlier.usage
        reply = earlier or await self._ask(talk_only)
        self.turn.usage += reply.usage
        self.turn.fell_back = self.turn.fell_back or reply.fallback
        return reply

    async def _ask(self, talk_only: bool) -> Reply:
        turn = self.turn
        request = Request(
            system=prompts.SYSTEM,
            reminder=prompts.reminder(turn.today, turn.language),
            messages=tuple(self.messages),
            tools=tuple(tool.spec for tool in self.tools.values()),
            tool_choice="none" if talk_only else "auto",
            max_output_tokens=turn.settings.max_output_tokens,
            facts=await turn.facts(),
            permit=turn.journal.go_on,
            paid=self._pay,
            left=self._left,
        )
        self._asked = {"messages": len(self.messages), "tool_choice": request.tool_choice}
        self._asked_at = time.perf_counter()
        turn.journal.go_on()  # with no await between this and the call
        # A call may come after any text: only where none can come is it known at once that the text is the answer.
        heard = turn.speaking.say if talk_only else turn.speaking.hold_back
        reply = settled(await turn.model.generate(request, heard), request)
        self._speak(reply, heard=talk_only)
        await self._record(reply)
        return reply

    def _speak(self, reply: Reply, heard: bool) -> None:
        speaking = self.turn.speaking
        if reply.void or reply.tool_calls:
            return speaking.begin_again()
        if not heard:
            speaking.say(reply.text)
        speaking.end_of_text()

    async def _pay(self, void: Reply) -> None:
        self.turn.usage += void.usage
        await self._record(void)

    async def _record(self, reply: Reply) -> None:
        step = model_step(reply, self.turn.model.name, self._asked, _since(self._asked_at))
        self._asked_at = time.perf_counter()
        await self.turn.journal.step(step)

    async def _call(self, call: ToolCall) -> ToolResult:
        if NOT_MADE in call.args:
            return ToolResult(call.id, call.name, {"error": call.args[NOT_MADE]}, is_error=True)
        self.calls.append(call)
        key = call_key(call.name, call.args)
        if key in self._made:
            self._talk_only = True
            earlier = await self._made[key]
            return ToolResult(call.id, call.name, {"note": AGAIN, "result": earlier.content})
        if len(self._made) >= MOST_CALLS:
            self._talk_only = True
            return ToolResult(call.id, call.name, {"error": ENOUGH}, is_error=True)
        self._made[key] = asyncio.ensure_future(self._made_once(call))
        result = await self._made[key]
        return ToolResult(call.id, call.name, result.content, result.outcome is None)

    async def _made_once(self, call: ToolCall) -> Result:
        """What the tool brings; the step is in the ledger by then."""
        result = self.turn.ledger.result(call)
        if result is None:
            async with self._share:
                result = await self._run_and_record(call)
        if result.outcome:
            self.outcomes.append(result.outcome)
        elif result.content == {"error": ASK_FIRST}:
            self.refused[call.name] = ASK_FIRST
        return result

    async def _run_and_record(self, call: ToolCall) -> Result:
        self.turn.journal.go_on()
        self.turn.journal.emit("tool_started", name=call.name, args=call.args)
        started = time.perf_counter()
        outcome, error = await self._run(call)
        if outcome:
            outcome = everywhere(replace(outcome, content=msgspec.to_builtins(outcome.content)))
        result = Result(outcome.content if outcome else {"error": line(error[:LONGEST_WHY])}, outcome)
        self.turn.journal.emit("tool_finished", name=call.name, ok=outcome is not None)
        await self.turn.journal.step(tool_step(call, result, _since(started)))
        return result

    async def _run(self, call: ToolCall) -> tuple[Outcome | None, str]:
        """The tool's outcome, or one line that the model can act on."""
        tool = self.tools.get(call.name)
        if tool is None:
            return None, f"there is no tool {call.name}; there are {', '.join(self.tools) or 'none'}"
        if tool.paid and not self.turn.caller.agrees_to(str(call.args.get("brewery", ""))):
            return None, ASK_FIRST
        try:
            async with WorkLimit(self.turn.settings.tool_timeout_s):
                return await tool(self.turn.caller, call.args), ""
        except BadInput as error:
            return None, f"{error.message}; {error.hint}"
        except TimeoutError:
            return None, f"{call.name} took too long"
        except (Superseded, Cancelled):
            raise
        except Exception:  # the model can still answer without it
            log.exception("run %s: %s failed", self.turn.run_id, call.name)
            return None, f"{call.name} is not available right now"


def _since(started: float) -> float:
    return (time.perf_counter() - started) * 1000
