"""What the processes call from outside: a model, a tool and a receiver of webhooks, all of which count; and who says at
which place the next process dies.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator

import msgspec
import standardwebhooks
from aiohttp import web

from beerforyou.llm.model import Content, Reply, TextPart, ToolCall, ToolResult
from beerforyou.usage import Usage
from bench.model_server.gemini import Gemini
from bench.model_server.script import Ask
from tests.processes.mortal import PLACES

MARKER = re.compile(r"chaos \d{5}")
MODEL_S = (0.05, 0.3)
PAUSE_S = (0.0, 0.03)  # between the parts of a reply
PIECE = 100  # bytes of a part, where it is not streamed by events
REFUSED = 0.1  # share of the messages that the receiver answers with 500, once


class Reaper:
    """One place after the other; at each, the next run that comes by takes its process with it. No run does it twice."""

    def __init__(self, pace_s: float, calm: Callable[[], bool]) -> None:
        self.deaths = Counter(dict.fromkeys(PLACES, 0))
        self._pace_s, self._calm = pace_s, calm
        self._places, self._next = list(PLACES), 0.0
        self._victims: set[str] = set()

    def wants(self, place: str, who: str) -> bool:
        now = time.monotonic()
        if place != self._places[0] or who in self._victims or now < self._next or not self._calm():
            return False
        self._places.append(self._places.pop(0))
        self._victims.add(who)
        self._next = now + self._pace_s
        self.deaths[place] += 1
        return True

    @property
    def everywhere(self) -> bool:
        return all(self.deaths.values())


class Hook(msgspec.Struct):
    """One receiver. `ids` are the ids under which each run came, `bodies` what it said."""

    client: str
    webhook_id: str
    secret: str
    ids: defaultdict[str, set[str]] = msgspec.field(default_factory=lambda: defaultdict(set))
    bodies: defaultdict[str, set[bytes]] = msgspec.field(default_factory=lambda: defaultdict(set))
    confirmed: set[str] = msgspec.field(default_factory=set)


class Counters:
    """`calls[marker, seq]` are the times at which a call for that step of the run arrived, by the machine's clock; `replies`
    is how many of them got all of their reply.
    """

    def __init__(self, reaper: Reaper, seed: int) -> None:
        self.calls: defaultdict[tuple[str, int], list[float]] = defaultdict(list)
        self.replies: Counter[tuple[str, int]] = Counter()
        self.hooks: dict[str, Hook] = {}
        self.forged = self.refused = self.attempts = 0
        self._reaper, self._random, self._wire = reaper, random.Random(seed), Gemini()

    async def __aenter__(self) -> Counters:
        app = web.Application(client_max_size=2**24)
        app.router.add_post(r"/v1beta/models/{model}:{verb:generateContent|streamGenerateContent}", self._model)
        app.router.add_post("/tool", self._tool)
        app.router.add_get("/die", self._die)
        app.router.add_post("/hooks/{name}", self._hook)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _model(self, request: web.Request) -> web.StreamResponse:
        arrived, body = time.time(), msgspec.json.decode(await request.read())
        streamed = request.match_info["verb"] == "streamGenerateContent"
        ask = Ask(self._wire, request.match_info["model"], streamed, request.path_qs, {}, body)
        marker, turn = _asked(ask.messages)
        self.calls[marker, 2 * turn + 1].append(arrived)
        await asyncio.sleep(self._random.uniform(*MODEL_S))
        kind = "text/event-stream" if streamed else "application/json"
        response = web.StreamResponse(headers={"Content-Type": kind})
        with contextlib.suppress(ConnectionError):  # who asked is dead
            await response.prepare(request)
            reply = _reply(marker, turn)
            for piece in self._wire.events(reply, ask) if streamed else _in_pieces(self._wire.whole(reply, ask)):
                await response.write(piece)
                await asyncio.sleep(self._random.uniform(*PAUSE_S))
            await response.write_eof()
            self.replies[marker, 2 * turn + 1] += 1
        return response

    async def _tool(self, request: web.Request) -> web.Response:
        self.calls[request.query["marker"], 2].append(time.time())
        self.replies[request.query["marker"], 2] += 1
        return web.Response()

    async def _die(self, request: web.Request) -> web.Response:
        wanted = self._reaper.wants(request.query["place"], request.query["who"])
        return web.Response(text="yes" if wanted else "no")

    async def _hook(self, request: web.Request) -> web.Response:
        self.attempts += 1
        hook, body = self.hooks[request.match_info["name"]], await request.read()
        try:
            run = standardwebhooks.Webhook(hook.secret).verify(body, dict(request.headers))["data"]
        except standardwebhooks.WebhookVerificationError:
            self.forged += 1
            return web.Response(status=400)
        first = run["run_id"] not in hook.ids
        hook.ids[run["run_id"]].add(request.headers["webhook-id"])
        hook.bodies[run["run_id"]].add(body)
        if first and self._random.random() < REFUSED:
            self.refused += 1
            return web.Response(status=500)
        hook.confirmed.add(run["run_id"])
        return web.Response()


def _in_pieces(reply: bytes) -> Iterator[bytes]:
    return (reply[start : start + PIECE] for start in range(0, len(reply), PIECE))


def _asked(messages: tuple[Content, ...]) -> tuple[str, int]:
    """Which run asks, and how many tool results it has: a conversation's earlier turns are told without theirs."""
    parts = [part for message in messages for part in message.parts]
    said = [part.text for part in parts if isinstance(part, TextPart)]
    return MARKER.findall("\n".join(said))[-1], sum(isinstance(part, ToolResult) for part in parts)


def _reply(marker: str, turn: int) -> Reply:
    calls = (
        ToolCall("a", "count_cellar", {"marker": marker}),
        ToolCall("b", "search_breweries", {"city": "Denver"}),
        ToolCall("c", "ask_cellarer", {}),
    )
    last = TextPart(f"The cellar of {marker} holds 12 bottles.\nThere is more in Denver.\nCheers!")
    return Reply(parts=(calls[turn] if turn < len(calls) else last,), usage=Usage(input=100, output=10))
