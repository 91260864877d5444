"""A real PgBouncer in transaction mode, on loopback, with fewer server connections than it has callers.

`make` installs it as root on Debian; where it is missing, tests skip, or fail in CI.
"""

import os
import shutil
import signal
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

import msgspec
import pytest

from beerforyou.servers import account
from beerforyou.servers.server import private
from tests.servers.process import folder, running

SERVER_CONNECTIONS = 3  # for each login

CONFIG = """
[databases]
* = host={server}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
pool_mode = transaction
default_pool_size = {size}
max_client_conn = 200
auth_type = scram-sha-256
auth_file = {logins}
ignore_startup_parameters = extra_float_digits
server_login_retry = 0.1
"""


class Bouncer(msgspec.Struct, frozen=True):
    host: str
    port: int
    pid: int = 0

    @contextmanager
    def mute(self) -> Iterator[None]:
        """It goes on listening and says nothing, like a network that lost its packets."""
        os.kill(self.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.pid, signal.SIGCONT)

    def url(self, direct: str) -> str:
        """The same login and database, through this PgBouncer."""
        parts = urlsplit(direct)
        login = parts.netloc.rpartition("@")[0]
        return parts._replace(netloc=f"{login}@{self.host}:{self.port}", query="").geturl()


@contextmanager
def pgbouncer(server: Path, urls: Iterable[str]) -> Iterator[Bouncer]:
    """In front of the server whose socket is in this folder, for the logins of these URLs."""
    program = _program()
    with folder("pgbouncer") as home:
        bouncer = Bouncer("127.0.0.1", _free_port())
        logins = account.give(private(home / "logins", "".join(map(_login, urls))))
        text = CONFIG.format(server=server, port=bouncer.port, size=SERVER_CONNECTIONS, logins=logins)
        config = account.give(private(home / "pgbouncer.ini", text))
        with running([program, config], home / "log", lambda: _listens(bouncer), signal.SIGTERM, {}) as pid:
            yield msgspec.structs.replace(bouncer, pid=pid)


def _program() -> str:
    found = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        give_up = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        give_up("PgBouncer is not installed: on Debian, `make .venv/system` as root does that")
    return found


def _login(url: str) -> str:
    parts = urlsplit(url)
    return f'"{parts.username}" "{unquote(parts.password or "")}"\n'


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _listens(bouncer: Bouncer) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((bouncer.host, bouncer.port)) == 0
