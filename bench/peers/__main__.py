"""`make peers`: our service and one of LangGraph, its PostgreSQL checkpointer and FastAPI, in turn under the same load.

Prints the CPU a run of each, PostgreSQL included and load tools not, and the ratio. See bench/peers/README.md.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import os
import platform
import signal
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from statistics import mean
from urllib.parse import urlsplit

import asyncpg
import msgspec
import uvloop
from msgspec.structs import replace

from beerforyou.settings import Settings, kept_secret
from bench.kinds import NEW, SEARCH, SEEN, SHORT
from bench.model_server.lean import seconds
from bench.parts import WARM
from bench.peers.environment import REQUIREMENTS, python
from bench.peers.plain import SOURCES, TABLES
from bench.phases import Bench, Load, Phase
from bench.report import cost_table, table
from bench.service import Fleet, Service, service

OURS = "BeerForYou"
# We ask for the model's text whole wherever a tool call may come instead; most who use LangGraph stream it.
PEERS = {"LangGraph, streamed": "1", "LangGraph, whole": ""}
KINDS = (SEARCH, SEEN, NEW)  # a greeting would be a model call to the peer, and is none to us
NAMED = ("langgraph", "langgraph-checkpoint-postgres", "langchain-google-genai", "fastapi", "uvicorn", "psycopg")

Phases = dict[str, list[Phase]]  # by kind, one a round
Start = Callable[[], AbstractAsyncContextManager[Fleet]]


class Results(msgspec.Struct):
    """`sides`: ours and the peers, by name."""

    machine: str
    sides: dict[str, Phases]


async def main(options: argparse.Namespace) -> None:
    myself = asyncio.current_task()
    assert myself
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, myself.cancel)  # as Ctrl-C: nothing is left behind
    interpreter = await asyncio.to_thread(python)
    async with service(rabbit=False) as served:
        database = await _database(served.settings)
        env = _environment(served.settings, database, options)
        starts: dict[str, Start] = {OURS: lambda: served.fleet(1, 1, "gemini", {})}
        starts |= {
            name: partial(_peer, served, interpreter, env | {"PEER_STREAMS": streams})
            for name, streams in PEERS.items()
        }
        results = Results(f"{_machine()} {served.data}.", await _measured(served, starts, options))
    if options.json:
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(results)))
    print(told(results))


async def _measured(served: Service, starts: Mapping[str, Start], options: argparse.Namespace) -> dict[str, Phases]:
    phases: dict[str, Phases] = {who: {kind: [] for kind in options.kinds} for who in starts}
    first = dict.fromkeys(starts, 0)  # no number comes twice, in no round
    for _ in range(options.rounds):
        for who, start in starts.items():
            async with start() as fleet:
                bench = Bench(served, fleet, first[who])
                for kind in options.kinds:
                    phases[who][kind].append(await _phase(bench, kind, options))
                first[who] = bench.first
    return phases


async def _phase(bench: Bench, kind: str, options: argparse.Namespace) -> Phase:
    load = Load(kind=kind, runs=options.runs, at_once=options.at_once, turns=options.turns)
    await bench.measured(replace(load, runs=WARM))
    return await bench.measured(replace(load, model_time=options.model_time))


@asynccontextmanager
async def _peer(served: Service, interpreter: Path, env: Mapping[str, str]) -> AsyncIterator[Fleet]:
    async with AsyncExitStack() as stack:
        model = await served.model(stack, 0)
        args = (str(interpreter), "-m", "bench.peers.service")
        peer = await served.spawn(stack, "peer", args, {**env, "PEER_MODEL": model.url})
        await peer.serves()
        await peer.ready(b"Serving;")
        yield Fleet([peer], [], [model])


def _environment(settings: Settings, database: str, options: argparse.Namespace) -> dict[str, str]:
    plain = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("BEERFORYOU_", "LANGSMITH_", "LANGCHAIN_"))
    }
    told = {"PEER_DATABASE": database, "PEER_SECRET": kept_secret(settings, "auth_secret")}
    return plain | told | {"PEER_DURABILITY": options.durability, "PEER_POOL": str(options.pool)}


async def _database(settings: Settings) -> str:
    """The URL of the peer's own, in the same PostgreSQL, with the same clients, breweries and purchases."""
    url = urlsplit(settings.database_admin_url)._replace(path="/peer").geturl()
    ours = await asyncpg.connect(settings.database_admin_url)
    await ours.execute("CREATE DATABASE peer")
    peers = await asyncpg.connect(url)
    await peers.execute(TABLES)
    for name, source in SOURCES.items():
        lines = io.BytesIO()
        await ours.copy_from_query(source, output=lines)
        lines.seek(0)
        await peers.copy_to_table(name, source=lines)
    await peers.execute("ANALYZE")
    await peers.close()
    await ours.close()
    return url


