"""One query as if the model had written it, and the verdict: refused, clean, or a leak."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from importlib import resources
from typing import Any, Literal

import msgspec

from beerforyou.db import gate
from beerforyou.db.fence import Fence, Found
from beerforyou.errors import BeerForYouError

PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
VIEWS = {"own_table": "my_purchases", "own_profile": "my_profile", "raw_table": "core.purchases", "raw_clients": "core.clients",
         "raw_beers": "core.beers", "stats_table": "stats.published", "key_table": "authz.keys"}  # fmt: skip
ALIVE = "SELECT 1 AS alive"


class Attack(msgspec.Struct, frozen=True):
    """`sql` may name {own_table}, {other_id}, {canary} and whatever else the parameters hold."""

    id: str
    sql: str
    kind: str = ""


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """What the model would get: `rows`, or `error` as one line. `alive`: the database answered afterwards."""

    id: str
    verdict: Literal["refused", "clean", "leak"]
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()
    error: str = ""
    ms: float
    alive: bool


def ours() -> list[Attack]:
    lines = (resources.files(__package__) / "attacks.jsonl").read_text("utf-8").splitlines()
    return [
        Attack(**json.loads(line)) for line in lines
    ]  # some hold halves of characters, which msgspec refuses to read


def filled(sql: str, params: Mapping[str, str]) -> str:
    """Braces that hold no known name stay: `'{1,2}'` is an array."""
    return PLACEHOLDER.sub(lambda found: params.get(found[1], found[0]), sql)


def unfilled(attacks: Iterable[Attack], params: Mapping[str, str]) -> list[str]:
    """Names in braces that no parameter has."""
    names = {name for attack in attacks for name in PLACEHOLDER.findall(attack.sql)}
    return sorted(f"{{{name}}}" for name in names - params.keys())


def secrets_of(params: Mapping[str, str]) -> list[str]:
    """What must not be seen: the canaries, and who the others are."""
    return [value for name, value in params.items() if value and name.startswith(("canary", "other"))]


async def tried(
    fence: Fence, client_id: str, attack: Attack, params: Mapping[str, str], *, with_gate: bool = True
) -> Tried:
    """Runs the attack as this client."""
    sql, started = filled(attack.sql, params), time.perf_counter()
    found, error = Found(), ""
    try:
        found = await fence.run(client_id, gate.passed(sql) if with_gate else sql)
    except BeerForYouError as refused:
        error = f"{refused.message}; {refused.hint}"
    ms = (time.perf_counter() - started) * 1000
    seen = list(_seen(secrets_of(params), sql, msgspec.json.encode([found.columns, found.rows, error]).decode()))
    return Tried(
        id=attack.id,
        verdict="leak" if seen else "refused" if error else "clean",
        columns=found.columns,
        rows=found.rows,
        error=error,
        ms=round(ms, 1),
        alive=await _alive(fence, client_id),
    )


def _seen(secrets: Iterable[str], sql: str, got: str) -> Iterator[str]:
    """Secrets that came back without having been put in: as they are, turned round, or as hex."""
    for secret in secrets:
        for form in (secret, secret[::-1], secret.encode().hex()):
            if form.lower() in got.lower() and form.lower() not in sql.lower():
                yield secret


async def _alive(fence: Fence, client_id: str) -> bool:
    try:
        return (await fence.run(client_id, ALIVE)).rows == ((1,),)
    except BeerForYouError:
        return False
