"""The proof: canary clients, every attack on them, and a search for their words wherever they should not be.

Each part yields what it found wrong, one line each; a proof without lines holds. The service and the API that it attacks
are the real ones, in this process, on the configured servers.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import socket
import statistics
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import aiohttp
import msgspec
import uvicorn

from beerforyou.api.app import app
from beerforyou.api.openapi import DOCUMENT
from beerforyou.api.tokens import mint
from beerforyou.db.connections import operator
from beerforyou.errors import Unavailable
from beerforyou.isolation.attack import Tried, ours, tried
from beerforyou.isolation.canaries import BEERS, Canary, buy, canaries
from beerforyou.service import Service, opened
from beerforyou.settings import Settings
from beerforyou.worker.worker import working

LONGEST_MS = 4000  # no statement past its time limit (2 s in the database), with room for a busy machine
AT_ONCE = 60  # queries of all canaries mixed on the same connections
PROBES = 60  # requests for another's id and for nobody's, whose times are compared
SLOWER = 1.5  # and how much their medians may differ
ARRIVES_S = 10.0  # how long a replica may take to show what was just written
BY_LIMIT = ("took too long", "needs too much", "does not answer")  # refusals that depend on how busy the machine is
CHANGING = (
    "now(",
    "current",
    "localtime",
    "timestamp",
    "age(",
    "backend(",
)  # what makes a query answer otherwise by itself


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """`checks` says how much was tried; `holes` what went wrong, and must be empty."""

    checks: dict[str, int]
    holes: list[str]


class Step(msgspec.Struct, frozen=True):
    part: str
    checks: int
    holes: list[str]


async def prove(settings: Settings) -> Report:
    """Raises SetupError and Unavailable when there is nothing to prove anything on."""
    checks: dict[str, int] = {}
    holes: list[str] = []
    async for step in _steps(settings):
        checks[step.part] = step.checks
        holes += [f"{step.part}: {hole}" for hole in step.holes]
    return Report(checks=checks, holes=holes)


async def _steps(settings: Settings) -> AsyncIterator[Step]:
    heard = _Heard()
    with heard:
        async with canaries(settings) as made, opened(_with_own_tokens(settings)) as service:
            for canary in made:
                await _arrived(service, canary, BEERS)
            yield await _fence(service)
            yield await _queries(service, settings, made)
            yield await _pool(service, made)
            async with working(service), _served(service) as address:
                said = [await _talk(service, address, canary) for canary in made]
                yield await _routes(service, address, made, said)
                yield _events(made, said)
            yield await _valkey(service, made)
        yield Step("logs", heard.lines, list(_found_in("the log of this process", heard.text, made)))
    yield _server_log(settings, made)


def _with_own_tokens(settings: Settings) -> Settings:
    return msgspec.structs.replace(settings, auth_jwks_url="", auth_secret=secrets.token_urlsafe(48), model="offline:")


def _found_in(where: str, text: str, made: Sequence[Canary], but: Canary | None = None) -> Iterator[str]:
    for canary in made:
        if canary is not but and (canary.word in text or (but and canary.client_id in text)):
            yield f"{where} holds a word of {canary.client_id}"


# SQL ------------------------------------------------------------------------------------------------------------------


async def _fence(service: Service) -> Step:
    holes = await service.holes()
    return Step("fence", 1, holes)


async def _queries(service: Service, settings: Settings, made: Sequence[Canary]) -> Step:
    """Every attack with the gate and without it; and once more after the other changed, which must change nothing."""
    me, other = made[0], made[1]
    before = await _tried(service, me, other)
    async with operator(settings) as connection:
        await buy(connection, other, 1, f"{other.word} more")
    await _arrived(service, other, BEERS + 1)
    after = await _tried(service, me, other)
    holes = [hole for result in (*before.values(), *after.values()) for hole in _judged(result)]
    attacks = {attack.id: attack.sql.lower() for attack in ours()}
    for key, result in before.items():
        steady = not any(word in attacks[key[0]] for word in CHANGING)
        if steady and _differ(result, after[key]):
            holes.append(f"{key[0]} answers otherwise when another client buys something")
    return Step("queries", len(before) + len(after), holes)


def _differ(before: Tried, after: Tried) -> bool:
    by_limit = any(word in before.error + after.error for word in BY_LIMIT)
    return not by_limit and (before.rows, before.error) != (after.rows, after.error)


async def _arrived(service: Service, canary: Canary, lines: int) -> None:
    """Raises Unavailable when what was written does not come to where the tools read."""
    end = time.monotonic() + ARRIVES_S
    while True:
        found = await service.database.fence.run(canary.client_id, "SELECT count(*) AS lines FROM my_purchases")
        if found.rows[0][0] >= lines:
            return
        if time.monotonic() > end:
            raise Unavailable("the replica does not show what was written", "does it follow the primary?")
        await asyncio.sleep(0.05)


async def _tried(service: Service, me: Canary, other: Canary) -> dict[tuple[str, bool], Tried]:
    fence, params = service.database.fence, me.params(other)
    return {
        (attack.id, with_gate): await tried(fence, me.client_id, attack, params, with_gate=with_gate)
        for attack in ours()
        for with_gate in (True, False)
    }


def _judged(result: Tried) -> Iterator[str]:
    if result.verdict == "leak":
        yield f"{result.id} brought back another client's data"
    if not result.alive:
        yield f"the database did not answer after {result.id}"
    if result.ms > LONGEST_MS:
        yield f"{result.id} took {result.ms:.0f} ms"


async def _pool(service: Service, made: Sequence[Canary]) -> Step:
    """Everybody at once on the same connections: each sees its own word, and no other."""

    async def one(canary: Canary) -> list[str]:
        found = await service.database.fence.run(canary.client_id, "SELECT beer, brewery FROM my_purchases")
        profile = await service.database.for_tools(canary.client_id).fetchrow("clients.profile")
        text = f"{found.rows}{dict(profile) if profile else ''}"
        missing = [] if canary.word in text else [f"{canary.client_id} does not see its own rows"]
        return [*missing, *_found_in(f"what {canary.client_id} sees", text, made, but=canary)]

    holes = await asyncio.gather(*(one(made[n % len(made)]) for n in range(AT_ONCE)))
    return Step("pool", AT_ONCE, [hole for some in holes for hole in some])


# The API ----------------------------------------------------------------------------------------------------------------


class _Said(msgspec.Struct, frozen=True):
    run_id: UUID
    conversation_id: UUID
    events: str


@asynccontextmanager
async def _served(service: Service) -> AsyncIterator[str]:
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


async def _talk(service: Service, address: str, canary: Canary) -> _Said:
    """A conversation that puts the word into messages, steps and events."""
    async with _http(service, address, canary) as http:
        async with http.post(
            "/v1/runs", json={"message": f"quais cervejas {canary.word} eu comprei este ano?"}
        ) as response:
            response.raise_for_status()
            run = await response.json()
        async with http.get(run["events"]) as response:
            events = await response.text()
    return _Said(UUID(run["run_id"]), UUID(run["conversation_id"]), events)


async def _routes(service: Service, address: str, made: Sequence[Canary], said: Sequence[_Said]) -> Step:
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
            holes += _found_in(f"GET {path}", body, made, but=made[0])
    ratio = statistics.median(times[theirs]) / statistics.median(times[nobodys])
    if answers[theirs] != answers[nobodys]:
        holes.append(f"GET {path} tells another's id from nobody's")
    if not 1 / SLOWER < ratio < SLOWER:
        holes.append(f"GET {path} takes {ratio:.2f} times as long for another's id as for nobody's")
    return holes


def _events(made: Sequence[Canary], said: Sequence[_Said]) -> Step:
    holes = [
        hole
        for canary, own in zip(made, said, strict=True)
        for hole in _found_in(f"the events of {canary.client_id}", own.events, made, but=canary)
    ]
    missing = [
        f"the events of {canary.client_id} end without an answer"
        for canary, own in zip(made, said, strict=True)
        if "event: answer" not in own.events
    ]
    return Step("events", len(made), [*holes, *missing])


# What is left behind --------------------------------------------------------------------------------------------------


async def _valkey(service: Service, made: Sequence[Canary]) -> Step:
    """No key outside a client's own may hold its word; today none holds anything."""
    cursor, looked, holes = b"0", 0, list[str]()
    while True:
        cursor, keys = await service.valkey("SCAN", cursor, "COUNT", 1000)
        for key in keys:
            looked += 1
            name = key.decode("utf-8", "replace")
            kind = await service.valkey("TYPE", key)
            value = await service.valkey("GET", key) if kind in (b"string", "string") else b""
            owner = next((canary for canary in made if canary.client_id in name), None)
            holes += _found_in(f"the Valkey key {name}", f"{name}{value!r}", [c for c in made if c is not owner])
        if cursor in (b"0", "0", 0):
            return Step("valkey", looked, holes)


class _Heard(logging.Handler):
    """Everything that this process logs while it lasts."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines, self.text = 0, ""

    def emit(self, record: logging.LogRecord) -> None:
        self.lines += 1
        self.text += self.format(record) + "\n"

    def __enter__(self) -> _Heard:
        root = logging.getLogger()
        self._level = root.level
        root.setLevel(logging.DEBUG)
        root.addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger().removeHandler(self)
        logging.getLogger().setLevel(self._level)


def _server_log(settings: Settings, made: Sequence[Canary]) -> Step:
    """Of the embedded PostgreSQL (another one's log is not ours to read): the last canary is named in no attack, so that
    its word could only come from its rows.
    """
    log = settings.data / "servers" / "postgres.log"
    try:
        text = log.read_text("utf-8", "replace")
    except OSError:
        return Step("server log", 0, [])
    return Step("server log", text.count("\n"), list(_found_in("the log of PostgreSQL", text, made[-1:])))
