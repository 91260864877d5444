"""`beerforyou "..." --as ID`: one question, walked in this process by the same corridor that serves HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

import click

from beerforyou.cli.output import data_option, json_option, note, run, show_json

if TYPE_CHECKING:
    from beerforyou.house import House


@click.command("ask")
@click.argument("words", nargs=-1, required=True)
@click.option("--as", "client_id", required=True, metavar="ID", help="The client who asks, such as CLT-00001.")
@click.option("--conversation", type=click.UUID, help="Go on with this conversation.")
@json_option
@data_option
def command(
    words: tuple[str, ...], client_id: str, conversation: UUID | None, as_json: bool, data: Path | None
) -> None:
    """Ask one question and print the answer as it comes.

    With --json: the run with its steps, tool calls and blocks.
    """
    result = run(_ask(" ".join(words), client_id, conversation, as_json, data))
    if as_json:
        show_json(result)
    raise SystemExit(0 if result["status"] == "succeeded" else 1)


async def _ask(
    message: str, client_id: str, conversation: UUID | None, quiet: bool, data: Path | None
) -> dict[str, Any]:
    from beerforyou import settings
    from beerforyou.house import opened

    async with opened(settings.load(data=data)) as house:
        return await ask(house, message, client_id, conversation, quiet)


async def ask(
    house: House, message: str, client_id: str, conversation: UUID | None = None, quiet: bool = False
) -> dict[str, Any]:
    """Asks, shows what comes unless `quiet`, and returns the run with its steps."""
    import msgspec

    from beerforyou.conversations.accepting import accept
    from beerforyou.runs.looking import look
    from beerforyou.worker.worker import working

    async with working(house):
        accepted = await accept(house, client_id, message, conversation)
        async for event in await house.following.events(house.database.as_client(client_id), accepted.run):
            if event is not None and not quiet:
                show(event.type, event.data)
        if not quiet:
            note(f"conversation {accepted.conversation_id}")
        run = await look(house.database.as_client(client_id), accepted.run, steps=True)
        return cast(dict[str, Any], msgspec.to_builtins(run))


def show(kind: str, data: dict[str, Any]) -> None:
    """Text is printed by sentences as it comes, and the rest of the answer at the end."""
    if kind == "tool_started":
        note(f"… {data['name']}")
    elif kind == "answer":
        click.echo(data["text"])
