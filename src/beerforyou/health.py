"""What must hold for an installation to do its work: one list, which `/readyz` asks again and again, and `doctor` once.

`/readyz` asks those that are `ready`: they are cheap, and without them nothing works. `doctor` asks all, and adds those
of isolation/rehearsal.py, which attack.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any, Protocol, TypeVar

import msgspec

from beerforyou.backends import queue
from beerforyou.backends.queue import Queue
from beerforyou.backends.valkey import Valkey
from beerforyou.db import database
from beerforyou.db.database import Database
from beerforyou.db.migrate import missing
from beerforyou.errors import BeerForYouError, SetupError
from beerforyou.house import OWN_FILES, House, cores, fitting, open_files
from beerforyou.llm.connect import connect
from beerforyou.servers.embedded import full
from beerforyou.settings import Settings

log = logging.getLogger(__name__)

T = TypeVar("T")

FENCE_FRESH_S = 10.0  # how long it is believed that the fence stands; a look costs some milliseconds
POOLS = 3  # of a process: one a login
LEAST_FILES = 4096  # fewer than systemd and Docker give; two thousand followers
MIGRATE = "run `beerforyou db migrate`"


class Handles(Protocol):
    """On the servers. Each raises SetupError and Unavailable when there is none to be had."""

    settings: Settings

    async def database(self) -> Database: ...
    async def valkey(self) -> Valkey: ...
    async def queue(self) -> Queue: ...


class Check(msgspec.Struct, frozen=True):
    """`look` says what it saw, or raises; `hint` is what to do then, unless the error knows better.

    A look that went well is believed for `fresh_s`, by `/readyz`.
    """

    name: str
    look: Callable[[Handles], Awaitable[str]]
    hint: str
    ready: bool = False
    fresh_s: float = 0.0


class Finding(msgspec.Struct, frozen=True):
    name: str
    ok: bool
    detail: str
    hint: str = ""


async def holes(database: Database) -> list[str]:
    """Where the fence around the clients' data is not as it was laid; there must be none."""
    return [row["hole"] for row in await database.read.fetch("checks.holes")]


async def _postgresql(handles: Handles) -> str:
    await (await handles.database()).read.fetchrow("catalogue.version")
    return "answers"


async def _valkey(handles: Handles) -> str:
    await (await handles.valkey())("PING")
    return "answers"


async def _queue(handles: Handles) -> str:
    await (await handles.queue()).ready()
    return "answers"


async def _disk(handles: Handles) -> str:
    """Of the embedded servers: reads go on without any, so nobody else would say."""
    if full(handles.settings):
        raise SetupError(f"the disk of {handles.settings.data} is full")
    return "has room"


async def _migrations(handles: Handles) -> str:
    rows = await (await handles.database()).service.fetch("checks.migrations")
    if waiting := missing({row["name"]: row["sha256"] for row in rows}):
        raise SetupError(f"{len(waiting)} migrations have not run")
    return "up to date"


async def _fence(handles: Handles) -> str:
    db = await handles.database()
    if found := await holes(db):
        raise SetupError("; ".join(found))
    revoked = (await db.read.fetch("checks.functions_revoked"))[0]["functions_revoked"]
    return "stands" if revoked else "stands; this server keeps its functions callable, and the rest of it carries that"


async def _catalogue(handles: Handles) -> str:
    row = await (await handles.database()).read.fetchrow("catalogue.size")
    if not row or not row["breweries"]:
        raise SetupError("the catalogue is empty")
    return f"{row['breweries']} breweries, version {row['version']}"


async def _model(handles: Handles) -> str:
    model = connect(handles.settings)
    await model.close()
    return f"{model.name} (not called)"


async def _planners(handles: Handles) -> str:
    """Several may be meant: a run is for the workers of its own."""
    rows = await (await handles.database()).service.fetch("checks.planners")
    return f"living workers plan with {', '.join(row['planner'] for row in rows)}" if rows else "no worker lives"


async def _connections(handles: Handles) -> str:
    """Of those that it gives to others than its administrator; PgBouncer in between passes the question on."""
    pools, settings = POOLS * handles.settings.database_pool, handles.settings
    row = (await (await handles.database()).read.fetch("checks.connections"))[0]
    most, processes = row["most"], settings.workers or cores()
    said = f"{processes} x {pools} of pools, of the {most} that PostgreSQL gives: room for {most // pools} processes"
    if processes * pools > most:
        raise SetupError(said)
    return said


