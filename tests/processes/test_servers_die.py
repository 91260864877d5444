"""The embedded servers are killed under `serve`, which starts them again; and their disk is full."""

import contextlib
import json
import os
import signal
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from beerforyou.backends import embedded
from beerforyou.backends.valkey import Valkey
from beerforyou.db.migrate import migrate
from beerforyou.errors import Unavailable
from beerforyou.settings import Settings, load
from tests.api.conftest import bearer
from tests.isolation.conftest import wait_until
from tests.processes.fleet import Process
from tests.processes.house import furnish
from tests.processes.neighbour import installed

CLIENT = "CLT-00001"
AGAIN_S = 60.0  # seconds in truth; the machine may have other things to do


@pytest.fixture(scope="module")
async def own() -> AsyncIterator[Settings]:
    """A data folder of its own, furnished, with nothing running; no URL names its servers."""
    with tempfile.TemporaryDirectory(prefix="beerforyou-die-") as folder:
        os.chmod(folder, 0o711)  # noqa: PTH101
        given = load({}, data=Path(folder))
        ready, servers = embedded.settings_with_servers(given)
        assert servers
        with servers:
            await migrate(ready)
            await furnish(ready, [CLIENT])
        yield given


def postgres(settings: Settings) -> int:
    return int((settings.data / "servers/postgres/postmaster.pid").read_text().split()[0])


async def valkey(settings: Settings) -> int:
    """Asked as its users ask it, and not by way of `embedded`, which would start it."""
    home = settings.data / "servers"
    password = json.loads((home / "passwords.json").read_text())["valkey"]
    connection = await Valkey.connect(f"unix://:{password}@{home / 'run/valkey.sock'}")
    info = (await connection("INFO", "server")).decode()
    await connection.close()
    return int(info.partition("process_id:")[2].split()[0])


async def readiness(process: Process) -> Any:
    async with aiohttp.ClientSession(process.address) as http, http.get("/readyz") as response:
        return response.status, await response.json()


async def answered(process: Process, settings: Settings) -> str:
    async with aiohttp.ClientSession(process.address, headers=bearer(settings, CLIENT)) as http:
        async with http.post("/v1/runs", json={"message": "oi"}) as response:
            assert response.status == 202, await response.text()
            run_id = (await response.json())["run_id"]
        async with http.get(f"/v1/runs/{run_id}", headers={"prefer": "wait=30"}) as response:
            return (await response.json())["status"]


@pytest.mark.parametrize("both", [False, True], ids=["serve", "serve and a worker"])
async def test_servers_that_die_are_started_again(own: Settings, tmp_path: Path, both: bool) -> None:
    async def ready() -> bool:
        return (await readiness(process))[0] == 200

    async with installed(own, tmp_path) as process:
        worker = Process("worker", ("worker",), process._env, tmp_path)
        if both:
            worker.keep()
            await worker.ready_again()
        try:
            await wait_until(ready, "it serves", AGAIN_S)
            for victims in (["postgres"], ["valkey"], ["postgres", "valkey"]):
                pids = {"postgres": postgres(own), "valkey": await valkey(own)}
                for victim in victims:
                    os.kill(pids[victim], signal.SIGKILL)

                async def born_again(victims: list[str] = victims, pids: dict[str, int] = pids) -> bool:
                    with contextlib.suppress(OSError, IndexError, Unavailable):
                        now = {"postgres": postgres(own), "valkey": await valkey(own)}
                        return all(now[victim] != pids[victim] for victim in victims)
                    return False

                await wait_until(born_again, f"{victims} are started again", AGAIN_S)
                await wait_until(ready, "/readyz says so", AGAIN_S)
                assert await answered(process, own) == "succeeded"
        finally:
            if both:
                assert await worker.end() == 0
        assert await process.end() == 0
        logs = [process.log.read_text(), worker.log.read_text() if both else ""]
        assert sum(log.count("started again after it died") for log in logs) == 3 and "Traceback" not in "".join(
            logs
        ), logs
    assert not list((own.data / "servers/postgres").glob("postmaster.pid")), "nobody uses them, so they are stopped"
