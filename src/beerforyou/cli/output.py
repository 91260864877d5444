"""What every command shares: the `--json` and `--data` options, results on stdout, notes on stderr."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import click

T = TypeVar("T")

json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")
data_option = click.option("--data", type=click.Path(path_type=Path), help="Folder of the embedded servers.")


def note(text: str) -> None:
    """Something about the work rather than its result."""
    click.echo(text, err=True)


def show_json(result: Any) -> None:
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(result), indent=2).decode())


def moment(at: datetime, data: Path | None) -> str:
    """As a clock of the installation has it."""
    from beerforyou import clock, settings

    return f"{clock.local(at, settings.load(data=data).time_zone):%Y-%m-%d %H:%M}"


def run(work: Coroutine[Any, Any, T]) -> T:
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_until_told(work))


async def _until_told(work: Coroutine[Any, Any, T]) -> T:
    """SIGTERM and a closed terminal end a command as Ctrl-C does: by way of every `finally`, so that servers are stopped."""
    task = asyncio.current_task()
    assert task is not None
    for signum in (signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(signum, task.cancel)
    return await work
