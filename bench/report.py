"""What was measured, as tables to read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from bench.count import Counted
from bench.growth import LONG, Long
from bench.holding import Held
from bench.machine import QUIET_MS
from bench.phases import Load, Phase


class Results(msgspec.Struct):
    """`idle`: CPU of the fleet by role when nobody asks, in milliseconds a second."""

    machine: str
    settings: dict[str, str]
    idle: dict[str, float] = {}
    closed: list[Phase] = []
    loaded: list[Phase] = []
    counted: list[Counted] = []
    held: list[Held] = []
    grown: dict[str, list[Phase]] = {}
    long: Long | None = None


def told(results: Results) -> str:
    phases = [*results.closed, *results.loaded]
    parts = [f"{results.machine}\n\nSettings: {', '.join(f'{k} {v}' for k, v in results.settings.items() if v)}."]
    if phases:
        parts += [cost_table(phases), _slowness(phases), _times(phases)]
    if results.idle:
        parts.append(f"When nobody asks, the fleet takes {sum(results.idle.values()):.1f} ms of CPU a second.")
    if results.counted:
        parts += [_counts(results.counted), _leftovers(results.counted)]
    parts += [_held(held) for held in results.held]
    parts += [f"With {what}:\n\n{cost_table(grown)}" for what, grown in results.grown.items()]
    if long := results.long:
        short = f"In short conversations, then in those of {LONG} turns:\n\n{cost_table([long.short, long.long])}"
        parts.append(f"{short}\n\nReading one: {long.reading_ms:.1f} ms of CPU, raw.")
    parts.append(_summary(results))
    return "\n\n".join([*parts, *_troubles(results)])


def cost_table(phases: Sequence[Phase]) -> str:
    roles = [role for role in phases[0].cpu_ms if any(phase.cpu_ms[role] for phase in phases)]
    head = ["CPU a run, ms", *roles, "all", "quiet core", "slowness", "tools", "runs/s", "others, cores"]
    return table(head, (_cost(phase, roles) for phase in phases))


def _cost(phase: Phase, roles: Sequence[str]) -> list[object]:
    return [
        _name(phase.load, phase.told.followed),
        *(f"{phase.cpu_ms[role]:.2f}" for role in roles),
        f"{phase.all_ms:.2f}",
        f"**{phase.quiet_ms:.2f}**",
        f"{phase.slowness:.2f}",
        f"{sum(phase.tools_ms.values()):.2f}",
        f"{phase.told.steady:.1f}",
        f"{phase.others:.2f}",
    ]


def _slowness(phases: Sequence[Phase]) -> str:
    worst = max(phase.slowness for phase in phases)
    return (
        f"Quiet core: raw CPU by slowness, which is what a fixed loop took beside the phase by {QUIET_MS} ms; at worst {worst:.2f}. "
        "Tools are the load generator and the model server; they are in no other figure, and have their share of the cores."
    )


def _times(phases: Sequence[Phase]) -> str:
    head = ["ms", "added p50", "p95", "p99", "accepted p50", "p95", "p99", "whole p50", "answered", "refused", "cut"]
    return table(head, map(_time, phases))


def _time(phase: Phase) -> list[object]:
    told = phase.told
    percentiles = [f"{value:.0f}" for three in (told.added, told.accept) for value in three]
    refused = sum(told.refusals.values())
    well = told.outcomes.get("answered", 0)
    return [_name(phase.load, told.followed), *percentiles, f"{told.whole.p50:.0f}", well, refused, told.cut]


def _counts(counted: Sequence[Counted]) -> str:
    head = [
        "a run",
        "statements",
        "plans",
        "round trips",
        "transactions",
        "that wrote",
        "WAL, kB",
        "stored, kB",
        "Valkey, kB",
    ]
    return table(head, map(_count, counted))


def _count(of: Counted) -> list[object]:
    asked = [f"{value:.2f}" for value in (of.statements, of.plans, of.trips, of.ends, of.commits)]
    return [_name(of.load), *asked, *(f"{value / 1000:.1f}" for value in (of.wal, of.stored, of.valkey))]


def _leftovers(counted: Sequence[Counted]) -> str:
    tables = sorted({name for each in counted for name, bytes_in in each.bytes_in.items() if bytes_in >= 20})
    rows = ([_name(each.load), *(_left(each, name) for name in tables)] for each in counted)
    return table(["rows a run (bytes)", *tables], rows)


def _left(of: Counted, table: str) -> str:
    return f"{of.rows.get(table, 0):.1f} ({of.bytes_in.get(table, 0):.0f})"


def _held(held: Held) -> str:
    head = ["in flight", "API, MB", "workers, MB", "all there after, s"]
    rows = (
        [at.in_flight, f"{at.api / 1000:.0f}", f"{at.worker / 1000:.0f}", f"{at.whole_s:.0f}"] for at in held.memory
    )
    outcomes: dict[str, int] = {}
    for told in held.told:
        for outcome, number in told.outcomes.items():
            outcomes[outcome] = outcomes.get(outcome, 0) + number
    refused, cut = sum(sum(told.refusals.values()) for told in held.told), sum(told.cut for told in held.told)
    return (
        f"{table(head, rows)}\n\n{_name(held.load, held.told[0].followed)}: a run in flight {held.run_kb:.1f} kB in the worker, a follower "
        f"{held.follower_kb:.1f} kB in the API. Ended: {_listed(outcomes)}; {refused} refused, {cut} cut."
    )


def _summary(results: Results) -> str:
    """A line a goal."""
    rows = [
        (f"CPU a run, ms: {_name(phase.load)}", f"{phase.quiet_ms:.2f}") for phase in (*results.closed, *results.loaded)
    ]
    if results.loaded:
        most = max(results.loaded, key=lambda phase: phase.load.rate)
        rows.append((f"p95 added, ms: {_name(most.load)}", f"{most.told.added.p95:.0f}"))
        rows.append(("p95 until the message is safe, ms: the same", f"{most.told.accept.p95:.0f}"))
    for held in results.held:
        rows.append(("kB a run in flight / a follower", f"{held.run_kb:.0f} / {held.follower_kb:.0f}"))
        refused, cut = sum(sum(told.refusals.values()) for told in held.told), sum(told.cut for told in held.told)
        rows.append((f"{held.memory[-1].in_flight} in flight: refused, cut", f"{refused}, {cut}"))
    return table(["quiet-core equivalent", ""], rows)


def _troubles(results: Results) -> list[str]:
    """Whatever did not go as it should."""
    loads = [(phase.load, phase.told) for phase in (*results.closed, *results.loaded)]
    loads += [(held.load, told) for held in results.held for told in held.told]
    found = []
    for load, of in loads:
        badly = {outcome: number for outcome, number in of.outcomes.items() if outcome != "answered"} | of.refusals
        if badly or of.cut:
            found.append(
                f"NOT WELL: {_name(load, of.followed)}: {_listed(badly | ({'cut': of.cut} if of.cut else {}))}"
            )
    return found


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{number} {what}" for what, number in counts.items())


def _name(load: Load, followed: str = "") -> str:
    how = (
        f"{load.rate:.1f} a second"
        if load.rate
        else "one at a time"
        if load.at_once == 1
        else f"{load.at_once} at once"
    )
    took = ":".join(f"{seconds:g}" for seconds in load.model_time)
    return f"{load.kind}, {how}{f', model {took} s' if took else ''}{f', {followed}' if followed else ''}"


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Markdown: the first column words, the others figures."""
    lines = [f"| {' | '.join(head)} |", f"|---{'|--:' * (len(head) - 1)}|"]
    return "\n".join([*lines, *(f"| {' | '.join(map(str, row))} |" for row in rows)])
