"""What another client's token could reach: ids of others on every route, and the streams of events."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import statistics
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import aiohttp
import msgspec
import uvicorn

from beerforyou.api.app import app
from beerforyou.api.openapi import DOCUMENT
from beerforyou.api.tokens import mint
from beerforyou.isolation.canaries import Canary
from beerforyou.isolation.steps import Step, found_in
from beerforyou.service import Service

PROBES = 60  # requests for another's id and for nobody's, whose times are compared
SLOWER = 1.5  # and how much their medians may differ


class Said(msgspec.Struct, frozen=True):
    run_id: UUID
    conversation_id: UUID
    events: str


@asynccontextmanager
async def served(service: Service) -> AsyncIterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(
            uvicorn.Config(app(service), lifespan="off", log_config=None, timeout_graceful_shutdown=2)
        )
        server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign, assignment]
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            service.stop_following()
            server.should_exit = True
            await serving


def _http(service: Service, address: str, canary: Canary) -> aiohttp.ClientSession:
    token = mint(service.settings, canary.client_id, 600)
    return aiohttp.ClientSession(address, headers={"authorization": f"Bearer {token}"})


async def talk(service: Service, address: str, canary: Canary) -> Said:
    """A conversation that puts the word into messages, steps and events."""
    async with _http(service, address, canary) as http:
        async with http.post(
            "/v1/runs", json={"message": f"quais cervejas {canary.word} eu comprei este ano?"}
        ) as response:
            response.raise_for_status()
            run = await response.json()
        async with http.get(run["events"]) as response:
            events = await response.text()
    return Said(UUID(run["run_id"]), UUID(run["conversation_id"]), events)


async def routes(service: Service, address: str, made: Sequence[Canary], said: Sequence[Said]) -> Step:
    """Another's id on every route that takes one: the same 404 as an id of nobody, in the same time."""
    holes: list[str] = []
    paths = [path for path in DOCUMENT["paths"] if "{" in path]
    async with _http(service, address, made[0]) as http:
        for path in paths:
            theirs, nobodys = _named(path, said[1].run_id, said[1].conversation_id), _named(path, uuid4(), uuid4())
            holes += await _compared(http, path, theirs, nobodys, made)
        joined = {"message": "oi", "conversation_id": str(said[1].conversation_id)}
        async with http.post("/v1/runs", json=joined) as response:
            if response.status != 404:
                holes.append(f"POST /v1/runs joins another's conversation: {response.status}")
    return Step("routes", 2 * PROBES * len(paths) + 1, holes)


def _named(path: str, run_id: UUID, conversation_id: UUID) -> str:
    return path.format(run_id=run_id, conversation_id=conversation_id)


async def _compared(
    http: aiohttp.ClientSession, path: str, theirs: str, nobodys: str, made: Sequence[Canary]
) -> list[str]:
    times: dict[str, list[float]] = {theirs: [], nobodys: []}
    answers: dict[str, str] = {}
    holes: list[str] = []
    for _ in range(PROBES):
        for url, taken in times.items():
            started = time.perf_counter()
            async with http.get(url) as response:
                body = await response.text()
            taken.append(time.perf_counter() - started)
            answers[url] = f"{response.status} {body.replace(url.split('/')[3], '')}"
            if response.status != 404:
                return [f"GET {path} answers {response.status} to a stranger"]
            holes += found_in(f"GET {path}", body, made, but=made[0])
    ratio = statistics.median(times[theirs]) / statistics.median(times[nobodys])
    if answers[theirs] != answers[nobodys]:
        holes.append(f"GET {path} tells another's id from nobody's")
    if not 1 / SLOWER < ratio < SLOWER:
        holes.append(f"GET {path} takes {ratio:.2f} times as long for another's id as for nobody's")
    return holes


def events(made: Sequence[Canary], said: Sequence[Said]) -> Step:
    holes = [
        hole
        for canary, own in zip(made, said, strict=True)
        for hole in found_in(f"the events of {canary.client_id}", own.events, made, but=canary)
    ]
    missing = [
        f"the events of {canary.client_id} end without an answer"
        for canary, own in zip(made, said, strict=True)
        if "event: answer" not in own.events
    ]
    return Step("events", len(made), [*holes, *missing])
