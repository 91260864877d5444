"""What is measured: one phase at a time, of a fleet that runs, by a load generator that is a process of its own."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from typing import Any

import msgspec

from beerforyou.cli.output import note
from bench.asking import Talk
from bench.kinds import NO_MODEL
from bench.load import Job, Told
from bench.machine import busy_s, calibrated
from bench.service import ROOT, TOOL, Fleet, Service

IDLE_S = 5.0


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """`runs` of a kind: `at_once` in a closed loop, or at a `rate` a second. `model_time` as the model server has it."""

    kind: str
    runs: int
    at_once: int = 1
    rate: float = 0.0
    even: bool = False
    model_time: Sequence[float] = ()
    turns: int = 3
    follow: str = "stream"


class Phase(msgspec.Struct, frozen=True, kw_only=True):
    """`cpu_ms` a run by role, raw; divided by `slowness` it is that of a quiet core. `others`: cores that strangers had."""

    load: Load
    told: Told
    cpu_ms: dict[str, float]
    tools_ms: dict[str, float]
    slowness: float
    others: float

    @property
    def all_ms(self) -> float:
        return sum(self.cpu_ms.values())

    @property
    def quiet_ms(self) -> float:
        return self.all_ms / self.slowness

    @property
    def runs_s(self) -> float:
        return self.told.runs / self.told.seconds


class Bench:
    """`first` is the number of the next run: no number comes twice."""

    def __init__(self, service: Service, fleet: Fleet, first: int = 0) -> None:
        self.service, self.fleet, self.first = service, fleet, first

    async def measured(self, load: Load, talks: Sequence[Talk] = ()) -> Phase:
        await self.fleet.play(load.model_time)
        before, busy = self.service.cpu_s(self.fleet), busy_s()
        own = os.times()
        async with calibrated() as calibrator:
            told = await self.asked(load, talks)
        after, own_after = self.service.cpu_s(self.fleet), os.times()
        used = {role: after[role] - before[role] for role in after}
        us = own_after.user + own_after.system - own.user - own.system
        strangers = busy_s() - busy - sum(used.values()) - told.cpu_s - us
        tools = {TOOL: used.pop(TOOL), "load generator": told.cpu_s}
        return Phase(
            load=load,
            told=told,
            cpu_ms=_each(used, told.runs),
            tools_ms=_each(tools, told.runs),
            slowness=calibrator.slowness,
            others=max(0.0, strangers / told.seconds),
        )

    async def idle(self) -> dict[str, float]:
        """CPU by role while nobody asks, in milliseconds a second."""
        before = self.service.cpu_s(self.fleet)
        await asyncio.sleep(IDLE_S)
        after = self.service.cpu_s(self.fleet)
        return {role: (after[role] - before[role]) / IDLE_S * 1000 for role in after if role != TOOL}

    async def asked(self, load: Load, talks: Sequence[Talk] = ()) -> Told:
        """Goes on with these conversations first. Raises RuntimeError when the load generator does."""
        job = Job(
            urls=self.fleet.urls,
            tokens=self.service.tokens,
            talks=list(talks),
            first=self.first,
            model_urls=[] if load.kind in NO_MODEL else self.fleet.model_urls,
            **_of_job(load),
        )
        self.first += load.runs
        note(f"{load.kind}: {load.runs} runs …")
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bench.load", cwd=ROOT, stdin=pipe, stdout=pipe
        )
        try:
            out, _ = await process.communicate(msgspec.json.encode(job))
        finally:
            if process.returncode is None:
                process.kill()
        if process.returncode:
            raise RuntimeError(f"the load generator ended with {process.returncode}")
        return msgspec.json.decode(out, type=Told)


def _of_job(load: Load) -> dict[str, Any]:
    return {name: value for name, value in msgspec.structs.asdict(load).items() if name != "model_time"}


def _each(seconds: dict[str, float], runs: int) -> dict[str, float]:
    return {name: used / max(1, runs) * 1000 for name, used in seconds.items()}
