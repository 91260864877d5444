"""The whole service, started for the benchmark in a folder of its own: PostgreSQL, Valkey, perhaps RabbitMQ, the demo's
clients with the catalogue that there is, API processes, workers, and a simulated model server for each worker.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import resource
import sys
import tempfile
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import asyncpg
import msgspec

from beerforyou.api.tokens import mint
from beerforyou.backends.valkey import Valkey
from beerforyou.cli.demo import set_up
from beerforyou.house import prepared
from beerforyou.settings import Settings, env_name, load
from bench.machine import cpu_s
from bench.talking import Lines

ROOT = Path(__file__).parents[1]
ADDRESS = re.compile(rb'http://[^"\s]+')
BEERFORYOU = str(Path(sys.executable).with_name("beerforyou"))
URLS = ("database_url", "database_read_url", "database_sql_url", "database_admin_url", "valkey_url", "queue_url")
MODELS = {"gemini": "gemini:gemini-2.5-flash", "openai": "openai-chat:gpt-4.1-mini"}
DATA = ("breweries", "clients", "purchases", "runs")
START_S, END_S = 90.0, 40.0
TOKEN_S = 86_400
TOOL = "model server"  # the one part of a fleet that is not ours
# 300 clients stand for many more, and the model may take half a minute: what the defaults allow is another question.
SETTINGS = {
    "worker_concurrency": "25000",
    "client_concurrency": "1000",
    "queue_limit": "50000",
    "model_timeout_s": "900",
    "run_timeout_s": "1800",
    "webhook_networks": "127.0.0.0/8",
    "fallback_models": "",
    "shadow_share": "0",
}


class Program:
    """A process of ours; `url` is where it serves, once it has said so."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, log: Path) -> None:
        self.name, self.url, self.log = name, "", log
        self._process = process
        self.pid = process.pid

    async def ready(self, word: bytes) -> None:
        """Waits for a line of its standard error that begins like this; the rest goes to its log. Raises RuntimeError."""
        assert self._process.stderr
        try:
            async with asyncio.timeout(START_S):
                while not (line := await self._process.stderr.readline()).startswith(word):
                    if not line:
                        raise RuntimeError(f"{self.name} does not start: {self.log.read_text()[-2000:]}")
                    self._note(line)
        except TimeoutError:
            raise RuntimeError(
                f"{self.name} does not start within {START_S:g} s: {self.log.read_text()[-2000:]}"
            ) from None
        self._logging = asyncio.create_task(self._log())

    async def serves(self) -> None:
        """Waits for its address on its standard output."""
        assert self._process.stdout
        while line := await self._process.stdout.readline():
            if found := ADDRESS.search(line):
                self.url = found[0].decode()
                return

    async def end(self) -> None:
        if self._process.returncode is None:
            self._process.terminate()
            try:
                await asyncio.wait_for(self._process.wait(), END_S)
            except TimeoutError:
                self._process.kill()
                await self._process.wait()

    async def _log(self) -> None:
        assert self._process.stderr
        async for line in self._process.stderr:
            self._note(line)

    def _note(self, line: bytes) -> None:
        with self.log.open("ab") as log:
            log.write(line)


class Fleet:
    def __init__(self, apis: list[Program], workers: list[Program], models: list[Program]) -> None:
        self.apis, self.workers, self.models = apis, workers, models
        self.urls = [api.url for api in apis]
        self.model_urls = [model.url for model in models]

    async def play(self, model_time: Sequence[float] = (), hold: bool = False) -> None:
        """From now on the model takes so long; see `bench.model_server.lean`."""
        for url in self.model_urls:
            await _told(url, "/script", msgspec.json.encode({"model_time": model_time, "hold": hold}))

    async def waiting(self) -> int:
        """Calls that are held back."""
        return sum([json.loads(await _told(url, "/state"))["waiting"] for url in self.model_urls])


