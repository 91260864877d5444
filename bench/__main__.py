"""`make bench`: the whole service under load, in processes of its own. Prints tables; `--json FILE` keeps all of it."""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import signal
from pathlib import Path

import msgspec
import uvloop

from bench import parts, report
from bench.kinds import KINDS, SHORT
from bench.model_server.lean import seconds
from bench.service import MODELS, SETTINGS, service


async def main(options: argparse.Namespace) -> None:
    myself = asyncio.current_task()
    assert myself
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, myself.cancel)  # as Ctrl-C: nothing is left behind
    given = dict(setting.split("=", 1) for setting in options.set)
    async with service(options.rabbitmq) as served:
        results = report.Results(f"{_machine(options)} {served.data}.", SETTINGS | given)
        for part in [parts.crowd] if options.crowd else options.parts:
            await part(served, options, given, results)
    if options.json:
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(results)))
    print(report.told(results))


def _machine(options: argparse.Namespace) -> str:
    return (
        f"{os.cpu_count()} cores, {platform.system()} {platform.release()}, CPython {platform.python_version()}; "
        f"{options.apis} API, {options.workers} worker, {options.wire}, queue in {'RabbitMQ' if options.rabbitmq else 'Valkey'}."
    )


def _kinds(text: str) -> list[str]:
    return [SHORT[part] for part in text.split(",")]


def _parts(text: str) -> list[parts.Part]:
    return [parts.PARTS[name] for name in text.split(",")]


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bench", description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    asked = parser.add_argument_group("what is asked")
    asked.add_argument(
        "--parts", type=_parts, default=parts.USUAL, help=f"of {','.join(parts.PARTS)}; default all but growth"
    )
    asked.add_argument("--kinds", type=_kinds, default=list(KINDS), help=f"of {','.join(SHORT)}")
    asked.add_argument("--runs", type=int, default=1000, help="of each kind in the closed loop")
    asked.add_argument("--at-once", type=int, default=100, help="people in the closed loop")
    asked.add_argument("--turns", type=int, default=3, help="of a conversation")
    asked.add_argument("--follow", choices=["stream", "sse", "poll", "webhook"], default="stream")
    asked.add_argument(
        "--model-time", type=seconds, default=[], help="seconds a run in the closed loop: 5, or 5:30, a lognormal"
    )
    asked.add_argument(
        "--load",
        type=float,
        nargs="+",
        default=[0.05, 0.7],
        help="open loops, as shares of what the fleet carries with that time of the model",
    )
    asked.add_argument("--rate", type=float, help="an open loop of so many a second instead")
    asked.add_argument("--load-time", type=seconds, default=[5.0], help="seconds a run of the model there")
    asked.add_argument("--load-s", type=float, default=30.0, help="how long each lasts")
    asked.add_argument("--crowd", type=int, help="only this: so many in flight at a time; see --follow and --workers")
    fleet = parser.add_argument_group("who answers")
    fleet.add_argument("--wire", choices=list(MODELS), default="gemini")
    fleet.add_argument("--apis", type=int, default=1, help="API processes")
    fleet.add_argument("--workers", type=int, default=1, help="worker processes, each with a model server")
    fleet.add_argument("--rabbitmq", action="store_true", help="is the queue, instead of Valkey")
    fleet.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="a setting: worker_concurrency=100"
    )
    parser.add_argument("--old-runs", type=int, default=1_000_000, help="that growth makes first")
    parser.add_argument("--json", type=Path, help="a file for everything")
    return parser.parse_args()


if __name__ == "__main__":
    uvloop.run(main(options()))
