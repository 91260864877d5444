"""A market made in the database: states with clients, beers that some of them buy, and whoever else a test brings."""

from datetime import date

import asyncpg

from beerforyou.clients.statistics import publish
from beerforyou.settings import Settings

MARCH, APRIL, MAY = date(2026, 3, 20), date(2026, 4, 20), date(2026, 5, 20)

CLIENTS = """
INSERT INTO core.clients (client_id, name, city, state, country, postal_code, language)
SELECT $1 || n, $1 || n, $3, $2, 'United States', '', 'en' FROM generate_series(1, $4::int) AS n
"""
BEER = """
INSERT INTO core.beers (name, style, brewery_name, brewery_city, brewery_state, brewery_type)
VALUES ($1, $2, $3, '', '', $4) RETURNING beer_id
"""
PURCHASES = """
INSERT INTO core.purchases (client_id, purchase_id, purchased_on, beer_id, quantity, unit_price, changed_at)
SELECT $1 || n, $2 || $1 || n, $3, $4, $5, 1, clock_timestamp() FROM generate_series($6::int, $7::int) AS n
"""


class Market:
    """Statements of the administrator, who sees everything; what is published is read as anybody."""

    def __init__(self, admin: asyncpg.Connection) -> None:
        self.admin = admin

    @classmethod
    async def open(cls, settings: Settings, secret: str = "the same noise in every run of the tests") -> "Market":
        market = cls(await asyncpg.connect(settings.database_admin_url))
        await market.admin.execute("UPDATE stats.secret SET secret = sha256($1)", secret.encode())
        return market

    async def settle(self, prefix: str, state: str, city: str, count: int) -> None:
        """Clients `prefix`1 to `prefix`N."""
        await self.admin.execute(CLIENTS, prefix, state, city, count)

    async def brew(self, name: str, style: str = "IPA", brewery: str = "Brewery", type: str = "micro") -> int:
        return await self.admin.fetchval(BEER, name, style, brewery, type)

    async def buy(self, prefix: str, beer: int, upto: int, *, start: int = 1, quantity: int = 5, tag: str = "") -> None:
        """Clients `start` to `upto` buy the beer, in March; `tag` makes it another purchase."""
        tag = f"{tag}{beer}-"
        await self.admin.execute(PURCHASES, prefix, tag, date(2026, 3, 3), beer, quantity, start, upto)

    async def publish(self, today: date) -> None:
        await publish(self.admin, today)

    async def cells(self, dimension: str = "beer", **where: str) -> list[asyncpg.Record]:
        """Of the whole time, unless `month` says otherwise."""
        conditions = {"dimension": dimension, "month": "", **where}
        clauses = " AND ".join(f"{name} = ${n}" for n, name in enumerate(conditions, start=1))
        return await self.admin.fetch(
            f"SELECT * FROM stats.published WHERE {clauses} ORDER BY name", *conditions.values()
        )
