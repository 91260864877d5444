"""The load generator, a process of its own: a `Job` on its standard input, `Told` on its standard output, both JSON.

Closed loop: so many people, each with the next message as soon as the last one is answered. Open loop: messages come at a rate,
whatever becomes of them. A conversation has so many turns: a message belongs to one that waits for its next turn as often as
that says, else to a new one of the next client.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec
import uvloop

from bench.asking import Asker, Follow, Talk
from bench.kinds import NO_MODEL, message
from bench.receiver import Receiver
from bench.talking import Lines

PATIENCE_S = 1800.0  # for one run


class Job(msgspec.Struct):
    """`tokens`, one a client. `rate` a second, at random or `even`; 0: closed loop of `at_once`. Runs are numbered from `first`;
    `talks` wait for their next turn."""

    urls: list[str]
    model_urls: list[str]
    tokens: list[str]
    kind: str
    first: int
    runs: int
    at_once: int
    rate: float
    even: bool
    turns: int
    follow: Follow
    talks: list[Talk] = []


class Percentiles(NamedTuple):
    p50: float
    p95: float
    p99: float


class Told(msgspec.Struct):
    """Times in milliseconds; `added` is all that was not the model. `steady` runs a second ended while neither the first nor the last
    fifth did. `cpu_s` is the load generator's own, `talks` could go on."""

    runs: int
    seconds: float
    steady: float
    accept: Percentiles
    whole: Percentiles
    added: Percentiles
    outcomes: dict[str, int]
    refusals: dict[str, int]
    cut: int
    followed: str
    conversations: int
    cpu_s: float
    talks: list[Talk] = []


class Ended(NamedTuple):
    number: int
    accepted_s: float
    whole_s: float
    at: float


class People:
    def __init__(self, job: Job) -> None:
        self._job, self._random = job, random.Random(job.first)
        self._receiver = Receiver() if job.follow == "webhook" else None
        self._askers = [Asker(url, job.follow, self._receiver) for url in job.urls]
        self._waiting = deque(job.talks)
        self._conversations = 0
        self._ended: list[Ended] = []
        self._outcomes = Counter[str]()

    async def run(self) -> Told:
        if self._receiver:
            await self._receiver.listen()
            for token in self._job.tokens:
                await self._askers[0].hook(token, self._receiver.url)
        begun = time.perf_counter()
        await (self._open() if self._job.rate else self._closed())
        return self._told(time.perf_counter() - begun, await self._model_seconds())

    async def _closed(self) -> None:
        numbers = iter(range(self._job.first, self._job.first + self._job.runs))

        async def person() -> None:
            for number in numbers:
                await self._one(number)

        await asyncio.gather(*(person() for _ in range(self._job.at_once)))

    async def _open(self) -> None:
        due = time.perf_counter()
        async with asyncio.TaskGroup() as running:
            for number in range(self._job.first, self._job.first + self._job.runs):
                due += 1 / self._job.rate if self._job.even else self._random.expovariate(self._job.rate)
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                running.create_task(self._one(number))

    async def _one(self, number: int) -> None:
        talk, asker, began = self._talk(), self._askers[number % len(self._askers)], time.perf_counter()
        try:
            async with asyncio.timeout(PATIENCE_S):
                outcome, accepted_s = await asker.ask(talk, message(self._job.kind, number))
            ended = time.perf_counter()
            self._ended.append(Ended(number, accepted_s, ended - began, ended))
        except (OSError, ValueError) as error:  # a TimeoutError is an OSError
            outcome = f"{type(error).__name__} {error}".strip()
        self._outcomes[outcome] += 1
        talk.turns += 1
        if talk.id and talk.turns < self._job.turns:
            self._waiting.append(talk)

    def _talk(self) -> Talk:
        if self._waiting and self._random.random() < (self._job.turns - 1) / self._job.turns:
            return self._waiting.popleft()
        self._conversations += 1
        return Talk(self._job.tokens[self._conversations % len(self._job.tokens)])

    async def _model_seconds(self) -> dict[int, float]:
        found: dict[int, float] = {}
        for url in () if self._job.kind in NO_MODEL else self._job.model_urls:
            line, body = await Lines(url, 1).take(), list[bytes]()
            await line.ask(b"GET /state HTTP/1.1\r\nHost: bench\r\n\r\n", body.append)
            found |= msgspec.json.decode(b"".join(body), type=Times).seconds
        return found

    def _told(self, seconds: float, model: Mapping[int, float]) -> Told:
        return Told(
            runs=len(self._ended),
            seconds=seconds,
            steady=_steady([end.at for end in self._ended]),
            accept=_percentiles([end.accepted_s for end in self._ended]),
            whole=_percentiles([end.whole_s for end in self._ended]),
            added=_percentiles([end.whole_s - model.get(end.number, 0.0) for end in self._ended]),
            outcomes=dict(self._outcomes),
            refusals=dict(sum((asker.refusals for asker in self._askers), Counter[str]())),
            cut=sum(asker.cut for asker in self._askers),
            followed=self._askers[-1].followed,
            conversations=self._conversations,
            cpu_s=time.process_time(),
            talks=list(self._waiting),
        )


class Times(msgspec.Struct):
    seconds: dict[int, float]


def _steady(ends: Sequence[float]) -> float:
    """A second; `ends` rise."""
    middle = ends[len(ends) // 5 : len(ends) * 4 // 5 + 1]
    return (len(middle) - 1) / (middle[-1] - middle[0]) if len(middle) > 1 else 0.0


def _percentiles(seconds: Sequence[float]) -> Percentiles:
    """In milliseconds."""
    ordered = sorted(seconds) or [0.0]
    return Percentiles(*(ordered[int((len(ordered) - 1) * share)] * 1000 for share in (0.5, 0.95, 0.99)))


async def main() -> None:
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
    sys.stdout.buffer.write(msgspec.json.encode(await People(job).run()))


if __name__ == "__main__":
    uvloop.run(main())
