"""A small catalogue, and files as operators write them."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg

from beerforyou.catalogue.brewery import Brewery
from beerforyou.catalogue.index import Catalogue
from beerforyou.clients.load import Report, load
from beerforyou.clock import days

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
DAYS, TODAY = days("UTC", NOON), NOON.date()
HARBOR = Brewery(
    id="b-harbor", name="Harbor Fog Brewing Co", brewery_type="micro", city="San Diego", state="California", country="United States"
)  # fmt: skip
ANVIL = Brewery(
    id="b-anvil", name="Anvil & Oak Brewpub", brewery_type="brewpub", city="Boise", state="Idaho", country="United States"
)  # fmt: skip
SHUT = Brewery(
    id="b-shut", name="Last Pint Brewery", brewery_type="closed", city="Boise", state="Idaho", country="United States"
)  # fmt: skip

CLIENTS = """\
client_id,name,city,state,country,postal_code,language
C-1,Bar do Farol,San Diego,California,United States,92101,pt
C-2,"Salt, Pine & Co",Boise,Idaho,United States,83702,en
"""
PURCHASES = """\
purchase_id,client_id,purchased_on,beer,style,brewery,brewery_city,brewery_state,quantity,unit_price
P-1,C-1,2026-10-30,Grey Gull,IPA,Harbor Fog Brewing Company,San Diego,California,12,31.50
P-2,C-1,2026-10-20,Hammer,Stout,"Anvil & Oak Brewpub",Boise,Idaho,3,44
P-3,C-2,2026-03-01,Nobody's Ale,,Backyard Garage,Boise,Idaho,1,0
"""


async def keep(connection: asyncpg.Connection, *breweries: Brewery) -> None:
    await connection.executemany(
        """INSERT INTO breweries (brewery_id, name, brewery_type, city, state, country, address, postal_code, phone, website, since, changed)
           VALUES ($1, $2, $3, $4, $5, $6, '', '', '', '', 1, 1)""",
        [(b.id, b.name, b.brewery_type, b.city, b.state, b.country) for b in breweries],
    )


class Files:
    """The two files of an operator. What a test doesn't change is good."""

    def __init__(self, folder: Path, connection: asyncpg.Connection, catalogue: Catalogue) -> None:
        self.clients, self.purchases = folder / "clients.csv", folder / "purchases.csv"
        self.clients.write_text(CLIENTS, "utf-8")
        self.purchases.write_text(PURCHASES, "utf-8")
        self.connection, self.catalogue = connection, catalogue

    async def load(self, **options: Any) -> Report:
        return await load(
            self.connection, self.clients, self.purchases, catalogue=self.catalogue, **{"days": DAYS, **options}
        )

    async def purchased(self) -> list[asyncpg.Record]:
        return await self.connection.fetch(
            """SELECT client_id, purchase_id, purchased_on, b.name AS beer, style, brewery_name, brewery_id, brewery_type, quantity, unit_price
               FROM purchases JOIN beers b USING (beer_id) ORDER BY client_id, purchase_id"""
        )

    async def known(self) -> dict[str, int]:
        tables = ("clients", "beers", "purchases")
        return {table: await self.connection.fetchval(f"SELECT count(*) FROM {table}") for table in tables}
