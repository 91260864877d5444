"""`beerforyou db`: migrations."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import click

from beerforyou.cli.output import data_option, json_option, note, run, show_json


@click.group("db")
def command() -> None:
    """Migrate the database, or show where it stands."""


@command.command("migrate")
@json_option
@data_option
def migrate(as_json: bool, data: Path | None) -> None:
    """Bring the database to this version. Needs DATABASE_ADMIN_URL, or the embedded server."""
    ran = run(_with_servers(data, _migrate))
    if as_json:
        show_json({"ran": ran})
    else:
        click.echo("\n".join(ran) or "Nothing to do.")


@command.command("status")
@json_option
@data_option
def status(as_json: bool, data: Path | None) -> None:
    """Say which migrations have not run yet. Exit code 1 when there are any."""
    waiting = run(_with_servers(data, _pending))
    if as_json:
        show_json({"pending": waiting})
    else:
        click.echo("\n".join(f"pending: {name}" for name in waiting) or "Up to date.")
    raise SystemExit(1 if waiting else 0)


async def _with_servers(data: Path | None, work: Callable[[Any], Awaitable[list[str]]]) -> list[str]:
    from beerforyou import settings
    from beerforyou.house import prepared

    async with prepared(settings.load(data=data)) as ready:
        return await work(ready)


async def _migrate(settings: Any) -> list[str]:
    from beerforyou.db.migrate import migrate

    note("Migrating …")
    return await migrate(settings)


async def _pending(settings: Any) -> list[str]:
    from beerforyou.db.connections import admin
    from beerforyou.db.migrate import pending

    connection = await admin(settings)
    try:
        return [migration.name for migration in await pending(connection)]
    finally:
        await connection.close()
