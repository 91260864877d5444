"""`beerforyou serve`: the HTTP API, with or without a worker in the same process."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import socket
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
@json_option
@data_option
def command(host: str | None, port: int | None, api_only: bool, as_json: bool, data: Path | None) -> None:
    """Serve the HTTP API until Ctrl-C. Prints the address once it answers."""
    from beerforyou import settings

    run(_serve(settings.load(data=data, host=host, port=port), as_json, api_only))


async def _serve(settings: Settings, as_json: bool, api_only: bool) -> None:
    from beerforyou.house import opened

    with bound(settings) as listener:
        async with contextlib.AsyncExitStack() as stack:
            with starting("Starting …"):
                house = await stack.enter_async_context(opened(settings))
            await serve(settings, house, listener, as_json, api_only)


def bound(settings: Settings) -> socket.socket:
    """A listening socket. Raises BadUsage when the address is taken or not ours."""
    from beerforyou.errors import BadUsage

    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise BadUsage(
            f"cannot listen on {settings.host}:{settings.port}: {error.strerror}", "choose another --port"
        ) from None
    return listener


async def serve(
    settings: Settings, house: House, listener: socket.socket, as_json: bool = False, api_only: bool = False
) -> None:
    """`settings` as they were given: the house's name the servers that it started, too."""
    from beerforyou.api.app import App
    from beerforyou.api.server import Server
    from beerforyou.cli.announced import announced
    from beerforyou.worker.worker import working

    host, port = listener.getsockname()[:2]
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    serving = Server(App(house), house.settings, grace_s=5)

    def stop() -> None:
        house.following.stop()
        serving.stop()

    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(signum, stop)
    # Not to be looked through again: for the catalogue and the code it takes longer than anybody may be kept waiting, and
    # connections of strangers are enough to make the collector look.
    gc.collect()
    gc.freeze()
    # Who finds this server expects an answer of it, and whether some worker runs elsewhere is not known here.
    found = contextlib.nullcontext() if api_only else announced(settings, address)
    async with contextlib.nullcontext() if api_only else working(house):
        with found:
            show_json({"address": address}) if as_json else click.echo(address)
            note("Serving; Ctrl-C stops.")
            await serving.serve(listener)
