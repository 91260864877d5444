"""`beerforyou statistics`: what is published of all clients together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from beerforyou.cli.output import data_option, json_option, moment, note, run, show_json


@click.group("statistics")
def command() -> None:
    """Publish statistics over all clients, or show what is there."""


@command.command("publish")
@json_option
@data_option
def publish(as_json: bool, data: Path | None) -> None:
    """Count, and publish what is due: `load` does it too. Needs DATABASE_ADMIN_URL, or the embedded server."""
    _show(run(_publish(data)), as_json, data)


@command.command("status")
@json_option
@data_option
def status(as_json: bool, data: Path | None) -> None:
    """Say how many cells are published, and since when."""
    _show(run(_status(data)), as_json, data)


def _show(row: dict[str, Any], as_json: bool, data: Path | None) -> None:
    if as_json:
        show_json(row)
    elif row["cells"]:
        click.echo(f"{row['cells']} cells, the newest of {moment(row['published_at'], data)}")
    else:
        click.echo("Nothing is published: too few clients buy the same.")


async def _publish(data: Path | None) -> dict[str, Any]:
    from beerforyou import clock, settings
    from beerforyou.clients.statistics import publish
    from beerforyou.db.connections import operator
    from beerforyou.house import prepared

    async with prepared(settings.load(data=data)) as ready:
        async with operator(ready) as connection:
            note("Counting …")
            await publish(connection, clock.today(ready.time_zone))
        return await _summary(ready)


async def _status(data: Path | None) -> dict[str, Any]:
    from beerforyou import settings
    from beerforyou.house import prepared

    async with prepared(settings.load(data=data)) as ready:
        return await _summary(ready)


async def _summary(settings: Any) -> dict[str, Any]:
    from beerforyou.db import database

    db = await database.connect(settings)
    try:
        (row,) = await db.statistics.fetch("statistics.summary")
    finally:
        await db.close()
    return dict(row)
