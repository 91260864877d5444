"""The planner: a loop of ours around one model, at most five calls, tools in parallel, every step in the ledger.

What a loop of ours owes is here: wrong arguments go back to the model, tools have a time limit, a reply without sense
is asked for once more, a repeated call ends the calling, nothing that costs money runs without the client's yes, and
what an earlier worker finished is not done again.
"""

from __future__ import annotations

import asyncio
import logging
import time

import msgspec
from msgspec.structs import replace

from beerforyou import prompts
from beerforyou.answering.composing import compose, failed
from beerforyou.answering.decisions import decide
from beerforyou.answering.journal import Cancelled, Superseded
from beerforyou.answering.ledger import Result, call_key, model_step, tool_step
from beerforyou.answering.turn import Answer, Turn
from beerforyou.db.turns import WorkLimit
from beerforyou.errors import BadInput
from beerforyou.llm.model import Message, Reply, Request, Text, ToolCall, ToolResult
from beerforyou.messages import say
from beerforyou.messages.presentable import everywhere, line
from beerforyou.tools import TOOLS
from beerforyou.tools.tool import Outcome

log = logging.getLogger(__name__)

ASK_FIRST = "not called: it costs money, so offer it and wait for the client's yes"
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
        self._repeats = False

    async def walk(self) -> Answer:
        limit = self.turn.settings.max_iterations
        for iteration in range(1, limit + 1):
            reply = await self._think(talk_only=self._repeats or iteration == limit)
            if reply.tool_calls and iteration < limit:
                results = await asyncio.gather(*(self._call(call) for call in reply.tool_calls))
                self.messages += [Message("model", reply.parts), Message("tool", tuple(results))]
            elif reply.text.strip() or _speaks_through_blocks(reply):
                return compose(self.turn, reply, self.outcomes)
        # Five replies without a sentence: what the tools brought is still worth showing.
        gave_up = Reply(parts=(Text(say("error.gave_up", self.turn.language)),))
        return compose(self.turn, gave_up, self.outcomes) if self.outcomes else failed(self.turn, "error_model")

    async def _think(self, talk_only: bool) -> Reply:
        reply = self.turn.ledger.reply() or await self._ask(talk_only)
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
        )
        started = time.perf_counter()
        turn.journal.go_on()  # with no await between this and the call
        reply = await turn.model.generate(request, turn.journal.say)
        turn.journal.end_of_text()
        asked = {"messages": len(self.messages), "tool_choice": request.tool_choice}
        await turn.journal.step(model_step(reply, turn.model.name, asked, _since(started)))
        return reply

    async def _call(self, call: ToolCall) -> ToolResult:
        self.calls.append(call)
        key = call_key(call.name, call.args)
        if key in self._made:
            self._repeats = True
            earlier = await self._made[key]
            return ToolResult(call.id, call.name, {"note": AGAIN, "result": earlier.content})
        self._made[key] = asyncio.ensure_future(self._made_once(call))
        result = await self._made[key]
        return ToolResult(call.id, call.name, result.content, result.outcome is None)

    async def _made_once(self, call: ToolCall) -> Result:
        """What the tool brings; the step is in the ledger by then."""
        result = self.turn.ledger.result(call) or await self._run_and_record(call)
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
        result = Result(outcome.content if outcome else {"error": line(error)}, outcome)
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


def _speaks_through_blocks(reply: Reply) -> bool:
    """No text, and none missing: a notice of the tools says it all, or the model was stopped."""
    return not reply.tool_calls and reply.finish in ("stop", "length", "safety")


def _since(started: float) -> float:
    return (time.perf_counter() - started) * 1000
