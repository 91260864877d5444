"""A follower is told what happens once, in order, to the end: whatever was lost, doubled, or came before he had looked."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import pytest

from beerforyou.conversations.accepting import accept
from beerforyou.conversations.messages import delete
from beerforyou.conversations.state import hand_over, say
from beerforyou.errors import NotFound
from beerforyou.house import House
from beerforyou.runs import following, frames
from beerforyou.runs.following import Following, OfConversation, OfRun
from beerforyou.runs.frames import DELETED, GOES_ON, OVER, packed
from beerforyou.runs.journal import Entry
from beerforyou.runs.publishing import channel
from beerforyou.runs.run import Event, EventType
from beerforyou.worker.worker import work
from tests.runs.conftest import CLIENT, Taken, ending, journal
from tests.waiting import wait_until

RUN, TALK = uuid4(), uuid4()
TYPES: dict[str, EventType] = {
    "s": "started",
    "t": "tool_started",
    "w": "text",
    "a": "answer",
    "f": "finished",
    "m": "message",
}


class Sink:
    """What a follower was sent."""

    def __init__(self) -> None:
        self.written, self.closed = b"", 0

    def write(self, frames: bytes) -> None:
        assert not self.closed and frames
        self.written += frames

    def close(self) -> None:
        self.closed += 1

    @property
    def events(self) -> list[Event]:
        return frames.parsed(self.written)

    @property
    def numbers(self) -> list[int]:
        return [event.seq or 0 for event in self.events]

    @property
    def types(self) -> list[str]:
        return [event.type for event in self.events]


def event(written: str) -> Event:
    """`t7`: a tool_started with the run's number 7."""
    return Event(seq=int(written[1:]), type=TYPES[written[0]], data={"n": written})


def events(written: str) -> list[Event]:
    return [event(each) for each in written.split()]


def news(needs: int, written: str) -> bytes:
    told = events(written)
    over = OVER if told[-1].type == "finished" else GOES_ON
    return packed(needs, told[-1].seq or 0, over, frames.of_run(told))


# One follower, and what may come to him ---------------------------------------------------------------------------------

Step = str | tuple[int, str] | bytes
KEPT = "s1 t2 t3"  # by now
ALL = "s1 t2 t3 t5 a7 f8"  # 4 and 6 were sentences

HEARS: dict[str, tuple[int, list[Step], list[int], bool]] = {
    # what he had seen; what is looked up (text) or heard (needs, text); his numbers; whether it is over. `!` before: it is missed
    "all of it": (0, ["", (0, "s1"), (1, "t2 t3"), (3, "w4"), (4, "t5"), (5, "w6"), (6, "a7 f8")], [1, 2, 3, 4, 5, 6, 7, 8], True),
    "it twice": (0, ["", (0, "s1"), (0, "s1"), (1, "t2"), (1, "t2"), (2, "t3"), (2, "t3")], [1, 2, 3], False),
    "the end twice": (0, [ALL, (6, "a7 f8"), (6, "a7 f8"), ALL], [1, 2, 3, 5, 7, 8], True),
    "what he has, with more": (0, ["s1 t2", (1, "t2 t3 w4")], [1, 2, 3, 4], False),
    "a gap": (0, ["s1", (2, "!t3"), KEPT, (3, "w4")], [1, 2, 3, 4], False),
    "a gap at the end": (0, ["s1", (6, "!a7 f8"), ALL], [1, 2, 3, 5, 7, 8], True),
    "nothing before he has looked": (0, [(0, "s1"), (1, "t2"), KEPT], [1, 2, 3], False),
    "it before he has looked": (0, [(0, "s1"), (1, "t2"), (2, "t3 w4"), "s1"], [1, 2, 3, 4], False),
    "the end before he has looked": (0, [(6, "a7 f8"), "s1 t2 t3 t5 a7 f8"], [1, 2, 3, 5, 7, 8], True),
    "a gap before he has looked": (0, [(3, "w4"), "!s1", KEPT, (3, "w4")], [1, 2, 3, 4], False),
    "it late": (0, [KEPT, (4, "!t5"), "s1 t2 t3 t5", (5, "w6"), (6, "a7 f8")], [1, 2, 3, 5, 6, 7, 8], True),
    "it when it is over": (0, [ALL], [1, 2, 3, 5, 7, 8], True),
    "the rest": (4, [KEPT, (4, "t5"), (5, "w6"), (6, "a7 f8")], [5, 6, 7, 8], True),
    "the rest, kept": (4, [ALL], [5, 7, 8], True),
    "the last": (7, [ALL], [8], True),
    "nothing more": (8, [ALL], [], True),
    "less than he says he has": (99, [KEPT, (3, "w4"), (6, "a7 f8")], [], True),
    "the next attempt": (6, [KEPT, (3, "s1001 t1002"), (1002, "a1003 f1004")], [1001, 1002, 1003, 1004], True),
    "the next one, late": (0, [KEPT, (3, "s1001")], [1, 2, 3, 1001], False),
    "the next of one that said nothing": (0, ["", (0, "s1001"), (1001, "w1002")], [1001, 1002], False),
    "the next of one that only began": (0, ["s1", (0, "s1001"), (1001, "w1002")], [1, 1001, 1002], False),
    "that it is deleted": (0, [KEPT, DELETED, (3, "t5")], [1, 2, 3], True),
    "that it was deleted, before he has looked": (0, [DELETED, KEPT], [1, 2, 3], True),
}  # fmt: skip


