"""The servers that come along: a real PostgreSQL and a real Valkey, one pair for each data folder.

All processes that use a data folder share its servers, and the last one to let go stops them; after `kill -9` of them
all, the next one finds the servers running or starts them again. How each starts: postgres_server.py, valkey_server.py.

    <data>/servers/            as root perhaps a link, see account.py
        passwords.json         one for each login, generated
        postgres/ valkey/      what they keep, their logs beside
        run/                   their sockets; a link to a folder in /tmp when the path is too long for a socket
        users.lock turn.lock   who uses the servers, and whose turn it is to start or stop them
"""

import fcntl
import os
import secrets
import subprocess
import tempfile
from pathlib import Path
from typing import Self
from urllib.parse import quote

import msgspec

from beerforyou.backends import account
from beerforyou.backends.postgres_server import DATABASE, PostgresServer
from beerforyou.backends.server import Server, ensure, locked, private, stop, take
from beerforyou.backends.valkey_server import ValkeyServer
from beerforyou.settings import Settings

LONGEST_SOCKET = 103  # bytes of a socket's path: 107 on Linux, 103 on macOS
URLS = ("database_admin_url", "database_url", "database_read_url", "database_sql_url", "valkey_url")
LOGINS = ("postgres", "bfy_service", "bfy_client", "bfy_reader", "valkey")


class Servers:
    """In use until released; `start` makes it. The URLs of a server that was not asked for are empty."""

    def __init__(self, home: Path, postgres: bool, valkey: bool) -> None:
        """For the one whose turn it is."""
        self._turn = home / "turn.lock"
        self._users = os.fdopen(os.open(home / "users.lock", os.O_RDWR | os.O_CREAT, 0o600))
        fcntl.flock(self._users, fcntl.LOCK_SH)
        self._children: list[subprocess.Popen[bytes] | None] = []
        passwords, sockets = _passwords(home / "passwords.json"), _sockets(home)
        self._servers: dict[Server, bool] = {
            PostgresServer(home, sockets, passwords["postgres"]): postgres,
            ValkeyServer(home, sockets, passwords["valkey"]): valkey,
        }

        def database(login: str) -> str:
            where = f"{DATABASE}?host={quote(str(sockets))}"
            return f"postgresql://{login}:{passwords[login]}@/{where}" if postgres else ""

        self.database_admin_url = database("postgres")
        self.database_url = database("bfy_service")
        self.database_read_url = database("bfy_client")
        self.database_sql_url = database("bfy_reader")
        self.valkey_url = f"unix://:{passwords['valkey']}@{quote(str(sockets))}/valkey.sock" if valkey else ""

    def ensure(self) -> None:
        self._children = [ensure(server) for server, asked in self._servers.items() if asked]

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
                for child in filter(None, self._children):
                    child.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def start(data: Path, *, postgres: bool = True, valkey: bool = True) -> Servers:
    """Starts the servers of a data folder, or joins those who use them. Raises SetupError."""
    home = account.home(data.resolve())
    try:
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


def _passwords(path: Path) -> dict[str, str]:
    """Made once, and on the disk before a server learns of them; a login that is new since then gets its own."""
    kept = msgspec.json.decode(path.read_bytes(), type=dict[str, str]) if path.exists() else {}
    if kept.keys() >= set(LOGINS):
        return kept
    passwords = {login: secrets.token_urlsafe(24) for login in LOGINS} | kept
    private(path.with_suffix(".new"), msgspec.json.encode(passwords).decode()).rename(path)
    return passwords


def _sockets(home: Path) -> Path:
    folder = home / "run"
    if len(os.fsencode(folder / ".s.PGSQL.5432")) <= LONGEST_SOCKET:
        return account.give(account.own(folder, 0o700))
    if not folder.exists():  # a reboot empties /tmp
        folder.unlink(missing_ok=True)
        folder.symlink_to(account.give(Path(tempfile.mkdtemp(prefix="beerforyou-", dir="/tmp"))))
    return folder.resolve()
