"""The gate in a process of its own: the same verdicts, an end to every text, and nobody gets another's."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from beerforyou.db.fence import gate
from beerforyou.db.fence.judging import MANY, Judge
from beerforyou.db.fence.parser import CPU_S, Gate
from beerforyou.errors import Refused, Unavailable
from tests.waiting import wait_until

BUSY = {
    "for ever": "while True: pass",
    "in one call": "sum(range(10**18))",
    "in C": "'a' * 40 in ('a' * 10**8 + 'b') * 10; import re; re.match('(a+)+b', 'a' * 60)",
    "dead": "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
    "without a stack": "import ctypes; ctypes.string_at(0)",
}
JUDGE = """
from beerforyou.db.fence.parser import keep_one
def passed(sql):
    if "busy" in sql:
        {busy}
    return sql.upper(), ()
keep_one(passed)
"""
ORPHANED = """
import asyncio, os
from beerforyou.db.fence.parser import Gate
async def main():
    gate = Gate()
    await gate.passed("SELECT 1 AS x")
    print((await gate.judging.started).pid, flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""


@pytest.fixture
async def judged() -> AsyncIterator[Gate]:
    gate = Gate()
    yield gate
    await gate.close()


def lives(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").exists() and ") Z " not in Path(f"/proc/{pid}/stat").read_text()


async def pid(judged: Gate) -> int:
    assert judged.judging.started
    return (await judged.judging.started).pid


@pytest.mark.parametrize("sql", ["SELECT sum(amount) AS amount FROM my_purchases;", "SELECT 'São ''x''' AS x -- 1"])
async def test_what_passes_is_what_the_gate_writes(judged: Gate, sql: str) -> None:
    assert (await judged.passed(sql)).plain == (await judged.passed(sql)).plain == gate.passed(sql)


@pytest.mark.parametrize(
    "sql", ["SELECT pg_sleep(1)", "DELETE FROM my_purchases", "SELECT 1; SELECT 2", "SELECT FROM FROM"]
)
async def test_what_is_refused_has_the_same_reason(judged: Gate, sql: str) -> None:
    with pytest.raises(Refused) as here:
        gate.passed(sql)
    for _ in range(2):
        with pytest.raises(Refused) as there:
            await judged.passed(sql)
        assert (there.value.message, there.value.hint) == (here.value.message, here.value.hint)


async def test_nothing_is_started_for_what_is_refused_by_its_shape(judged: Gate) -> None:
    with pytest.raises(Refused, match="deeply"):
        await judged.passed("SELECT " + "date(" * 30 + "1" + ")" * 30)
    assert judged.judging.started is None


@pytest.mark.parametrize("kind", BUSY)
async def test_a_text_that_does_not_end_is_ended(kind: str) -> None:
    judged, turns = Gate(("-c", JUDGE.format(busy=BUSY[kind]))), 0
    try:
        assert (await judged.passed("select 1")).plain == "SELECT 1"
        child = await pid(judged)
        waiting = asyncio.create_task(judged.passed("select 'busy'"))
        while not waiting.done():
            turns += 1
            await asyncio.sleep(CPU_S / 100)
        with pytest.raises(Refused, match="too long"):
            await waiting
        assert (await judged.passed("select 2")).plain == "SELECT 2" and await pid(judged) == child
        assert turns > 1 or "dead" in kind or "stack" in kind
    finally:
        await judged.close()


TAKES_ALL = {
    **BUSY,
    "the process that forks": "import os, signal; os.killpg(0, signal.SIGKILL)",
    "an error": "raise MemoryError",
}


@pytest.mark.parametrize("kind", TAKES_ALL)
async def test_who_ends_it_ends_nobody_else(kind: str) -> None:
    """Of those that are asked about together; the culprit has the answer that he would have alone."""
    judged = Gate(("-c", JUDGE.format(busy=TAKES_ALL[kind])))
    texts = [f"select {n} as {'busy' if n in (3, 4, 21) else 'x'}" for n in range(40)]
    answers = await asyncio.gather(*map(judged.passed, texts), return_exceptions=True)
    await judged.close()
    expected = Unavailable if "forks" in kind else Refused
    for text, answer in zip(texts, answers, strict=True):
        assert isinstance(answer, expected) if "busy" in text else getattr(answer, "plain", answer) == text.upper()


async def test_all_that_wait_are_asked_about_together(judged: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    ask = Judge.ask
    monkeypatch.setattr(Judge, "ask", lambda judge, texts: (asked.append(len(texts)), ask(judge, texts)))
    for many in ([1], [MANY, 8]):
        asked.clear()
        await asyncio.gather(*(judged.passed(f"SELECT {n} AS n{len(many)}") for n in range(sum(many))))
        assert asked in (many, [1, MANY, 7]), "the first does not wait for others"


async def test_nobody_is_asked_about_who_stopped_waiting(judged: Gate) -> None:
    asked = [asyncio.create_task(judged.passed(f"SELECT {n} AS n")) for n in range(10)]
    await asyncio.sleep(0)
    for task in asked[1:]:
        task.cancel()
    await asked[0]
    assert judged.judging.number == 1


async def test_who_stops_waiting_leaves_nobody_with_his_answer(judged: Gate) -> None:
    asked = [asyncio.create_task(judged.passed(f"SELECT {n} AS n")) for n in range(40)]
    await asked[0]
    for task in asked[1::2]:
        task.cancel()
    answers = await asyncio.gather(*asked[::2])
    assert [answer.plain for answer in answers] == [f"SELECT {n} AS n" for n in range(0, 40, 2)]


async def test_a_process_that_was_ended_by_somebody_is_started_again(judged: Gate) -> None:
    await judged.passed("SELECT 1 AS x")
    os.killpg(first := await pid(judged), signal.SIGKILL)
    assert (await judged.passed("SELECT 2 AS x")).plain == "SELECT 2 AS x" and await pid(judged) != first


async def test_it_ends_when_it_is_closed(judged: Gate) -> None:
    await judged.passed("SELECT 1 AS x")
    child = await pid(judged)
    await judged.close()
    assert not lives(child)


async def test_it_ends_with_the_process_that_started_it() -> None:
    with subprocess.Popen([sys.executable, "-c", ORPHANED], stdout=subprocess.PIPE) as parent:  # noqa: ASYNC220
        assert parent.stdout
        child = int(await asyncio.to_thread(parent.stdout.readline))
        assert lives(child)
        parent.kill()

        async def gone() -> bool:
            return not lives(child)

        await wait_until(gone, "the child ends")
