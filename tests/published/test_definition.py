"""The published cube is what its definition says, however it is counted: `definition.sql` counts everything anew, simply.

Each market goes through a history; before each edition the definition makes one, too, which is compared and rolled back.
"""

import random
from datetime import date
from pathlib import Path

import asyncpg
import pytest

from beerforyou.clients import statistics
from beerforyou.db.queries import _parse
from tests.published.market import APRIL, MARCH, MAY, Market

DEFINITION = {
    name: query.sql for name, query in _parse("d", Path(__file__).with_name("definition.sql").read_text()).items()
}
PUBLISHED = """
SELECT country, state, city, dimension, key, month, name, brewery, style, type, clients, quantity, spread, period
FROM stats.published ORDER BY dimension, country, state, city, month, key
"""
PLACES = [
    ("Ohio", "Akron"),
    ("Ohio", "Akron"),
    ("Ohio", "Akron"),
    ("Ohio", "Dayton"),
    ("Texas", "Austin"),
    ("Texas", ""),
    ("", "Nowhere"),
]
BEER = """
INSERT INTO core.beers (name, style, brewery_name, brewery_city, brewery_state, brewery_type, brewery_id)
VALUES ($1, $2, $3, $4, '', $5, $6) RETURNING beer_id
"""
LINES = """
INSERT INTO core.purchases (client_id, purchase_id, purchased_on, beer_id, quantity, unit_price, changed_at)
SELECT *, 1, clock_timestamp() FROM unnest($1::text[], $2::text[], $3::date[], $4::bigint[], $5::int[])
"""
Line = tuple[str, str, date, int, int]


async def defined(connection: asyncpg.Connection, period: str) -> list[asyncpg.Record]:
    given = {"judge_cells": (period, statistics.FEWEST, statistics.NOISE, statistics.CHANGED), "publish": (period,)}
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute("SET LOCAL ROLE bfy_stats; SET LOCAL search_path = stats, core")
    for name in ("count_contributions", "judge_cells", "hide_the_second", "withdraw", "publish"):
        await connection.execute(DEFINITION[f"d.{name}"], *given.get(name, ()))
    found = await connection.fetch(PUBLISHED)
    await transaction.rollback()
    return found


