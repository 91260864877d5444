"""What a run asks of PostgreSQL and what it leaves behind: counted, never timed."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping

import asyncpg
import msgspec

from beerforyou.backends.valkey import Valkey
from beerforyou.settings import Settings
from bench.phases import Bench, Load
from bench.proxy import Asked, Proxy

IDLE_S = 5.0  # how long we look at what is asked when nobody asks
WAL = "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint"
XIDS = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint"  # only transactions that write get one
TABLES = """
SELECT oid::regclass::text AS name, pg_total_relation_size(oid) AS bytes FROM pg_class
WHERE relkind = 'r' AND relnamespace::regnamespace::text !~ '^(pg_|information_schema)'
"""


class There(msgspec.Struct, frozen=True):
    """So far: bytes of WAL, transactions that wrote, bytes and rows by table, bytes in Valkey."""

    wal: int
    xids: int
    stored: dict[str, int]
    rows: dict[str, int]
    valkey: int


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """A run, on the average. `commits` wrote, `ends` are all transactions; by table only what grew; `texts` the frequent ones."""

    load: Load
    statements: float
    plans: float
    trips: float
    ends: float
    commits: float
    wal: float
    stored: float
    valkey: float
    statements_of: dict[str, float]
    rows: dict[str, float]
    bytes_in: dict[str, float]
    texts: dict[str, float]


class Counting:
    """For a fleet whose way to PostgreSQL leads through `proxy`."""

    def __init__(self, bench: Bench, proxy: Proxy) -> None:
        self._bench, self._proxy, self._settings = bench, proxy, bench.service.settings
        self._idle, self._idle_xids = Counter[str](), 0.0

    async def still(self) -> None:
        """Looks at what is asked when nobody asks, which is left out afterwards."""
        before, xids = self._asked(), await there(self._settings)
        await asyncio.sleep(IDLE_S)
        now = await there(self._settings)
        self._idle = Counter({name: count / IDLE_S for name, count in _minus(self._asked(), before).items()})
        self._idle_xids = (now.xids - xids.xids) / IDLE_S

    async def counted(self, load: Load) -> Counted:
        await self._bench.fleet.play(load.model_time)
        asked, before = self._asked(), await there(self._settings)
        told = await self._bench.asked(load)
        now, runs = await there(self._settings), max(1, told.runs)
        mine = {
            n: max(0.0, count - self._idle[n] * told.seconds) / runs
            for n, count in _minus(self._asked(), asked).items()
        }
        stored, rows = _minus(now.stored, before.stored), _minus(now.rows, before.rows)
        return Counted(
            load=load,
            **{name: mine.pop(name, 0.0) for name in ("statements", "plans", "trips", "ends")},
            commits=(now.xids - before.xids - self._idle_xids * told.seconds) / runs,
            wal=(now.wal - before.wal) / runs,
            stored=sum(stored.values()) / runs,
            valkey=(now.valkey - before.valkey) / max(1, told.conversations),
            statements_of={role: mine.pop(f"of {role}", 0.0) for role in self._proxy.asked},
            rows={name: count / runs for name, count in rows.items()},
            bytes_in={name: count / runs for name, count in stored.items()},
            texts={text: count for text, count in sorted(mine.items(), key=lambda each: -each[1]) if count >= 0.05},
        )

    def _asked(self) -> Counter[str]:
        found: Counter[str] = Counter()
        for role, asked in self._proxy.asked.items():
            found.update(_figures(asked))
            found[f"of {role}"] = asked.statements
            found.update(asked.texts)
        return found


async def there(settings: Settings) -> There:
    admin = await asyncpg.connect(settings.database_admin_url)
    wal, xids = await admin.fetchval(WAL), await admin.fetchval(XIDS)
    stored = {row["name"]: row["bytes"] for row in await admin.fetch(TABLES)}
    rows = {name: await admin.fetchval(f"SELECT count(*) FROM {name}") for name in stored}
    await admin.close()
    valkey = await Valkey.connect(settings.valkey_url)
    memory = (await valkey("INFO", "memory")).decode()
    await valkey.close()
    return There(wal, xids, stored, rows, int(memory.partition("used_memory:")[2].split()[0]))


async def without_vacuum(settings: Settings) -> None:
    """From now on nothing is cleaned up, so that what grows is what was written."""
    admin = await asyncpg.connect(settings.database_admin_url)
    await admin.execute("ALTER SYSTEM SET autovacuum = off")
    await admin.execute("SELECT pg_reload_conf()")
    await admin.close()


def _figures(asked: Asked) -> dict[str, int]:
    return {"statements": asked.statements, "plans": asked.plans, "trips": asked.trips, "ends": asked.ends}


def _minus(now: Mapping[str, int], before: Mapping[str, int]) -> dict[str, int]:
    return {name: more for name, count in now.items() if (more := count - before.get(name, 0))}
