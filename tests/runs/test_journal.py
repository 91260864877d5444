"""What a run writes: in order, once, whatever becomes of a commit's answer, and nothing after the run is another's."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import pytest

from beerforyou.db.batch import Batch
from beerforyou.errors import Unavailable
from beerforyou.house import House
from beerforyou.runs import journal as journals
from beerforyou.runs.cancelling import cancel
from beerforyou.runs.claim import Cancelled, Superseded
from beerforyou.runs.frames import unpacked
from beerforyou.runs.journal import Entry, Journal
from beerforyou.runs.ledger import Key, Kind, Ledger, so_far
from beerforyou.runs.looking import look
from beerforyou.runs.publishing import channel
from beerforyou.runs.run import EventType
from beerforyou.usage import Usage
from tests.db.asking import accept, waits_for_lock
from tests.hearing import hearing
from tests.runs.conftest import CLIENT, Taken, ending, journal
from tests.waiting import wait_until


def entry(name: str = "m", output: Any = "done") -> Entry:
    return Entry(kind="model", name=name, input={}, output=output, usage=Usage(input=1))


async def commits(house: House, run_id: UUID) -> list[list[int]]:
    """The numbers of the steps of each."""
    rows = await house.database.service.fetch("runs.ledger", run_id)
    return [[step["seq"] for step in msgspec.json.decode(row["steps"])] for row in rows]


async def numbers(house: House, run_id: UUID) -> list[int]:
    return [seq for commit in await commits(house, run_id) for seq in commit]


async def kept(house: House, run_id: UUID) -> list[tuple[int, str]]:
    rows = await house.database.service.fetch("runs.ledger", run_id)
    return [(event["seq"], event["type"]) for row in rows for event in msgspec.json.decode(row["events"])]


class Unsure(Batch):
    """The answer to the first `times` writes is lost, before or after they were committed."""

    def __init__(self, batch: Batch, committed: bool, times: int) -> None:
        self._batch, self._committed, self.left = batch, committed, times

    def write(self, query: str, *row: Any) -> Any:
        return self._write(query, *row)

    async def _write(self, query: str, *row: Any) -> Any:
        if not self.left:
            return await self._batch.write(query, *row)
        self.left -= 1
        if self._committed:
            await self._batch.write(query, *row)
        raise Unavailable("the database did not confirm a write", "try again")


@asynccontextmanager
async def held_up(house: House, run_id: UUID) -> AsyncIterator[None]:
    """Whoever writes for the run waits until the block ends."""
    other = await asyncpg.connect(house.settings.database_url)
    async with other.transaction():
        await other.fetch("SELECT FROM open_runs WHERE run_id = $1 FOR UPDATE", run_id)
        yield
    await other.close()


# What is committed when ---------------------------------------------------------------------------------------------

COSTS, FREE = (
    Kind[str]("model", costs, lambda said: entry(output=said), lambda step: step.output) for costs in (True, False)
)


@pytest.mark.parametrize(
    ("work", "expected"),
    [
        ("$", [[1]]),
        ("$f", [[1, 2]]),
        ("$ff$", [[1, 2, 3], [4]]),
        ("f$", [[1], [2]]),
        ("$$$", [[1], [2], [3]]),
        ("$f$f$", [[1, 2], [3, 4], [5]]),
        ("fff", [[1, 2, 3]]),
        ("", []),
    ],
)
async def test_what_is_paid_for_is_in_the_ledger_before_the_next_thing_that_costs(
    quick: House, taken: Taken, monkeypatch: pytest.MonkeyPatch, work: str, expected: list[list[int]]
) -> None:
    """And what is free shares its commit. (Nothing is slow enough here to be written behind by itself.)"""
    monkeypatch.setattr(journals, "BEHIND_S", 60.0)
    writing = journal(quick, await taken())
    ledger = Ledger(writing)

    async def do(number: int, costs: bool) -> str:
        if costs:
            assert await numbers(quick, writing.run_id) == list(range(1, number))
        return f"done {number}"

    for number, sign in enumerate(work, start=1):
        await ledger.once(Key(number, "plan"), COSTS if sign == "$" else FREE, lambda n=number, s=sign: do(n, s == "$"))
    await writing.finish(ending())
    assert await commits(quick, writing.run_id) == expected


@pytest.mark.parametrize("steps", [1, 2, 7])
async def test_a_step_does_not_wait_for_long(
    quick: House, taken: Taken, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    """While nothing else happens, such as a reply of the model that takes its time."""
    assert journals.BEHIND_S <= 0.2
    monkeypatch.setattr(journals, "BEHIND_S", 0.01)
    writing = journal(quick, await taken())
    for _ in range(steps):
        writing.step(entry())

    async def written() -> bool:
        return await numbers(quick, writing.run_id) == list(range(1, steps + 1))

    await wait_until(written, "they are written")
    writing.step(entry())
    await writing.finish(ending())
    assert await numbers(quick, writing.run_id) == list(range(1, steps + 2))


@pytest.mark.parametrize("writers", [2, 5, 30])
async def test_writers_at_once_write_each_step_once_and_in_order(quick: House, taken: Taken, writers: int) -> None:
    writing = journal(quick, await taken())

    async def writes() -> None:
        writing.step(entry())
        await writing.commit()

    await asyncio.gather(*(writes() for _ in range(writers)))
    await asyncio.gather(*(writes() for _ in range(3)), writing.finish(ending()), return_exceptions=True)
    found = await numbers(quick, writing.run_id)
    assert found[:writers] == list(range(1, writers + 1)) and found == sorted(set(found))


@pytest.mark.parametrize("text", ["a\0b", "\0\0", "\ud83d half", "back\\u0000slash", "\\\0", "\\\\u0000\0", "🍺"])
async def test_no_text_of_a_model_or_a_page_breaks_it(quick: House, taken: Taken, text: str) -> None:
    writing = journal(quick, await taken())
    writing.step(entry(output={text: [text]}))
    writing.emit("tool_started", tool=text)
    await writing.commit()
    await writing.finish(ending(text="Olá.", blocks=[{"type": "text", "text": text}]))
    run = await look(quick.database.as_client(CLIENT), writing.run_id, steps=True)
    expected = text.replace("\0", "").encode(errors="replace").decode()
    assert run.steps[0].output == {expected: [expected]} and run.blocks[0].text == expected  # type: ignore[union-attr, index]


# What is told -------------------------------------------------------------------------------------------------------


async def test_events_are_told_at_once_and_kept_with_the_next_step_but_for_sentences(
    quick: House, taken: Taken
) -> None:
    writing = journal(quick, await taken())
    with hearing(quick) as heard:
        writing.emit("started")
        writing.emit("tool_started", tool="search")
        writing.emit("tool_finished", tool="search")
        assert [event.type for event in heard.of(writing.run_id)] == ["started", "tool_started", "tool_finished"]
        assert await kept(quick, writing.run_id) == []
        writing.step(entry())
        await writing.commit()
        assert await kept(quick, writing.run_id) == [(2, "tool_started"), (3, "tool_finished")]
        writing.emit("text", text="Um.")
        writing.emit("started")
        writing.emit("text", text="Dois.")
        writing.step(entry())
        await writing.finish(ending())
    assert await kept(quick, writing.run_id) == [(2, "tool_started"), (3, "tool_finished"), (5, "started")]
    events = heard.of(writing.run_id)
    assert [event.seq for event in events] == list(range(1, 9))
    assert [event.type for event in events[3:]] == ["text", "started", "text", "answer", "finished"]
    assert heard.sentences(writing.run_id) == ["Dois."]


@pytest.mark.parametrize("meanwhile", [(), ("tool_started",), ("text", "text"), ("started",)])
async def test_a_tool_that_ends_soon_is_told_at_once_with_its_end(
    quick: House, taken: Taken, monkeypatch: pytest.MonkeyPatch, meanwhile: tuple[EventType, ...]
) -> None:
    monkeypatch.setattr(journals, "BEGUN_S", 60.0)
    writing = journal(quick, await taken())
    with hearing(quick) as heard:
        writing.emit("tool_started", tool="search")
        for type in meanwhile:
            writing.emit(type, text="Um.")
        writing.emit("tool_finished", tool="search")
        assert [event.type for event in heard.of(writing.run_id)] == ["tool_started", *meanwhile, "tool_finished"]


@pytest.mark.parametrize("tools", [1, 3])
async def test_a_tool_that_lasts_is_told_of_while_it_does(quick: House, taken: Taken, tools: int) -> None:
    assert journals.BEGUN_S <= 0.02
    writing = journal(quick, await taken())
    with hearing(quick) as heard:
        for n in range(tools):
            writing.emit("tool_started", tool=str(n))

        async def told() -> bool:
            return len(heard.of(writing.run_id)) == tools

        await wait_until(told, "each has been told of")


@pytest.mark.parametrize("burst", [1, 2, 50])
async def test_the_first_sentence_is_told_at_once_and_those_soon_after_it_together(
    quick: House, taken: Taken, burst: int
) -> None:
    writing = journal(quick, await taken())
    with hearing(quick) as heard:
        for n in range(burst):
            writing.emit("text", text=str(n))
        assert heard.sentences(writing.run_id) == ["0"]
        if burst > 1:
            await wait_until(lambda: _told(heard, writing.run_id, burst), "the others are told, too")
        assert len(heard.news[channel(writing.run_id)]) == min(burst, 2)
        writing.emit("text", text="later")
        await writing.finish(ending())
    assert heard.sentences(writing.run_id) == [*map(str, range(burst)), "later"]


async def _told(heard: Any, run_id: UUID, sentences: int) -> bool:
    return len(heard.sentences(run_id)) == sentences


@pytest.mark.parametrize("attempts", [1, 2, 4])
@pytest.mark.parametrize("wrote", [False, True])
async def test_each_attempt_s_numbers_are_higher_and_join_what_was_kept(
    quick: House, taken: Taken, attempts: int, wrote: bool
) -> None:
    """So whoever heard an attempt that died hears the next one's beginning, and so does who heard nothing of it."""
    claimed, last_kept = await taken(), 0
    for attempt in range(1, attempts + 1):
        if attempt > 1:
            claimed = await taken(again=claimed)
        claimed, steps = await so_far(quick.database.service, claimed)
        writing = journal(quick, claimed)
        with hearing(quick) as heard:
            writing.emit("started")
            writing.emit("text", text="half of")
            writing.emit("tool_started", tool="search")
            if wrote:
                writing.step(entry())
                await writing.commit()
            writing.emit("tool_finished", tool="search")
        news = heard.news[channel(claimed.run_id)]
        first = (attempt - 1) * 1000 + 1
        assert [event.seq for event in heard.of(claimed.run_id)] == list(range(first, first + 4))
        assert unpacked(news[0]).needs == last_kept, "what was kept by then, and no more"
        assert writing.next_step == len(steps) + 1 + wrote
        last_kept = (await kept(quick, claimed.run_id))[-1][0] if wrote else 0
    assert len(await numbers(quick, claimed.run_id)) == (attempts if wrote else 0)