class History:
    """What happens to a market: drawn, and the same again for the same seed."""

    def __init__(self, market: Market, seed: int) -> None:
        self.market, self.admin, self.chance, self.numbers = (
            market,
            market.admin,
            random.Random(seed),
            iter(range(10**6)),
        )
        self.clients: list[str] = []
        self.beers: list[int] = []

    async def begin(self) -> None:
        await self.admin.execute("INSERT INTO core.breweries (brewery_id, name, brewery_type, city, state, country, address, postal_code, phone, website, gone, since, changed) VALUES ('b-1', 'Known', 'micro', '', '', '', '', '', '', '', false, 1, 1)")  # fmt: skip
        await self.settle(160)
        for number in range(24):
            style, type = (
                self.chance.choice(["IPA", "Stout", "Lager", ""]),
                self.chance.choice(["micro", "brewpub", ""]),
            )
            brewery, id = (f"House {number % 5}", None) if number % 3 else (f"Spelt {number}", "b-1")
            # The last three are one beer to the cube, under two styles.
            name = f"Beer {min(number, 21)}"
            self.beers.append(await self.admin.fetchval(BEER, name, style, brewery if number < 21 else "House", str(number), type, id))  # fmt: skip
        await self.buy([self.line() for _ in range(1_200)])
        for number, buyers in enumerate((9, 10, 11, 70, 90)):
            beer = await self.market.brew(f"Of {buyers}", brewery=f"Few {number}")
            await self.buy([self.line(client, beer, 4) for client in self.clients[:buyers]])
        for name, most in (("Half", 4 * 79), ("More than half", 4 * 79 + 1)):
            beer = await self.market.brew(name, brewery=name, type="large")
            await self.buy([self.line(client, beer, 4) for client in self.clients[1:80]])
            await self.buy([self.line(self.clients[0], beer, most)])

    async def settle(self, count: int) -> None:
        for _ in range(count):
            state, city = self.chance.choice(PLACES)
            prefix = f"C{next(self.numbers)}-"
            await self.market.settle(prefix, state, city, 1)
            self.clients.append(f"{prefix}1")

    def line(self, client: str = "", beer: int = 0, quantity: int = 0) -> Line:
        on = date(2026, self.chance.choice([1, 1, 2]), self.chance.randint(1, 28))
        client = client or self.clients[int(len(self.clients) * self.chance.random() ** 1.5)]
        beer = beer or self.beers[int(len(self.beers) * self.chance.random() ** 2)]
        return client, f"p{next(self.numbers)}", on, beer, quantity or self.chance.choice([1, 6, 6, 12, 24])

    async def buy(self, lines: list[Line]) -> None:
        await self.admin.execute(LINES, *(zip(*lines, strict=True) if lines else ([],) * 5))

    async def go_on(self) -> None:
        """Something of everything that a load, a new catalogue or an operator may change."""
        one, other, third = self.chance.sample(self.clients, 3)
        await self.settle(3)
        await self.buy([self.line() for _ in range(self.chance.choice([0, 5, 300]))])
        await self.buy([self.line(one) for _ in range(40)] + [self.line(self.clients[-1], quantity=5_000)])
        await self.admin.execute("DELETE FROM core.purchases WHERE client_id = $1", other)
        await self.admin.execute(
            "DELETE FROM core.purchases WHERE abs(hashtext(purchase_id)) % 50 = $1", self.chance.randrange(50)
        )
        await self.admin.execute("UPDATE core.purchases SET quantity = quantity + 1, changed_at = clock_timestamp() WHERE abs(hashtext(purchase_id)) % 40 = $1", self.chance.randrange(40))  # fmt: skip
        await self.admin.execute("UPDATE core.clients SET state = 'Texas', city = 'Austin' WHERE client_id = $1", third)
        await self.admin.execute("UPDATE core.beers SET style = 'Porter', brewery_id = NULL WHERE beer_id = $1", self.chance.choice(self.beers))  # fmt: skip
        gone = self.clients.pop(self.chance.randrange(len(self.clients)))
        await self.admin.execute("DELETE FROM core.purchases WHERE client_id = $1", gone)
        await self.admin.execute("DELETE FROM core.clients WHERE client_id = $1", gone)


@pytest.mark.parametrize("seed", range(3))
async def test_every_edition_is_the_one_that_counting_everything_gives(market: Market, seed: int) -> None:
    history = History(market, seed)
    await history.begin()
    sizes = []
    for today in (MARCH, MARCH, APRIL, MAY):
        expected = await defined(market.admin, f"{today:%Y-%m}")
        await market.publish(today)
        assert await market.admin.fetch(PUBLISHED) == expected
        sizes.append(len(expected))
        await history.go_on()
    assert min(sizes) > 20


async def test_who_is_taken_out_of_the_count_is_not_counted(market: Market) -> None:
    """As `prove-isolation` does with its canaries, wherever they left something."""
    history = History(market, 4)
    await history.begin()
    await market.publish(MARCH)
    taken = history.clients[:100]
    await market.admin.execute("UPDATE core.clients SET canary = true WHERE client_id = ANY ($1)", taken)
    async with market.admin.transaction():
        await market.admin.execute("SET LOCAL ROLE bfy_operator")
        removed = await market.admin.execute("DELETE FROM stats.counted_clients WHERE client_id = ANY ($1)", taken)
        for table in ("purchases", "clients"):
            await market.admin.execute(f"DELETE FROM core.{table} WHERE client_id = ANY ($1)", taken)
    assert removed == "DELETE 100"
    for today in (APRIL, MAY):
        expected = await defined(market.admin, f"{today:%Y-%m}")
        await market.publish(today)
        assert await market.admin.fetch(PUBLISHED) == expected


async def test_after_a_load_its_clients_alone_are_counted(market: Market) -> None:
    history = History(market, 1)
    await history.begin()
    await market.publish(MARCH)
    counted = "SELECT count(*) FILTER (WHERE xmin::text::bigint > $1) FROM stats.counted_clients"
    now = await market.admin.fetchval("SELECT txid_current()")
    await history.buy([history.line(history.clients[5]) for _ in range(3)])
    await market.publish(MARCH)
    assert await market.admin.fetchval(counted, now) == 1
