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
import re
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self
from urllib.parse import quote

import msgspec

from beerforyou.errors import BeerForYouError, SetupError
from beerforyou.servers import account
from beerforyou.servers.postgres import DATABASE, PostgresServer
from beerforyou.servers.server import Server, alive, ensure, locked, private, stop, take
from beerforyou.servers.valkey import ValkeyServer
from beerforyou.settings import Settings

log = logging.getLogger(__name__)

LONGEST_SOCKET = 103  # bytes of a socket's path: 107 on Linux, 103 on macOS
LEAST_ROOM = 32 << 20  # bytes: PostgreSQL's log grows by files of 16 MB, and it dies when there is no room for one
WATCH_S, LONGEST_WATCH_S = 0.5, 30.0  # between two looks at the servers; longer when they die again and again
CALM_S = 60.0  # after which a server that was started again is taken for well
PLAIN = re.compile(rb"[A-Za-z0-9/._+~ -]+")  # blanks: the usual folder on macOS has one
URLS = ("database_admin_url", "database_url", "database_read_url", "database_sql_url", "valkey_url")
LOGINS = ("postgres", "bfy_service", "bfy_client", "bfy_reader", "valkey")


class Servers:
    """In use until released; `start` makes it. The URLs of a server that was not asked for are empty."""

    def __init__(self, home: Path, postgres: bool, valkey: bool) -> None:
        """For the one whose turn it is."""
        self._turn = home / "turn.lock"
        self._users = os.fdopen(os.open(home / "users.lock", os.O_RDWR | os.O_CREAT, 0o600))
        fcntl.flock(self._users, fcntl.LOCK_SH)
        self._children: dict[Server, subprocess.Popen[bytes]] = {}
        passwords = _passwords(home / "passwords.json")
        plain, sockets = _places(home)
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
    return (ours in settings.database_url or ours in settings.valkey_url) and _full(home)


def _full(folder: Path) -> bool:
    return shutil.disk_usage(folder).free < LEAST_ROOM


def _passwords(path: Path) -> dict[str, str]:
    """Made once, and on the disk before a server learns of them; a login that is new since then gets its own."""
    try:
        kept = msgspec.json.decode(path.read_bytes(), type=dict[str, str]) if path.exists() else {}
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise SetupError(
            f"{path} cannot be read", "bring it back: without it nobody can log in to the servers of this folder"
        ) from None
    if kept.keys() >= set(LOGINS):
        return kept
    passwords = {login: secrets.token_urlsafe(24) for login in LOGINS} | kept
    private(path.with_suffix(".new"), msgspec.json.encode(passwords).decode()).rename(path)
    return passwords


def _places(home: Path) -> tuple[Path, Path]:
    """The home by a name that the servers can take, and the folder of their sockets.

    Their options, configurations and scripts have separators, quotes and escapes of their own, and a socket's path is
    short. So where the path has more than PLAIN in it, or is too long, both are in a folder of ours in /tmp.
    """
    run = home / "run"
    if PLAIN.fullmatch(os.fsencode(home)) and len(os.fsencode(run / ".s.PGSQL.5432")) <= LONGEST_SOCKET:
        if run.is_symlink():  # the folder had another name
            run.unlink()
        return home, account.give(account.own(run, 0o700))
    if not _leads_back(run, home):  # a reboot empties /tmp, and a copy of a folder is not the folder
        shutil.rmtree(run) if run.is_dir() and not run.is_symlink() else run.unlink(missing_ok=True)
        short = Path(tempfile.mkdtemp(prefix="beerforyou-", dir="/tmp"))
        (short / "home").symlink_to(home)
        run.symlink_to(account.give(short))
    short = run.readlink()
    return short / "home", short


def _leads_back(run: Path, home: Path) -> bool:
    """And is ours: by now the name in /tmp may be somebody else's."""
    try:
        return (run / "home").readlink() == home and run.stat().st_uid == account.uid()
    except OSError:
        return False