@pytest.mark.parametrize("hears", HEARS)
def test_of_a_run_he_is_told_each_event_once_and_in_order(hears: str) -> None:
    after, steps, numbers, over = HEARS[hears]
    sink = Sink()
    follower = OfRun(RUN, after, sink)
    for step in steps:
        match step:
            case str():
                assert follower.look(events(step.removeprefix("!"))) is not step.startswith("!"), step
            case bytes():
                assert follower.hear(step)
            case needs, written:
                assert follower.hear(news(needs, written.removeprefix("!"))) is not written.startswith("!"), written
    assert (sink.numbers, sink.closed) == (numbers, over)
    assert [each.data["n"] for each in sink.events] == [f"{_letter(each)}{each.seq}" for each in sink.events]


def _letter(event: Event) -> str:
    return next(letter for letter, type in TYPES.items() if type == event.type)


@pytest.mark.parametrize("seed", range(20))
def test_whatever_is_lost_doubled_or_late_he_has_what_is_kept_in_the_end(seed: int) -> None:
    """Three attempts, of which two die with what they had only told; he comes at any time, and looks when he misses something."""
    dice, kept, told = random.Random(seed), list[Event](), 0
    sink, behind = Sink(), False
    follower = OfRun(RUN, 0, sink)
    comes, moment = dice.randrange(30), 0
    for attempt in range(3):
        told, number = max([each.seq or 0 for each in kept], default=0), attempt * 1000
        pending: list[Event] = []
        for n in range(dice.randrange(1, 12)):
            number += 1
            kind = "s" if n == 0 else dice.choice("wwt")
            one = event(f"{kind}{number}")
            pending += [one] if kind == "t" or (attempt and not n) else []
            ends = attempt == 2 and n > 8
            packet, told = packed(told, number, GOES_ON, frames.of_run([one])), number
            for _ in range(dice.choice((0, 1, 1, 1, 2))):
                behind = not follower.hear(packet) or behind
            if dice.random() < 0.3 and not ends:
                kept, pending = kept + pending, []
            moment += 1
            if moment == comes or (behind and dice.random() < 0.5):
                behind = not follower.look([frames.STARTED, *kept])
    last = [event(f"a{number + 1}"), event(f"f{number + 2}")]
    kept += [*pending, *last]
    if not follower.hear(packed(told, number + 2, OVER, frames.of_run(last))) or not sink.closed:
        follower.look([frames.STARTED, *kept])
    assert sink.closed == 1 and sink.types[-2:] == ["answer", "finished"]
    assert all(a < b for a, b in pairwise(sink.numbers))
    assert {each.seq for each in kept} <= set(sink.numbers)


# Of a conversation ----------------------------------------------------------------------------------------------------


def under_way(run: str, needs: int, written: str) -> bytes:
    told = events(written)
    return packed(
        needs, told[-1].seq or 0, run, frames.of_conversation([Event(type=e.type, data=e.data) for e in told])
    )


def happened(*numbers: int) -> bytes:
    told = [Event(number=n, type="message", data={"n": f"m{n}"}) for n in numbers]
    return packed(numbers[0] - 1, numbers[-1], GOES_ON, frames.of_conversation(told))