# When an answer is lost ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("committed", [True, False])
@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("what", ["commit", "finish"])
async def test_what_was_not_confirmed_is_written_again_and_is_there_once(
    quick: House, taken: Taken, what: str, times: int, committed: bool
) -> None:
    claimed = await taken()
    unsure = Unsure(quick.database.batch, committed, times)
    writing = journal(quick, claimed, batch=unsure)
    with hearing(quick) as heard:
        writing.step(entry())
        if what == "commit":
            await writing.commit()
            assert not unsure.left
        await writing.finish(ending())
    assert await commits(quick, claimed.run_id) == [[1]]
    run = await look(quick.database.as_client(CLIENT), claimed.run_id)
    assert (run.status, run.text) == ("succeeded", "Olá.")
    assert [event.type for event in heard.of(claimed.run_id)] == ["answer", "finished"]


@pytest.mark.parametrize("committed", [True, False])
@pytest.mark.parametrize("what", ["commit", "finish"])
async def test_who_gives_up_on_the_database_tries_the_same_write_first_when_it_is_back(
    quick: House, taken: Taken, what: str, committed: bool
) -> None:
    claimed = await taken()
    unsure = Unsure(quick.database.batch, committed, 1_000_000)
    writing = journal(quick, claimed, patience_s=0.01, batch=unsure)
    writing.step(entry())
    with hearing(quick) as heard:
        with pytest.raises(Unavailable):
            await (writing.commit() if what == "commit" else writing.finish(ending()))
        unsure.left = 0
        if what == "commit":
            writing.step(entry())
            await writing.finish(ending())
        else:
            await writing.settled()
    assert await commits(quick, claimed.run_id) == ([[1], [2]] if what == "commit" else [[1]])
    assert [event.type for event in heard.of(claimed.run_id)] == ["answer", "finished"]


