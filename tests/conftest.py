"""One embedded PostgreSQL and Valkey for the whole run, and a database of its own for each test that asks.

`settings` and `database` are fresh for each test; a module that fills one for all its tests makes a fixture of its
own with `fresh_settings`. Nothing here is a stand-in: what the tests use is what `serve` uses.
"""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import date, datetime
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
import pytest
import uvloop

from beerforyou import clock
from beerforyou.backends.valkey import Valkey
from beerforyou.catalogue import refresh
from beerforyou.catalogue.demo import breweries as invented_breweries
from beerforyou.catalogue.sync import store
from beerforyou.clients.demo import write as invented_clients
from beerforyou.clients.load import load as load_files
from beerforyou.clients.profiles import compute
from beerforyou.clients.statistics import publish
from beerforyou.conversations.accepting import accept
from beerforyou.db.connections import admin, take_on
from beerforyou.db.database import Database, Reads, connect
from beerforyou.db.migrate import migrate
from beerforyou.house import House, opened
from beerforyou.llm.connect import Models
from beerforyou.llm.model import Model
from beerforyou.runs.looking import look
from beerforyou.servers import account
from beerforyou.servers.embedded import settings_with_servers
from beerforyou.settings import Settings, load
from beerforyou.worker.worker import work
from tests.days import CLOCK

# The servers get an environment of their own, and in it the clock of these tests (days.py).
account.ENVIRONMENT.update({name: value for name, value in os.environ.items() if name in CLOCK})

# The loop that `serve` runs on. (pytest-asyncio's hook for it breaks fixtures that synchronous tests share.)
asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())

Walk = Callable[..., Awaitable[dict[str, Any]]]
FreshSettings = Callable[..., AbstractAsyncContextManager[Settings]]

TESTS = Path(__file__).parent
# rooms whose tests start servers, or programs, of their own
WITH_SERVERS = {"backends", "cli", "isolation", "outside", "processes", "servers"}
DATED = {"by_rule", "clients", "published", "reading", "sentences", "tools"}  # rooms that speak of days
LONGEST = ("processes/test_chaos.py", "isolation/test_proof.py", "published/test_tracker.py", "backends/test_queue.py")
# What the demo clients order follows the season: in the tests it is what they ordered up to this day, told as of today.
DEMO_DAY = date(2026, 11, 22)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks for `make check` and `make days`; and those who take long come first, for two processes to end together."""
    for item in items:
        used, room = set(getattr(item, "fixturenames", ())), item.path.relative_to(TESTS).parts[0]
        if room in WITH_SERVERS or used & {"data_folder", "rabbit"}:
            item.add_marker("server")
        if room in DATED or "demo" in used:
            item.add_marker("dated")
    items.sort(key=lambda item: _rank(item.path.relative_to(TESTS).as_posix()))


def _rank(path: str) -> int:
    return LONGEST.index(path) if path in LONGEST else len(LONGEST)


@pytest.fixture(scope="session")
def data_folder() -> Iterator[Path]:
    """Not pytest's: as root, the servers run as an account that pytest's folders keep out."""
    with tempfile.TemporaryDirectory(prefix="beerforyou-tests-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


@pytest.fixture(scope="session")
def embedded_settings(data_folder: Path) -> Iterator[Settings]:
    """The servers as `serve` would find them on the first day: nothing migrated. A scripted model is asked whatever the reading
    is sure of, but where a test says otherwise."""
    settings, servers = settings_with_servers(load({}, data=data_folder, sure_reading_plans=False))
    assert servers
    with servers:
        yield settings


@pytest.fixture(scope="session")
async def migrated(embedded_settings: Settings) -> Settings:
    """Don't write here: it is the template of the others.

    Nothing waits for the disk, which matters to who loses power and not to who kills a process: a commit takes 0.6 ms and not 7.
    """
    operator = await admin(embedded_settings)
    for setting in ("fsync", "full_page_writes"):
        await operator.execute(f"ALTER SYSTEM SET {setting} = off")
    await operator.execute("SELECT pg_reload_conf()")
    await operator.close()
    await migrate(embedded_settings)
    return embedded_settings


@pytest.fixture(scope="session")
def fresh_settings(migrated: Settings) -> FreshSettings:
    """`async with fresh_settings() as settings`: a migrated, empty database and Valkey until the end of the block.

    `fresh_settings(like)` copies another database, to which nobody is connected.
    """
    numbers, valkeys = count(1), list(range(1, 16))

    @asynccontextmanager
    async def fresh(like: Settings = migrated) -> AsyncIterator[Settings]:
        template = urlsplit(like.database_url).path[1:]
        name, number = f"test_{next(numbers)}", valkeys.pop()
        operator = await admin(_in_database(like, template, "postgres"))
        try:
            await operator.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
            # a copy has everything but the rights on the database itself
            await operator.execute(
                "UPDATE pg_database SET datacl = (SELECT datacl FROM pg_database WHERE datname = $1) WHERE datname = $2",
                template,
                name,
            )
            fresh = _in_database(like, template, name)
            fresh = msgspec.structs.replace(fresh, valkey_url=f"{migrated.valkey_url}?db={number}")
            await _emptied(fresh.valkey_url)
            yield fresh
            await operator.execute(f"DROP DATABASE {name} WITH (FORCE)")
        finally:
            valkeys.append(number)
            await operator.close()

    return fresh


async def _emptied(valkey_url: str) -> None:
    valkey = await Valkey.connect(valkey_url)
    await valkey("FLUSHDB")
    await valkey.close()


def _in_database(settings: Settings, old: str, new: str) -> Settings:
    fields = ("database_admin_url", "database_url", "database_read_url", "database_sql_url")
    urls = {field: getattr(settings, field).replace(f"@/{old}?", f"@/{new}?") for field in fields}
    return msgspec.structs.replace(settings, **urls)


@pytest.fixture
async def settings(fresh_settings: FreshSettings) -> AsyncIterator[Settings]:
    async with fresh_settings() as fresh:
        yield fresh


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    database = await connect(settings)
    yield database
    await database.close()


@pytest.fixture(scope="session")
def real_catalogue() -> Path:
    """The public Open Brewery DB file; not part of the project, so CI has to bring it and others may."""
    beside = Path(__file__).parents[2] / "shared/openbrewerydb/breweries.csv"
    path = Path(os.environ.get("BEERFORYOU_TEST_CATALOGUE") or beside)
    if not path.is_file():
        reason = f"no Open Brewery DB file: BEERFORYOU_TEST_CATALOGUE names none, and {beside.name} is not beside us"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)
    return path


@pytest.fixture(scope="session")
async def demo(fresh_settings: FreshSettings) -> AsyncIterator[Settings]:
    """The demo catalogue and the demo clients, to be copied. Don't connect here."""
    async with fresh_settings() as settings:
        await furnish(settings)
        yield settings