LISTENS: dict[str, tuple[list[Any], list[str]]] = {
    "from its beginning": ([under_way("A", 0, "s1"), under_way("A", 1, "w2 w3"), happened(2, 3)], ["s1", "w2", "w3", "m2", "m3"]),
    "from the middle on": ([under_way("A", 1, "w2"), under_way("A", 2, "w3"), happened(2, 3)], ["m2", "m3"]),
    "with a piece missing": ([under_way("A", 0, "s1"), under_way("A", 2, "w3"), under_way("A", 3, "w4"), happened(2)], ["s1", "m2"]),
    "that begins again": ([under_way("A", 1, "w2"), under_way("A", 2, "s3 w4"), under_way("A", 4, "w5")], ["s3", "w4", "w5"]),
    "that another worker begins again": ([under_way("A", 0, "s1"), under_way("A", 0, "s1001"), under_way("A", 1001, "w1002")], ["s1", "s1001", "w1002"]),
    "that died, and goes on late": ([under_way("A", 0, "s1 w2"), under_way("A", 1002, "w1003"), happened(2)], ["s1", "w2", "m2"]),
    "and another": ([under_way("A", 0, "s1"), happened(2, 3), under_way("B", 0, "s1"), under_way("B", 1, "w2")], ["s1", "m2", "m3", "s1", "w2"]),
    "and another from its middle on": ([under_way("A", 0, "s1"), happened(2, 3), under_way("B", 1, "w2"), happened(4)], ["s1", "m2", "m3", "m4"]),
}  # fmt: skip


@pytest.mark.parametrize("looks_at", [0, 1, 2, 3])
@pytest.mark.parametrize("listens", LISTENS)
def test_he_hears_an_answer_from_its_beginning_or_waits_until_it_is_whole(listens: str, looks_at: int) -> None:
    """Never a half of it. Whether he had looked by then, or heard it first."""
    heard, shown = LISTENS[listens]
    sink = Sink()
    follower = OfConversation(TALK, 1, sink)
    for place, piece in enumerate(heard):
        if place == min(looks_at, len(heard) - 1):
            assert follower.look([])
        assert follower.hear(piece)
    assert [each.data["n"] for each in sink.events] == shown
    assert all((each.seq is None) is (each.data["n"][0] != "m") for each in sink.events), "only what stays has a number"


@pytest.mark.parametrize("after", [0, 1, 3, 5])
def test_what_was_missed_in_a_conversation_comes_with_what_is_looked_up(after: int) -> None:
    sink = Sink()
    follower = OfConversation(TALK, after, sink)
    kept = [Event(number=n, type="message", data={}) for n in range(1, 6)]
    assert follower.look(kept[:3])
    assert follower.hear(happened(5)) is (after >= 4)
    assert follower.look(kept[max(after, 3) :])
    assert follower.hear(happened(5)) and follower.hear(happened(6)) and follower.hear(DELETED)
    assert sink.numbers == list(range(after + 1, 7)) and sink.closed == 1
    assert follower.hear(happened(7)) and sink.numbers[-1] == 6


# In a house -----------------------------------------------------------------------------------------------------------


def reads(house: House, client: str = CLIENT) -> Any:
    return house.database.as_client(client)


@contextmanager
def mute(house: House) -> Iterator[None]:
    """What is published meanwhile is heard by nobody, as if the publisher had died between its commit and its word."""
    house.publishing._publish = lambda channel, data: None  # type: ignore[method-assign]
    try:
        yield
    finally:
        del house.publishing._publish


async def closed(sink: Sink) -> bool:
    return bool(sink.closed)


async def listeners(house: House, followed: UUID) -> int:
    return int((await house.valkey("PUBSUB", "NUMSUB", channel(followed)))[1])


async def test_who_was_there_hears_the_sentences_and_who_comes_later_reads_the_answer(quick: House) -> None:
    accepted, there, talks = await accept(quick, CLIENT, "brewpubs em Denver"), Sink(), Sink()
    followers = [
        await quick.following.new_run(accepted.run, there),
        await quick.following.conversation(reads(quick), accepted.conversation_id, 0, talks),
    ]
    await work(quick, accepted.run)
    await wait_until(lambda: closed(there), "it is told to the end")
    late, talks_late = Sink(), Sink()
    followers.append(await quick.following.run(reads(quick), accepted.run, 0, late))
    followers.append(await quick.following.conversation(reads(quick), accepted.conversation_id, 0, talks_late))
    assert late.closed and "text" in there.types and "text" not in late.types
    assert [(e.seq, e.type, e.data) for e in there.events if e.type != "text"] == [
        (e.seq, e.type, e.data) for e in late.events
    ]
    assert {"started", "tool_started", "tool_finished", "answer", "finished"} == set(late.types)
    assert talks_late.types == ["message", "answer", "finished"] and talks_late.numbers == [1, 2, 3]

    async def told() -> bool:
        return talks.numbers[-1] == 3

    await wait_until(told, "the conversation's follower has it")
    assert "text" in talks.types and [n for n in talks.numbers if n] == [1, 2, 3]
    for follower in followers:
        quick.following.leave(follower)


