"""A real RabbitMQ of one node, on loopback, that may be killed and started again on what it had on the disk.

`make` installs it as root on Debian; where it is missing, tests skip, or fail in CI. No plugins, and an epmd of its
own (Erlang's register of nodes), so that nothing is shared with a RabbitMQ that the machine runs already.
"""

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from beerforyou.servers import account
from beerforyou.servers.server import private
from tests.servers.process import folder, tail

PROGRAM = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")  # Debian's in the PATH insists on an account and a folder
START_S = 120  # 10 s of CPU, and other tests may run beside
AMQP_HEADER = b"AMQP\0\0\x09\x01"

CONFIG = """
default_user = {user}
default_pass = {password}
vm_memory_high_watermark.relative = 0.9
disk_free_limit.absolute = 1MB
"""  # what the machine has left is no concern of the tests


class Rabbit:
    """`rabbitmq` makes it; it runs until the end of that block."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._ports = {name: str(_free_port()) for name in ("node", "dist", "epmd")}
        password = secrets.token_urlsafe(24)
        config = CONFIG.format(user="beerforyou", password=password)
        self._config = account.give(private(home / "rabbitmq.conf", config))
        self._processes: list[subprocess.Popen[bytes]] = []
        self.url = f"amqp://beerforyou:{password}@127.0.0.1:{self._ports['node']}/"

    def start(self) -> None:
        """Raises AssertionError with the end of its log when it doesn't answer."""
        environment, log = self._environment(), self._home / "log"
        self._spawn(["epmd", "-address", "127.0.0.1", "-port", self._ports["epmd"]], environment)
        node = self._spawn([PROGRAM], environment)
        end = time.monotonic() + START_S
        while not self._answers():
            assert node.poll() is None and time.monotonic() < end, f"RabbitMQ does not start: {tail(log)}"
            time.sleep(0.05)

    def kill(self) -> None:
        """With SIGKILL; what the Erlang machine started ends by itself then."""
        for process in self._processes:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self._processes.clear()

    def restart(self) -> None:
        """Kills it if need be, and waits until it answers on the same folder and port."""
        self.kill()
        self.start()

    @property
    def pid(self) -> int:
        """Of the Erlang machine."""
        return self._processes[-1].pid

    def _spawn(self, args: list[str | Path], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        with (self._home / "log").open("ab") as log:
            process = account.spawn(args, log, env=environment)
        assert process.stdin
        process.stdin.close()
        self._processes.append(process)
        return process

    def _environment(self) -> dict[str, str]:
        home = str(self._home)
        return account.ENVIRONMENT | {
            "HOME": home,
            "RUNNING_UNDER_SYSTEMD": "yes",  # then its script becomes the Erlang machine instead of watching over it
            "RABBITMQ_NODENAME": f"beerforyou-{self._ports['node']}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": self._ports["node"],
            "RABBITMQ_DIST_PORT": self._ports["dist"],
            "RABBITMQ_MNESIA_BASE": f"{home}/mnesia",
            "RABBITMQ_LOG_BASE": f"{home}/logs",
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_CONFIG_FILE": str(self._config),
            "RABBITMQ_CONF_ENV_FILE": f"{home}/none",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{home}/plugins",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1} +sbwt none",
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": self._ports["epmd"],
        }

    def _answers(self) -> bool:
        """It listens last of all, when everything else is there."""
        with socket.socket() as probe:
            probe.settimeout(5)
            try:
                probe.connect(("127.0.0.1", int(self._ports["node"])))
                probe.sendall(AMQP_HEADER)
                return probe.recv(1) == b"\x01"  # a method: Connection.Start
            except OSError:
                return False


@contextmanager
def rabbitmq() -> Iterator[Rabbit]:
    if not PROGRAM.exists():
        give_up = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        give_up("RabbitMQ is not installed: on Debian, `make .venv/system` as root does that")
    with folder("rabbitmq") as home:
        rabbit = Rabbit(home)
        try:
            rabbit.start()
            yield rabbit
        finally:
            rabbit.kill()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