@pytest.fixture(scope="session")
async def furnished(fresh_settings: FreshSettings, demo: Settings) -> AsyncIterator[Settings]:
    """A copy of `demo` for all who change nothing of it. Add conversations, change nothing else."""
    async with fresh_settings(demo) as settings:
        yield settings


async def furnish(settings: Settings) -> None:
    """What `beerforyou demo` sets up, but the same orders and the same noise on every day."""
    connection = await admin(settings)
    await connection.execute("UPDATE stats.secret SET secret = sha256('the same noise in every run of the tests')")
    await take_on(connection, "bfy_operator", "core")
    await store(connection, invented_breweries(), "demo")
    catalogue = await refresh.load(Reads(connection))
    with tempfile.TemporaryDirectory() as folder:
        files = invented_clients(Path(folder), catalogue.breweries, today=DEMO_DAY)
        await load_files(connection, *files, catalogue=catalogue, days={"": DEMO_DAY})
    await connection.execute(
        "UPDATE purchases SET purchased_on = purchased_on + $1::int", (clock.today(settings.time_zone) - DEMO_DAY).days
    )
    await compute(connection, clock.days(settings.time_zone))
    await publish(connection, DEMO_DAY)
    await connection.close()


@pytest.fixture(scope="session")
async def house(furnished: Settings) -> AsyncIterator[House]:
    async with opened(furnished) as house:
        yield house


@pytest.fixture
def walk(house: House) -> Walk:
    """`await walk(message)`: one message through the corridor, as the run with its steps; the model may be scripted."""

    async def walked(
        message: str, model: Model | Models | None = None, client: str = "CLT-00001", **more: UUID
    ) -> dict[str, Any]:
        accepted = await accept(house, client, message, more.get("conversation_id"))
        usual = Models(house.model, house.by_rule)
        house.model, house.by_rule = model if isinstance(model, Models) else (model, False)
        try:
            await work(house, accepted.run_id)
        finally:
            house.model, house.by_rule = usual
        run = await look(house.database.as_client(client), accepted.run, steps=True)
        return msgspec.to_builtins(run, builtin_types=(UUID, datetime)) | {"blocks": run.blocks}

    return walked
