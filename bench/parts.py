"""The parts of the benchmark, each with a fleet of its own."""

from __future__ import annotations

import argparse
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

from msgspec.structs import replace

from bench.count import Counting, without_vacuum
from bench.growth import CLIENTS, long_conversations, more_clients, of_copies, old_runs
from bench.holding import held
from bench.kinds import NO_MODEL, SEARCH, SEEN
from bench.phases import Bench, Load, Phase
from bench.proxy import proxied
from bench.report import Results
from bench.service import Service

WARM = 200  # runs before anything is measured: connections, plans, caches
COUNTED, COUNTED_ALONE = 300, 40
SIZES = (200, 1000)  # in flight, to see what one more takes
SOON = (1.0,)  # what the model takes for those once they were weighed
CROWD_TIME = (5.0, 30.0)
FEWEST = 40  # runs of an open loop, however slow
CROWDED = 1.2  # people for each that could be in flight if the model's time cost us nothing
ROUNDS = 4  # of each of them; the first and the last are not looked at
EACH = 10  # clients of each copy that ask
ARRIVALS = 150.0  # a second, where only those in flight count

Options = argparse.Namespace
Given = Mapping[str, str]


async def costs(served: Service, options: Options, given: Given, results: Results) -> None:
    """Closed loops of each kind, then open loops as shares of what the fleet can carry while the model takes its time."""
    async with _bench(served, options, given) as bench:
        results.closed = [await _closed(bench, kind, options) for kind in options.kinds]
        results.idle = await bench.idle()
        await _open(bench, options, results)


async def _closed(bench: Bench, kind: str, options: Options) -> Phase:
    load = Load(kind=kind, runs=options.runs * (3 if kind in NO_MODEL else 1), at_once=options.at_once)
    load = replace(load, model_time=options.model_time, turns=options.turns, follow=options.follow)
    await bench.measured(replace(load, runs=WARM))
    return await bench.measured(load)


async def _open(bench: Bench, options: Options, results: Results) -> None:
    """Of the kind that asks for purchases, where it was asked for, else the last one."""
    if (options.model_time or options.at_once == 1) and not options.rate:
        return
    of = next((phase for phase in results.closed if phase.load.kind == SEEN), results.closed[-1])
    slow = replace(of.load, model_time=options.load_time)
    rates = [options.rate]
    if not options.rate:
        full = await _full(bench, slow, of.runs_s)
        results.loaded.append(full)
        rates = [share * full.told.steady for share in options.load]
    for rate in rates:
        load = replace(slow, at_once=0, rate=rate, runs=max(FEWEST, int(rate * options.load_s)))
        results.loaded.append(await bench.measured(load))


async def _full(bench: Bench, load: Load, at_most: float) -> Phase:
    """So many people at once that they wait for us and not only for the model; without its time we had `at_most` a second."""
    people = int(at_most * math.prod(load.model_time) ** (1 / len(load.model_time)) * CROWDED)
    return await bench.measured(replace(load, at_once=people, runs=ROUNDS * people))


async def counts(served: Service, options: Options, given: Given, results: Results) -> None:
    await without_vacuum(served.settings)
    async with (
        proxied(served.settings, served.settings.data) as proxy,
        served.fleet(options.apis, options.workers, options.wire, given, proxy.urls) as fleet,
    ):
        bench = Bench(served, fleet)
        counting = Counting(bench, proxy)
        await counting.still()
        for kind in options.kinds:
            load = Load(kind=kind, runs=COUNTED, at_once=options.at_once, turns=options.turns, follow=options.follow)
            await bench.asked(replace(load, runs=WARM))
            results.counted.append(await counting.counted(replace(load, runs=COUNTED_ALONE, at_once=1)))
            results.counted.append(await counting.counted(load))
        if SEEN in options.kinds:
            slow = replace(load, kind=SEEN, model_time=options.load_time)
            results.counted.append(await counting.counted(slow))


async def memory(served: Service, options: Options, given: Given, results: Results) -> None:
    async with _bench(served, options, given) as bench:
        load = Load(kind=SEEN, runs=WARM, rate=ARRIVALS, even=True, turns=1, follow=options.follow)
        await bench.asked(load)
        results.held.append(await held(bench, load, SIZES, SOON))


async def crowd(served: Service, options: Options, given: Given, results: Results) -> None:
    async with _bench(served, options, given) as bench:
        load = Load(kind=SEEN, runs=WARM, rate=options.rate or ARRIVALS, even=True, turns=1, follow=options.follow)
        await bench.asked(load)
        results.held.append(await held(bench, load, [options.crowd], CROWD_TIME))


async def growth(served: Service, options: Options, given: Given, results: Results) -> None:
    """The same closed loops, as there is more and more of everything."""

    async def measure() -> None:
        async with _bench(served, options, given) as bench:
            results.grown[served.data] = [await _closed(bench, kind, options) for kind in options.kinds]

    await measure()
    first = len(served.tokens)
    await more_clients(served.settings)
    await served.know(of_copies(first, CLIENTS // first - 1, EACH))
    await measure()
    await old_runs(served.settings, options.old_runs)
    await served.know(of_copies(first, CLIENTS // first - 1, EACH))
    await measure()
    async with _bench(served, options, given) as bench:
        load = Load(kind=SEARCH, runs=0, at_once=1, follow=options.follow)
        results.long = await long_conversations(bench, load)


@asynccontextmanager
async def _bench(served: Service, options: Options, given: Given) -> AsyncIterator[Bench]:
    async with served.fleet(options.apis, options.workers, options.wire, given) as fleet:
        yield Bench(served, fleet)


Part = Callable[[Service, Options, Given, Results], Awaitable[None]]
PARTS: dict[str, Part] = {"costs": costs, "counts": counts, "memory": memory, "growth": growth}
USUAL = [costs, counts, memory]
