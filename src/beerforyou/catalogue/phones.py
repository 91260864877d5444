"""Telephone numbers as people write them, where the catalogue has digits alone."""

from __future__ import annotations

_NORTH_AMERICA = frozenset({"United States", "Canada"})  # ten digits each: area, exchange, line
_AREA, _EXCHANGE, _WHOLE = 3, 6, 10


def readable(phone: str, country: str) -> str:
    """ "(704) 770-6605" for "7047706605"; a number of another form or country as it stands."""
    digits = "".join(char for char in phone if char.isdigit()).removeprefix("1")
    if country not in _NORTH_AMERICA or len(digits) != _WHOLE or any(char.isalpha() for char in phone):
        return phone
    return f"({digits[:_AREA]}) {digits[_AREA:_EXCHANGE]}-{digits[_EXCHANGE:]}"
