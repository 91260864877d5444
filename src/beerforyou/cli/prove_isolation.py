"""`beerforyou prove-isolation`: nobody sees another client's data, shown on the servers that are configured."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from beerforyou.cli.output import data_option, json_option, note, run, show_json

if TYPE_CHECKING:
    from beerforyou.isolation.prove import Proof


@click.command("prove-isolation")
@json_option
@data_option
def command(as_json: bool, data: Path | None) -> None:
    """Make canary clients, attack them through SQL, ids, streams and logs, and look for their words anywhere.

    Exit code 1 when any is found. Other clients' rows are left alone, and the canaries are removed. Needs
    DATABASE_ADMIN_URL, or the embedded server.
    """
    proof = run(_prove(data))
    if as_json:
        show_json({"ok": not proof.holes, "checks": proof.checks, "holes": proof.holes})
    else:
        for part, checks in proof.checks.items():
            click.echo(f"{part}: {checks} checks")
        for hole in proof.holes:
            click.echo(f"HOLE {hole}")
        click.echo("Isolation does not hold." if proof.holes else "Isolation holds.")
    raise SystemExit(1 if proof.holes else 0)


async def _prove(data: Path | None) -> Proof:
    from beerforyou import settings
    from beerforyou.house import prepared
    from beerforyou.isolation.prove import prove

    async with prepared(settings.load(data=data)) as ready:
        note("Attacking …")
        return await prove(ready)
