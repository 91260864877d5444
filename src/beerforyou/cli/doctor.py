"""`beerforyou doctor`: is this installation able to do its work, and if not, what to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from beerforyou.cli.output import data_option, json_option, note, run, show_json

if TYPE_CHECKING:
    from beerforyou.health import Finding


@click.command("doctor")
@json_option
@data_option
def command(as_json: bool, data: Path | None) -> None:
    """Check this installation. Exit code 1 when something is wrong."""
    checks = run(_examine(data, (lambda seen: None) if as_json else _show))
    ok = all(check.ok for check in checks)
    if as_json:
        show_json({"ok": ok, "checks": checks})
    raise SystemExit(0 if ok else 1)


def _show(seen: Finding) -> None:
    hint = f" ({seen.hint})" if seen.hint else ""
    click.echo(f"{'ok  ' if seen.ok else 'FAIL'} {seen.name}: {seen.detail}{hint}")


async def _examine(data: Path | None, show: Callable[[Finding], None]) -> list[Finding]:
    note("Looking for the servers, or starting them …")
    from beerforyou import settings
    from beerforyou.health import CHECKS, Opening, looked
    from beerforyou.house import prepared
    from beerforyou.isolation import rehearsal

    found = []
    async with prepared(settings.load(data=data)) as ready, Opening(ready) as handles:
        for check in (*CHECKS, *rehearsal.CHECKS):
            note(f"{check.name} …")
            found.append(await looked(check, handles))
            show(found[-1])
    return found
