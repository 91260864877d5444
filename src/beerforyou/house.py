"""Opens what every process shares, and holds it: handles, and nothing more."""

from __future__ import annotations

import contextlib
import os
import resource
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec

from beerforyou.backends import queue
from beerforyou.backends.queue import Queue
from beerforyou.backends.subscriptions import Subscriptions
from beerforyou.backends.valkey import Valkey
from beerforyou.catalogue.refresh import Current
from beerforyou.clients.profiles import Profiles
from beerforyou.db import database
from beerforyou.db.database import Database
from beerforyou.errors import Unavailable
from beerforyou.llm.connect import Models, connect
from beerforyou.runs.bell import Bell, Pressure
from beerforyou.runs.following import Following
from beerforyou.runs.publishing import Publishing
from beerforyou.servers.embedded import full, settings_with_servers, watched
from beerforyou.settings import Settings

AGAIN = "make room, then do the same again"
MANY = 1 << 20  # open files, where there is no limit
OWN_FILES = 256  # that are no connections of clients or to models: pools, logs, the servers behind


class House:
    def __init__(
        self,
        settings: Settings,
        database: Database,
        valkey: Valkey,
        subscriptions: Subscriptions,
        queue: Queue,
        catalogue: Current,
        models: Models,
    ) -> None:
        self.settings, self.database, self.valkey, self.catalogue = (
            settings, database, valkey, catalogue)  # fmt: skip
        self.model, self.by_rule = models.model, models.by_rule
        self.subscriptions, self.queue = subscriptions, queue
        self.profiles = Profiles()
        self.following = Following(subscriptions, database.service)
        self.publishing = Publishing(valkey)
        self.bell = Bell(queue)
        self.pressure = Pressure(self.bell, database.service, settings.queue_limit)
        # Not by process id alone: in a container it is the same after a restart.
        self.worker_name = f"{os.uname().nodename}-{os.getpid()}-{secrets.token_hex(4)}"


@asynccontextmanager
async def prepared(settings: Settings, *, keep: bool = False) -> AsyncIterator[Settings]:
    """Settings in which every URL is filled in: the embedded servers run where no URL says otherwise. `keep`: those that
    die are started again."""
    # Not in a thread: nothing else runs yet, and a Ctrl-C must not come between the start and its handle.
    complete, servers = settings_with_servers(settings)
    with servers or contextlib.nullcontext():
        try:
            async with watched(servers) if servers and keep else contextlib.nullcontext():
                yield complete
        except Unavailable as error:
            if full(complete):
                raise Unavailable(f"the disk of {settings.data} is full: {error.message}", AGAIN) from None
            raise


def open_files() -> int:
    """How many files this process may have open: as many as it is allowed to, from now on."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return MANY if hard == resource.RLIM_INFINITY else hard


def cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def fitting(settings: Settings, *, serves: bool = False, works: bool = False) -> Settings:
    """What a process takes on of connections and runs, so that neither takes the other's files: a run may need one for its
    model call. Beyond half of them runs leave the rest to connections."""
    files = open_files() - OWN_FILES
    runs = min(settings.worker_concurrency, files // (2 if serves else 1)) if works else 0
    connections = min(settings.http_connections, files - runs)
    return msgspec.structs.replace(settings, worker_concurrency=max(runs, 1), http_connections=max(connections, 1))


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[House]:
    """A house with everything connected."""
    open_files()
    async with prepared(settings, keep=True) as complete, AsyncExitStack() as stack:
        db = await database.connect(complete)
        stack.push_async_callback(db.close)
        valkey = await Valkey.connect(complete.valkey_url)
        stack.push_async_callback(valkey.close)
        subscriptions = await Subscriptions.connect(complete.valkey_url)
        stack.push_async_callback(subscriptions.close)
        doorbell = await queue.connect(complete)
        stack.push_async_callback(doorbell.close)
        models = connect(complete)
        stack.push_async_callback(models.close)
        house = House(complete, db, valkey, subscriptions, doorbell, await Current.load(db.read, complete.data), models)
        stack.push_async_callback(house.bell.close)
        yield house
