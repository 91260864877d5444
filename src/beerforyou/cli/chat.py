"""`beerforyou chat`: one conversation, line by line."""

from __future__ import annotations

import sys
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
    import asyncio

    import msgspec

    from beerforyou import settings
    from beerforyou.errors import BadInput
    from beerforyou.service import opened
    from beerforyou.worker.worker import working

    async with opened(settings.load(data=data)) as service, working(service):
        conversation = None
        while line := await asyncio.to_thread(_read):
            if not line.strip():
                continue
            try:
                accepted = await service.accept(client_id, line, conversation)
            except BadInput as error:
                note(f"{error.message} ({error.hint})")
                continue
            conversation = accepted.conversation_id
            async for event in service.follow(client_id, accepted.run_id):
                if event is not None and not as_json:
                    show(event.type, event.data)
            if as_json:
                click.echo(msgspec.json.encode(await service.run(client_id, accepted.run_id, steps=True)))


def _read() -> str:
    if sys.stdin.isatty():
        click.echo("> ", nl=False, err=True)
    return sys.stdin.readline()
