"""`beerforyou serve`: the HTTP API, with or without a worker in the same process; one process or several."""

from __future__ import annotations

import contextlib
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from beerforyou.cli.output import data_option, json_option, note, run, show_json, starting

if TYPE_CHECKING:
    from beerforyou.house import House
    from beerforyou.settings import Settings


@click.command("serve")
@click.option("--host", help="Address to bind to.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to bind to; 0 takes a free one.")
@click.option("--api-only", is_flag=True, help="Without a worker: `beerforyou worker` runs elsewhere.")
@click.option("--workers", type=click.IntRange(0), help="Processes, each with API and worker; 0: one for each core.")
@click.option("--child", type=int, hidden=True, help="One of several: its listening socket.")
@json_option
@data_option
def command(
    host: str | None,
    port: int | None,
    api_only: bool,
    workers: int | None,
    child: int | None,
    as_json: bool,
    data: Path | None,
) -> None:
    """Serve the HTTP API until Ctrl-C. Prints the address once it answers."""
    from beerforyou import settings
    from beerforyou.house import cores, fitting

    given = settings.load(data=data, host=host, port=port, workers=workers)
    given = fitting(given, serves=True, works=not api_only)
    if child is not None:
        run(_serve_one_of_many(given, socket.socket(fileno=child), api_only))
    elif (given.workers or cores()) > 1:
        raise SystemExit(run(_serve_by_many(given, given.workers or cores(), as_json, api_only)))
    else:
        run(_serve(given, as_json, api_only))


async def _serve(settings: Settings, as_json: bool, api_only: bool) -> None:
    from beerforyou.house import opened

    with bound(settings) as listener:
        async with contextlib.AsyncExitStack() as stack:
            with starting("Starting …"):
                house = await stack.enter_async_context(opened(settings))
            await serve(settings, house, listener, as_json, api_only)


async def _serve_one_of_many(settings: Settings, listener: socket.socket, api_only: bool) -> None:
    from beerforyou.cli.process import tell_parent
    from beerforyou.house import opened

    @contextlib.contextmanager
    def ready() -> Iterator[None]:
        tell_parent()
        yield

    with listener:
        async with opened(settings) as house:
            await _answering(house, listener, ready(), api_only, child=True)


async def _serve_by_many(settings: Settings, count: int, as_json: bool, api_only: bool) -> int:
    """Each has a listening socket of its own on the same address, between which the kernel shares out what comes: of one that
    all inherit, the first to wake takes nearly all of a burst."""
    from beerforyou.cli.crew import Place, crew
    from beerforyou.house import prepared

    with bound(settings) as free:  # nobody else has it, which a shared address would not say
        family, where = free.family, free.getsockname()
    args = ("serve", "--data", str(settings.data), *(["--api-only"] if api_only else []))
    async with prepared(settings, keep=True):
        places = [Place(args, lambda: _listening(family, where, shared=True)) for _ in range(count)]
        return await crew(places, lambda: _announced(settings, where, as_json, api_only))


@contextlib.contextmanager
def _announced(settings: Settings, where: tuple[str, int], as_json: bool, api_only: bool) -> Iterator[None]:
    from beerforyou.cli.announced import announced

    host, port = where[:2]
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    # Who finds this server expects an answer of it, and whether some worker runs elsewhere is not known here.
    with contextlib.nullcontext() if api_only else announced(settings, address):
        show_json({"address": address}) if as_json else click.echo(address)
        note("Serving; Ctrl-C stops.")
        yield


def bound(settings: Settings) -> socket.socket:
    """A listening socket. Raises BadUsage when the address is taken or not ours."""
    from beerforyou.errors import BadUsage

    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return _listening(family, (settings.host, settings.port))
    except OSError as error:
        raise BadUsage(
            f"cannot listen on {settings.host}:{settings.port}: {error.strerror}", "choose another --port"
        ) from None


def _listening(family: int, where: tuple[object, ...], shared: bool = False) -> socket.socket:
    """Raises OSError."""
    from beerforyou.api.server import BACKLOG

    listener = socket.socket(family)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(where)
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


async def serve(
    settings: Settings, house: House, listener: socket.socket, as_json: bool = False, api_only: bool = False
) -> None:
    """`settings` as they were given: the house's name the servers that it started, too."""
    await _answering(house, listener, _announced(settings, listener.getsockname(), as_json, api_only), api_only)


async def _answering(
    house: House,
    listener: socket.socket,
    ready: contextlib.AbstractContextManager[None],
    api_only: bool,
    child: bool = False,
) -> None:
    """Until it is told to stop; a second Ctrl-C waits for nobody. `ready` is entered once it is."""
    from beerforyou.api.app import App
    from beerforyou.api.server import Server
    from beerforyou.cli.process import at_work, told_to_stop
    from beerforyou.worker.worker import working

    serving = Server(App(house), house.settings, grace_s=5)

    def stop(signum: int) -> None:
        house.following.stop()
        serving.stop(at_once=serving.stops and signum == signal.SIGINT)

    told_to_stop(stop, child)
    at_work()
    async with contextlib.nullcontext() if api_only else working(house):
        with ready:
            await serving.serve(listener)
