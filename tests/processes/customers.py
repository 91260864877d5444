"""Who asks: some conversations of several turns each, at two replicas that come and go. Every run is followed to its end,
by its events or by looking at it again and again.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import msgspec

from beerforyou.api.tokens import mint
from beerforyou.settings import Settings
from tests.processes.counters import MARKER
from tests.processes.fleet import Fleet

TURNS = 4  # of a conversation
SAID_TWICE = 0.15  # share of the messages that are sent twice, with one key
POLLED = 0.25  # share of the runs that are looked at instead of followed
ANSWERED = 0.4  # share of the messages that are answered with the stream of events
LET_GO = 0.15  # share of the events after which a follower breaks off by itself
EAGER = 0.4  # share of the messages that don't wait for the answer before
PATIENCE_S = 180.0  # for an answer; then the run is lost
AGAIN_S = 0.1
ANSWER_S = 10.0
WAIT_S = 3  # what a look waits for the end
STREAM = aiohttp.ClientTimeout(total=None, sock_connect=ANSWER_S, sock_read=20)
BREAKS = (aiohttp.ClientError, TimeoutError, OSError)
PASSING = (409, 429, 503)  # the same key is under way, too many, a server is down


SeenEvent = tuple[int, str, Any]  # number, type, data


class Seen(msgspec.Struct):
    """A run, as its customer saw it. `fallen` is how often an event had no higher number than the one before, and `stream`
    the answer to the message where that is the first of its events.
    """

    marker: str
    client: str
    run_id: str
    conversation_id: str
    events: list[SeenEvent] = msgspec.field(default_factory=list)
    text: str | None = None
    fallen: int = 0
    polled: bool = False
    ended: bool = False
    stream: aiohttp.ClientResponse | None = None


class Customers:
    def __init__(self, settings: Settings, fleet: Fleet, clients: list[str], runs: int, seed: int) -> None:
        self.runs, self.counts = runs, Counter[str]()
        self.seen: list[Seen] = []
        self.crowd: list[Seen] = []
        self._fleet, self._random = fleet, random.Random(seed)
        self._clients = clients
        self._tokens = {client: mint(settings, client, 7200) for client in clients}
        self._numbers = iter(range(10**5))
        self._asked = 0

    @property
    def progress(self) -> float:
        return sum(run.ended for run in self.seen) / self.runs

    async def __aenter__(self) -> Customers:
        self._http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.close()

    async def ask(self, at_once: int, more: Callable[[], bool]) -> None:
        """So many runs, and more while `more()`; `at_once` conversations are under way."""
        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(self._conversations(more))

    async def come_all_at_once(self, followers: int, runs: int) -> None:
        """To runs that were asked for a moment ago; returns when everybody has seen the end."""
        asked = await asyncio.gather(*(self._asked_once(self._clients[n % len(self._clients)]) for n in range(runs)))
        self.crowd = [msgspec.structs.replace(asked[n % runs], events=[]) for n in range(followers)]
        await asyncio.gather(*map(self.followed, self.crowd))

    async def _asked_once(self, client: str) -> Seen:
        marker = f"chaos {next(self._numbers):05}"
        body = {"message": f"{marker}: which brewpubs are there in Denver, and what is in my cellar?"}
        accepted = await self.send(client, "/v1/runs", body, f"once {marker}")
        return Seen(marker, client, accepted["run_id"], accepted["conversation_id"])

    async def _conversations(self, more: Callable[[], bool]) -> None:
        while self._asked < self.runs or more():
            await self._conversation(self._random.choice(self._clients))

    async def _conversation(self, client: str) -> None:
        conversation, following = None, set[asyncio.Task[None]]()
        async with asyncio.TaskGroup() as group:
            for _ in range(TURNS):
                self._asked += 1
                run = await self.said(client, conversation)
                conversation = run.conversation_id
                following.add(group.create_task(self.followed(run)))
                if self._random.random() > EAGER:
                    await asyncio.wait(following)

    async def said(self, client: str, conversation: str | None) -> Seen:
        marker = f"chaos {next(self._numbers):05}"
        assert MARKER.fullmatch(marker)
        body = {"message": f"{marker}: which brewpubs are there in Denver, and what is in my cellar?"}
        body |= {"conversation_id": conversation} if conversation else {}
        key, times = str(uuid.UUID(int=self._random.getrandbits(128))), 1 + (self._random.random() < SAID_TWICE)
        streamed = self._random.random() < ANSWERED
        first = self._streamed(client, body, key) if streamed else self.send(client, "/v1/runs", body, key)
        more = (self.send(client, "/v1/runs", body, key) for _ in range(times - 1))
        accepted, *again = await asyncio.gather(first, *more)
        self.counts["sent_twice"] += len(again)
        self.counts["same_key_other_run"] += any(answer["run_id"] != accepted["run_id"] for answer in again)
        run = Seen(marker, client, accepted["run_id"], accepted["conversation_id"], stream=accepted.get("stream"))
        self.seen.append(run)
        return run

    async def send(self, client: str, path: str, body: Any, key: str) -> Any:
        """Until a replica has it."""
        while True:
            wait = AGAIN_S
            try:
                timeout = aiohttp.ClientTimeout(total=ANSWER_S)
                headers = self.headers(client) | {"Idempotency-Key": key}
                async with self._http.post(
                    f"{self._replica}{path}", json=body, headers=headers, timeout=timeout
                ) as answer:
                    if answer.status in (201, 202):
                        return await answer.json()
                    self._refused(answer.status, await answer.text())
                    wait = float(answer.headers.get("retry-after", wait))
            except BREAKS:
                self.counts["broken_requests"] += 1
            await asyncio.sleep(wait)

    async def _streamed(self, client: str, body: Any, key: str) -> dict[str, Any]:
        """The same, and the `stream` that was the answer; the events after this one are still to be read."""
        headers = self.headers(client) | {"Idempotency-Key": key, "Accept": "text/event-stream"}
        while True:
            wait = AGAIN_S
            try:
                answer = await self._http.post(f"{self._replica}/v1/runs", json=body, headers=headers, timeout=STREAM)
                if answer.status != 200:
                    self._refused(answer.status, await answer.text())
                    wait = float(answer.headers.get("retry-after", wait))
                elif accepted := await anext(events(answer.content), None):
                    assert accepted[:2] == (0, "accepted"), accepted
                    self.counts["sent_and_followed_at_once"] += 1
                    return {**accepted[2], "stream": answer}
            except BREAKS:
                self.counts["broken_requests"] += 1
            await asyncio.sleep(wait)

    def _refused(self, status: int, text: str) -> None:
        self.counts[f"answered_{status}"] += 1
        assert status in PASSING or status >= 500, f"{status}: {text}"

    async def followed(self, run: Seen) -> None:
        run.polled = run.stream is None and self._random.random() < POLLED
        end, tag = time.monotonic() + PATIENCE_S, ""
        while not run.ended and time.monotonic() < end:
            try:
                tag = await self._looked(run, tag) if run.polled else await self._heard(run)
            except BREAKS as error:
                self.counts["impatient_follows" if isinstance(error, TimeoutError) else "broken_follows"] += 1
                await asyncio.sleep(AGAIN_S)

    async def _heard(self, run: Seen) -> str:
        """Events after the last one that was seen, until something breaks or the replica lets go."""
        async with await self._stream(run) as answer:
            if answer.status != 200:
                self._refused(answer.status, await answer.text())
                await asyncio.sleep(AGAIN_S)
                return ""
            async for event in events(answer.content):
                run.fallen += event[0] <= (run.events[-1][0] if run.events else 0)
                run.events.append(event)
                run.ended = event[1] == "finished"
                if run.ended or self._random.random() < LET_GO:
                    return ""
        self.counts["streams_ended_early"] += 1
        return ""

    async def _stream(self, run: Seen) -> aiohttp.ClientResponse:
        """The one that answered the message, or another of some replica."""
        if run.stream:
            stream, run.stream = run.stream, None
            return stream
        headers = self.headers(run.client) | ({"Last-Event-ID": str(run.events[-1][0])} if run.events else {})
        return await self._http.get(f"{self._replica}/v1/runs/{run.run_id}/events", headers=headers, timeout=STREAM)

    async def _looked(self, run: Seen, tag: str) -> str:
        headers = self.headers(run.client) | {"Prefer": f"wait={WAIT_S}"} | ({"If-None-Match": tag} if tag else {})
        timeout = aiohttp.ClientTimeout(total=ANSWER_S)
        async with self._http.get(f"{self._replica}/v1/runs/{run.run_id}", headers=headers, timeout=timeout) as answer:
            if answer.status == 200:
                found = await answer.json()
                run.ended, run.text = found["finished_at"] is not None, found["text"]
                return answer.headers["etag"]
            if answer.status != 304:
                self._refused(answer.status, await answer.text())
                await asyncio.sleep(AGAIN_S)
            return tag

    @property
    def refused(self) -> int:
        """Answers that are none, and what broke off by itself; nobody's own impatience."""
        broken = ("broken_requests", "broken_follows", "streams_ended_early")
        return sum(times for name, times in self.counts.items() if name in broken or name.startswith("answered_"))

    def headers(self, client: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._tokens[client]}"}

    @property
    def _replica(self) -> str:
        return self._random.choice(self._fleet.replicas).address


async def events(lines: aiohttp.StreamReader) -> AsyncIterator[SeenEvent]:
    fields: dict[str, str] = {}
    async for line in lines:
        name, _, value = line.decode().rstrip("\n").partition(": ")
        if name and line.endswith(b"\n"):
            fields[name] = value
        elif "data" in fields:
            yield int(fields.get("id", 0)), fields["event"], json.loads(fields["data"])
        fields = fields if name else {}
