"""The clients that a proof is tried on: made for it, each with a string of its own in every row, and removed afterwards.

Real clients are left as they are; a string put into their rows would be seen by themselves. A canary carries a mark that
nothing else sets; what is called like one and lacks it is somebody's client.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from string import ascii_lowercase

import asyncpg
import msgspec

from beerforyou import clock
from beerforyou.clients.columns import CANARY
from beerforyou.clients.profiles import compute
from beerforyou.db.connections import operator
from beerforyou.db.queries import QUERIES
from beerforyou.isolation.attack import VIEWS
from beerforyou.settings import Settings

HOW_MANY = 3
BEERS = 5


class Canary(msgspec.Struct, frozen=True):
    client_id: str
    word: str

    def params(self, other: Canary) -> dict[str, str]:
        """What an attack of this one on the other may name."""
        return VIEWS | {
            "own_id": self.client_id, "other_id": other.client_id, "other_name": other.word, "canary": other.word,
        }  # fmt: skip


@asynccontextmanager
async def canaries(settings: Settings) -> AsyncIterator[list[Canary]]:
    async with operator(settings) as connection:
        await remove(
            connection, [row["client_id"] for row in await connection.fetch(QUERIES["canaries.left_over"].sql)]
        )
        made = [Canary(CANARY + _letters(), f"kanarie{_letters()}") for _ in range(HOW_MANY)]
        try:
            for canary in made:
                await connection.execute(QUERIES["canaries.add_client"].sql, canary.client_id, canary.word)
                await buy(connection, canary, BEERS)
            await compute(connection, clock.days(settings.time_zone), [canary.client_id for canary in made])
            yield made
        finally:
            await remove(connection, [canary.client_id for canary in made])


def _letters() -> str:
    """No digits: an attack that names 7e5000 is refused for its number before it is tried."""
    return "".join(secrets.choice(ascii_lowercase) for _ in range(12))


async def buy(connection: asyncpg.Connection, canary: Canary, beers: int, word: str = "") -> None:
    await connection.execute(QUERIES["canaries.add_purchases"].sql, canary.client_id, word or canary.word, beers)


async def remove(connection: asyncpg.Connection, ids: Sequence[str]) -> None:
    """Of these, those that are canaries."""
    if ids:
        await connection.execute(await connection.fetchval(QUERIES["canaries.removal"].sql), ids)
