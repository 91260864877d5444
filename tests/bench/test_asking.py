"""The load generator hears how each run ended, whatever becomes of its connection on the way, and counts what went wrong."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from bench import asking
from bench.asking import Asker, Talk

RUN, CONVERSATION = "0199aaaa-0000-7000-8000-000000000001", "0199aaaa-0000-7000-8000-000000000002"
ACCEPTED = f'{{"run_id":"{RUN}","conversation_id":"{CONVERSATION}","status":"queued","events":""}}'
SAFE = f"event: accepted\ndata: {ACCEPTED}\n\n"
TEXT = 'id: 1\nevent: started\ndata: {}\n\nid: 2\nevent: text\ndata: {"text":"Oi."}\n\n'
END = 'id: 3\nevent: finished\ndata: {"status":"succeeded","outcome":"answered"}\n\n'
FAILED = 'id: 3\nevent: tool_finished\ndata: {"name":"a","ok":false}\n\n'

Answers = Callable[
    [str], tuple[int, str, bool]
]  # the first line and the headers to status, body, and whether it breaks off


@asynccontextmanager
async def serving(answers: Answers) -> AsyncIterator[tuple[str, list[str]]]:
    """The address, and what was asked."""
    asked: list[str] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := (await reader.readuntil(b"\r\n\r\n")).decode() if not reader.at_eof() else "":
            length = next((int(line[15:]) for line in head.splitlines() if line.startswith("Content-Length")), 0)
            await reader.readexactly(length)
            asked.append(head)
            status, body, cut = answers(head)
            kind = "application/json" if body.startswith("{") else "text/event-stream"
            end = "" if cut else "0\r\n\r\n"
            lines = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n"
            writer.write(f"{lines}{len(body):x}\r\n{body}\r\n{end}".encode())
            if cut:
                break
        writer.close()

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await connected(reader, writer)
        except asyncio.IncompleteReadError:
            writer.close()

    server = await asyncio.start_server(connection, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "AGAIN_S", 0.0)
    monkeypatch.setattr(asking, "LOOKS_S", (0.0,))


def two_requests(head: str) -> tuple[int, str, bool]:
    return (202, ACCEPTED, False) if head.startswith("POST") else (200, TEXT + END, False)


def one_request(head: str) -> tuple[int, str, bool]:
    return 200, SAFE + TEXT + END, False


@pytest.mark.parametrize(
    ("answers", "follow", "followed", "requests"),
    [
        (two_requests, "sse", "sse", 2),
        (two_requests, "stream", "sse", 2),
        (one_request, "stream", "stream", 1),
    ],
)
async def test_a_run_is_followed_as_the_server_offers_it(
    answers: Answers, follow: asking.Follow, followed: str, requests: int
) -> None:
    async with serving(answers) as (url, asked):
        asker, talk = Asker(url, follow, None), Talk("token")
        outcome, accepted_s = await asker.ask(talk, "oi")
    assert (outcome, asker.followed, len(asked), asker.cut) == ("answered", followed, requests, 0)
    assert talk.id == CONVERSATION and accepted_s > 0


@pytest.mark.parametrize("begun", ["stream", "sse"])
async def test_a_stream_that_is_cut_is_counted_and_continued(begun: asking.Follow) -> None:
    def answers(head: str) -> tuple[int, str, bool]:
        if "Last-Event-ID: 2" in head:
            return 200, END, False
        if head.startswith("POST"):
            return (200, SAFE + TEXT, True) if begun == "stream" else (202, ACCEPTED, False)
        return 200, TEXT, True

    async with serving(answers) as (url, _):
        asker = Asker(url, begun, None)
        assert (await asker.ask(Talk("token"), "oi"))[0] == "answered"
    assert asker.cut == 1


async def test_a_refusal_is_counted_and_asked_again() -> None:
    refused = iter([(429, '{"status":429}', False), (503, '{"status":503}', False)])

    def answers(head: str) -> tuple[int, str, bool]:
        return next(refused, None) or one_request(head)

    async with serving(answers) as (url, _):
        asker = Asker(url, "stream", None)
        assert (await asker.ask(Talk("token"), "oi"))[0] == "answered"
    assert asker.refusals == {"message 429": 1, "message 503": 1}


async def test_who_polls_looks_until_it_has_ended() -> None:
    looks = iter(['{"outcome":null,"finished_at":null}', '{"outcome":"answered","finished_at":"2026-11-29"}'])

    def answers(head: str) -> tuple[int, str, bool]:
        return (202, ACCEPTED, False) if head.startswith("POST") else (200, next(looks), False)

    async with serving(answers) as (url, asked):
        asker = Asker(url, "poll", None)
        assert (await asker.ask(Talk("token"), "oi"))[0] == "answered"
    assert len(asked) == 3


async def test_a_tool_that_was_refused_is_no_good_end() -> None:
    async with serving(lambda _: (200, SAFE + FAILED + END, False)) as (url, _):
        assert (await Asker(url, "stream", None).ask(Talk("token"), "oi"))[0] == "a tool failed"
