"""Texts that look like SQL, by a grammar that knows how to nest: each gets its verdict in little CPU, which is to pass or to be
Refused, and what passed runs on the database within its limits.

    python -m tests.db.fuzz --seconds 60

Starts an embedded PostgreSQL of its own in a temporary folder. The suite does the same for some seconds: test_fuzz.py.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections import Counter
from pathlib import Path

import hypothesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from beerforyou.db.database import Database, connect
from beerforyou.db.fence import gate, shape
from beerforyou.db.fence.parser import CPU_S
from beerforyou.db.migrate import migrate
from beerforyou.errors import Refused
from beerforyou.house import prepared
from beerforyou.isolation.watching import Backends, backends, named
from beerforyou.settings import load
from tests.conftest import furnish
from tests.cpu import quick

CLIENT = "CLT-00001"
MOST_MB, MOST_S = 100, 4.0  # of what passed: two seconds in the database, and room for a busy machine
COLUMNS = (
    "beer",
    "style",
    "brewery",
    "quantity",
    "amount",
    "unit_price",
    "purchased_on",
    "city",
    "x",
    "my_purchases.beer",
)
LEAVES = (
    *COLUMNS, "1", "0", "2.5", "1e9", "99999999999999999999", "'a'", "'2026-01-01'", "'2026-01-01 10:00 Foo+3:17'", "NULL", "true",
    "*", "p.*", "p", "my_purchases", "CURRENT_DATE", "now()", "count(*)", "''", "$1", "$$a$$", "E'\\n'", "x'41'", "--", "/*", "[", ")", "{",
)  # fmt: skip
AROUND = (
    "({})", "[{}]", "ARRAY[{}]", "ROW({})", "({}, {})", "{} + {}", "{} * {}", "{} / {}", "{} = {}", "{} AND {}", "{}::text", "{}::numeric",
    "{}::int[{}]", "{}::timestamptz", "{}::char(99999)", "CAST({} AS text)", "coalesce({}, {}, {})", "CASE WHEN {} THEN {} ELSE {} END",
    "CASE {} WHEN {} THEN {} END", "date({})", "timestamp({})", "decode({}, {})", "struct({})", "NOT {}", "- {}", "{} IS NULL",
    "{} IN ({}, {})", "{} = ANY (ARRAY[{}])", "EXISTS (SELECT {})", "(SELECT {} FROM my_purchases LIMIT 1)", "(SELECT 1 LIMIT {})",
    "sum({})", "max({}) OVER (ORDER BY {})", "sum({}) FILTER (WHERE {})", "percentile_cont(0.5) WITHIN GROUP (ORDER BY {})",
    "round({}, 2)", "substring({} from {})", "substr({}, 1, 9)", "trim({})", "trim({} from {})", "to_char({}, 'YYYY')", "lower({})",
    "extract(year FROM {})", "date_trunc('month', {})", "INTERVAL {}", "{} LIKE {}", "greatest({}, {})", "nullif({}, {})", "row_to_json({})",
    "/* {} */ {}", "'{}'", '"{}"', "{} AT TIME ZONE {}", "{} AT TIME ZONE 'UTC'", "{} || {}",
    "concat({}, {}, {})", "string_agg({}, {})", "string_agg(DISTINCT {}, ', ' ORDER BY {})", "{} ~ {}", "{} ~* 'a|b'", "{} ^ {}", "ln({})",
    "exp({})", "log({}, {})", "position({} IN {})", "any_value({})", "{}[{}]", "{}.{}", "{} {}",
)  # fmt: skip
FROM = (
    "my_purchases", "own.My_Purchases", "my_purchases p", "my_purchases p, my_profile q", "my_purchases p JOIN my_purchases q ON p.beer = q.beer",
    "({}) AS t", "({}) AS t (x, y)", "(VALUES (1, 2)) AS v (x, y)", "my_profile, LATERAL ({}) AS l", "core.purchases", "unnest({})",
)  # fmt: skip
QUERIES = (
    "SELECT {e} FROM {f}", "SELECT {e} AS x, {e} AS y FROM {f} WHERE {e}", "SELECT DISTINCT {e} AS x FROM {f} ORDER BY 1 LIMIT 5",
    "SELECT {e} AS x, count(*) FROM {f} GROUP BY 1 HAVING {e}", "WITH t AS ({q}) SELECT {e} AS x FROM t", "{q} UNION ALL {q}", "SELECT {e}",
    "WITH t AS ({q}), u AS (SELECT x, x AS y FROM t) SELECT {e} AS x FROM u, t", "{q}; {q}", "SELECT {e} AS x FROM ({q}) AS t",
)  # fmt: skip


@st.composite
def expressions(draw: st.DrawFn, depth: int = 3) -> str:
    """Sometimes one shape around itself many times, as who looks for what doubles would write it."""
    if depth == 0:
        return draw(st.sampled_from(LEAVES))
    around = draw(st.sampled_from(AROUND))
    times = draw(st.sampled_from((1, 1, 1, 1, 2, 6, 12, 30)))
    inner = draw(expressions(draw(st.integers(0, depth - 1))))
    for _ in range(times):
        filler = draw(st.sampled_from(LEAVES[:12])) if times == 1 else "1"
        inner = around.replace("{}", inner, 1).replace("{}", filler)
        if len(inner) > shape.LONGEST:
            break
    return inner


@st.composite
def queries(draw: st.DrawFn, depth: int = 2) -> str:
    text = draw(st.sampled_from(QUERIES if depth else QUERIES[:4]))
    while "{e}" in text:
        text = text.replace("{e}", draw(expressions()), 1)
    while "{f}" in text:
        source = draw(st.sampled_from(FROM if depth else FROM[:4]))
        text = text.replace("{f}", source.replace("{}", draw(queries(depth - 1)) if "{}" in source else ""), 1)
    while "{q}" in text:
        text = text.replace("{q}", draw(queries(max(0, depth - 1))), 1)
    times = draw(st.sampled_from((1, 1, 1, 4, 8)))
    for _ in range(times - 1):
        around = draw(st.sampled_from(("SELECT x FROM ({}) AS t", "SELECT coalesce(x, x, x) AS x FROM ({}) AS t")))
        text = around.replace("{}", text)
    return text


def verdict(sql: str) -> str:
    """The SQL to run, or nothing. Raises AssertionError, also of a text that its process would not have let to its end."""
    with quick(CPU_S):
        try:
            return gate.passed(sql)
        except Refused as refused:
            assert "\n" not in refused.message and refused.hint
            return ""


async def runs(database: Database, watched: Backends, sql: str) -> str:
    """How it ended: with rows, or why not. Raises AssertionError."""
    started, said = time.perf_counter(), "rows"
    async with watched.looking():
        try:
            await database.fence.run(CLIENT, sql)
        except Refused as refused:
            said = refused.message
    seen = await watched.seen()
    assert not seen.left_running and (seen.peak_mb or 0) < MOST_MB, (seen, sql)
    assert time.perf_counter() - started < MOST_S, sql
    return said


class Fuzzing:
    """Texts of the grammar for some seconds; `said` counts how they ended."""

    def __init__(self, seconds: float) -> None:
        self.end = time.monotonic() + seconds
        self.passed: list[str] = []
        self.said: Counter[str] = Counter()

    def judge(self, seed: int) -> None:
        """A share of the texts. Raises AssertionError, with the text that hypothesis found simplest."""

        @settings(
            max_examples=200,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.generate,),
        )
        @given(queries())
        def judged(sql: str) -> None:
            if time.monotonic() < self.end:
                found = verdict(sql)
                self.said["passed" if found else "refused"] += 1
                if found:
                    self.passed.append(found)

        hypothesis.seed(seed)(judged)()

    async def run(self, database: Database, watched: Backends) -> None:
        seed = 0
        while time.monotonic() < self.end:
            self.judge(seed)
            seed += 1
            for sql in self.passed:
                if time.monotonic() < self.end:
                    self.said[await runs(database, watched, sql)] += 1
            self.passed.clear()


async def main(seconds: float) -> None:
    with tempfile.TemporaryDirectory(prefix="beerforyou-fuzz-") as folder:
        Path(folder).chmod(0o711)  # noqa: ASYNC240 (nothing else runs yet)
        async with prepared(load({}, data=Path(folder))) as ready:
            await migrate(ready)
            await furnish(ready)
            mine, name = named(ready)
            database = await connect(mine)
            async with backends(ready, name) as watched:
                fuzzing = Fuzzing(seconds)
                await fuzzing.run(database, watched)
            await database.close()
    for said, times in fuzzing.said.most_common():
        print(f"{times:6} {said}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=60.0)
    asyncio.run(main(parser.parse_args().seconds))
