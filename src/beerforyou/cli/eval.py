"""`beerforyou eval`: measures a part on an evaluation set. Every one reads JSON lines and needs no server running."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from beerforyou.cli.output import data_option, json_option, note, run, show_json

if TYPE_CHECKING:
    from beerforyou.catalogue.index import Catalogue
    from beerforyou.cli.planners import Judged, Price
    from beerforyou.isolation.attack import Tried
    from beerforyou.runs.run import Run
    from beerforyou.settings import Settings

WRONG = ("leak", "dead", "heavy", "left_running", "large_session")  # in a summary of attacks
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group("eval")
def command() -> None:
    """Measure a part on an evaluation set (JSON lines)."""


@command.command("reading")
@click.argument("file", type=FILE)
@click.option(
    "--catalogue", "catalogue_file", type=FILE, help="Open Brewery DB as a CSV file; by default the loaded catalogue."
)
@json_option
@data_option
def reading(file: Path, catalogue_file: Path | None, as_json: bool, data: Path | None) -> None:
    """Read each message of FILE and compare: tool, and arguments after the catalogue's own matching.

    Lines: {"id", "text", "tool", "args"}. With --json: {"n", "summary", "lines"}.
    """
    from beerforyou import clock, settings
    from beerforyou.reading.evaluate import evaluate

    chosen = settings.load(data=data, catalogue_file=str(catalogue_file) if catalogue_file else None)
    result = evaluate(_lines(file), run(_catalogue(chosen)), clock.today(chosen.time_zone))
    if as_json:
        show_json(result)
        return
    for line in result["lines"]:
        if not line["ok"]:
            click.echo(f"{line['id']}: {line['tool']} {line['args']}")
    click.echo(f"{result['n']} messages, {result['summary']['accuracy']:.1%} right")


@command.command("conversations")
@click.argument("file", type=FILE)
@json_option
@data_option
def conversations(file: Path, as_json: bool, data: Path | None) -> None:
    """Walk each conversation of FILE as its client, and show what came of its last turn.

    Lines: {"id", "client", "turns"}; with "tool", "without", "args", "question", "outcome" or "leftover" in a line they are compared. With
    --json: {"n", "summary", "lines"}, a line has {"id", "tool", "args", "calls", "question", "outcome", "text", "blocks",
    "leftover", "planned"} and "ok" where something was compared.
    """
    result = run(_conversations(file, data))
    if as_json:
        show_json(result)
        return
    for line in result["lines"]:
        if not line.get("ok", False):
            click.echo(
                f"{line['id']}: {line['turns'][-1]} -> {line['tool'] or 'no tool'} {line['question'] or line['args']} {line['text']}"
            )
    click.echo(
        f"{result['n']} conversations, {result['summary']['right']} of {result['summary']['expected']} as expected; "
        f"{result['summary']['by_reading']} planned by the reading, {result['summary']['by_reading_wrong']} of these not as expected"
    )


async def _conversations(file: Path, data: Path | None) -> dict[str, Any]:
    from beerforyou import settings
    from beerforyou.cli.walking import walked
    from beerforyou.house import opened

    async with opened(settings.load(data=data)) as house:
        return await walked(house, _lines(file))


@command.command("planner")
@click.argument("file", type=FILE)
@click.option("--model", metavar="PROVIDER:MODEL", help="Who plans; by default the setting. `offline:` plans by rule.")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="Keep each line here, and go on where it ends."
)
@click.option(
    "--limit", type=click.IntRange(1), help="So many lines, of all kinds and languages as evenly as they come."
)
@click.option("--at-once", type=click.IntRange(1), default=1, show_default=True, help="Conversations at a time.")
@click.option(
    "--price", metavar="IN,OUT[,CACHED]", help="Of a million tokens; cached ones cost as much as others without it."
)
@click.option(
    "--most-tokens", type=click.IntRange(1), help="Stop before more are used, input and output, those in --out too."
)
@click.option("--most-money", type=click.FloatRange(0, min_open=True), help="Stop before more is spent; needs --price.")
@json_option
@data_option
def planner(
    file: Path, model: str | None, out: Path | None, limit: int | None, at_once: int, price: str | None, most_tokens: int | None,
    most_money: float | None, as_json: bool, data: Path | None,
) -> None:  # fmt: skip
    """Let a model plan the last turn of each conversation of FILE: does it call what fits, is its SQL right, is the answer grounded,
    what does it take?

    Lines: {"id", "client", "turns", "lang", "kind"} and what is expected: "calls", "question" or "sql", with "columns",
    "ordered" and "outcome". With --json: {"model", "n", "complete", "summary", "lines"}. No other model stands in.
    """
    if most_money is not None and price is None:
        raise click.UsageError("--most-money needs --price.")
    result = run(_planner(file, model, out, limit, at_once, _price(price), (most_tokens, most_money), data))
    if as_json:
        show_json(result)
        return
    for line in result["lines"]:
        if not line.right:
            click.echo(f"{line.id}: {line.outcome} {[call['tool'] for call in line.calls]} {line.text}")
    click.echo(_planned_table(result["summary"]))
    if not result["complete"]:
        note("stopped before the limit; with --out and a higher one it goes on from here")


async def _planner(
    file: Path, model: str | None, out: Path | None, limit: int | None, at_once: int, price: Price | None,
    most: tuple[int | None, float | None], data: Path | None,
) -> dict[str, Any]:  # fmt: skip
    import msgspec

    from beerforyou import settings
    from beerforyou.cli import planners
    from beerforyou.cli.expected import chosen
    from beerforyou.house import opened

    ours = settings.load(data=data, model=model, fallback_models="", shadow_share="0")
    lines = chosen(list(_lines(file)), limit)
    # Nobody renews the lease of a run here, and a small model on a small machine takes its time.
    ours = msgspec.structs.replace(ours, lease_s=max(ours.lease_s, 2 * ours.run_timeout_s))
    kept = _kept(out, ours.model) if out else []
    wanted = {line.id for line in lines}
    found = [line for line in kept if line.id in wanted and not line.failed]  # those that failed are asked again
    known = {line.id for line in found}

    def done(line: planners.Judged) -> None:
        found.append(line)
        note(f"{line.id} {'right' if line.right else 'wrong'} {line.s:g} s")
        if out:
            with out.open("ab") as file:
                file.write(msgspec.json.encode(line) + b"\n")

    left = [line for line in lines if line.id not in known]
    async with opened(ours) as house, planners.staged(house, ours.model, price) as stage:
        complete = await planners.evaluated(stage, left, kept, planners.Limits(*most), at_once, done)
    found.sort(key=lambda line: line.id)
    return {
        "model": ours.model,
        "n": len(found),
        "complete": complete,
        "summary": planners.summary(found),
        "lines": found,
    }


def _kept(out: Path, model: str) -> list[Judged]:
    """Lines of this model that are done; one that was being written when the evaluation was killed goes. Raises BadInput."""
    import msgspec

    from beerforyou.cli.planners import Judged
    from beerforyou.errors import BadInput

    if not out.parent.is_dir():
        raise BadInput(f"--out: there is no folder {out.parent}", "make it, or name another file")
    if not out.exists():
        return []
    whole = out.read_bytes()
    if torn := whole.rpartition(b"\n")[2]:
        with out.open("r+b") as file:
            file.truncate(len(whole) - len(torn))
    try:
        kept = [msgspec.convert(line, Judged) for line in _lines(out)]
    except msgspec.ValidationError as error:
        raise BadInput(f"{out} is no result of this command: {error}", "give --out another file") from None
    return [line for line in kept if line.model == model]


def _price(text: str | None) -> Price | None:
    from beerforyou.cli.planners import Price

    if text is None:
        return None
    try:
        given, paid, *cached = map(float, text.split(","))
        (cached_at,) = cached or (given,)
    except ValueError:
        raise click.UsageError("--price is two or three numbers: IN,OUT or IN,OUT,CACHED.") from None
    return Price(given, paid, cached_at)


def _planned_table(summary: dict[str, Any]) -> str:
    columns = ("n", "right", "tool", "fits", "executed", "rows", "grounded", "input", "cached", "output", "asked", "s")
    rows = [("", columns), *((name, [each[c] for c in columns]) for name, each in summary["kind"].items())]
    rows += [("all", [summary[column] for column in columns])]
    return "\n".join(f"{name:12}" + "".join(f"{value:>10}" for value in values) for name, values in rows)


@command.command("statistics")
@click.argument("file", type=FILE)
@click.option("--as", "client_id", required=True, metavar="ID", help="The client who asks.")
@json_option
@data_option
def statistics(file: Path, client_id: str, as_json: bool, data: Path | None) -> None:
    """Ask each question of FILE about all clients, and say which were answered with exactly what was asked.

    Lines: {"id", "text", "args"}, the arguments that the call must have. With --json: {"n", "summary", "lines"}.
    """
    result = run(_statistics(list(_lines(file)), client_id, data))
    if as_json:
        show_json(result)
        return
    for line in result["lines"]:
        if not line["ok"]:
            click.echo(f"{line['id']}: {line['text']} -> {line['input']} {line['why']}")
    click.echo(f"{result['n']} questions, {result['summary']['answered']:.1%} answered")


async def _statistics(lines: list[dict[str, Any]], client_id: str, data: Path | None) -> dict[str, Any]:
    from beerforyou import settings
    from beerforyou.conversations.accepting import accept
    from beerforyou.house import opened
    from beerforyou.runs.looking import look
    from beerforyou.worker.worker import work

    done = []
    async with opened(settings.load(data=data)) as house:
        for line in lines:
            accepted = await accept(house, client_id, line["text"])
            await work(house, accepted.run)
            run = await look(house.database.as_client(client_id), accepted.run, steps=True)
            done.append(line | _answered(run, line["args"]))
    answered = sum(line["ok"] for line in done) / max(1, len(done))
    return {"n": len(done), "summary": {"answered": answered}, "lines": done}


def _answered(asked: Run, args: dict[str, Any]) -> dict[str, Any]:
    """Whether the tool was called for this statistic, and brought that very cell."""
    import msgspec

    from beerforyou.by_rule.everyone import statistic
    from beerforyou.reading.question import Question

    calls = [step for step in asked.steps or () if step.name == "run_analytical_query"]
    given = calls[0].input if calls else {}
    output = calls[0].output if calls else {}
    why = (
        output.get("error", output.get("not_published", output.get("note", ""))) if calls else "the tool was not called"
    )
    asked_for = statistic(msgspec.convert(given, Question))
    wanted = {"about": "everyone"} | args
    as_asked = given.get("about") == "everyone" and all(
        str(asked_for.get(name, "")).lower() == str(value).lower() for name, value in wanted.items()
    )
    return {"ok": as_asked and bool(output.get("rows")) and not why, "input": given, "why": why}


@command.command("isolation")
@click.argument("file", type=FILE)
@click.option("--as", "client_id", required=True, metavar="ID", help="The client on whose behalf the model writes.")
@click.option("--params", "params_file", type=FILE, help="JSON object that fills {own_table}, {other_id}, {canary}...")
@click.option("--database-only", is_flag=True, help="Without the gate: the database alone must hold.")
@json_option
@data_option
def isolation(
    file: Path, client_id: str, params_file: Path | None, database_only: bool, as_json: bool, data: Path | None
) -> None:
    """Run each query of FILE as if the model had written it. Exit code 1 when one brings back what it must not, holds too
    much memory, or runs on when nobody waits for it.

    Lines: {"id", "sql"}. With --json: {"n", "summary", "lines"}; a line has {"id", "verdict", "rows", "error", "ms",
    "peak_mb", "left_running"}, the last two null where they can't be seen.
    """
    result = run(_isolation(list(_lines(file)), client_id, _params(params_file), not database_only, data))
    if as_json:
        show_json(result)
    else:
        for line in result["lines"]:
            if line.verdict == "leak" or not line.alive or line.heavy or line.left_running:
                click.echo(f"{line.id}: {line.verdict} {line.peak_mb} MB {line.rows} {line.error}")
        click.echo(", ".join(f"{count} {verdict}" for verdict, count in result["summary"].items()))
    raise SystemExit(1 if any(result["summary"][wrong] for wrong in WRONG) else 0)


def _params(file: Path | None) -> dict[str, str]:
    import json

    from beerforyou.errors import BadInput

    try:
        given = dict(json.loads(file.read_bytes())) if file else {}
    except (ValueError, TypeError) as error:
        raise BadInput(f"{file}: {error}", "give one JSON object of texts") from None
    return {name: str(value) for name, value in given.items()}


async def _isolation(
    lines: list[dict[str, Any]], client_id: str, given: dict[str, str], with_gate: bool, data: Path | None
) -> dict[str, Any]:
    from beerforyou import settings
    from beerforyou.db import database
    from beerforyou.errors import BadInput
    from beerforyou.house import prepared
    from beerforyou.isolation.attack import Attack, tells, tried, unfilled
    from beerforyou.isolation.rehearsal import real_params
    from beerforyou.isolation.watching import SESSION_MB, backends, named

    try:
        attacks = [Attack(str(line["id"]), str(line["sql"])) for line in lines]
    except KeyError as error:
        raise BadInput(f"a line is no attack: it has no {error}", 'each line is {"id", "sql"}') from None
    async with prepared(settings.load(data=data)) as ready:
        params = await real_params(ready, client_id) | given
        if unknown := unfilled(attacks, params):
            note(f"nothing fills {', '.join(unknown)}; they stay as they are")
        if vague := [
            name for name, value in params.items() if name.startswith(("canary", "other")) and not tells(value)
        ]:
            note(f"{', '.join(vague)}: too short to tell from other words; nobody looks for it")
        mine, name = named(ready)
        db = await database.connect(mine)
        try:
            async with backends(ready, name) as watched:
                done = [
                    await tried(db.fence, client_id, attack, params, with_gate=with_gate, watched=watched)
                    for attack in attacks
                ]
                session_mb = await watched.session_mb()
        finally:
            await db.close()
    sessions = {"session_mb": session_mb, "large_session": int((session_mb or 0) > SESSION_MB)}
    return {"n": len(done), "summary": _counted(done) | sessions, "lines": done}


def _counted(done: Sequence[Tried]) -> dict[str, int | None]:
    counts = {verdict: sum(t.verdict == verdict for t in done) for verdict in ("refused", "clean", "leak")}
    return counts | {
        "dead": sum(not t.alive for t in done),
        "heavy": sum(t.heavy for t in done),
        "left_running": sum(t.left_running or False for t in done),
        "peak_mb": max((t.peak_mb for t in done if t.peak_mb is not None), default=None),
    }


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    """Raises BadInput with the line's number."""
    import json

    from beerforyou.errors import BadInput

    with file.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                yield dict(json.loads(line))
            except (ValueError, TypeError) as error:
                raise BadInput(f"{file}:{number}: {error}", "each line is one JSON object") from None


async def _catalogue(settings: Settings) -> Catalogue:
    """The file, or what the configured database holds, or the demo catalogue."""
    from beerforyou.catalogue import demo
    from beerforyou.catalogue.index import Catalogue
    from beerforyou.catalogue.sync import read_csv

    if settings.catalogue_file:
        return Catalogue(read_csv(Path(settings.catalogue_file)))
    if settings.database_url or any(settings.data.glob("*")):
        loaded = await _loaded(settings)
        if loaded is not None:
            return loaded
    note(
        "No catalogue is loaded: reading with the small demo catalogue. Give --catalogue, or run `beerforyou catalogue sync`."
    )
    return Catalogue(demo.breweries())


async def _loaded(settings: Settings) -> Catalogue | None:
    from beerforyou.catalogue import refresh
    from beerforyou.db import database
    from beerforyou.errors import SetupError
    from beerforyou.house import prepared

    async with prepared(settings) as ready:
        try:
            db = await database.connect(ready)
        except SetupError:
            return None  # nothing was ever migrated there
        try:
            found = await refresh.load(db.read, ready.data)
        finally:
            await db.close()
        return found if len(found) else None
