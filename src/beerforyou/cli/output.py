"""What every command shares: the `--json` and `--data` options, results on stdout, notes on stderr."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections.abc import Coroutine, Iterator
from concurrent import futures
from datetime import datetime
from pathlib import Path
from typing import Any, Self, TypeVar

import click

T = TypeVar("T")

GLANCE_S = 0.2  # how often to look for a signal that was given to another thread
MOMENT_S = 2.0  # a second keeps the flow of thought (Nielsen); one more, and few see the line who need not

json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")


def _nearest(ctx: click.Context, _: click.Parameter, data: Path | None) -> Path | None:
    """The folder that stands nearest to the words it is for: before a command it holds for all behind it."""
    if data is not None:
        ctx.meta[__name__] = data
    return ctx.meta.get(__name__)


data_option = click.option(
    "--data", type=click.Path(path_type=Path), callback=_nearest, help="Folder of the embedded servers."
)
data_before = click.Option(
    ["--data"],
    type=click.Path(path_type=Path),
    callback=_nearest,
    expose_value=False,
    help="The same, for any command.",
)


def note(text: str) -> None:
    """Something about the work rather than its result."""
    click.echo(text, err=True)


@contextlib.contextmanager
def starting(what: str) -> Iterator[None]:
    """Says what is being done when it takes longer than a moment."""
    saying = threading.Timer(MOMENT_S, note, [what])
    saying.daemon = True
    saying.start()
    try:
        yield
    finally:
        saying.cancel()


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


class Beside:
    """A loop in a thread of its own, where servers and workers live on while this thread waits for a person to type."""

    def __enter__(self) -> Self:
        import uvloop

        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @contextlib.contextmanager
    def open(self, what: contextlib.AbstractAsyncContextManager[T]) -> Iterator[T]:
        opened = self.run(what.__aenter__())
        try:
            yield opened
        finally:
            self.run(what.__aexit__(None, None, None))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """A Ctrl-C or a signal cancels it, and is raised here once it is over."""
        told: BaseException | None = None
        task: asyncio.Task[T] | None = None

        async def whole() -> T:
            nonlocal task
            task = asyncio.create_task(work)
            return await task

        future = asyncio.run_coroutine_threadsafe(whole(), self._loop)
        while not future.done():
            try:
                futures.wait([future], GLANCE_S)
            except (KeyboardInterrupt, SystemExit) as error:
                told = error
                self._loop.call_soon_threadsafe(lambda: task and task.cancel())
        if isinstance(told, SystemExit):
            raise told
        try:
            return future.result()
        except futures.CancelledError:
            raise told or KeyboardInterrupt from None
