"""The names beside a purchase are those of its beer and brewery, whoever changes either."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from beerforyou.db.connections import operator
from beerforyou.settings import Settings

PUBLIC = """
INSERT INTO core.catalogue_versions (source, sha256, added, changed, closed, total) VALUES ('', '', 0, 0, 0, 0);
INSERT INTO core.breweries (brewery_id, name, brewery_type, city, state, country, address, postal_code, phone, website, since, changed)
SELECT 'b' || n, 'House ' || n, 'micro', 'City ' || n, 'State', 'Country', '', '', '', '', 1, 1 FROM generate_series(1, 3) n;
INSERT INTO core.beers (name, style, brewery_name, brewery_city, brewery_state, brewery_id, brewery_type)
SELECT 'Beer ' || n, 'IPA', 'house ' || n, 'city', 'state', CASE WHEN n < 4 THEN 'b' || n END, CASE WHEN n < 4 THEN 'micro' ELSE '' END
FROM generate_series(1, 5) n;
"""
CLIENTS = """
INSERT INTO core.clients (client_id, name, city, state, country, postal_code, language)
SELECT 'C' || n, 'Client', 'City', 'State', 'Country', '', 'en' FROM generate_series(1, 2) n;
INSERT INTO core.purchases (client_id, purchase_id, purchased_on, beer_id, quantity, unit_price)
SELECT client_id, beer_id::text, '2026-01-01', beer_id, 1, 2 FROM core.clients, core.beers WHERE beer_id < 5 OR client_id = 'C1';
"""
WRONG = """
SELECT p.client_id, p.purchase_id FROM core.purchases p JOIN core.beers b USING (beer_id) LEFT JOIN core.breweries c ON c.brewery_id = b.brewery_id
WHERE (p.shown_beer, p.shown_style, p.shown_brewery, p.shown_brewery_id, p.shown_type, p.shown_city, p.shown_state) IS DISTINCT FROM (b.name, b.style, coalesce(c.name, b.brewery_name),
       b.brewery_id, b.brewery_type, coalesce(c.city, b.brewery_city), coalesce(c.state, b.brewery_state))
"""
CHANGES = {  # and the clients whose purchases then say something else
    "a style": ("UPDATE beers SET style = 'Stout' WHERE name = 'Beer 5'", {"C1"}),
    "a name": ("UPDATE beers SET name = 'Bier' WHERE name = 'Beer 1'", {"C1", "C2"}),
    "a brewery that is found": ("UPDATE beers SET brewery_id = 'b3', brewery_type = 'micro' WHERE name = 'Beer 5'", {"C1"}),
    "a brewery that is lost": ("UPDATE beers SET brewery_id = NULL, brewery_type = '' WHERE name = 'Beer 1'", {"C1", "C2"}),
    "a brewery that is renamed": ("UPDATE breweries SET name = 'Home', city = 'Town' WHERE brewery_id = 'b2'", {"C1", "C2"}),
    "a brewery that moves": ("UPDATE breweries SET state = 'Ohio'", {"C1", "C2"}),
    "a brewery's telephone": ("UPDATE breweries SET phone = '1'", set()),
    "a spelling that nobody sees": ("UPDATE beers SET brewery_city = 'x' WHERE name = 'Beer 1'", set()),
    "another beer": ("UPDATE purchases SET beer_id = (SELECT max(beer_id) FROM beers) WHERE client_id = 'C2'", {"C2"}),
    "nothing": ("UPDATE beers SET style = style", set()),
}  # fmt: skip


@pytest.fixture
async def owner(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    async with operator(settings) as connection:
        await connection.execute(PUBLIC)
        await connection.execute(CLIENTS)
        yield connection


async def versions(owner: asyncpg.Connection) -> dict[str, int]:
    return dict(await owner.fetch("SELECT client_id, purchases_version FROM clients"))


@pytest.mark.parametrize("what", CHANGES)
async def test_names_follow_and_so_do_versions(owner: asyncpg.Connection, what: str) -> None:
    sql, expected = CHANGES[what]
    assert await owner.fetch(WRONG) == []
    before = await versions(owner)
    await owner.execute(sql)
    assert await owner.fetch(WRONG) == []
    assert {client for client, version in (await versions(owner)).items() if version > before[client]} == expected
