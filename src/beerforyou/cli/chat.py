"""`beerforyou chat`: one conversation, line by line."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import click

from beerforyou.cli.ask import show
from beerforyou.cli.output import data_option, json_option, note, run


@click.command("chat")
@click.option("--as", "client_id", required=True, metavar="ID", help="The client who talks.")
@json_option
@data_option
def command(client_id: str, as_json: bool, data: Path | None) -> None:
    """Talk, line by line, until the end of the input (Ctrl-D).

    With --json: one run a line.
    """
    run(_chat(client_id, as_json, data))


async def _chat(client_id: str, as_json: bool, data: Path | None) -> None:
    import msgspec

    from beerforyou import settings
    from beerforyou.conversations.accepting import accept
    from beerforyou.errors import BadInput
    from beerforyou.house import opened
    from beerforyou.runs.looking import look
    from beerforyou.worker.worker import working

    async with opened(settings.load(data=data)) as house, working(house):
        conversation = None
        async for line in _lines():
            if not line.strip():
                continue
            try:
                accepted = await accept(house, client_id, line, conversation)
            except BadInput as error:
                note(f"{error.message} ({error.hint})")
                continue
            conversation = accepted.conversation_id
            async for event in await house.following.events(house.database.as_client(client_id), accepted.run):
                if event is not None and not as_json:
                    show(event.type, event.data)
            if as_json:
                click.echo(
                    msgspec.json.encode(await look(house.database.as_client(client_id), accepted.run, steps=True))
                )


async def _lines() -> AsyncIterator[str]:
    """Of stdin. A daemon thread reads, so that Ctrl-C need not wait for Enter."""
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[str] = asyncio.Queue()

    def read() -> None:
        while line := sys.stdin.readline():
            loop.call_soon_threadsafe(lines.put_nowait, line)
        loop.call_soon_threadsafe(lines.put_nowait, "")

    threading.Thread(target=read, daemon=True).start()
    _prompt()
    while line := await lines.get():
        yield line
        _prompt()


def _prompt() -> None:
    if sys.stdin.isatty():
        click.echo("> ", nl=False, err=True)
