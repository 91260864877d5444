"""Who answers, of those without whom nothing works."""

from __future__ import annotations

import asyncio
import logging
import time

from beerforyou.db.database import Database
from beerforyou.errors import SetupError
from beerforyou.house import House
from beerforyou.servers.embedded import full

log = logging.getLogger(__name__)

FENCE_FRESH_S = 10.0  # how long it is believed that the fence stands; a look costs some milliseconds


async def holes(database: Database) -> list[str]:
    """Where the fence around the clients' data is not as it was laid; there must be none."""
    return [row["hole"] for row in await database.read.fetch("checks.holes")]


class Health:
    def __init__(self, house: House) -> None:
        self._house = house
        self._fence_seen = -FENCE_FRESH_S

    async def ready(self) -> dict[str, bool]:
        house = self._house
        checks = {
            "postgresql": house.database.read.fetchrow("catalogue.version"),
            "valkey": house.valkey("PING"),
            "queue": house.queue.ready(),
            "fence": self._fence_stands(),
            "disk": self._disk_has_room(),
        }
        answers = await asyncio.gather(*checks.values(), return_exceptions=True)
        return {name: not isinstance(answer, BaseException) for name, answer in zip(checks, answers, strict=True)}

    async def _disk_has_room(self) -> None:
        """Of the embedded servers: reads go on without any, so nobody else would say. Raises SetupError and OSError."""
        if full(self._house.settings):
            log.error("the disk of %s is full", self._house.settings.data)
            raise SetupError("the disk of the embedded servers is full", "make room")

    async def _fence_stands(self) -> None:
        """Looks every `FENCE_FRESH_S`. Raises SetupError."""
        if time.monotonic() - self._fence_seen > FENCE_FRESH_S:
            if found := await holes(self._house.database):
                log.critical("the fence is down: %s", "; ".join(found))
                raise SetupError(f"the fence is down: {found[0]}", "run `beerforyou db migrate`")
            self._fence_seen = time.monotonic()
