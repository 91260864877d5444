"""The embedded servers are killed under `serve`, which starts them again; and their disk is full."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from beerforyou.backends.valkey import Valkey
from beerforyou.db.connections import operator
from beerforyou.db.migrate import migrate
from beerforyou.errors import Unavailable
from beerforyou.house import prepared
from beerforyou.servers import embedded
from beerforyou.settings import Settings, load
from tests.api.conftest import bearer
from tests.cli.program import call
from tests.processes.chaos import environ
from tests.processes.counters import Counters, Reaper
from tests.processes.customers import Customers
from tests.processes.fleet import Fleet, Process
from tests.processes.house import furnish
from tests.processes.neighbour import installed
from tests.waiting import wait_until

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


async def test_followers_outlive_a_valkey_that_dies(own: Settings, tmp_path: Path) -> None:
    """Those of the runs and of their conversation, and who got the stream for an answer: each is told of the end, with a model
    that answers while nobody can publish anything.
    """
    reaper = Reaper(0.0, lambda: False)
    async with Counters(reaper, seed=0) as counters, installed(own, tmp_path, environ(counters)) as process:
        customers = Customers(own, Fleet([process], []), [CLIENT], 6, seed=0)
        async with customers:
            runs = [await customers.said(CLIENT, None) for _ in range(6)]
            following = [asyncio.create_task(customers.followed(run)) for run in runs]
            for _ in range(2):
                os.kill(await valkey(own), signal.SIGKILL)
                await wait_until(partial(_answers, own), "valkey is started again", AGAIN_S)
            await asyncio.gather(*following)
        assert all(run.ended and not run.fallen for run in runs)
        assert {run.events[-1][1] for run in runs if not run.polled} == {"finished"}
        assert "Traceback" not in process.log.read_text()


async def _answers(settings: Settings) -> bool:
    with contextlib.suppress(OSError, Unavailable):
        return bool(await valkey(settings))
    return False


@contextmanager
def small_disk() -> Iterator[Path]:
    """Of 200 MB: an empty database takes 70."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    with tempfile.TemporaryDirectory(prefix="beerforyou-disk-") as folder:
        mount = ["mount", "-t", "tmpfs", "-o", "size=200m,mode=711", "tmpfs", folder]
        if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
            pytest.skip("no small disk can be mounted here")
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", folder], check=True)


def fill(disk: Path, left: int) -> Path:
    filler = disk / "filler"
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize - left)
    return filler


def files(folder: Path, lines: int) -> list[str]:
    clients, purchases = folder / "clients.csv", folder / "purchases.csv"
    clients.write_text("client_id,name,city,state,postal_code\nC-1,Bar,San Diego,California,\n")
    line = "P-{0},C-1,2026-01-02,Beer {0} with quite a long name,Brewery {0} with one as well,3,7.5\n"
    header = "purchase_id,client_id,purchased_on,beer,brewery,quantity,unit_price\n"
    purchases.write_text(header + "".join(line.format(n) for n in range(lines)))
    return [str(clients), str(purchases)]


async def loaded(settings: Settings) -> list[int]:
    async with prepared(settings) as ready, operator(ready) as connection:
        return [
            await connection.fetchval(f"SELECT count(*) FROM {t}")
            for t in ("clients", "purchases", "beers", "profiles")
        ]


async def test_a_full_disk_is_told_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    with small_disk() as disk:
        settings = load({}, data=disk / "data")
        assert (await call("db", "migrate", settings=settings)).code == 0
        async with installed(settings, tmp_path) as process:

            async def ready() -> bool:
                return (await readiness(process))[0] == 200

            await wait_until(ready, "it serves", AGAIN_S)
            for left in (24 << 20, 0):
                filler = fill(disk, left)
                status, body = await readiness(process)
                assert status == 503 and "disk" in body["down"], body
                result = await call("load", *files(tmp_path, 40_000), settings=settings)
                assert result.code == 1 and result.out == ""
                assert result.err.strip().count("\n") == 0 and "is full" in result.err and "make room" in result.err
                filler.unlink()
                await wait_until(ready, "there is room", AGAIN_S)
                assert await loaded(settings) == [0, 0, 0, 0]
            result = await call("load", *files(tmp_path, 20), settings=settings)
            assert result.code == 0, result.err
            assert await loaded(settings) == [1, 20, 20, 1]
        assert "Traceback" not in process.log.read_text()


async def test_a_disk_that_is_full_from_the_beginning(tmp_path: Path) -> None:
    with small_disk() as disk:
        settings = load({}, data=disk / "data")
        for left in (0, 30 << 20):
            filler = fill(disk, left)
            result = await call("db", "migrate", settings=settings)
            assert result.code == 1 and "Traceback" not in result.err
            assert "is full" in result.err and result.err.strip().count("\n") == 0, result.err
            filler.unlink()
        assert (await call("db", "migrate", settings=settings)).code == 0