class Service:
    """The servers with their data. `settings` have every URL."""

    def __init__(self, settings: Settings, postgres: int, valkey: int, rabbit: int, logs: Path) -> None:
        self.settings, self.logs = settings, logs
        self._servers = {"postgres": [postgres], "valkey": [valkey]} | ({"rabbitmq": [rabbit]} if rabbit else {})
        self.tokens: list[str] = []
        self.data = ""  # how much there is

    async def know(self, clients: Iterable[str]) -> None:
        """These are the clients who ask."""
        self.tokens = [mint(self.settings, client, TOKEN_S) for client in clients]
        self.data = await _size(self.settings)

    def cpu_s(self, fleet: Fleet) -> dict[str, float]:
        """By role, of our own processes, and apart the model servers'."""
        pids = {"api": _pids(fleet.apis), "worker": _pids(fleet.workers)} | self._servers
        return {role: cpu_s(of) for role, of in (pids | {TOOL: _pids(fleet.models)}).items()}

    @asynccontextmanager
    async def fleet(
        self,
        apis: int,
        workers: int,
        wire: str,
        given: Mapping[str, str],
        urls: Mapping[str, Mapping[str, str]] | None = None,
    ) -> AsyncIterator[Fleet]:
        """`given` settings, by field; `urls` that are others than the servers' own, for "api" and "worker"."""
        async with AsyncExitStack() as stack:
            models = [await self.model(stack, number) for number in range(workers)]
            env = self._environment(SETTINGS | dict(given))
            others = {
                role: {env_name(f): url for f, url in (urls or {}).get(role, {}).items()} for role in ("api", "worker")
            }
            serving = [
                await self._program(
                    stack,
                    f"api-{number}",
                    ("serve", "--api-only", "--port", "0", "--json"),
                    env | _asks(wire, models[0].url) | others["api"],
                )
                for number in range(apis)
            ]
            working = [
                await self._program(
                    stack,
                    f"worker-{number}",
                    ("worker",),
                    env | others["worker"] | _asks(wire, models[number].url),
                )
                for number in range(workers)
            ]
            yield Fleet(serving, working, models)

    def _environment(self, given: Mapping[str, str]) -> dict[str, str]:
        plain = {key: value for key, value in os.environ.items() if not key.startswith("BEERFORYOU_")}
        urls = {env_name(field): str(getattr(self.settings, field)) for field in URLS}
        return plain | urls | {"BEERFORYOU_DATA": str(self.settings.data)} | {env_name(f): v for f, v in given.items()}

    async def model(self, stack: AsyncExitStack, number: int) -> Program:
        args = (sys.executable, "-m", "bench.model_server.lean")
        program = await self.spawn(stack, f"model-{number}", args, dict(os.environ))
        await program.serves()
        return program

    async def _program(self, stack: AsyncExitStack, name: str, args: Sequence[str], env: Mapping[str, str]) -> Program:
        program = await self.spawn(stack, name, (BEERFORYOU, *args), env)
        if "serve" in args:
            await program.serves()
        await program.ready(b"Serving;" if "serve" in args else b"Working;")
        return program

    async def spawn(self, stack: AsyncExitStack, name: str, args: Sequence[str], env: Mapping[str, str]) -> Program:
        log = self.logs / f"{name}.log"
        log.touch()
        pipe = asyncio.subprocess.PIPE
        errors = None if "model" in name else pipe
        process = await asyncio.create_subprocess_exec(
            *args, cwd=ROOT, env=env, stdout=pipe, stderr=errors, start_new_session=True
        )
        program = Program(name, process, log)
        stack.push_async_callback(program.end)
        return program


@asynccontextmanager
async def service(rabbit: bool) -> AsyncIterator[Service]:
    many_files()
    with tempfile.TemporaryDirectory(prefix="beerforyou-bench-") as folder, _queue(rabbit) as (queue_url, rabbit_pid):
        data = Path(folder)
        data.chmod(0o711)  # noqa: ASYNC240 (nothing else runs yet)
        async with prepared(load(data=data, queue_url=queue_url)) as settings:
            await set_up(settings)
            postgres = int((settings.data / "servers/postgres/postmaster.pid").read_text().split()[0])
            made = Service(settings, postgres, await _valkey_pid(settings), rabbit_pid, data)
            await made.know(f"CLT-{number:05}" for number in range(1, 301))
            yield made


def many_files() -> None:
    """As many as the machine lets us have; what we start inherits it."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


@contextmanager
def _queue(rabbit: bool) -> Iterator[tuple[str, int]]:
    """The URL and the process id of RabbitMQ; empty where Valkey is the queue."""
    if not rabbit:
        yield "", 0
        return
    from tests.servers.rabbitmq import rabbitmq

    with rabbitmq() as running:
        yield running.url, running.pid


def _asks(wire: str, url: str) -> dict[str, str]:
    """The environment of a process whose model is there; an API accepts for the model that its workers have."""
    return {
        "BEERFORYOU_MODEL": MODELS[wire],
        "BEERFORYOU_GEMINI_BASE_URL": url,
        "GEMINI_API_KEY": "simulated",
        "OPENAI_API_KEY": "simulated",
        "BEERFORYOU_OPENAI_BASE_URL": url,
    }


def _pids(programs: Sequence[Program]) -> list[int]:
    return [program.pid for program in programs]


async def _size(settings: Settings) -> str:
    admin = await asyncpg.connect(settings.database_admin_url)
    counts = {name: await admin.fetchval(f"SELECT count(*) FROM core.{name}") for name in DATA}
    await admin.close()
    return ", ".join(f"{count:,} {name}" for name, count in counts.items())


async def _valkey_pid(settings: Settings) -> int:
    valkey = await Valkey.connect(settings.valkey_url)
    info = (await valkey("INFO", "server")).decode()
    await valkey.close()
    return int(info.partition("process_id:")[2].split()[0])


async def _told(url: str, path: str, body: bytes = b"") -> bytes:
    said: list[bytes] = []
    line = await Lines(url, 1).take()
    verb = b"POST" if body else b"GET"
    await line.ask(b"%s %s HTTP/1.1\r\nHost: bench\r\nContent-Length: %d\r\n\r\n%s" % (verb, path.encode(), len(body), body), said.append)  # fmt: skip
    line.close()
    return b"".join(said)
