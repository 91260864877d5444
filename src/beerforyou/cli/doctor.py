"""`beerforyou doctor`: is this installation able to do its work, and if not, what to do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from beerforyou.cli.output import data_option, json_option, run, show_json

if TYPE_CHECKING:
    from beerforyou.settings import Settings

ENDING = ("statement_timeout", "transaction_timeout", "client_connection_check_interval")
WHAT_TO_SET = "start PostgreSQL with `ulimit -d 262144`, see docs/explanation/isolation.md"
Check = Callable[["Settings"], Awaitable[str]]


@click.command("doctor")
@json_option
@data_option
def command(as_json: bool, data: Path | None) -> None:
    """Check this installation. Exit code 1 when something is wrong."""
    checks = run(_examine(data))
    ok = all(check["ok"] for check in checks)
    if as_json:
        show_json({"ok": ok, "checks": checks})
    else:
        for check in checks:
            hint = f" ({check['hint']})" if check["hint"] else ""
            click.echo(f"{'ok  ' if check['ok'] else 'FAIL'} {check['name']}: {check['detail']}{hint}")
    raise SystemExit(0 if ok else 1)


async def _examine(data: Path | None) -> list[dict[str, Any]]:
    from beerforyou import settings
    from beerforyou.house import prepared

    async with prepared(settings.load(data=data)) as ready:
        return [await _checked(name, check, ready) for name, check in CHECKS.items()]


async def _checked(name: str, check: Check, settings: Settings) -> dict[str, Any]:
    from beerforyou.errors import BeerForYouError

    try:
        return {"name": name, "ok": True, "detail": await check(settings), "hint": ""}
    except BeerForYouError as error:
        return {"name": name, "ok": False, "detail": error.message, "hint": error.hint}


async def _migrations(settings: Settings) -> str:
    from beerforyou.db.connections import admin
    from beerforyou.db.migrate import pending
    from beerforyou.errors import SetupError

    connection = await admin(settings)
    try:
        waiting = await pending(connection)
    finally:
        await connection.close()
    if waiting:
        raise SetupError(f"{len(waiting)} migrations have not run", "run `beerforyou db migrate`")
    return "up to date"


async def _fence(settings: Settings) -> str:
    """The fence as it was laid, and some attacks as the first client there is."""
    from beerforyou.db import database
    from beerforyou.errors import SetupError
    from beerforyou.isolation.rehearsal import rehearse

    db = await database.connect(settings)
    try:
        holes = [row["hole"] for row in await db.read.fetch("checks.holes")]
        attacks, leaks = await rehearse(settings, db)
        revoked = (await db.read.fetch("checks.functions_revoked"))[0]["functions_revoked"]
    finally:
        await db.close()
    if found := [*holes, *leaks]:
        raise SetupError("; ".join(found), "stop serving, and run `beerforyou db migrate`")
    rest = "" if revoked else "; this server keeps its functions callable, and the rest of the fence carries it"
    return f"stands; {attacks} attacks brought nothing{rest}"


async def _limits(settings: Settings) -> str:
    """What ends a query that nobody waits for, or that grows."""
    from beerforyou.db import database
    from beerforyou.isolation.watching import memory_limit_mb

    db = await database.connect(settings)
    try:
        (row,) = await db.read.fetch("checks.limits")
        limit = memory_limit_mb(row["pid"])
    finally:
        await db.close()
    known = dict(setting.split("=", 1) for setting in row["settings"])
    missing = [name for name in ENDING if name not in known]
    said = f"this server does not know {', '.join(missing)}" if missing else "a query ends soon after its caller"
    held = f"its process may hold {limit} MB" if limit else f"no memory limit of its process can be seen: {WHAT_TO_SET}"
    return f"{said}; {held}"


async def _catalogue(settings: Settings) -> str:
    from beerforyou.catalogue import refresh
    from beerforyou.db import database
    from beerforyou.errors import SetupError

    db = await database.connect(settings)
    try:
        catalogue = await refresh.load(db.read)
    finally:
        await db.close()
    if not len(catalogue):
        raise SetupError("the catalogue is empty", "run `beerforyou catalogue sync`")
    return f"{len(catalogue)} breweries, version {catalogue.version}"


async def _valkey(settings: Settings) -> str:
    from beerforyou.backends.valkey import Valkey

    valkey = await Valkey.connect(settings.valkey_url)
    try:
        await valkey("PING")
    finally:
        await valkey.close()
    return "answers"


async def _queue(settings: Settings) -> str:
    from beerforyou.backends import queue

    doorbell = await queue.connect(settings)
    try:
        await doorbell.ready()
    finally:
        await doorbell.close()
    return "answers"


async def _model(settings: Settings) -> str:
    from beerforyou.llm.connect import connect

    model = connect(settings)
    await model.close()
    return f"{model.name} (not called)"


CHECKS: dict[str, Check] = {
    "migrations": _migrations,
    "fence": _fence,
    "limits": _limits,
    "catalogue": _catalogue,
    "valkey": _valkey,
    "queue": _queue,
    "model": _model,
}
