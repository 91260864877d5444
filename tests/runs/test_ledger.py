"""Everything that is paid for has a key, and is done once, whoever asks for it and whoever takes the run over."""

import asyncio
import time
from uuid import uuid4

import pytest

from beerforyou.runs.claim import Cancelled, Claim, Superseded
from beerforyou.runs.journal import Entry, Journal
from beerforyou.runs.ledger import Key, Kind, Ledger
from beerforyou.usage import Usage

WORDS = Kind[str](
    "model",
    True,
    lambda said: Entry(kind="model", name="m", input={}, output=said, usage=Usage(input=10)),
    lambda step: str(step.output),
)


class Committed:
    """A batch that has no database behind it: what is written where is shown with real ones (test_journal.py)."""

    async def write(self, *_: object) -> dict[str, object]:
        return {"held": True, "cancelled": False}


def journal(alive: bool = True, cancelled: bool = False) -> Journal:
    claim = Claim(run_id=uuid4(), conversation_id=uuid4(), client_id="C", fencing_token=1, cancelled=cancelled)
    return Journal(Committed(), claim, 1.0, lambda: alive, None)  # type: ignore[arg-type]


class Paid:
    """Something that costs, and how often it was done."""

    def __init__(self, says: str) -> None:
        self.says, self.times = says, 0

    async def __call__(self) -> str:
        self.times += 1
        return self.says


def step(turn: int, purpose: str, output: str, ms: float, call: str = "") -> Entry:
    return Entry(turn=turn, purpose=purpose, call=call, kind="model", name="m", input={}, output=output, ms=ms)


async def test_the_same_key_is_the_same_work() -> None:
    ledger, work = Ledger(journal()), Paid("done")
    assert [await ledger.once(Key(1, "plan"), WORDS, work) for _ in range(3)] == ["done"] * 3
    assert work.times == 1 and ledger.usage == Usage(input=10)


async def test_another_turn_purpose_or_call_is_other_work() -> None:
    ledger, work = Ledger(journal()), Paid("done")
    keys = (Key(1, "plan"), Key(2, "plan"), Key(1, "summary"), Key(1, "summary", "b1"), Key(1, "summary", "b2"))
    for key in keys:
        await ledger.once(key, WORDS, work)
    assert work.times == len(keys)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
async def test_what_was_paid_for_is_found_by_its_key_and_not_by_its_place(order: tuple[int, ...]) -> None:
    """A summary's step, between the planner's own, is never given to the planner as its reply."""
    steps = [step(1, "plan", "the plan", 5), step(1, "summary", "a summary", 7, "b1"), step(2, "plan", "the answer", 9)]
    ledger, unpaid = Ledger(journal(), [steps[n] for n in order]), Paid("asked anew")
    assert await ledger.once(Key(2, "plan"), WORDS, unpaid) == "the answer"
    assert await ledger.once(Key(1, "plan"), WORDS, unpaid) == "the plan"
    assert await ledger.once(Key(1, "summary", "b1"), WORDS, unpaid) == "a summary"
    assert unpaid.times == 0 and ledger.spent_s == pytest.approx(0.021)
    assert await ledger.once(Key(1, "summary", "b2"), WORDS, unpaid) == "asked anew"


async def test_steps_without_a_key_are_counted_and_given_to_nobody() -> None:
    old = Entry(kind="model", name="m", input={}, output="of an older version", ms=5, usage=Usage(input=3))
    ledger, work = Ledger(journal(), [old, old]), Paid("asked anew")
    assert await ledger.once(Key(1, "plan"), WORDS, work) == "asked anew"
    assert ledger.usage == Usage(input=16)


@pytest.mark.parametrize(("alive", "cancelled", "raised"), [(False, False, Superseded), (True, True, Cancelled)])
async def test_nothing_is_spent_for_a_run_that_is_lost(alive: bool, cancelled: bool, raised: type[Exception]) -> None:
    ledger, work = Ledger(journal(alive, cancelled), [step(1, "plan", "the plan", 5)]), Paid("too late")
    assert await ledger.once(Key(1, "plan"), WORDS, work) == "the plan"  # it costs nothing
    with pytest.raises(raised):
        await ledger.once(Key(2, "plan"), WORDS, work)
    assert work.times == 0


async def test_what_fails_is_not_in_the_ledger() -> None:
    ledger, work = Ledger(journal()), Paid("done")

    async def fails() -> str:
        raise RuntimeError("of the model")

    with pytest.raises(RuntimeError):
        await ledger.once(Key(1, "plan"), WORDS, fails)
    assert await ledger.once(Key(1, "plan"), WORDS, work) == "done"


async def test_work_at_the_same_time_is_all_kept() -> None:
    ledger, works = Ledger(journal()), [Paid(str(n)) for n in range(20)]
    keys = [Key(1, "tool", work.says) for work in works]
    done = await asyncio.gather(*(ledger.once(key, WORDS, work) for key, work in zip(keys, works, strict=True)))
    assert done == [key.call for key in keys]
    await ledger.paid(Key(1, "void", "1"), WORDS.written("nothing"), time.perf_counter())
    assert ledger.usage == Usage(input=210)
