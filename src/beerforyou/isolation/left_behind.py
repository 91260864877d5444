"""Where a word could stay: Valkey, the log of this process, the log of the embedded PostgreSQL."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from beerforyou.backends.valkey import Valkey
from beerforyou.house import House
from beerforyou.isolation.canaries import Canary
from beerforyou.isolation.part import Part, found_in
from beerforyou.settings import Settings


async def valkey(house: House, made: Sequence[Canary]) -> Part:
    """No key outside a client's own may hold its word. What was kept of the canaries themselves is taken away."""
    cursor, looked, holes = b"0", 0, list[str]()
    while True:
        cursor, keys = await house.valkey("SCAN", cursor, "COUNT", 1000)
        for key in keys:
            looked += 1
            name, value = key.decode("utf-8", "replace"), await _value(house.valkey, key)
            owner = next((canary for canary in made if canary.client_id in name), None)
            holes += found_in(f"the Valkey key {name}", f"{name}{value!r}", [c for c in made if c is not owner])
            if owner:
                await house.valkey("DEL", key)
        if cursor in (b"0", "0", 0):
            return Part("valkey", looked, holes)


async def _value(valkey: Valkey, key: bytes) -> Any:
    match await valkey("TYPE", key):
        case b"string" | "string":
            return await valkey("GET", key)
        case b"stream" | "stream":
            return await valkey("XRANGE", key, "-", "+", "COUNT", 10_000)
    return b""


class Heard(logging.Handler):
    """Everything that this process logs while it lasts."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines, self.text = 0, ""

    def emit(self, record: logging.LogRecord) -> None:
        self.lines += 1
        self.text += self.format(record) + "\n"

    def __enter__(self) -> Heard:
        root = logging.getLogger()
        self._level = root.level
        root.setLevel(logging.DEBUG)
        root.addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger().removeHandler(self)
        logging.getLogger().setLevel(self._level)


def server_log(settings: Settings, made: Sequence[Canary]) -> Part:
    """Of the embedded PostgreSQL (another one's log is not ours to read): the last canary is named in no attack, so that
    its word could only come from its rows.
    """
    log = settings.data / "servers" / "postgres.log"
    try:
        text = log.read_text("utf-8", "replace")
    except OSError:
        return Part("server log", 0, [])
    return Part("server log", text.count("\n"), list(found_in("the log of PostgreSQL", text, made[-1:])))
