"""The model server of the benchmark: plays `bench.kinds` in the words of Gemini and OpenAI with as little CPU as it can.

    python -m bench.model_server.lean [--port N] [--model-time 5 | 5:30]

The time of a run is spread over its calls and the pieces of its answer. `POST /script` changes it, or holds all calls back;
`GET /state` tells how many wait, and how long the model took for each run.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import math
from collections import defaultdict
from collections.abc import Callable
from statistics import NormalDist
from typing import Any, cast

import httptools
import msgspec
import uvloop

from beerforyou.llm.model import Reply, TextPart, ToolCall
from beerforyou.usage import Usage
from bench.kinds import ANSWER, CALLS, KINDS, MARK, calls
from bench.model_server.gemini import Gemini
from bench.model_server.openai_chat import OpenAIChat
from bench.model_server.openai_responses import OpenAIResponses
from bench.model_server.script import Ask, Wire

EARLY = 0.2  # share of the model's time that a call which ends in a tool takes; the answer takes what is left
SILENT = 0.25  # share of the answer's time until its first piece
STREAMED = (b"streamGenerateContent", b'"stream":true', b'"stream": true')  # in the address or the body
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
How = Callable[[Wire, Reply], tuple[bytes, ...]]
# By which path which wire is asked, and what each tool result has in its request.
WIRES: tuple[tuple[bytes, Wire, bytes], ...] = (
    (b"streamGenerateContent", Gemini(), b'"functionResponse"'),
    (b"generateContent", Gemini(), b'"functionResponse"'),
    (b"/chat/completions", OpenAIChat(), b'"tool_call_id"'),
    (b"/responses", OpenAIResponses(), b'"function_call_output"'),
)
P95 = NormalDist().inv_cdf(0.95)
GOLDEN = 0.6180339887  # its multiples, modulo one, lie evenly


class Script(msgspec.Struct):
    """`model_time`: seconds a run, none, fixed, or a lognormal's 5th and 95th percentiles. `hold`: nobody is answered."""

    model_time: list[float] = []
    hold: bool = False

    def seconds(self, number: int) -> float:
        if len(self.model_time) < 2:
            return self.model_time[0] if self.model_time else 0.0
        low, high = map(math.log, self.model_time)
        drawn = NormalDist().inv_cdf((number * GOLDEN + 0.5) % 1)
        return math.exp((low + high) / 2 + drawn * (high - low) / 2 / P95)


class State(msgspec.Struct):
    """`seconds` by run's number, while somebody was waiting for the model."""

    waiting: int = 0
    calls: int = 0
    seconds: dict[int, float] = {}


class Playing:
    """What all connections share."""

    def __init__(self, model_time: list[float]) -> None:
        self.script, self.state = Script(model_time), State(seconds=defaultdict(float))
        self.held: list[Callable[[], None]] = []
        last = Reply(parts=(TextPart("\n".join(ANSWER)),), usage=Usage(1900, 400))
        self._answers = {(wire.name, how): how(wire, last) for _, wire, _ in WIRES for how in (_chunks, _whole)}

    def change(self, script: Script) -> None:
        self.script = script
        if not script.hold:
            held, self.held, self.state.waiting = self.held, [], 0
            for answer in held:
                answer()

    def chunks(self, wire: Wire, how: How, kind: str, number: int, turn: int) -> tuple[bytes, ...]:
        """What is written one after the other, the head first."""
        if turn >= CALLS - 1:
            return self._answers[wire.name, how]
        call = calls(kind, number)[turn]
        return how(wire, Reply(parts=(ToolCall(f"c{turn}", call.tool, call.args),), usage=Usage(1150, 25, cached=900)))


