"""The servers that come along: a real PostgreSQL and a real Valkey, one pair for each data folder.

All processes that use a data folder share its servers, and the last one to let go stops them; after `kill -9` of them
all, the next one finds the servers running or starts them again. How each starts: postgres.py, valkey.py.

    <data>/servers/            as root perhaps a link, see account.py
        passwords.json         one for each login, generated
        postgres/ valkey/      what they keep, their logs beside
        run/                   their sockets; a link to a folder in /tmp when the path is none that they can take
        users.lock turn.lock   who uses the servers, and whose turn it is to start or stop them
"""

import asyncio
import fcntl
import logging
import os
import shutil
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self
from urllib.parse import quote

import msgspec

from beerforyou.errors import BeerForYouError
from beerforyou.servers import account, folder
from beerforyou.servers.postgres import DATABASE, PostgresServer
from beerforyou.servers.server import Server, alive, ensure, locked, stop, take
from beerforyou.servers.valkey import ValkeyServer
from beerforyou.settings import Settings

log = logging.getLogger(__name__)

LEAST_ROOM = 32 << 20  # bytes: PostgreSQL's log grows by files of 16 MB, and it dies when there is no room for one
WATCH_S, LONGEST_WATCH_S = 0.5, 30.0  # between two looks at the servers; longer when they die again and again
CALM_S = 60.0  # after which a server that was started again is taken for well
URLS = ("database_admin_url", "database_url", "database_read_url", "database_sql_url", "valkey_url")


class Servers:
    """In use until released; `start` makes it. The URLs of a server that was not asked for are empty."""

    def __init__(self, home: Path, postgres: bool, valkey: bool) -> None:
        """For the one whose turn it is."""
        self._turn = home / "turn.lock"
        self._users = os.fdopen(os.open(home / "users.lock", os.O_RDWR | os.O_CREAT, 0o600))
        fcntl.flock(self._users, fcntl.LOCK_SH)
        self._children: dict[Server, subprocess.Popen[bytes]] = {}
        passwords = folder.passwords(home / "passwords.json")
        plain, sockets = folder.places(home)
        self._servers: dict[Server, bool] = {
            PostgresServer(home, plain, sockets, passwords["postgres"]): postgres,
            ValkeyServer(home, plain, sockets, passwords["valkey"]): valkey,
        }

        def database(login: str) -> str:
            where = f"{DATABASE}?host={quote(str(sockets))}"
            return f"postgresql://{login}:{passwords[login]}@/{where}" if postgres else ""

        self.database_admin_url = database("postgres")
        self.database_url = database("bfy_service")
        self.database_read_url = database("bfy_client")
        self.database_sql_url = database("bfy_reader")
        self.valkey_url = f"unix://:{passwords['valkey']}@{quote(str(sockets))}/valkey.sock" if valkey else ""

    def ensure(self) -> list[str]:
        """Waits until all that were asked for answer. The names of those that had to be started. Raises SetupError."""
        started = []
        for server, asked in self._servers.items():
            if asked and (child := ensure(server)):
                self._children[server] = child
                started.append(server.name)
        return started

    def heal(self) -> list[str]:
        """Starts what has died. Raises SetupError and OSError."""
        if all(alive(server) for server, asked in self._servers.items() if asked):
            return []
        with locked(self._turn):  # several processes may have noticed; the first one starts it
            return [] if self._users.closed else self.ensure()

    def release(self) -> None:
        """Stops the servers if nobody else uses them. Once is enough, twice does no harm."""
        with locked(self._turn):
            if not self._users.closed:
                self.release_in_turn()

    def release_in_turn(self) -> None:
        with self._users:
            if take(self._users.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB):
                for server in self._servers:
                    stop(server)
                for child in self._children.values():
                    child.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


@asynccontextmanager
async def watched(servers: Servers) -> AsyncIterator[None]:
    """While the block lasts, what dies is started again."""
    watch = asyncio.create_task(_watch(servers))
    try:
        yield
    finally:
        watch.cancel()
        await asyncio.wait([watch])


async def _watch(servers: Servers) -> None:
    pause, calm = WATCH_S, time.monotonic()
    while True:
        await asyncio.sleep(pause)
        try:
            started = await asyncio.to_thread(servers.heal)
        except (BeerForYouError, OSError) as error:
            log.error("%s; it is tried again in %g s", error, min(2 * pause, LONGEST_WATCH_S))
        else:
            if not started:
                pause = pause if time.monotonic() < calm else WATCH_S
                continue
            log.warning("started again after it died: %s", ", ".join(started))
        pause, calm = min(2 * pause, LONGEST_WATCH_S), time.monotonic() + CALM_S


def start(data: Path, *, postgres: bool = True, valkey: bool = True) -> Servers:
    """Starts the servers of a data folder, or joins those who use them. Raises SetupError."""
    try:
        home = account.home(data.resolve())
        with locked(home / "turn.lock"):
            servers = Servers(home, postgres, valkey)
            try:
                servers.ensure()
            except BaseException:  # a Ctrl-C, too
                servers.release_in_turn()
                raise
    except OSError as error:
        raise account.unusable(data, error) from error
    return servers


def settings_with_servers(settings: Settings) -> tuple[Settings, Servers | None]:
    """Starts what no URL names and fills in its URLs; whoever calls releases the servers. Raises SetupError."""
    postgres, valkey = not settings.database_url, not settings.valkey_url
    if not postgres and not valkey:
        return settings, None
    servers = start(settings.data, postgres=postgres, valkey=valkey)
    urls = {url: getattr(settings, url) or getattr(servers, url) for url in URLS}
    return msgspec.structs.replace(settings, **urls), servers


def full(settings: Settings) -> bool:
    """Whether the disk of the servers is; never of those that URLs name elsewhere. Raises OSError."""
    home = settings.data.resolve() / "servers"
    ours = quote(str((home / "run").resolve()))
    return (ours in settings.database_url or ours in settings.valkey_url) and shutil.disk_usage(home).free < LEAST_ROOM
