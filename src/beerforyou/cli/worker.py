"""`beerforyou worker`: works on queued runs of any API process; one process or several."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from beerforyou.cli.output import data_option, note, run

if TYPE_CHECKING:
    from beerforyou.settings import Settings


@click.command("worker")
@click.option("--concurrency", "worker_concurrency", type=click.IntRange(1), help="Runs at a time, of each process.")
@click.option("--workers", type=click.IntRange(0), help="Processes; 0: one for each core.")
@click.option("--child", is_flag=True, hidden=True, help="One of several.")
@data_option
def command(worker_concurrency: int | None, workers: int | None, child: bool, data: Path | None) -> None:
    """Work on queued runs until Ctrl-C; runs begun by then are finished first."""
    from beerforyou import settings
    from beerforyou.house import cores, fitting

    given = settings.load(data=data, worker_concurrency=worker_concurrency, workers=workers)
    given = fitting(given, works=True)
    if not child and (given.workers or cores()) > 1:
        raise SystemExit(run(_work_by_many(given, given.workers or cores())))
    run(_work(given, child))


async def _work(settings: Settings, child: bool) -> None:
    from beerforyou.cli.process import at_work, tell_parent, told_to_stop
    from beerforyou.house import opened
    from beerforyou.worker.worker import working

    stop = asyncio.Event()
    told_to_stop(lambda signum: stop.set(), child)
    async with opened(settings) as house:
        at_work()
        async with working(house):
            tell_parent() if child else note("Working; Ctrl-C stops.")
            await stop.wait()


async def _work_by_many(settings: Settings, count: int) -> int:
    from beerforyou.cli.crew import Place, crew
    from beerforyou.house import prepared

    args = ("worker", "--data", str(settings.data), "--concurrency", str(settings.worker_concurrency))

    @contextlib.contextmanager
    def ready() -> Iterator[None]:
        note("Working; Ctrl-C stops.")
        yield

    async with prepared(settings, keep=True):
        return await crew([Place(args, None) for _ in range(count)], ready)
