"""What an operator's two files must hold, and how each value is read.

Values that cannot be right are refused with a reason; nothing is guessed.
"""

import re
from datetime import date
from decimal import Decimal

from beerforyou import clock
from beerforyou.clients.csv_file import Column, Dialect
from beerforyou.guards.incoming import as_seen
from beerforyou.sentences import LANGUAGES

CANARY = "canary-"  # ids that begin like this are those of `prove-isolation`, which makes and removes its own clients
INT4 = 2**31 - 1  # the largest quantity that the database holds


def _id(dialect: Dialect, value: str) -> str:
    """As it stands, or not at all: tokens carry it, so that another spelling would be another client."""
    if value != as_seen(value) or not value.isprintable():
        raise ValueError(
            f"is {value!a}; an id is in normal form C, its blanks are single, and it has no characters that nobody sees"
        )
    return value


def _client_id(dialect: Dialect, value: str) -> str:
    if value.startswith(CANARY):
        raise ValueError(f"is {value!a}; ids that begin with {CANARY} are kept for `beerforyou prove-isolation`")
    return _id(dialect, value)


def _language(dialect: Dialect, value: str) -> str:
    language = value.lower().replace("_", "-").partition("-")[0]
    if language not in ("", *LANGUAGES):
        raise ValueError(f"is {value!a}; known are {', '.join(LANGUAGES)}")
    return language


def _time_zone(dialect: Dialect, value: str) -> str:
    return clock.known(value) if value else value


def _day(dialect: Dialect, value: str) -> date:
    if dialect.decimal_comma and (local := re.fullmatch(r"(\d\d)/(\d\d)/(\d{4})", value)):
        value = f"{local[3]}-{local[2]}-{local[1]}"
    try:
        day = date.fromisoformat(value) if re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII) else None
    except ValueError:
        day = None
    if day is None:
        raise ValueError(f"is {value!a}; a day is written YYYY-MM-DD{' or DD/MM/YYYY' * dialect.decimal_comma}")
    return day


def _quantity(dialect: Dialect, value: str) -> int:
    if not re.fullmatch(r"[+-]?\d+", value, re.ASCII):
        raise ValueError(f"is {value!a}; a quantity is a whole number")
    if not 0 < int(value) <= INT4:
        raise ValueError(f"is {value}; a quantity is between 1 and {INT4}")
    return int(value)


def _price(dialect: Dialect, value: str) -> Decimal:
    number = value.replace(",", ".") if dialect.decimal_comma else value
    if number.startswith("-"):
        raise ValueError(f"is {value}; a price is not negative")
    if not re.fullmatch(r"\d{1,10}(\.\d{1,2})?", number, re.ASCII):
        raise ValueError(f"is {value!a}; a price is a number below 10 billion with at most two decimals")
    return Decimal(number)


CLIENTS = (
    Column("client_id", _client_id, longest=64),
    Column("name"),
    Column("city", longest=100),
    Column("state", longest=100),
    Column("country", needed=False, filled=False, longest=100),
    Column("postal_code", filled=False, longest=20),
    Column("language", _language, needed=False, filled=False),
    Column("time_zone", _time_zone, needed=False, filled=False),
)
PURCHASES = (
    Column("purchase_id", _id, longest=64),
    Column("client_id", _client_id, longest=64),
    Column("purchased_on", _day),
    Column("beer"),
    Column("style", needed=False, filled=False, longest=100),
    Column("brewery"),
    Column("brewery_city", needed=False, filled=False, longest=100),
    Column("brewery_state", needed=False, filled=False, longest=100),
    Column("quantity", _quantity),
    Column("unit_price", _price),
)
