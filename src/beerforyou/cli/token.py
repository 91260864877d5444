"""`beerforyou token`: a bearer token for a client, where the key is ours."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

import click

from beerforyou.cli.output import data_option, json_option, note, run, show_json
from beerforyou.labels import SCOPES

if TYPE_CHECKING:
    from beerforyou.settings import Settings

LOOK_S = 5.0  # at the database; the token is made all the same


@click.command("token")
@click.option("--as", "client_id", required=True, metavar="ID", help="The client it speaks for.")
@click.option("--minutes", type=click.IntRange(1, 525_600), default=60, show_default=True, help="How long it is valid.")
@click.option(
    "--scope", "scopes", multiple=True, type=click.Choice(sorted(SCOPES)), help="Only for this; may be repeated."
)
@json_option
@data_option
def command(client_id: str, minutes: int, scopes: tuple[str, ...], as_json: bool, data: Path | None) -> None:
    """Make a token for a client and print it. Says so when the client is not loaded (yet)."""
    from beerforyou import settings
    from beerforyou.api.tokens import mint

    loaded = settings.load(data=data)
    token = mint(loaded, client_id, minutes * 60, scopes)
    show_json({"token": token, "expires_in": minutes * 60}) if as_json else click.echo(token)
    if doubt := run(_doubt(loaded, client_id)):
        note(doubt)


async def _doubt(settings: Settings, client_id: str) -> str:
    """What is to be said of the client, if anything. A token may be made where no database is, or before its client is."""
    from beerforyou.errors import BeerForYouError

    if not settings.database_url and not (settings.data / "servers").exists():
        return f"There is no database here to say whether the client {client_id} is known."
    try:
        async with asyncio.timeout(LOOK_S):
            known = await _known(settings, client_id)
    except (BeerForYouError, TimeoutError) as error:
        why = error.message if isinstance(error, BeerForYouError) else "the database does not answer"
        return f"Whether the client {client_id} is known could not be looked up: {why}."
    return "" if known else f"The client {client_id} is not known here: the token is refused until `load` brings it in."


async def _known(settings: Settings, client_id: str) -> bool:
    from beerforyou.db.connections import closed, pool
    from beerforyou.db.database import Reads
    from beerforyou.servers.embedded import settings_with_servers

    complete, servers = settings_with_servers(settings)
    with servers or contextlib.nullcontext():
        service = await pool(complete.database_url, 1, LOOK_S)
        try:
            (row,) = await Reads(service).fetch("clients.known", client_id)
            return bool(row["known"])
        finally:
            await closed(service)
