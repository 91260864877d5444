"""A model that hangs, trickles, talks garbage or refuses: each run ends in its outcome, within its time."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
from msgspec.structs import replace

from beerforyou.conversations.accepting import accept
from beerforyou.house import House, opened
from beerforyou.runs.looking import ended, look
from beerforyou.runs.run import Run
from beerforyou.settings import Settings
from beerforyou.worker.worker import working
from tests.conftest import FreshSettings
from tests.hearing import hearing
from tests.llm.misbehaving import (
    SENSELESS,
    Behaviour,
    Misbehaving,
    breaks_off,
    failing,
    garbage,
    good,
    hang,
    misbehaving,
    no_reply,
    reset,
    too_many,
    trickle,
)
from tests.waiting import wait_until

CLIENT, QUESTION = "CLT-00006", "brewpubs em Denver com um dragão"
MODEL_S, RUN_S = 1.5, 8.0

BAD: dict[str, tuple[Behaviour, str]] = {
    "hangs": (hang, "error_timeout"),
    "trickles": (trickle, "error_timeout"),
    "talks garbage": (garbage, "error_model"),
    "answers no reply": (no_reply, "error_model"),
    "answers 429": (too_many, "error_model"),
    "answers 500": (failing, "error_model"),
    "resets": (reset, "error_model"),
    "breaks off": (breaks_off, "error_model"),
    **{name: (behave, "error_model") for name, behave in SENSELESS.items()},
}
Ask = Callable[[], Awaitable[Run]]
Led = Callable[..., AbstractAsyncContextManager[tuple[House, Ask]]]


@pytest.fixture
async def server() -> AsyncIterator[Misbehaving]:
    async with misbehaving() as server:
        yield server


@pytest.fixture(scope="module")
async def own(fresh_settings: FreshSettings, demo: Settings) -> AsyncIterator[Settings]:
    """Where no other worker takes our runs."""
    async with fresh_settings(demo) as settings:
        yield settings


@pytest.fixture
def led(own: Settings, server: Misbehaving) -> Led:
    """A house whose model is that server, with a worker; and a question to it, as the run that ended."""

    @asynccontextmanager
    async def made(**more: Any) -> AsyncIterator[tuple[House, Ask]]:
        usual = {"model_timeout_s": MODEL_S, "run_timeout_s": RUN_S, "gemini_base_url": server.url}
        settings = replace(own, model="gemini:gemini-2.5-flash", gemini_api_key="no-key-at-all", **(usual | more))
        async with opened(settings) as house, working(house):

            async def ask() -> Run:
                accepted, started = await accept(house, CLIENT, QUESTION), time.monotonic()
                run = await ended(house.following, house.database.as_client(CLIENT), accepted.run_id, 30)
                assert time.monotonic() - started < settings.run_timeout_s + 2
                return run

            yield house, ask

    return made


def notices(run: Run) -> set[str]:
    return {block.key for block in run.blocks if hasattr(block, "key")}


@pytest.mark.parametrize("bad", BAD)
async def test_alone_it_ends_in_its_outcome(led: Led, server: Misbehaving, bad: str) -> None:
    server.behaves = [BAD[bad][0]]
    async with led(fallback_models="") as (_, ask):
        run = await ask()
    assert (run.status, run.outcome) == ("failed", BAD[bad][1])
    assert run.text


@pytest.mark.parametrize("bad", BAD)
async def test_the_stand_in_answers_and_says_so(led: Led, server: Misbehaving, bad: str) -> None:
    server.behaves = [BAD[bad][0]]
    async with led() as (_, ask):
        run = await ask()
    assert (run.status, run.outcome) == ("succeeded", "answered")
    assert notices(run) == {"fallback", "offline"}
    assert run.versions["model"] == "offline:"


@pytest.mark.parametrize("senseless", SENSELESS)
async def test_what_makes_no_sense_is_paid_and_never_shown(led: Led, server: Misbehaving, senseless: str) -> None:
    server.behaves = [SENSELESS[senseless]]
    async with led(model_timeout_s=10.0, run_timeout_s=30.0) as (house, ask):
        with hearing(house) as heard:
            run = await ask()
        steps = (await look(house.database.as_client(CLIENT), run.run_id, steps=True)).steps
    events = heard.of(run.run_id)
    assert heard.sentences(run.run_id)
    assert server.count == 2 and run.usage["input"] == 2 * 812
    first, second, *others = [step.output["finish"] for step in steps if step.kind != "tool"]
    assert first == second != "stop" and set(others) == {"stop"}
    shown = str([event.data for event in events if event.type in ("text", "answer")])
    assert not any(word in shown for word in ("search_", "tool_call", "Vou ver", "wants"))


async def test_what_was_paid_for_nothing_is_known_to_who_goes_on(led: Led, server: Misbehaving) -> None:
    server.behaves = [SENSELESS["no candidates"], hang]
    async with led(model_timeout_s=30.0, run_timeout_s=30.0, grace_s=0.0) as (house, _):
        accepted = await accept(house, CLIENT, QUESTION)

        async def asked_twice() -> bool:
            return server.count == 2

        await wait_until(asked_twice, "the model is asked once more")
    server.behaves = [good]
    async with led() as (house, _):
        await ended(house.following, house.database.as_client(CLIENT), accepted.run_id, 30)
        run = await look(house.database.as_client(CLIENT), accepted.run_id, steps=True)
    assert [step.output["finish"] for step in run.steps] == ["empty", "stop"]
    assert (run.text, run.usage["input"], server.count) == ("Achei três.", 2 * 812, 3)


async def test_it_recovers(led: Led, server: Misbehaving) -> None:
    server.behaves = [failing]
    async with led(breaker_failures=2, breaker_s=0.3, model_tries=1) as (_, ask):
        assert "fallback" in notices(await ask())
        before = server.count
        assert "fallback" in notices(await ask())
        assert server.count == before  # nobody asked it
        server.behaves = [good]
        time.sleep(0.3)  # noqa: ASYNC251
        run = await ask()
    assert notices(run) == set() and run.text == "Achei três."


async def test_text_that_came_before_it_broke_off_is_void(led: Led, server: Misbehaving) -> None:
    server.behaves = [breaks_off, good]
    async with led() as (house, ask):
        with hearing(house) as heard:
            run = await ask()
    assert heard.sentences(run.run_id) == ["Achei três."]
