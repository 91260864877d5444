"""Runs that are all in flight at a time, since the model holds its answers back: what one takes in memory, and whether all
come to their end once it answers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from bench.load import Told
from bench.machine import memory_kb
from bench.phases import Bench, Load
from bench.service import Program

LOOK_S = 0.25
FOLLOWED_S = 3.0  # by when all that the model has are followed, and what was used for their beginning is given back
PATIENCE_S = 60.0  # without one more that waits for the model


class Memory(msgspec.Struct, frozen=True):
    """kB of all processes of the role, with so many runs in flight. `whole_s`: until the model had them all."""

    in_flight: int
    api: float
    worker: float
    whole_s: float


class Held(msgspec.Struct, frozen=True, kw_only=True):
    load: Load
    memory: list[Memory]
    told: list[Told]

    @property
    def run_kb(self) -> float:
        return self._slope([at.worker for at in self.memory])

    @property
    def follower_kb(self) -> float:
        return self._slope([at.api for at in self.memory])

    def _slope(self, kb: Sequence[float]) -> float:
        """Between the two largest sizes."""
        few, many = self.memory[-2:]
        return (kb[-1] - kb[-2]) / max(1, many.in_flight - few.in_flight)


async def held(bench: Bench, load: Load, sizes: Sequence[int], then: Sequence[float]) -> Held:
    """Sizes grow. `then`: what the model takes once it answers."""
    await bench.fleet.play(hold=True)
    memory, asking = [await _memory(bench, 0, 0.0)], []
    for size in sizes:
        more = msgspec.structs.replace(load, runs=size - memory[-1].in_flight)
        asking.append(asyncio.create_task(bench.asked(more)))
        took = await _all_wait(bench, size)
        memory.append(await _memory(bench, await bench.fleet.waiting(), took))
    await bench.fleet.play(then)
    return Held(load=load, memory=memory, told=await asyncio.gather(*asking))


async def _all_wait(bench: Bench, size: int) -> float:
    """The seconds until the model has them, or as many as come."""
    clock = asyncio.get_running_loop().time
    begun = changed = clock()
    before = -1
    while (waiting := await bench.fleet.waiting()) < size and clock() - changed < PATIENCE_S:
        if waiting != before:
            before, changed = waiting, clock()
        await asyncio.sleep(LOOK_S)
    took = clock() - begun
    await asyncio.sleep(FOLLOWED_S)
    return took


async def _memory(bench: Bench, in_flight: int, took: float) -> Memory:
    api, worker = (memory_kb(_pids(of)) for of in (bench.fleet.apis, bench.fleet.workers))
    return Memory(in_flight, api, worker, took)


def _pids(programs: Sequence[Program]) -> list[int]:
    return [program.pid for program in programs]
