"""What was measured, as tables to read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bench.phases import Phase


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Markdown, the first column words and the others figures."""
    lines = [" | ".join(head), "|".join(["---", *["--:"] * (len(head) - 1)])]
    return "\n".join(f"| {line} |" if n != 1 else f"|{line}|" for n, line in enumerate([*lines, *map(_line, rows)]))


def costs(phases: Sequence[Phase]) -> str:
    """CPU of our own processes a run, by role."""
    roles = [role for role in phases[0].cpu_ms if any(phase.cpu_ms[role] for phase in phases)]
    head = ["ms of CPU a run", *roles, "all", "quiet core", "slowness", "tools", "runs/s", "others, cores"]
    return table(head, (_cost(phase, roles) for phase in phases))


def _cost(phase: Phase, roles: Sequence[str]) -> list[object]:
    return [
        name(phase),
        *(f"{phase.cpu_ms[role]:.2f}" for role in roles),
        f"{phase.all_ms:.2f}",
        f"**{phase.all_ms / phase.slowness:.2f}**",
        f"{phase.slowness:.2f}",
        f"{sum(phase.tools_ms.values()):.2f}",
        f"{phase.runs_s:.0f}",
        f"{phase.others:.2f}",
    ]


def times(phases: Sequence[Phase]) -> str:
    """What we add to the model's time, and how soon a message is safe."""
    head = ["ms", "added p50", "p95", "p99", "accepted p50", "p95", "p99", "whole p50", "ended well", "refused", "cut"]
    return table(head, (_time(phase) for phase in phases))


def _time(phase: Phase) -> list[object]:
    told = phase.told
    percentiles = [f"{value:.0f}" for three in (told.added, told.accept) for value in three]
    well = told.outcomes.get("answered", 0)
    return [name(phase), *percentiles, f"{told.whole.p50:.0f}", well, sum(told.refusals.values()), told.cut]


def troubles(phases: Sequence[Phase]) -> list[str]:
    """Whatever did not go as it should, a line each."""
    found = []
    for phase in phases:
        badly = {
            outcome: n for outcome, n in phase.told.outcomes.items() if outcome != "answered"
        } | phase.told.refusals
        found += [f"{name(phase)}: {what} {times}" for what, times in badly.items()]
        if phase.told.cut:
            found.append(f"{name(phase)}: cut {phase.told.cut}")
    return found


def name(phase: Phase) -> str:
    load = phase.load
    how = f"{load.rate:.1f} a second" if load.rate else f"{load.at_once} at once"
    took = ":".join(f"{seconds:g}" for seconds in load.model_time)
    return f"{load.kind}, {how}{f', model {took} s' if took else ''}, {phase.told.followed}"


def _line(cells: Sequence[object]) -> str:
    return " | ".join(map(str, cells))
