"""One message of one client, from the request to the end of its run: followed, looked at, or told by a webhook."""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from typing import Any, Literal
from uuid import UUID

import msgspec

from bench.receiver import Receiver
from bench.talking import Line, Lines

Follow = Literal["stream", "sse", "poll", "webhook"]
LOOKS_S = (1.0, 2.0, 4.0, 8.0, 16.0)  # between two looks of one who polls; the last one again and again
AGAIN_S = 1.0  # after a refusal, or a stream that was cut
FAILED = re.compile(rb'"ok": ?false')  # of `tool_finished`
TRIES = 20  # of a message that is refused
SHARED = 256  # connections of a server that asks for many people: who polls, or has a webhook


class Talk(msgspec.Struct):
    """A conversation: its client's token, its id once it has one, turns so far."""

    token: str
    id: str = ""
    turns: int = 0


class Accepted(msgspec.Struct):
    run_id: UUID
    conversation_id: UUID


class Looked(msgspec.Struct):
    outcome: str | None
    finished_at: str | None


class Events:
    """What a stream told so far."""

    def __init__(self, began: float, accepted_s: float = 0.0) -> None:
        self._began, self.accepted_s = began, accepted_s
        self._pieces: list[bytes] = []

    def take(self, piece: bytes) -> None:
        self._pieces.append(piece)
        if not self.accepted_s and b"event: accepted" in piece:
            self.accepted_s = time.perf_counter() - self._began

    def accepted(self) -> Accepted:
        """Raises ValueError when it was not told."""
        return msgspec.json.decode(_data_of(self.body, b"accepted"), type=Accepted)

    @property
    def body(self) -> bytes:
        return b"".join(self._pieces)

    @property
    def last(self) -> int:
        """The number of the last event."""
        numbers = [line[4:] for line in self.body.splitlines() if line.startswith(b"id: ")]
        return int(numbers[-1]) if numbers else 0

    @property
    def ended(self) -> bool:
        return (at := self.body.rfind(b"event: finished\n")) >= 0 and self.body.find(b"\n\n", at) > 0

    @property
    def outcome(self) -> str:
        """Of the run; a call of the script that was refused would cost less than one that was answered."""
        if FAILED.search(self.body):
            return "a tool failed"
        finished: dict[str, Any] = msgspec.json.decode(_data_of(self.body, b"finished"))
        return str(finished["outcome"])


class Asker:
    """Counts what went wrong on the way. `followed` is how it really was: "sse" where POST does not answer with the stream."""

    def __init__(self, url: str, follow: Follow, receiver: Receiver | None) -> None:
        self._lines = Lines(url, SHARED if follow in ("poll", "webhook") else 1_000_000)
        self._follow, self._receiver = follow, receiver
        self.followed: str = follow
        self.refusals, self.cut = Counter[str](), 0

    async def ask(self, talk: Talk, text: str) -> tuple[str, float]:
        """How the run ended, and after how many seconds the message was safe. Raises OSError and ValueError."""
        message = {"message": text} | ({"conversation_id": talk.id} if talk.id else {})
        began = time.perf_counter()
        line = await self._lines.take()
        try:
            accepted, events = await self._accepted(line, talk, msgspec.json.encode(message), began)
            talk.id = str(accepted.conversation_id)
            if self._follow in ("stream", "sse"):
                while not events.ended:
                    line = await self._continued(line, talk, accepted.run_id, events)
                return events.outcome, events.accepted_s
        finally:
            self._lines.give_back(line)
        if self._receiver:
            return await self._receiver.outcome(str(accepted.run_id)), events.accepted_s
        return await self._looked(talk, accepted.run_id), events.accepted_s

    async def hook(self, token: str, url: str) -> None:
        """Has a client's runs told there. Raises ValueError."""
        line = await self._lines.take()
        status = await line.ask(request(b"POST", "/v1/webhooks", token, b"", msgspec.json.encode({"url": url})), bytes)
        self._lines.give_back(line)
        if status != 201:
            raise ValueError(f"a webhook is refused with {status}")

    async def _accepted(self, line: Line, talk: Talk, body: bytes, began: float) -> tuple[Accepted, Events]:
        """Raises ValueError when it is refused again and again."""
        stream = b"Accept: text/event-stream\r\n" if self._follow == "stream" else b""
        sent = request(b"POST", "/v1/runs", talk.token, stream, body)
        for _ in range(TRIES):
            events = Events(began)
            status = await _status(line, sent, events)
            if status == 200:
                self.cut += not events.ended
                return events.accepted(), events
            if status == 202:
                self.followed = "sse" if self._follow == "stream" else self._follow
                return msgspec.json.decode(events.body, type=Accepted), Events(began, time.perf_counter() - began)
            self.refusals[f"message {status}"] += 1
            await asyncio.sleep(AGAIN_S)
        raise ValueError("refused")

    async def _continued(self, line: Line, talk: Talk, run_id: UUID, events: Events) -> Line:
        """Asks for the events after the last one that is known. The connection that this went through."""
        if line.closed:
            self._lines.give_back(line)
            line = await self._lines.take()
        known = b"Last-Event-ID: %d\r\n" % events.last if events.last else b""
        status = await _status(line, request(b"GET", f"/v1/runs/{run_id}/events", talk.token, known), events)
        if status != 200:
            self.refusals[f"follower {status}"] += 1
        elif not events.ended:
            self.cut += 1
        if not events.ended:
            await asyncio.sleep(AGAIN_S)
        return line

    async def _looked(self, talk: Talk, run_id: UUID) -> str:
        look = 0
        while True:
            await asyncio.sleep(LOOKS_S[min(look, len(LOOKS_S) - 1)])
            look += 1
            line, body = await self._lines.take(), list[bytes]()
            try:
                status = await line.ask(request(b"GET", f"/v1/runs/{run_id}", talk.token), body.append)
            finally:
                self._lines.give_back(line)
            if status != 200:
                self.refusals[f"look {status}"] += 1
            elif (run := msgspec.json.decode(b"".join(body), type=Looked)).finished_at:
                return str(run.outcome)


async def _status(line: Line, sent: bytes, events: Events) -> int:
    """A stream that breaks off had the status that it began with. Raises ConnectionError when it did not begin."""
    try:
        return await line.ask(sent, events.take)
    except ConnectionError:
        if not line.streamed:
            raise
        return 200


def request(verb: bytes, path: str, token: str, headers: bytes = b"", body: bytes = b"") -> bytes:
    first = b"%s %s HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer %s\r\n" % (verb, path.encode(), token.encode())
    if body:
        headers += b"Content-Type: application/json\r\nContent-Length: %d\r\n" % len(body)
    return first + headers + b"\r\n" + body


def _data_of(body: bytes, event: bytes) -> bytes:
    at = body.index(b"data: ", body.rindex(b"event: " + event)) + 6
    return body[at : body.index(b"\n", at)]
