"""`beerforyou load`: an operator's clients and purchases."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from beerforyou.cli.output import data_option, json_option, note, run, show_json

if TYPE_CHECKING:
    from beerforyou.clients.load import Report

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("load")
@click.argument("clients", type=FILE)
@click.argument("purchases", type=FILE)
@click.option("--skip-bad", is_flag=True, help="Load the good rows although some are bad.")
@json_option
@data_option
def command(clients: Path, purchases: Path, skip_bad: bool, as_json: bool, data: Path | None) -> None:
    """Bring in CLIENTS and PURCHASES (CSV files), compute profiles, publish statistics.

    All or nothing, unless --skip-bad. Every bad row is reported with its line and reason.
    """
    report = run(_load(clients, purchases, skip_bad, data))
    if as_json:
        show_json(report)
    else:
        _show(report)
    raise SystemExit(1 if report.bad_count and not skip_bad else 0)


async def _load(clients: Path, purchases: Path, skip_bad: bool, data: Path | None) -> Report:
    from rich.console import Console
    from rich.progress import Progress

    from beerforyou import clock, settings
    from beerforyou.catalogue import refresh
    from beerforyou.clients.load import analyze, load
    from beerforyou.clients.profiles import compute
    from beerforyou.clients.statistics import publish
    from beerforyou.db.connections import operator
    from beerforyou.db.database import Reads
    from beerforyou.house import prepared

    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("Loading", total=None)
        async with prepared(settings.load(data=data)) as ready, operator(ready) as connection:
            days = clock.days(ready.time_zone)
            async with connection.transaction():
                report = await load(
                    connection,
                    clients,
                    purchases,
                    catalogue=await refresh.load(Reads(connection), ready.data),
                    days=days,
                    skip_bad=skip_bad,
                    on_progress=lambda done, total: progress.update(bar, completed=done, total=total),
                )
                if report.clients or report.purchases:
                    progress.update(bar, description="Computing profiles", total=None)
                    await compute(connection, days)
                    progress.update(bar, description="Publishing statistics")
                    await publish(connection, days[""])
            await analyze(connection)
    return report


def _show(report: Report) -> None:
    for bad in report.bad:
        note(f"{bad.file}:{bad.line}: {f'{bad.column}: ' if bad.column else ''}{bad.reason}")
    if report.bad_count > len(report.bad):
        note(f"… and {report.bad_count - len(report.bad)} bad rows more")
    if report.cleaned:
        note(f"{report.cleaned} lines held characters that nobody sees; names were stored without them")
    if report.ignored:
        note(f"Columns nobody asked for: {', '.join(report.ignored)}")
    click.echo(f"{report.clients} clients, {report.purchases} purchases, {report.bad_count} bad rows")