class Connection(asyncio.Protocol):
    def __init__(self, playing: Playing) -> None:
        self._playing, self._loop = playing, asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._body: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by its class

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._url = url

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        body = b"".join(self._body)
        self._body.clear()
        if self._url == b"/state":
            return self._reply(msgspec.json.encode(self._playing.state))
        if self._url == b"/script":
            self._playing.change(msgspec.json.decode(body, type=Script))
            return self._reply(b"{}")
        for path, wire, result in WIRES:
            if path in self._url:
                return self._answer(wire, body, result)
        self._transport.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

    def _reply(self, body: bytes) -> None:
        self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))  # fmt: skip

    def _answer(self, wire: Wire, body: bytes, result: bytes) -> None:
        marked = body.rfind(MARK) + len(MARK)
        kind, number = KINDS[body[marked] - 48], int(body[marked + 1 : marked + 7])
        asked = body.find(body[marked - len(MARK) : marked + 7])  # the question, which comes again behind the results
        turn = body.count(result, asked)  # of this run: some bring the tool results of earlier ones along
        self._playing.state.calls += 1
        how = _chunks if any(mark in self._url or mark in body for mark in STREAMED) else _whole
        begun, chunks = self._loop.time(), self._playing.chunks(wire, how, kind, number, turn)

        def begin() -> None:
            last = turn >= CALLS - 1
            seconds = self._playing.script.seconds(number) * (1 - (CALLS - 1) * EARLY if last else EARLY)
            pieces = len(chunks) - 2  # without the head and the end
            silent = seconds * (SILENT if pieces > 1 else 1)
            pause = (seconds - silent) / max(1, pieces - 1)
            self._after(silent, self._write, chunks, 1, pause, number, begun)

        if self._playing.script.hold:
            self._playing.held.append(begin)
            self._playing.state.waiting += 1
        else:
            begin()

    def _after(self, seconds: float, then: Callable[..., None], *args: Any) -> None:
        self._loop.call_later(seconds, then, *args) if seconds else self._loop.call_soon(then, *args)

    def _write(self, chunks: tuple[bytes, ...], place: int, pause: float, number: int, begun: float) -> None:
        """Each piece is a packet of its own; the head goes with the first, the end with the last."""
        if self._transport.is_closing():
            return
        last = place == len(chunks) - 2
        self._transport.write((chunks[0] if place == 1 else b"") + chunks[place] + (chunks[-1] if last else b""))
        if last:
            self._playing.state.seconds[number] += self._loop.time() - begun
        else:
            self._after(pause, self._write, chunks, place + 1, pause, number, begun)


def _chunks(wire: Wire, reply: Reply) -> tuple[bytes, ...]:
    """A head, the events of the wire as chunks of HTTP, and the end. It makes an event of each line: blanks again, once they are made."""
    ask = Ask(wire, "simulated", True, "", {}, {"stream_options": {"include_usage": True}})
    return HEAD, *(b"%x\r\n%s\r\n" % (len(event), event) for event in _events(wire, reply, ask)), b"0\r\n\r\n"


def _whole(wire: Wire, reply: Reply) -> tuple[bytes, ...]:
    body = wire.whole(reply, Ask(wire, "simulated", False, "", {}, {}))
    return WHOLE % len(body), body, b""


def _events(wire: Wire, reply: Reply, ask: Ask) -> list[bytes]:
    return [event.replace(rb" \n", b" ") for event in wire.events(reply, ask)]


async def serve(port: int, model_time: list[float]) -> None:
    playing = Playing(model_time)
    server = await asyncio.get_running_loop().create_server(
        lambda: Connection(playing), "127.0.0.1", port, backlog=4096
    )
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await asyncio.Event().wait()


def seconds(text: str) -> list[float]:
    """ "" none, "5" fixed, "5:30" lognormal."""
    return [float(part) for part in text.split(":") if part]


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.model_server.lean", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="default: a free one")
    parser.add_argument("--model-time", type=seconds, default=[], help="seconds a run: 5, or 5:30 for a lognormal")
    options = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(serve(options.port, options.model_time))


if __name__ == "__main__":
    main()
