"""`beerforyou worker`: works on queued runs of any API process."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import click

from beerforyou.cli.output import data_option, note, run


@click.command("worker")
@click.option("--concurrency", "worker_concurrency", type=click.IntRange(1), help="Runs at a time.")
@data_option
def command(worker_concurrency: int | None, data: Path | None) -> None:
    """Work on queued runs until Ctrl-C; runs begun by then are finished first."""
    run(_work(worker_concurrency, data))


async def _work(worker_concurrency: int | None, data: Path | None) -> None:
    from beerforyou import settings
    from beerforyou.house import opened
    from beerforyou.worker.worker import working

    stop = asyncio.Event()
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(signum, stop.set)
    async with opened(settings.load(data=data, worker_concurrency=worker_concurrency)) as house, working(house):
        note("Working; Ctrl-C stops.")
        await stop.wait()
