"""`make bench`: the whole service under load, in processes of its own; tables, and with --json everything in a file."""

from __future__ import annotations

import argparse
from pathlib import Path

import msgspec
import uvloop

from bench import report
from bench.kinds import CANNED, KINDS, SHORT
from bench.phases import Bench, Load, Phase
from bench.service import MODELS, service

WARM = 200  # runs before anything is measured: pools, plans, caches


async def main(options: argparse.Namespace) -> None:
    async with service(options.rabbitmq) as served:
        given = dict(setting.split("=", 1) for setting in options.set)
        async with served.fleet(options.apis, options.workers, options.wire, given) as fleet:
            bench = Bench(served, fleet)
            phases = [await _closed(bench, kind, options) for kind in options.kinds]
    print(report.costs(phases), report.times(phases), *report.troubles(phases), sep="\n\n")
    if options.json:
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode({"phases": phases})))


async def _closed(bench: Bench, kind: str, options: argparse.Namespace) -> Phase:
    load = Load(
        kind=kind,
        runs=WARM,
        at_once=options.at_once,
        model_time=options.model_time,
        turns=options.turns,
        follow=options.follow,
    )
    await bench.measured(load)
    runs = options.runs * (3 if kind == CANNED else 1)
    return await bench.measured(msgspec.structs.replace(load, runs=runs))


def _kinds(text: str) -> list[str]:
    return [SHORT[part] for part in text.split(",")]


def options() -> argparse.Namespace:
    from bench.model_server.lean import seconds

    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--kinds", type=_kinds, default=list(KINDS), help=f"of {','.join(SHORT)}; default all")
    parser.add_argument("--runs", type=int, default=1000, help="in each phase")
    parser.add_argument("--at-once", type=int, default=100, help="people in the closed loop")
    parser.add_argument("--turns", type=int, default=3, help="of a conversation")
    parser.add_argument("--model-time", type=seconds, default=[], help="seconds a run: 5, or 5:30 for a lognormal")
    parser.add_argument("--follow", choices=["stream", "sse", "poll", "webhook"], default="stream")
    parser.add_argument("--wire", choices=list(MODELS), default="gemini")
    parser.add_argument("--apis", type=int, default=1, help="API processes")
    parser.add_argument("--workers", type=int, default=1, help="worker processes, each with a model server")
    parser.add_argument("--rabbitmq", action="store_true", help="as the queue, instead of Valkey")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="a setting, as worker_concurrency=100"
    )
    parser.add_argument("--json", type=Path, help="write everything into this file")
    return parser.parse_args()


if __name__ == "__main__":
    uvloop.run(main(options()))