async def _files(handles: Handles) -> str:
    """Those that the limits add up to are never asked for: `serve` and `worker` take on fewer (house.py)."""
    wanted, files = handles.settings, open_files()
    both = fitting(wanted, serves=True, works=True)
    said = (
        f"of {files} each process keeps {OWN_FILES}; `serve` takes {both.worker_concurrency} runs and "
        f"{both.http_connections} connections"
    )
    if files < LEAST_FILES:
        raise SetupError(f"{said}, which is few")
    whole = OWN_FILES + wanted.worker_concurrency + wanted.http_connections
    return said if files >= whole else f"{said}; for all that is set `ulimit -n {whole}` would do"


CHECKS = (
    Check("postgresql", _postgresql, "is it running, and is DATABASE_URL right?", ready=True),
    Check("valkey", _valkey, "is it running, and is VALKEY_URL right?", ready=True),
    Check("queue", _queue, "is the broker running, and is BEERFORYOU_QUEUE_URL right?", ready=True),
    Check("disk", _disk, "make room", ready=True),
    Check("fence", _fence, f"stop serving, and {MIGRATE}", ready=True, fresh_s=FENCE_FRESH_S),
    Check("migrations", _migrations, MIGRATE),
    Check("catalogue", _catalogue, "run `beerforyou catalogue sync`"),
    Check(
        "connections", _connections, "a larger max_connections, a smaller BEERFORYOU_DATABASE_POOL, or fewer processes"
    ),
    Check("files", _files, "raise the hard limit of open files (`ulimit -Hn`, LimitNOFILE=)"),
    Check("model", _model, "see BEERFORYOU_MODEL in docs/reference/settings.md"),
    Check("planners", _planners, MIGRATE),
)


async def looked(check: Check, handles: Handles) -> Finding:
    """What the check says of this installation; of what nobody foresaw, too."""
    try:
        return Finding(check.name, True, await check.look(handles))
    except BeerForYouError as error:
        return Finding(check.name, False, error.message, error.hint or check.hint)
    except Exception as error:
        return Finding(check.name, False, f"{type(error).__name__}: {error}", check.hint)


class Health:
    """Of a house that stays open."""

    def __init__(self, house: House) -> None:
        self._handles = OfHouse(house)
        self._well: dict[str, float] = {}  # when it was seen to be
        self._down: set[str] = set()

    async def ready(self) -> dict[str, bool]:
        return dict(await asyncio.gather(*(self._ok(check) for check in CHECKS if check.ready)))

    async def _ok(self, check: Check) -> tuple[str, bool]:
        name = check.name
        if time.monotonic() - self._well.get(name, -math.inf) < check.fresh_s:
            return name, True
        seen = await looked(check, self._handles)
        if seen.ok:
            self._well[name] = time.monotonic()
            self._down.discard(name)
        elif name not in self._down:  # once, not at each look of whoever balances the load
            log.error("not ready: %s: %s (%s)", name, seen.detail, seen.hint)
            self._down.add(name)
        return name, seen.ok


class OfHouse:
    def __init__(self, house: House) -> None:
        self.settings, self._house = house.settings, house

    async def database(self) -> Database:
        return self._house.database

    async def valkey(self) -> Valkey:
        return self._house.valkey

    async def queue(self) -> Queue:
        return self._house.queue


class Opening:
    """Opens each when it is first asked for, and once, whatever comes of it; closes them with the block."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._stack = AsyncExitStack()
        self._opened: dict[str, asyncio.Task[Any]] = {}

    async def __aenter__(self) -> Opening:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def database(self) -> Database:
        return await self._once("database", lambda: database.connect(self.settings))

    async def valkey(self) -> Valkey:
        return await self._once("valkey", lambda: Valkey.connect(self.settings.valkey_url))

    async def queue(self) -> Queue:
        return await self._once("queue", lambda: queue.connect(self.settings))

    async def _once(self, name: str, opening: Callable[[], Coroutine[Any, Any, T]]) -> T:
        if name not in self._opened:
            self._opened[name] = asyncio.create_task(opening())
            self._stack.push_async_callback(self._close, name)
        opened: T = await self._opened[name]
        return opened

    async def _close(self, name: str) -> None:
        task = self._opened[name]
        await asyncio.wait([task])
        if not task.cancelled() and not task.exception():
            await task.result().close()
