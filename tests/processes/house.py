"""PostgreSQL, Valkey and RabbitMQ of the chaos run's own, that may be killed and started again."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import asyncpg
import msgspec

from beerforyou.backends.valkey import Valkey
from beerforyou.catalogue import demo
from beerforyou.catalogue.sync import store
from beerforyou.db.connections import operator
from beerforyou.servers.embedded import Servers, settings_with_servers
from beerforyou.settings import Settings, load
from tests.servers.rabbitmq import Rabbit, rabbitmq


class House:
    """On a folder and with URLs that stay the same through every restart."""

    def __init__(self, settings: Settings, servers: Servers, rabbit: Rabbit) -> None:
        self.settings, self._servers, self._rabbit = settings, servers, rabbit
        self.restarts: Counter[str] = Counter()

    async def restart_postgres(self) -> None:
        """The postmaster dies, its children when they notice; it starts from what it had written."""
        pid = int((self.settings.data / "servers/postgres/postmaster.pid").read_text().split()[0])
        await self._restarted("postgresql", lambda: _kill(pid), self._servers.ensure)

    async def restart_valkey(self) -> None:
        valkey = await Valkey.connect(self.settings.valkey_url)
        info = (await valkey("INFO", "server")).decode()
        await valkey.close()
        pid = int(info.partition("process_id:")[2].split()[0])
        await self._restarted("valkey", lambda: _kill(pid), self._servers.ensure)

    async def restart_rabbit(self) -> None:
        await self._restarted("rabbitmq", self._rabbit.kill, self._rabbit.start)

    async def flush_valkey(self) -> None:
        valkey = await Valkey.connect(self.settings.valkey_url)
        await valkey("FLUSHALL")
        await valkey.close()
        self.restarts["flushall"] += 1

    async def _restarted(self, name: str, kill: Callable[[], None], start: Callable[[], None]) -> None:
        restart = asyncio.create_task(asyncio.to_thread(lambda: (kill(), start())))
        try:
            await asyncio.shield(restart)
        finally:  # a Ctrl-C in the middle must not leave a server behind
            await asyncio.wait([restart])
        self.restarts[name] += 1

    async def commit_times(self) -> None:
        """From now on the server knows when each transaction was committed."""
        admin = await asyncpg.connect(self.settings.database_admin_url)
        await admin.execute("ALTER SYSTEM SET track_commit_timestamp = on")
        await admin.close()
        await self.restart_postgres()
        self.restarts.clear()

    def keep_logs(self, logs: Path) -> None:
        for log in (self.settings.data / "servers").resolve().glob("*.log*"):
            shutil.copy(log, logs)


def _kill(pid: int) -> None:
    """A child of ours; it is dead when this returns, and nobody takes its socket for a living one's."""
    os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


@contextmanager
def house() -> Iterator[House]:
    """Raises what keeps RabbitMQ from starting."""
    with ExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="beerforyou-chaos-")))
        data.chmod(0o711)
        rabbit = stack.enter_context(rabbitmq())
        settings, servers = settings_with_servers(load({}, data=data))
        assert servers
        stack.enter_context(servers)
        yield House(msgspec.structs.replace(settings, queue_url=rabbit.url), servers, rabbit)


async def furnish(settings: Settings, clients: Sequence[str]) -> None:
    """A small catalogue and these clients, in a migrated database."""
    async with operator(settings) as connection:
        await store(connection, demo.breweries(), "demo")
        await connection.executemany(
            "INSERT INTO clients (client_id, name, city, state, country, postal_code, language)"
            " VALUES ($1, 'Bar', '', '', '', '', 'en')",
            [(client,) for client in clients],
        )
