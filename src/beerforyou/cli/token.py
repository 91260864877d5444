"""`beerforyou token`: a bearer token for a client, where the key is ours."""

from __future__ import annotations

from pathlib import Path

import click

from beerforyou.cli.output import data_option, json_option, show_json

SCOPES = ("profile", "purchases", "breweries", "web")


@click.command("token")
@click.option("--as", "client_id", required=True, metavar="ID", help="The client it speaks for.")
@click.option("--minutes", type=click.IntRange(1, 525_600), default=60, show_default=True, help="How long it is valid.")
@click.option("--scope", "scopes", multiple=True, type=click.Choice(SCOPES), help="Only for this; may be repeated.")
@json_option
@data_option
def command(client_id: str, minutes: int, scopes: tuple[str, ...], as_json: bool, data: Path | None) -> None:
    """Make a token for a client and print it."""
    from beerforyou import settings
    from beerforyou.api.tokens import mint

    token = mint(settings.load(data=data), client_id, minutes * 60, scopes)
    show_json({"token": token, "expires_in": minutes * 60}) if as_json else click.echo(token)
