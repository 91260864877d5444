"""The load generator, a process of its own: `Job` on its standard input, `Told` on its standard output, both JSON.

Closed loop: so many people, each with the next message as soon as the last one is answered. Open loop: messages arrive at a
rate, at random, whatever becomes of them. A conversation has so many turns; the next message belongs to one that waits for
its next turn as often as that says, else to a new one of another client.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections import Counter, deque
from typing import Any, Literal, NamedTuple
from uuid import UUID

import msgspec
import uvloop

from bench.kinds import CANNED, message
from bench.talking import Line, Lines

Follow = Literal["stream", "sse", "poll", "webhook"]
LOOKS_S = (1.0, 2.0, 4.0, 8.0, 16.0)  # between two looks of one who polls; the last one again and again
AGAIN_S = 1.0  # after a refusal, or a stream that was cut
PATIENCE_S = 900.0  # for one run
TRIES = 20


class Job(msgspec.Struct):
    """`clients` with their tokens. `rate` a second, 0: closed loop of `at_once`. Runs are numbered from `first` on."""

    urls: list[str]
    clients: list[tuple[str, str]]
    kind: str
    first: int
    runs: int
    at_once: int = 1
    rate: float = 0.0
    even: bool = False
    turns: int = 3
    follow: Follow = "stream"
    model_urls: list[str] = []
    lines: int = 0
    seed: int = 1
    reuse: list[tuple[int, str]] = []


class Percentiles(NamedTuple):
    p50: float
    p95: float
    p99: float


class Told(msgspec.Struct):
    """Times in milliseconds; `added` is all that was not the model. `followed` how, after what the server offered."""

    runs: int
    seconds: float
    accept: Percentiles
    whole: Percentiles
    added: Percentiles
    outcomes: dict[str, int]
    refusals: dict[str, int]
    cut: int
    followed: str
    cpu_s: float
    conversations: int


class Ended(NamedTuple):
    number: int
    accepted_s: float
    whole_s: float


class Talk(msgspec.Struct):
    """A conversation: whose it is by its place in the job, its id once it has one, turns so far."""

    who: int
    id: str = ""
    turns: int = 0


class Load:
    def __init__(self, job: Job) -> None:
        self._job, self._random = job, random.Random(job.seed)
        most = job.lines or (256 if job.follow in ("poll", "webhook") else 1_000_000)
        self._lines = [Lines(url, most) for url in job.urls]
        self._waiting: deque[Talk] = deque()
        self._next_who = self._conversations = 0
        self.ended: list[Ended] = []
        self.outcomes, self.refusals = Counter[str](), Counter[str]()
        self.cut = 0
        self.followed: str = job.follow
        self._hooks: dict[str, asyncio.Future[str]] = {}

    async def run(self) -> float:
        """The seconds from the first message to the last answer."""
        if self._job.follow == "webhook":
            await self._listen()
        begun = time.perf_counter()
        await (self._open() if self._job.rate else self._closed())
        return time.perf_counter() - begun

    async def _closed(self) -> None:
        numbers = iter(range(self._job.first, self._job.first + self._job.runs))

        async def person() -> None:
            for number in numbers:
                await self._one(number)

        await asyncio.gather(*(person() for _ in range(self._job.at_once)))

    async def _open(self) -> None:
        due, running = time.perf_counter(), set[asyncio.Task[None]]()
        for number in range(self._job.first, self._job.first + self._job.runs):
            due += 1 / self._job.rate if self._job.even else self._random.expovariate(self._job.rate)
            if (pause := due - time.perf_counter()) > 0:
                await asyncio.sleep(pause)
            task = asyncio.create_task(self._one(number))
            running.add(task)
            task.add_done_callback(running.discard)
        if running:
            await asyncio.wait(running)

    def _talk(self) -> Talk:
        job = self._job
        if self._waiting and self._random.random() < (job.turns - 1) / job.turns:
            return self._waiting.popleft()
        self._next_who += 1
        self._conversations += 1
        return Talk(self._next_who % len(job.clients))

    async def _one(self, number: int) -> None:
        talk = self._talk()
        try:
            async with asyncio.timeout(PATIENCE_S):
                outcome = await self._asked(number, talk)
        except TimeoutError:
            outcome = "no end"
        except (OSError, ValueError) as error:
            outcome = type(error).__name__
        self.outcomes[outcome] += 1
        talk.turns += 1
        if talk.id and talk.turns < self._job.turns:
            self._waiting.append(talk)

    async def _asked(self, number: int, talk: Talk) -> str:
        """How the run ended."""
        text = {"message": message(self._job.kind, number)} | ({"conversation_id": talk.id} if talk.id else {})
        lines = self._lines[number % len(self._lines)]
        began = time.perf_counter()
        line = await lines.take()
        try:
            run_id, events = await self._accepted(line, talk, msgspec.json.encode(text), began)
            if self._job.follow in ("stream", "sse"):
                while not events.ended:
                    line = await self._follow(lines, line, talk, run_id, events)
        finally:
            lines.give_back(line)
        if self._job.follow == "poll":
            outcome = await self._poll(lines, talk, run_id)
        elif self._job.follow == "webhook":
            outcome = await self._hooks.setdefault(run_id, asyncio.get_running_loop().create_future())
        else:
            outcome = events.outcome
        now = time.perf_counter()
        self.ended.append(Ended(number, events.accepted_s, now - began))
        return outcome

    async def _accepted(self, line: Line, talk: Talk, body: bytes, began: float) -> tuple[str, Events]:
        """Raises ValueError when it is refused again and again."""
        stream = b"Accept: text/event-stream\r\n" if self._job.follow == "stream" else b""
        request = self._request(b"POST", "/v1/runs", talk, stream, body)
        for _ in range(TRIES):
            events = Events(began)
            try:
                status = await line.ask(request, events.take)
            except ConnectionError:
                if not events.run_id:
                    raise
                status = 200
            if line.streamed and status == 200:
                self.cut += not events.ended
                talk.id = events.conversation_id
                return events.run_id, events
            if status == 202:
                accepted = msgspec.json.decode(events.body, type=Accepted)
                talk.id, self.followed = str(accepted.conversation_id), _without_stream(self._job.follow)
                return str(accepted.run_id), Events(began, time.perf_counter() - began)
            self.refusals[f"POST {status}"] += 1
            await asyncio.sleep(AGAIN_S)
        raise ValueError("refused")

    async def _follow(self, lines: Lines, line: Line, talk: Talk, run_id: str, events: Events) -> Line:
        """One request for the events, after those that are known; the connection that it went through."""
        known = b"Last-Event-ID: %d\r\n" % events.last if events.last else b""
        if line.closed:
            lines.give_back(line)
            line = await lines.take()
        try:
            status = await line.ask(
                self._request(b"GET", f"/v1/runs/{run_id}/events", talk, known), events.begun_again().take
            )
        except ConnectionError:
            status = 200
        if status != 200:
            self.refusals[f"follow {status}"] += 1
        elif not events.ended:
            self.cut += 1
        if not events.ended:
            await asyncio.sleep(AGAIN_S)
        return line

    async def _poll(self, lines: Lines, talk: Talk, run_id: str) -> str:
        for look in range(10_000):
            await asyncio.sleep(LOOKS_S[min(look, len(LOOKS_S) - 1)])
            line, body = await lines.take(), list[bytes]()
            try:
                status = await line.ask(self._request(b"GET", f"/v1/runs/{run_id}", talk), body.append)
            finally:
                lines.give_back(line)
            if status != 200:
                self.refusals[f"GET {status}"] += 1
                continue
            run = msgspec.json.decode(b"".join(body), type=Looked)
            if run.finished_at:
                return run.outcome or "none"
        raise ValueError("no end")

    def _request(self, verb: bytes, path: str, talk: Talk, headers: bytes = b"", body: bytes = b"") -> bytes:
        token = self._job.clients[talk.who][1]
        head = b"%s %s HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer %s\r\n%s" % (
            verb, path.encode(), token.encode(), headers)  # fmt: skip
        if body:
            return b"%sContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (head, len(body), body)
        return head + b"\r\n"

    async def _listen(self) -> None:
        raise NotImplementedError

    async def told(self, seconds: float) -> Told:
        model = await self._model_seconds()
        added = [end.whole_s - model.get(end.number, 0.0) for end in self.ended]
        return Told(
            runs=len(self.ended),
            seconds=seconds,
            accept=_percentiles([end.accepted_s for end in self.ended]),
            whole=_percentiles([end.whole_s for end in self.ended]),
            added=_percentiles(added),
            outcomes=dict(self.outcomes),
            refusals=dict(self.refusals),
            cut=self.cut,
            followed=self.followed,
            cpu_s=time.process_time(),
            conversations=self._conversations,
        )

    async def _model_seconds(self) -> dict[int, float]:
        found: dict[int, float] = {}
        for url in () if self._job.kind == CANNED else self._job.model_urls:
            line, body = await Lines(url, 1).take(), list[bytes]()
            await line.ask(b"GET /state HTTP/1.1\r\nHost: bench\r\n\r\n", body.append)
            found |= msgspec.json.decode(b"".join(body), type=Times).seconds
        return found


class Events:
    """What a stream told so far."""

    def __init__(self, began: float, accepted_s: float = 0.0) -> None:
        self._began, self.accepted_s = began, accepted_s
        self._pieces: list[bytes] = []
        self.run_id = self.conversation_id = ""
        self.last = 0

    def take(self, piece: bytes) -> None:
        self._pieces.append(piece)
        if not self.accepted_s and b"event: accepted" in piece:
            self.accepted_s = time.perf_counter() - self._began
            accepted = msgspec.json.decode(_data_of(piece, b"accepted"), type=Accepted)
            self.run_id, self.conversation_id = str(accepted.run_id), str(accepted.conversation_id)

    def begun_again(self) -> Events:
        self._pieces = [self.body] if self._pieces else []
        return self

    @property
    def body(self) -> bytes:
        return b"".join(self._pieces)

    @property
    def ended(self) -> bool:
        body = self.body
        at = body.rfind(b"event: finished\n")
        if at < 0:
            numbers = [line for line in body.split(b"\n") if line.startswith(b"id: ")]
            self.last = int(numbers[-1][4:]) if numbers else 0
            return False
        return body.find(b"\n\n", at) > 0

    @property
    def outcome(self) -> str:
        finished: dict[str, Any] = msgspec.json.decode(_data_of(self.body, b"finished"))
        return str(finished.get("outcome") or finished.get("status"))


class Accepted(msgspec.Struct):
    run_id: UUID
    conversation_id: UUID


class Looked(msgspec.Struct):
    outcome: str | None
    finished_at: str | None


class Times(msgspec.Struct):
    seconds: dict[int, float]


def _data_of(body: bytes, event: bytes) -> bytes:
    at = body.index(b"data: ", body.rfind(b"event: " + event)) + 6
    return body[at : body.index(b"\n", at)]


def _without_stream(follow: str) -> str:
    """What is left where `POST` does not answer with the stream."""
    return "sse" if follow == "stream" else follow


def _percentiles(seconds: list[float]) -> Percentiles:
    ordered = sorted(seconds) or [0.0]
    return Percentiles(
        *(ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000 for share in (0.5, 0.95, 0.99))
    )


async def main() -> None:
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
    load = Load(job)
    told = await load.told(await load.run())
    sys.stdout.buffer.write(msgspec.json.encode(told))


if __name__ == "__main__":
    uvloop.run(main())
