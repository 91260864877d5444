"""CPU of this process for one Valkey command: our shared connection against valkey-py, in one run.

    python bench/valkey_commands.py

Askers each send GET after GET and wait for each reply. Trust the ratio; the microseconds belong to the machine.
"""

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import uvloop
from valkey.asyncio import Valkey as Peer

from beerforyou.backends.valkey import Valkey
from beerforyou.servers import embedded

COMMANDS = 20_000
ROUNDS = 5


async def microseconds(get: Callable[[str], Awaitable[Any]], askers: int) -> float:
    async def ask() -> None:
        for n in range(COMMANDS // askers):
            await get(f"key:{n}")

    begin = time.process_time()
    await asyncio.gather(*(ask() for _ in range(askers)))
    return (time.process_time() - begin) / COMMANDS * 1e6


async def compare(url: str) -> None:
    ours, peer = await Valkey.connect(url), Peer.from_url(url)
    print(f"{'askers':>6} {'ours us':>9} {'valkey-py us':>13} {'ratio':>6}   (best of {ROUNDS})")
    for askers in (1, 10, 100, 1000):
        mine, theirs = [], []
        for _ in range(ROUNDS):
            mine.append(await microseconds(lambda key: ours("GET", key), askers))
            theirs.append(await microseconds(peer.get, askers))
        print(f"{askers:>6} {min(mine):>9.1f} {min(theirs):>13.1f} {min(theirs) / min(mine):>6.1f}")
    await ours.close()
    await peer.aclose()


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="bfy-") as folder:
        Path(folder).chmod(0o711)
        with embedded.start(Path(folder), postgres=False) as servers:
            uvloop.run(compare(servers.valkey_url))


if __name__ == "__main__":
    main()
