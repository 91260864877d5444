"""One query as if the model had written it, and the verdict: refused, clean, or a leak."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from importlib import resources
from typing import Any, Literal

import msgspec

from beerforyou.db.fence.ask import Fence, Found
from beerforyou.errors import BeerForYouError
from beerforyou.isolation.watching import NOBODY_LOOKS, Backends

PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
VIEWS = {"own_table": "my_purchases", "own_profile": "my_profile", "raw_table": "core.purchases", "raw_clients": "core.clients",
         "raw_beers": "core.beers", "stats_table": "stats.published", "key_table": "authz.keys"}  # fmt: skip
LONG = 8  # characters of a secret that is found within other text, turned round or as hex, too; a shorter one is a word
SHORT = 4  # and what is shorter than this, or a number, is in many an answer by chance
MOST_MB = 300  # that a backend may hold; the embedded server's limit is 256
MOST_MB_GATED = 100  # an honest query takes up to 10 for each sort
ALIVE = "SELECT 1 AS alive"


class Attack(msgspec.Struct, frozen=True):
    """`sql` may name {own_table}, {other_id}, {canary} and whatever else the parameters hold.

    `nest` is what stands for {nest}: how often, an opening, a core, a closing. `each` stands for {each}: how often, and a
    text whose # is the number.
    """

    id: str
    sql: str
    kind: str = ""
    nest: tuple[int, str, str, str] = (0, "", "", "")
    each: tuple[int, str] = (0, "")

    @property
    def written(self) -> str:
        depth, opening, core, closing = self.nest
        each = "".join(self.each[1].replace("#", str(n)) for n in range(1, self.each[0] + 1))
        return self.sql.replace("{nest}", opening * depth + core + closing * depth).replace("{each}", each)


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """What the model would get: `rows`, or `error` as one line. `alive`: the database answered afterwards.

    `peak_mb`: what the backend held; `left_running`: that it was still at work when nobody waited any more. None: nobody
    looked, or it can't be seen from here.
    """

    id: str
    verdict: Literal["refused", "clean", "leak"]
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()
    error: str = ""
    ms: float
    alive: bool
    truncated: bool = False
    peak_mb: int | None = None
    left_running: bool | None = None
    heavy: bool = False


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
    names = {name for attack in attacks for name in PLACEHOLDER.findall(attack.written)}
    return sorted(f"{{{name}}}" for name in names - params.keys())


def secrets_of(params: Mapping[str, str]) -> list[str]:
    """What must not be seen: the canaries, and who the others are, as far as that tells them from other words."""
    return [value for name, value in params.items() if name.startswith(("canary", "other")) and tells(value)]


def tells(value: str) -> bool:
    return len(value) >= (LONG if value.isdigit() else SHORT)


async def tried(
    fence: Fence,
    client_id: str,
    attack: Attack,
    params: Mapping[str, str],
    *,
    with_gate: bool = True,
    watched: Backends = NOBODY_LOOKS,
) -> Tried:
    """Runs the attack as this client."""
    sql, started = filled(attack.written, params), time.perf_counter()
    found, error = Found(), ""
    async with watched.looking():
        try:
            found = await (fence.ask if with_gate else fence.run)(client_id, sql)
        except BeerForYouError as refused:
            error = f"{refused.message}; {refused.hint}"
        ms = (time.perf_counter() - started) * 1000
    server = await watched.seen()
    seen = list(_seen(secrets_of(params), sql, msgspec.json.encode([found.columns, found.rows, error]).decode()))
    return Tried(
        id=attack.id,
        verdict="leak" if seen else "refused" if error else "clean",
        columns=found.columns,
        rows=found.rows,
        error=error,
        ms=round(ms, 1),
        alive=await _alive(fence, client_id),
        truncated=found.truncated,
        peak_mb=server.peak_mb,
        left_running=server.left_running,
        heavy=(server.peak_mb or 0) > (MOST_MB_GATED if with_gate else MOST_MB),
    )


def _seen(secrets: Iterable[str], sql: str, got: str) -> Iterator[str]:
    """Secrets that came back without having been put in: as they are, and long ones turned round or as hex, too."""
    for secret in secrets:
        for form in (secret, secret[::-1], secret.encode().hex()) if len(secret) >= LONG else (secret,):
            if _within(form.lower(), got.lower()) and form.lower() not in sql.lower():
                yield secret


def _within(form: str, text: str) -> bool:
    return form in text if len(form) >= LONG else bool(re.search(rf"(?<!\w){re.escape(form)}(?!\w)", text))


async def _alive(fence: Fence, client_id: str) -> bool:
    try:
        return (await fence.run(client_id, ALIVE)).rows == ((1,),)
    except BeerForYouError:
        return False
