"""Several processes of one command: how they are kept, with children that are a line of Python."""

import asyncio
import os
import signal
import sys
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest

from beerforyou.cli import crew as crew_module
from beerforyou.cli.crew import SIGNALS, Place, crew
from tests.waiting import wait_until

DIES = "import sys; open(sys.argv[1], 'a').write('x'); print('ready', flush=True); sys.exit(3)"
LIVES = "import sys; open(sys.argv[1], 'a').write('x'); print('ready', flush=True); sys.stdin.read()"
FAILS = "import sys; open(sys.argv[1], 'a').write('x'); sys.exit(4)"


@pytest.fixture(autouse=True)
def no_handlers():
    yield
    for signum in SIGNALS:
        asyncio.get_event_loop_policy().get_event_loop().remove_signal_handler(signum)


def places(monkeypatch: pytest.MonkeyPatch, folder: Path, *programs: str) -> list[Place]:
    made = []
    for number, program in enumerate(programs):
        (folder / str(number)).touch()
        made.append(Place((program, str(folder / str(number))), None))
    monkeypatch.setattr(crew_module, "COMMAND", (sys.executable, "-c"))
    monkeypatch.setattr(crew_module, "PAUSE_S", 0.01)
    return made


def starts(folder: Path, number: int) -> int:
    return len((folder / str(number)).read_text())


async def test_who_dies_is_started_again_and_a_signal_ends_the_wait(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    entered: list[str] = []

    @contextmanager
    def ready():
        entered.append("ready")
        yield
        entered.append("over")

    kept = asyncio.create_task(crew(places(monkeypatch, tmp_path, DIES, LIVES), ready))

    async def often() -> bool:
        return starts(tmp_path, 0) > 3

    await wait_until(often, "it is started again and again")
    assert not kept.done() and starts(tmp_path, 1) == 1 and entered == ["ready"]
    os.kill(os.getpid(), signal.SIGTERM)
    assert await asyncio.wait_for(kept, 15) == 0 and entered == ["ready", "over"]


async def test_a_long_wait_for_the_next_start_ends_with_a_signal(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kept = asyncio.create_task(crew(places(monkeypatch, tmp_path, DIES), nullcontext))
    monkeypatch.setattr(crew_module, "PAUSE_S", 1000.0)
    monkeypatch.setattr(crew_module, "CALM_S", -1.0)  # nobody was unwell

    async def died() -> bool:
        return starts(tmp_path, 0) == 1 and not crew_is_alive()

    def crew_is_alive() -> bool:
        children = Path(f"/proc/self/task/{os.getpid()}/children")
        return children.exists() and any(
            str(tmp_path).encode() in Path(f"/proc/{child}/cmdline").read_bytes()
            for child in children.read_text().split()
        )

    await wait_until(died, "it has died")
    os.kill(os.getpid(), signal.SIGINT)
    assert await asyncio.wait_for(kept, 15) == 0


async def test_one_that_does_not_come_up_ends_all(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    entered: list[str] = []

    @contextmanager
    def ready():
        entered.append("ready")
        yield

    assert await asyncio.wait_for(crew(places(monkeypatch, tmp_path, LIVES, FAILS), ready), 15) == 4
    assert starts(tmp_path, 1) == 1 and not entered