def told(results: Results) -> str:
    tables = [f"{who}:\n\n{cost_table(_all(phases))}" for who, phases in results.sides.items()]
    ratios = [_ratios(who, results.sides[OURS], results.sides[who]) for who in PEERS]
    return "\n\n".join([results.machine, *tables, *ratios, *_badly(results)])


def _all(phases: Phases) -> list[Phase]:
    return [phase for rounds in phases.values() for phase in rounds]


def _ratios(who: str, ours: Phases, peers: Phases) -> str:
    head = ["CPU a run, ms, quiet core", OURS, who, "ratio", "raw", "each round"]
    rows = [[kind, *_ratio(ours[kind], peers[kind])] for kind in ours]
    return table(head, [*rows, ["all kinds", *_ratio(_all(ours), _all(peers))[:-1], ""]])


def _ratio(ours: Sequence[Phase], peers: Sequence[Phase]) -> list[str]:
    quiet = [mean(phase.quiet_ms for phase in side) for side in (ours, peers)]
    raw = [mean(phase.all_ms for phase in side) for side in (ours, peers)]
    each = [f"{b.quiet_ms / a.quiet_ms:.1f}" for a, b in zip(ours, peers, strict=True)]
    return [*(f"{ms:.2f}" for ms in quiet), f"**{quiet[1] / quiet[0]:.1f}**", f"{raw[1] / raw[0]:.1f}", ", ".join(each)]


def _badly(results: Results) -> list[str]:
    found = []
    for who, phases in results.sides.items():
        for phase in _all(phases):
            badly = {what: n for what, n in phase.told.outcomes.items() if what != "answered"}
            badly |= phase.told.refusals | ({"cut": phase.told.cut} if phase.told.cut else {})
            if badly:
                found.append(
                    f"NOT WELL: {who}, {phase.load.kind}: {', '.join(f'{n} {what}' for what, n in badly.items())}"
                )
    return found


def _machine() -> str:
    pinned = dict(line.split(" ")[0].split("==") for line in REQUIREMENTS.read_text().splitlines() if "==" in line)
    versions = ", ".join(f"{name} {pinned[name]}" for name in NAMED)
    return f"{os.cpu_count()} cores, {platform.system()} {platform.release()}, CPython {platform.python_version()}; {versions}."


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bench.peers", description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument(
        "--kinds", type=lambda text: [SHORT[part] for part in text.split(",")], default=list(KINDS),
        help="of search,seen,new; default all",
    )  # fmt: skip
    parser.add_argument("--runs", type=int, default=400, help="of each kind, in each round")
    parser.add_argument("--rounds", type=int, default=2, help="ours and the peers, one after the other")
    parser.add_argument("--at-once", type=int, default=100, help="people in the closed loop")
    parser.add_argument("--turns", type=int, default=3, help="of a conversation")
    parser.add_argument("--model-time", type=seconds, default=[], help="seconds a run: 5, or 5:30, a lognormal")
    parser.add_argument(
        "--durability", choices=["async", "sync", "exit"], default="async", help="of the peer: when it keeps"
    )
    parser.add_argument("--pool", type=int, default=20, help="connections of each of the peer's two pools")
    parser.add_argument("--json", type=Path, help="a file for everything")
    return parser.parse_args()


if __name__ == "__main__":
    uvloop.run(main(options()))
