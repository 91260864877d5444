"""`beerforyou plans`: how much is planned without a model, and how often a model would have planned it otherwise."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from beerforyou.cli.output import data_option, json_option, run, show_json

if TYPE_CHECKING:
    from beerforyou.runs.plans import Plans


@click.command("plans")
@click.option("--days", type=click.IntRange(min=1), default=30, show_default=True, help="Of the last so many days.")
@json_option
@data_option
def command(days: int, as_json: bool, data: Path | None) -> None:
    """Say who planned the runs and why, and what the model made of a sample of those that the reading planned."""
    found = run(_plans(days, data))
    if as_json:
        show_json(found)
        return
    click.echo(f"{found.runs} runs in {days} days, {found.share:.1%} of them planned by the reading")
    for row in found.why:
        click.echo(f"  {row['runs']:>6}  {row['by'] or 'nobody'}: {row['why'] or 'nothing was planned'}")
    shadows = found.shadows
    click.echo(
        f"{shadows['compared']} of these planned by the model too, {shadows['different']} otherwise, {shadows['failed']} failed; "
        f"{shadows['input']} tokens in, {shadows['output']} out"
    )
    for run_id in shadows["runs"]:
        click.echo(f"  otherwise: {run_id}")


async def _plans(days: int, data: Path | None) -> Plans:
    from beerforyou import settings
    from beerforyou.db import database
    from beerforyou.house import prepared
    from beerforyou.runs.plans import plans

    async with prepared(settings.load(data=data)) as ready:
        db = await database.connect(ready)
        try:
            return await plans(db.service, days)
        finally:
            await db.close()
