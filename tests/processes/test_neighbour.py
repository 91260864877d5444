"""The neighbour is one who would notice: a process that is held up shows."""

import asyncio
import signal
from pathlib import Path

import pytest

from beerforyou.settings import Settings
from tests.processes.neighbour import installed, undisturbed


async def test_a_neighbour_of_a_quiet_house_waits_for_nothing(furnished: Settings, tmp_path: Path) -> None:
    async with installed(furnished, tmp_path) as process, undisturbed(process, furnished) as waits:
        pass
    assert waits.answers > 0 and waits.health > 0


async def test_a_neighbour_of_a_house_that_stands_still_tells(furnished: Settings, tmp_path: Path) -> None:
    async with installed(furnished, tmp_path) as process:
        with pytest.raises(AssertionError, match="/healthz"):
            async with undisturbed(process, furnished) as waits:
                await waits.answered.wait()
                process.send(signal.SIGSTOP)
                await asyncio.sleep(1.0)
                process.send(signal.SIGCONT)
