"""`beerforyou "..." --as ID`: one question, to a server that runs, or walked in this process by the same corridor."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import click

from beerforyou.cli.output import data_option, json_option, note, run, show_json

if TYPE_CHECKING:
    from beerforyou.cli.asking import Talk
    from beerforyou.settings import Settings

as_option = click.option("--as", "client_id", metavar="ID", help="The client who asks, such as CLT-00001.")


@click.command("ask")
@click.argument("words", nargs=-1, required=True)
@as_option
@click.option("--conversation", type=click.UUID, help="Go on with this conversation.")
@json_option
@data_option
def command(
    words: tuple[str, ...], client_id: str | None, conversation: UUID | None, as_json: bool, data: Path | None
) -> None:
    """Ask one question and print the answer as it comes.

    With --json: the run with its steps, tool calls and blocks.
    """
    result = run(_ask(" ".join(words), client_id, conversation, as_json, data))
    if as_json:
        show_json(result)
    raise SystemExit(0 if result["status"] == "succeeded" else 1)


async def _ask(
    message: str, client_id: str | None, conversation: UUID | None, quiet: bool, data: Path | None
) -> dict[str, Any]:
    from beerforyou import settings
    from beerforyou.cli.asking import Talk, asking

    chosen = settings.load(data=data)
    async with asking(chosen, speaking_for(chosen, client_id)) as somebody:
        return await answered(Talk(somebody, conversation), message, quiet)


def speaking_for(settings: Settings, client_id: str | None) -> str:
    """`--as`, or the client of the token that is sent. Raises UsageError without either."""
    if client_id:
        return client_id
    if settings.url and settings.token:
        from beerforyou.cli.remote import claim

        if isinstance(client := claim(settings.token, settings.auth_client_claim), str):
            return client
    raise click.UsageError("Missing option '--as': the client who asks.")


async def answered(talk: Talk, message: str, quiet: bool = False) -> dict[str, Any]:
    """Asks, shows what comes unless `quiet`, and returns the run with its steps."""
    from beerforyou.cli.printing import Printing

    printing = Printing(sys.stdout.isatty())
    try:
        run_id = await talk.say(message, (lambda *_: None) if quiet else printing.show)
    finally:
        printing.end()
    if not quiet:
        note(f"conversation {talk.conversation}")
    found: dict[str, Any] = await talk.asking.look(run_id)
    return found
