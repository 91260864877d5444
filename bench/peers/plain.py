"""What the peer needs no packages for: the words of its stream, and its SQL."""

from __future__ import annotations

import json
from typing import Any

SYSTEM = """You help people who buy beer for a bar. Facts come from tools only. Recommend with search_breweries and only_new.
For purchases write one SELECT of PostgreSQL over my_purchases (purchased_on date, beer, style, brewery, brewery_id, type, city,
state, quantity integer, unit_price numeric, amount numeric). Answer in one to three short sentences, without markup."""

TABLES = """
CREATE TABLE breweries (brewery_id text PRIMARY KEY, name text, brewery_type text, city text, state text, country text);
CREATE INDEX ON breweries (lower(city));
CREATE TABLE purchases (client_id text, purchased_on date, beer text, style text, brewery text, brewery_id text, type text,
    city text, state text, quantity int, unit_price numeric(12, 2));
CREATE INDEX ON purchases (client_id, purchased_on);
CREATE INDEX ON purchases (client_id, brewery_id);
CREATE TABLE profiles (client_id text PRIMARY KEY, data jsonb);
"""
# What the tables are filled with, from the product's.
SOURCES = {
    "breweries": "SELECT brewery_id, name, brewery_type, city, state, country FROM core.breweries",
    "purchases": """SELECT client_id, purchased_on, shown_beer, shown_style, shown_brewery, shown_brewery_id, shown_type, shown_city,
        shown_state, quantity, unit_price FROM core.purchases ORDER BY client_id, purchased_on""",
    "profiles": """SELECT client_id, jsonb_build_object('name', data->'name', 'city', data->'city', 'state', data->'state',
        'types', jsonb_path_query_array(data, '$.types[0 to 4].name'), 'styles', jsonb_path_query_array(data, '$.styles[0 to 4].name'),
        'beers', jsonb_path_query_array(data, '$.beers[0 to 4].name'), 'breweries', jsonb_path_query_array(data, '$.breweries[0 to 4].name'),
        'history', jsonb_path_query_array(data, '$.history[0 to 49].name')) FROM core.profiles""",
}

PROFILE = "SELECT data::text AS data FROM profiles WHERE client_id = %(client)s"
SEARCH = """
SELECT name, brewery_type AS type, b.city, b.state
FROM breweries b LEFT JOIN profiles p ON p.client_id = %(client)s
WHERE lower(b.city) = lower(%(city)s)
  AND (NOT %(only_new)s OR NOT EXISTS (
      SELECT FROM purchases WHERE purchases.client_id = %(client)s AND purchases.brewery_id = b.brewery_id))
ORDER BY p.data->'types' ? b.brewery_type DESC, name LIMIT 5"""
MINE = """WITH my_purchases AS (
    SELECT purchased_on, beer, style, brewery, brewery_id, type, city, state, quantity, unit_price, quantity * unit_price AS amount
    FROM purchases WHERE client_id = %(client)s)
"""
MOST_ROWS = 50


def mine(sql: str) -> str:
    """The model's SELECT over the rows of one client, who is a parameter."""
    return MINE + sql.replace("%", "%%")


def frame(event: str, data: dict[str, Any]) -> str:
    return f"event: {event}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