@pytest.mark.parametrize("lost", ["nothing", "the connection", "the word", "both"])
@pytest.mark.parametrize("ends", ["ended", "deleted"])
async def test_who_misses_the_end_is_told_all_the_same(
    quick: House, taken: Taken, monkeypatch: pytest.MonkeyPatch, lost: str, ends: str
) -> None:
    """The connection comes again, and a publisher that fell silent is looked up."""
    monkeypatch.setattr(following, "LOOK_S", 0.02)
    monkeypatch.setattr(following, "SILENT_S", 0.1 if "word" in lost or lost == "both" else 60.0)
    claimed = await taken()
    of_run, of_talk = Sink(), Sink()
    followers = [
        await quick.following.run(reads(quick), claimed.run_id, 0, of_run),
        await quick.following.conversation(reads(quick), claimed.conversation_id, 0, of_talk),
    ]
    writing = journal(quick, claimed)
    writing.emit("started")

    async def end() -> None:
        if ends == "ended":
            await writing.finish(ending())
        else:
            await delete(quick, CLIENT, claimed.conversation_id)

    if lost == "nothing":
        await end()
    else:
        with mute(quick):
            await end()
    if lost in ("the connection", "both"):
        await quick.valkey("CLIENT", "KILL", "TYPE", "pubsub")
    await wait_until(lambda: closed(of_run), "the run's follower is told the end")
    if ends == "ended":
        assert of_run.types == ["started", "answer", "finished"]

        async def told() -> bool:
            return of_talk.numbers[-1:] == [3]

        await wait_until(told, "so is the conversation's")
        assert [each.type for each in of_talk.events if each.seq] == ["message", "answer", "finished"]
    else:
        await wait_until(lambda: closed(of_talk), "so is the conversation's")
    for follower in followers:
        quick.following.leave(follower)


async def test_a_connection_that_comes_again_brings_what_comes_after(
    quick: House, taken: Taken, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "LOOK_S", 0.02)
    claimed, sink = await taken(), Sink()
    follower = await quick.following.run(reads(quick), claimed.run_id, 0, sink)
    writing = journal(quick, claimed)
    for n in range(1, 4):
        writing.emit("started")
        lost = quick.subscriptions._wire
        await quick.valkey("CLIENT", "KILL", "TYPE", "pubsub")

        async def live(lost: Any = lost) -> bool:
            return quick.subscriptions._wire is not lost and await listeners(quick, claimed.run_id) == 1

        await wait_until(live, "it listens again")
        writing.emit("tool_started", n=n)
        writing.step(Entry(kind="tool", name="t", input={}, output={}))
        await writing.commit()
    await writing.finish(ending())
    await wait_until(lambda: closed(sink), "it is told to the end")
    assert all(a < b for a, b in pairwise(sink.numbers)) and sink.types.count("tool_started") == 3
    quick.following.leave(follower)


async def test_who_looks_before_it_is_kept_looks_again(
    quick: House, taken: Taken, monkeypatch: pytest.MonkeyPatch
) -> None:
    """He has heard that something is missing; it is committed a moment after he has looked, and nothing more is told."""
    monkeypatch.setattr(following, "LOOK_S", 0.02)
    claimed, sink = await taken(), Sink()
    follower = await quick.following.run(reads(quick), claimed.run_id, 0, sink)
    writing, fetch, looked = journal(quick, claimed), quick.database.service.fetch, list[str]()
    writing.emit("started")

    async def too_early(query: str, *args: Any) -> Any:
        looked.append(query)
        rows = await fetch(query, *args)
        await writing.commit()
        return rows

    monkeypatch.setattr(quick.following, "_reads", type("Reads", (), {"fetch": staticmethod(too_early)}))
    tool = ["tool_started", "tool_finished"]
    with mute(quick):
        writing.emit("tool_started", n=1)
        writing.emit("tool_finished", n=1)
    writing.emit("tool_started", n=2)
    writing.emit("tool_finished", n=2)
    writing.step(Entry(kind="tool", name="t", input={}, output={}))

    async def told() -> bool:
        return sink.types == ["started", *tool, *tool]

    await wait_until(told, "he is told what was missing")
    assert len(looked) == 2
    quick.following.leave(follower)


