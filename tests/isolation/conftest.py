"""Clients whose every name is a canary, and the truth about them as the superuser reads it."""

from collections.abc import Sequence
from typing import Any

import asyncpg

from beerforyou.db.connections import operator
from beerforyou.db.fence.ask import Found
from beerforyou.settings import Settings

Truth = dict[str, list[tuple[str, int]]]  # of each client: beer and quantity, in order

MINE = "SELECT beer, quantity FROM my_purchases ORDER BY beer, quantity"


async def stock(settings: Settings, clients: Sequence[str]) -> None:
    """Each client gets purchases in a number of its own, of beers that carry its canary."""
    async with operator(settings) as connection:
        for number, client in enumerate(clients, start=1):
            await connection.execute(
                "INSERT INTO clients (client_id, name, city, state, country, postal_code, language) VALUES ($1, $2, $2, 'Ohio', 'United States', '', 'en')",
                client,
                canary(client),
            )
            await connection.execute(
                "INSERT INTO profiles (client_id, version, data) VALUES ($1, $1, jsonb_build_object('name', $2::text))",
                client,
                canary(client),
            )
            for beer in range(number):
                await buy(connection, client, f"{beer}", beer + 1)


async def buy(connection: asyncpg.Connection, client: str, name: str, quantity: int) -> None:
    beer_id = await connection.fetchval(
        "INSERT INTO core.beers (name, style, brewery_name, brewery_city, brewery_state) VALUES ($1, '', $2, '', '') RETURNING beer_id",
        f"{canary(client)} {name}",
        canary(client),
    )
    await connection.execute(
        "INSERT INTO core.purchases (client_id, purchase_id, purchased_on, beer_id, quantity, unit_price) VALUES ($1, $2, '2026-08-01', $3, $4, 3.5)",
        client,
        name,
        beer_id,
        quantity,
    )


def canary(client: str) -> str:
    return f"canary-of-{client}"


async def truth(admin_url: str) -> Truth:
    connection = await asyncpg.connect(admin_url)
    try:
        rows = await connection.fetch(
            "SELECT client_id, name, quantity FROM core.purchases JOIN core.beers USING (beer_id) ORDER BY client_id, name, quantity"
        )
    finally:
        await connection.close()
    found: Truth = {}
    for row in rows:
        found.setdefault(row["client_id"], []).append((row["name"], row["quantity"]))
    return found


def pairs(found: Found) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in found.rows]