# When somebody ends the waiting -------------------------------------------------------------------------------------


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("what", ["commit", "finish"])
async def test_a_write_whose_waiting_was_cancelled_is_waited_for_again(
    quick: House, taken: Taken, what: str, times: int
) -> None:
    claimed = await taken()
    writing = journal(quick, claimed)
    writing.step(entry())
    with hearing(quick) as heard:
        async with held_up(quick, claimed.run_id):
            first = asyncio.create_task(writing.commit() if what == "commit" else _finish(writing))
            await wait_until(lambda: waits_for_lock(quick.settings), "it is being written")
            await _cancelled(first)
            for _ in range(times - 1):
                again = asyncio.create_task(writing.settled())
                await asyncio.sleep(0)
                await _cancelled(again)
            assert await commits(quick, claimed.run_id) == []
            settled = asyncio.create_task(writing.settled())
            await asyncio.sleep(0)
        await settled
    assert await commits(quick, claimed.run_id) == [[1]]
    ended = [event.type for event in heard.of(claimed.run_id)]
    assert ended == ([] if what == "commit" else ["answer", "finished"])


async def _finish(writing: Journal) -> None:
    await writing.finish(ending())


async def _cancelled(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()


@pytest.mark.parametrize("cut", ["commit", "settled"])
async def test_who_was_cut_off_at_a_step_ends_the_run_in_order(quick: House, taken: Taken, cut: str) -> None:
    """A time limit ends the walk in the middle of a commit; then the run is ended, after that commit."""
    claimed = await taken()
    writing = journal(quick, claimed)
    writing.step(entry())
    async with held_up(quick, claimed.run_id):
        first = asyncio.create_task(writing.commit() if cut == "commit" else writing.settled())
        await wait_until(lambda: waits_for_lock(quick.settings), "it is being written")
        await _cancelled(first)
        writing.step(entry())
        finishing = asyncio.create_task(_finish(writing))
        await asyncio.sleep(0)
    await finishing
    assert await commits(quick, claimed.run_id) == [[1], [2]]


@pytest.mark.parametrize("steps", [1, 3])
async def test_who_has_to_stop_leaves_what_was_paid_for_in_the_ledger(quick: House, taken: Taken, steps: int) -> None:
    """Although nothing was begun to be written: it had waited for company."""
    claimed = await taken()
    writing = journal(quick, claimed)
    for _ in range(steps):
        writing.step(entry())
    await writing.settled()
    assert await commits(quick, claimed.run_id) == [list(range(1, steps + 1))]
    await writing.settled()
    claimed = await taken(again=claimed)
    claimed, entries = await so_far(quick.database.service, claimed)
    assert (claimed.steps, len(entries)) == (steps, steps)


# When the run is another's ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("gone", ["taken over", "ended by another", "deleted"])
@pytest.mark.parametrize("what", ["commit", "finish", "settled"])
async def test_who_is_superseded_writes_nothing_and_tells_no_end(
    quick: House, taken: Taken, gone: str, what: str
) -> None:
    claimed = await taken()
    writing = journal(quick, claimed)
    writing.step(entry(name="too late"))
    if gone == "deleted":
        await quick.database.batch.write("conversations.delete", claimed.conversation_id, CLIENT)
    else:
        another = journal(quick, await taken(again=claimed))
        if gone == "ended by another":
            await another.finish(ending("From another."))
    with hearing(quick) as heard:
        if what == "settled":
            await writing.settled()
        else:
            for _ in range(2):
                with pytest.raises(Superseded):
                    await (writing.commit() if what == "commit" else writing.finish(ending("Too late.")))
    assert heard.of(claimed.run_id) == [] and await commits(quick, claimed.run_id) == []
    if gone == "ended by another":
        assert (await look(quick.database.as_client(CLIENT), claimed.run_id)).text == "From another."


async def test_who_asked_for_the_end_is_heard_at_the_next_commit(quick: House, taken: Taken) -> None:
    claimed = await taken()
    writing = journal(quick, claimed)
    writing.go_on()
    await cancel(quick.database.batch, quick.publishing, quick.bell, CLIENT, claimed.run_id)
    writing.step(entry())
    await writing.commit()
    with pytest.raises(Cancelled):
        writing.go_on()
    await writing.finish(ending(None, "cancelled"))
    assert (await look(quick.database.as_client(CLIENT), claimed.run_id)).status == "cancelled"


async def test_who_ends_a_run_hears_whose_turn_it_is(quick: House, taken: Taken) -> None:
    claimed = await taken()
    waiting = [(await accept(quick.database, CLIENT, "e?", claimed.conversation_id))["run_id"] for _ in range(2)]
    assert await journal(quick, claimed).finish(ending()) == waiting[0]
    first = await taken()
    assert await journal(quick, first).finish(ending()) is None