@pytest.mark.parametrize("places", [1, 3])
async def test_a_thousand_who_miss_the_same_are_looked_up_by_a_few_statements(
    quick: House, taken: Taken, monkeypatch: pytest.MonkeyPatch, places: int
) -> None:
    monkeypatch.setattr(following, "LOOK_S", 0.02)
    claims = [await taken() for _ in range(places)]
    sinks = [Sink() for _ in range(999)]
    followers = [
        await quick.following.run(reads(quick), claims[n % places].run_id, 0, sink)
        if n < 30
        else await quick.following.new_run(claims[n % places].run_id, sink)
        for n, sink in enumerate(sinks)
    ]
    asked: list[str] = []
    fetch = quick.database.service.fetch

    async def counted(query: str, *args: Any) -> Any:
        asked.append(query)
        return await fetch(query, *args)

    monkeypatch.setattr(quick.following, "_reads", type("Reads", (), {"fetch": staticmethod(counted)}))
    with mute(quick):
        for claimed in claims:
            writing = journal(quick, claimed)
            writing.emit("started")
            await writing.finish(ending())
    for claimed in claims:
        quick.publishing.under_way(
            claimed.conversation_id, claimed.run_id, 4000, [Event(seq=4001, type="text", data={})]
        )

    async def all_closed() -> bool:
        return all(sink.closed for sink in sinks)

    await wait_until(all_closed, "each is told the end")
    assert len(asked) <= 3, "those who heard it while they were being looked up may be looked up once more"
    assert all(sink.types[-2:] == ["answer", "finished"] for sink in sinks)
    for follower in followers:
        quick.following.leave(follower)


async def test_a_long_conversation_is_caught_up_with_by_pages(quick: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "LOOK_S", 0.02)
    monkeypatch.setattr(following, "PAGE", 3)
    begun, sink = await accept(quick, CLIENT, "oi"), Sink()
    await hand_over(quick, CLIENT, begun.conversation_id)
    for n in range(8):
        await say(quick, CLIENT, begun.conversation_id, str(n))
    follower = await quick.following.conversation(reads(quick), begun.conversation_id, 1, sink)
    assert sink.numbers == list(range(2, 11))
    with mute(quick):
        for n in range(8):
            await say(quick, CLIENT, begun.conversation_id, str(n))
    await say(quick, CLIENT, begun.conversation_id, "heard")

    async def caught_up() -> bool:
        return sink.numbers == list(range(2, 20))

    await wait_until(caught_up, "nothing is missing")
    quick.following.leave(follower)


@pytest.mark.parametrize("client", ["CLT-00004", CLIENT])
async def test_what_is_not_his_is_not_there_and_nobody_goes_on_listening(quick: House, client: str) -> None:
    begun, sink, others = await accept(quick, CLIENT, "oi"), Sink(), set(quick.following._followers)
    run, talk = (begun.run, begun.conversation_id) if client != CLIENT else (uuid4(), uuid4())
    for follow in (
        quick.following.run(reads(quick, client), run, 0, sink),
        quick.following.conversation(reads(quick, client), talk, 0, sink),
    ):
        with pytest.raises(NotFound):
            await follow
    assert (sink.written, sink.closed) == (b"", 0)

    async def nobody() -> bool:
        return await listeners(quick, run) == await listeners(quick, talk) == 0

    await wait_until(nobody, "nothing is subscribed")
    assert set(quick.following._followers) == others


async def test_who_leaves_is_told_nothing_more(quick: House, taken: Taken) -> None:
    claimed, leaves, stays = await taken(), Sink(), Sink()
    going, staying = [await quick.following.run(reads(quick), claimed.run_id, 0, sink) for sink in (leaves, stays)]
    writing = journal(quick, claimed)
    writing.emit("started")
    quick.following.leave(going)
    quick.following.leave(going)
    had = leaves.written
    await writing.finish(ending())
    await wait_until(lambda: closed(stays), "the other is told the end")
    assert leaves.written == had and not leaves.closed
    quick.following.leave(staying)


async def test_a_process_that_ends_lets_its_followers_go(quick: House, taken: Taken) -> None:
    claimed, before, after = await taken(), Sink(), Sink()
    ends = Following(quick.subscriptions, quick.database.service)
    followers = [await ends.run(reads(quick), claimed.run_id, 0, before)]
    ends.stop()
    followers.append(await ends.run(reads(quick), claimed.run_id, 0, after))
    assert before.closed == after.closed == 1
    for follower in followers:
        ends.leave(follower)
