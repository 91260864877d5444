"""`beerforyou doctor`: is this installation able to do its work, and if not, what to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from beerforyou.cli.output import data_option, json_option, note, run, show_json

if TYPE_CHECKING:
    from beerforyou.health import Finding
    from beerforyou.llm.trying import Tried
    from beerforyou.settings import Settings

Show = Callable[["Finding"], None]


@click.command("doctor")
@click.option("--call", is_flag=True, help="Ask each configured model one question with one tool, which costs money.")
@json_option
@data_option
def command(call: bool, as_json: bool, data: Path | None) -> None:
    """Check this installation. Exit code 1 when something is wrong."""
    show: Show = (lambda seen: None) if as_json else _show
    checks = run(_examine(data, show))
    calls = run(_call(data, show)) if call else []
    ok = all(seen.ok for seen in (*checks, *(finding for finding, _ in calls)))
    if as_json:
        models = {"models": [_plain(finding, tried) for finding, tried in calls]} if call else {}
        show_json({"ok": ok, "checks": checks, **models})
    raise SystemExit(0 if ok else 1)


def _show(seen: Finding) -> None:
    hint = f" ({seen.hint})" if seen.hint else ""
    click.echo(f"{'ok  ' if seen.ok else 'FAIL'} {seen.name}: {seen.detail}{hint}")


async def _examine(data: Path | None, show: Show) -> list[Finding]:
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


async def _call(data: Path | None, show: Show) -> list[tuple[Finding, Tried | None]]:
    from beerforyou import settings
    from beerforyou.llm.connect import names

    given, found = settings.load(data=data), []
    for field, name in names(given):
        note(f"asking {name} …")
        found.append(await _asked(field, name, given))
        show(found[-1][0])
    return found


async def _asked(field: str, name: str, settings: Settings) -> tuple[Finding, Tried | None]:
    from beerforyou.errors import BeerForYouError
    from beerforyou.health import Finding
    from beerforyou.llm.connect import model_of
    from beerforyou.llm.trying import NO_PLANNER, tried

    try:
        model = model_of(field, name, settings)
        if model is None:
            return Finding(name, True, "plans by rule; nobody is asked, and nothing is paid"), None
        try:
            seen = await tried(model, settings.max_output_tokens)
        finally:
            await model.close()
    except BeerForYouError as error:
        return Finding(name, False, error.message, error.hint), None
    able = seen.tool == "called"
    return Finding(name, able, str(seen), "" if able else NO_PLANNER), seen


def _plain(finding: Finding, tried: Tried | None) -> dict[str, Any]:
    import msgspec

    return msgspec.to_builtins(finding) | (msgspec.to_builtins(tried) if tried else {})
