"""`beerforyou settings`: every setting, with its value, its default and its meaning."""

from __future__ import annotations

from pathlib import Path

import click

from beerforyou.cli.output import data_option, json_option, show_json


@click.command("settings")
@json_option
@data_option
def command(as_json: bool, data: Path | None) -> None:
    """List every setting with its value and meaning. Keys and passwords are masked."""
    from beerforyou import settings

    rows = settings.describe(settings.load(data=data))
    if as_json:
        show_json(rows)
        return
    for row in rows:
        click.echo(f"{row['name']} = {row['value']}")
        click.echo(f"    {row['meaning']} Default: {row['default']}")
