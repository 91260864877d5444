"""A short version of the proof that changes nothing, for `doctor`: some attacks as a client that is there, on another that
is, and what limits them."""

from __future__ import annotations

from beerforyou.db.connections import operator
from beerforyou.db.database import Database
from beerforyou.db.queries import QUERIES
from beerforyou.errors import SetupError
from beerforyou.health import MIGRATE, Check, Handles
from beerforyou.isolation.attack import VIEWS, ours, tried
from beerforyou.isolation.watching import memory_limit_mb
from beerforyou.settings import Settings

EVERY = 8  # of the attacks, this one and its like: 79 of 632, which take a second
FIRST = "SELECT min(client_id) FROM clients"
ENDING = ("statement_timeout", "transaction_timeout", "client_connection_check_interval")
WHAT_TO_SET = "start PostgreSQL with `ulimit -d 262144`, see docs/explanation/isolation.md"


async def real_params(settings: Settings, client_id: str) -> dict[str, str]:
    """What attacks may name, from the rows that are there. Needs the administrator's URL for the other's part."""
    params = VIEWS | {"own_id": client_id}
    if not settings.database_admin_url:
        return params
    async with operator(settings) as connection:
        row = await connection.fetchrow(QUERIES["canaries.somebody_else"].sql, client_id)
    if row is None:
        return params
    return params | {"other_id": row["client_id"], "other_name": row["name"], "canary": row["beer"] or row["name"]}


async def _attacks(handles: Handles) -> str:
    """As the first client there is."""
    done, leaks = await rehearse(handles.settings, await handles.database())
    if leaks:
        raise SetupError("; ".join(leaks))
    return f"{done} brought nothing" if done else "there is no client yet to try them on"


async def _limits(handles: Handles) -> str:
    """What ends a query that nobody waits for, or that grows."""
    (row,) = await (await handles.database()).read.fetch("checks.limits")
    limit = memory_limit_mb(row["pid"])
    known = dict(setting.split("=", 1) for setting in row["settings"])
    missing = [name for name in ENDING if name not in known]
    said = f"this server does not know {', '.join(missing)}" if missing else "a query ends soon after its caller"
    held = f"its process may hold {limit} MB" if limit else f"no memory limit of its process can be seen: {WHAT_TO_SET}"
    return f"{said}; {held}"


async def rehearse(settings: Settings, db: Database) -> tuple[int, list[str]]:
    """How many attacks were tried, and what they brought back. None without a client."""
    async with operator(settings) as connection:
        client_id = await connection.fetchval(FIRST)
    if client_id is None:
        return 0, []
    params, attacks = await real_params(settings, client_id), ours()[::EVERY]
    done = [await tried(db.fence, client_id, attack, params, with_gate=False) for attack in attacks]
    return len(done), [f"{found.id} brought back another client's data" for found in done if found.verdict == "leak"]


CHECKS = (
    Check("limits", _limits, MIGRATE),
    Check("attacks", _attacks, f"stop serving, and {MIGRATE}"),
)
