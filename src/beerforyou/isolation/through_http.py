"""What another client's token could reach: ids of others on every route, and the streams of events."""

from __future__ import annotations

import asyncio
import socket
import statistics
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import aiohttp
import msgspec

from beerforyou.api.app import App
from beerforyou.api.routes import ROUTES
from beerforyou.api.server import Server
from beerforyou.api.tokens import mint
from beerforyou.house import House
from beerforyou.isolation.canaries import Canary
from beerforyou.isolation.part import Part, found_in

PROBES = 60  # requests for another's id and for nobody's, whose times are compared
SLOWER = 1.5  # and how much their medians may differ
BODIES = {"PATCH": {"title": "stolen"}}  # what a stranger sends, where nothing is not enough
ROUNDS = 3  # in which they do, to be believed on a busy machine


class Said(msgspec.Struct, frozen=True):
    """A conversation of a canary's, the ids that it left, and its stream of events."""

    ids: dict[str, str]
    events: str


@asynccontextmanager
async def served(house: House) -> AsyncIterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = Server(App(house), house.settings, grace_s=2)
        ended = asyncio.create_task(serving.serve(listener))
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            house.following.stop()
            serving.stop()
            await ended


def _http(house: House, address: str, canary: Canary) -> aiohttp.ClientSession:
    token = mint(house.settings, canary.client_id, 600)
    return aiohttp.ClientSession(address, headers={"authorization": f"Bearer {token}"})


async def talk(house: House, address: str, canary: Canary) -> Said:
    """A conversation that puts the word into its title, messages, steps and events, under a key that all canaries use; and a
    webhook."""
    async with _http(house, address, canary) as http:
        message = {"message": f"quais cervejas {canary.word} eu comprei este ano?"}
        run = await _posted(http, "/v1/runs", message)
        async with http.get(run["events"]) as response:
            events = await response.text()
        async with http.patch(f"/v1/conversations/{run['conversation_id']}", json={"title": canary.word}) as response:
            response.raise_for_status()
        # after the run, so that no message is sent; the name leads nowhere in any case (RFC 6761)
        webhook = await _posted(http, "/v1/webhooks", {"url": f"https://{canary.word}.invalid/"})
    ids = {"run_id": run["run_id"], "conversation_id": run["conversation_id"], "webhook_id": webhook["webhook_id"]}
    return Said(ids, events)


async def _posted(http: aiohttp.ClientSession, path: str, body: Any) -> Any:
    async with http.post(path, json=body, headers={"idempotency-key": f"canary{path}"}) as response:
        response.raise_for_status()
        return await response.json()


async def routes(house: House, address: str, made: Sequence[Canary], said: Sequence[Said]) -> Part:
    """Another's id on every route that takes one: the same 404 as an id of nobody, in the same time. Lists show one's own."""
    holes: list[str] = []
    probed = [(route.method, route.path) for route in ROUTES if "{" in route.path]
    lists = [route.path for route in ROUTES if route.method == "GET" and "{" not in route.path]
    async with _http(house, address, made[0]) as http:
        for method, path in probed:
            theirs, nobodys = path.format(**said[1].ids), path.format(**dict.fromkeys(said[1].ids, str(uuid4())))
            holes += await _compared(http, method, path, theirs, nobodys, made)
        for path in lists:
            async with http.get(path) as response:
                holes += found_in(f"GET {path}", await response.text(), made, but=made[0])
        joined = {"message": "oi", "conversation_id": said[1].ids["conversation_id"]}
        async with http.post("/v1/runs", json=joined) as response:
            if response.status != 404:
                holes.append(f"POST /v1/runs joins another's conversation: {response.status}")
    async with _http(house, address, made[1]) as http:
        for method, path in probed:  # nothing of it was cancelled, changed or removed by the stranger
            if method == "GET":
                async with http.get(path.format(**said[1].ids)) as response:
                    if response.status != 200:
                        holes.append(f"GET {path} answers {response.status} to its owner, after a stranger asked")
        async with http.get(f"/v1/conversations/{said[1].ids['conversation_id']}") as response:
            if (await response.json()).get("title") != made[1].word:
                holes.append("a stranger changed the title of a conversation")
    return Part("routes", 2 * PROBES * len(probed) + len(lists) + 1, holes)


async def _compared(
    http: aiohttp.ClientSession, method: str, path: str, theirs: str, nobodys: str, made: Sequence[Canary]
) -> list[str]:
    what = f"{method} {path}"
    for _ in range(ROUNDS):
        times: dict[str, list[float]] = {theirs: [], nobodys: []}
        answers: dict[str, str] = {}
        holes: list[str] = []
        for _ in range(PROBES):
            for url, taken in times.items():
                started = time.perf_counter()
                async with http.request(method, url, json=BODIES.get(method)) as response:
                    body = await response.text()
                taken.append(time.perf_counter() - started)
                answers[url] = f"{response.status} {body.replace(url.split('/')[3], '')}"
                if response.status != 404:
                    return [f"{what} answers {response.status} to a stranger"]
                holes += found_in(what, body, made, but=made[0])
        if answers[theirs] != answers[nobodys]:
            holes.append(f"{what} tells another's id from nobody's")
        ratio = statistics.median(times[theirs]) / statistics.median(times[nobodys])
        if 1 / SLOWER < ratio < SLOWER:
            return holes
    return [*holes, f"{what} takes {ratio:.2f} times as long for another's id as for nobody's"]


def events(made: Sequence[Canary], said: Sequence[Said]) -> Part:
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
    return Part("events", len(made), [*holes, *missing])
