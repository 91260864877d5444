"""`beerforyou catalogue`: Open Brewery DB, brought in and looked at."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from beerforyou.cli.output import data_option, json_option, moment, note, run, show_json

if TYPE_CHECKING:
    from beerforyou.catalogue.sync import Diff
    from beerforyou.settings import Settings


@click.group("catalogue")
def command() -> None:
    """Bring in Open Brewery DB, or show what is there."""


@command.command("sync")
@click.argument("source", required=False)
@json_option
@data_option
def sync(source: str | None, as_json: bool, data: Path | None) -> None:
    """Bring in SOURCE: a CSV file, the URL of one, or of the API; by default Open Brewery DB's API.

    Says what was added, changed and closed. All or nothing; a broken download goes on where it stopped.
    """
    diff = run(_sync(source, data))
    show_json(diff) if as_json else click.echo(told(diff))


def told(diff: Diff) -> str:
    return (
        f"Catalogue version {diff.version}: {diff.added} added, {diff.changed} changed, {diff.closed} closed, "
        f"{diff.unchanged} unchanged"
    )


@command.command("status")
@json_option
@data_option
def status(as_json: bool, data: Path | None) -> None:
    """Say which version is there, since when, and from where."""
    row = run(_status(data))
    if as_json:
        show_json(row)
    elif row:
        click.echo(
            f"Version {row['version']} of {moment(row['synced_at'], data)}, {row['total']} breweries, from {row['source']}"
        )
    else:
        click.echo("There is no catalogue yet.")


async def _sync(source: str | None, data: Path | None) -> Diff:
    from beerforyou import clock, settings
    from beerforyou.catalogue import refresh
    from beerforyou.catalogue.sync import sync as bring
    from beerforyou.clients.load import analyze, resolve_breweries
    from beerforyou.clients.profiles import compute
    from beerforyou.db.connections import operator
    from beerforyou.db.database import Reads
    from beerforyou.house import prepared

    async with prepared(settings.load(data=data)) as ready, operator(ready) as connection:
        note("Reading …")
        diff = await bring(connection, source or ready.catalogue_url, progress=partial(ready))
        async with connection.transaction():
            await resolve_breweries(connection, await refresh.load(Reads(connection), ready.data))
            await compute(connection, clock.days(ready.time_zone))  # what is new to a client may have changed
        await analyze(connection)
        return diff


def partial(settings: Settings) -> Path:
    """Where a broken download goes on."""
    settings.data.mkdir(parents=True, exist_ok=True)
    return settings.data / "catalogue.partial"


async def _status(data: Path | None) -> dict[str, Any] | None:
    from beerforyou import settings
    from beerforyou.db.connections import operator
    from beerforyou.db.queries import QUERIES
    from beerforyou.house import prepared

    async with prepared(settings.load(data=data)) as ready, operator(ready) as connection:
        row = await connection.fetchrow(QUERIES["catalogue.latest_version"].sql)
        return dict(row) if row else None
