"""A chain of models whose first is a server that misbehaves: who answers, how often the server is asked, how long it takes."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest

from beerforyou.errors import ModelError, ModelSenseless, ModelTimeout, ModelUnavailable
from beerforyou.llm import fallback, providers
from beerforyou.llm.connect import connect
from beerforyou.llm.fallback import Fallback
from beerforyou.llm.gemini import Gemini
from beerforyou.llm.model import Model, Reply, Request, TextPart
from beerforyou.outside.permit import permitted
from beerforyou.settings import Settings
from beerforyou.usage import Usage
from bench.model_server.script import Raw
from bench.model_server.server import ModelServer
from tests.llm.conversations import REQUESTS
from tests.llm.misbehaving import (
    SAID,
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
    not_http,
    refused,
    reset,
    retry_after,
    retry_info,
    slowly,
    too_many,
    trickle,
    wrong_key,
)

TRIES, FAILURES, OPEN_S, LIMIT_S = 3, 4, 0.2, 0.2
REQUEST = REQUESTS["tools"]
STOOD_IN = "In its place."
Heard = list[str]
WAYS: dict[str, Callable[[], Heard | None]] = {"whole": lambda: None, "streamed": list}


class StandIn:
    """A model that cannot fail."""

    name = "stand-in:"

    async def generate(self, request: Request, on_text: Callable[[str], None] | None = None) -> Reply:
        if on_text:
            on_text(STOOD_IN)
        return Reply(parts=(TextPart(STOOD_IN),), model=self.name)

    async def close(self) -> None: ...


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fallback, "FIRST_WAIT_S", 0.01)


@pytest.fixture
async def server() -> AsyncIterator[Misbehaving]:
    async with misbehaving() as server:
        yield server


@pytest.fixture
async def chain(server: Misbehaving) -> AsyncIterator[Callable[..., Model]]:
    """`chain(...)`: gemini at the server, then the models and with the settings that are given; by default one that cannot
    fail."""
    made: list[Model] = []

    def connected(others: str = "offline:", **more: Any) -> Model:
        numbers = {"model_tries": TRIES, "breaker_failures": FAILURES, "breaker_s": OPEN_S, "model_timeout_s": LIMIT_S}
        settings = Settings(
            model="gemini:gemini-2.5-flash", gemini_api_key="k", gemini_base_url=server.url, fallback_models=others,
            **(numbers | more),
        )  # fmt: skip
        models = connect(settings)
        assert isinstance(models.model, Fallback)
        made.append(Fallback([*models.model.models, StandIn()], settings) if models.by_rule else models.model)
        return made[-1]

    yield connected
    for model in made:
        await model.close()


@pytest.fixture(params=WAYS)
def heard(request: pytest.FixtureRequest) -> Heard | None:
    return WAYS[request.param]()


async def said(model: Model, heard: Heard | None = None) -> str:
    return (await model.generate(REQUEST, None if heard is None else heard.append)).text


@contextmanager
def within(seconds: float) -> Iterator[None]:
    started = time.monotonic()
    yield
    assert time.monotonic() - started < seconds


async def test_the_choice_answers_when_it_can(
    server: Misbehaving, chain: Callable[..., Model], heard: Heard | None
) -> None:
    model = chain()
    reply = await model.generate(REQUEST, None if heard is None else heard.append)
    assert (reply.text, reply.fallback, model.name) == (SAID, False, "gemini:gemini-2.5-flash")
    assert heard in (None, [SAID])
    assert server.count == 1


@pytest.mark.parametrize("behave", [too_many, failing, reset, not_http, breaks_off, retry_after(0)])
async def test_what_may_pass_is_tried_again_and_then_another_answers(
    server: Misbehaving, chain: Callable[..., Model], behave: Behaviour, heard: Heard | None
) -> None:
    server.behaves = [behave]
    reply = await chain().generate(REQUEST, None if heard is None else heard.append)
    assert (reply.text, reply.model, reply.fallback) == (STOOD_IN, "stand-in:", True)
    assert server.count == TRIES


@pytest.mark.parametrize("behave", [too_many, failing, reset, not_http, breaks_off, retry_info(0.01)])
async def test_what_passes_in_time_is_not_noticed(
    server: Misbehaving, chain: Callable[..., Model], behave: Behaviour, heard: Heard | None
) -> None:
    server.behaves = [behave, behave, good]
    reply = await chain().generate(REQUEST, None if heard is None else heard.append)
    assert (reply.text, reply.fallback, server.count) == (SAID, False, TRIES)


@pytest.mark.parametrize("behave", [hang, trickle])
async def test_what_takes_too_long_is_not_tried_again(
    server: Misbehaving, chain: Callable[..., Model], behave: Behaviour, heard: Heard | None
) -> None:
    server.behaves = [behave]
    model = chain()
    with within(LIMIT_S + 1):
        assert await said(model, heard) == STOOD_IN
    assert server.count == 1


@pytest.mark.parametrize("behave", [garbage, no_reply, wrong_key])
async def test_what_stays_is_not_tried_again(
    server: Misbehaving, chain: Callable[..., Model], behave: Behaviour, heard: Heard | None
) -> None:
    server.behaves = [behave]
    assert await said(chain(), heard) == STOOD_IN
    assert server.count == 1


@pytest.mark.parametrize(
    ("behave", "error"),
    [(hang, ModelTimeout), (trickle, ModelTimeout), (too_many, ModelUnavailable), (failing, ModelUnavailable),
     (reset, ModelUnavailable), (breaks_off, ModelUnavailable), (garbage, ModelError), (wrong_key, ModelError)],
)  # fmt: skip
async def test_alone_it_raises_its_own_error(
    server: Misbehaving, chain: Callable[..., Model], behave: Behaviour, error: type[ModelError], heard: Heard | None
) -> None:
    server.behaves = [behave]
    with pytest.raises(ModelError) as caught:
        await said(chain(""), heard)
    assert type(caught.value) is error


async def test_a_short_wait_that_is_asked_for_is_kept(server: Misbehaving, chain: Callable[..., Model]) -> None:
    server.behaves = [retry_info(0.3), good]
    model, started = chain(), time.monotonic()
    assert await said(model) == SAID
    assert time.monotonic() - started >= 0.3


@pytest.mark.parametrize("behave", [retry_after(60), retry_info(14)])
async def test_who_asks_for_a_long_wait_is_left_at_once(
    server: Misbehaving, chain: Callable[..., Model], behave: Behaviour
) -> None:
    server.behaves = [behave]
    model = chain()
    with within(1):
        assert await said(model) == STOOD_IN
    assert server.count == 1


async def test_models_are_asked_in_their_order(server: Misbehaving, chain: Callable[..., Model]) -> None:
    server.behaves = [wrong_key, good]
    reply = await chain("gemini:gemini-2.5-pro, offline:").generate(REQUEST)
    assert (reply.text, reply.fallback, server.count) == (SAID, True, 2)


@pytest.mark.parametrize("senseless", SENSELESS)
async def test_what_makes_no_sense_is_asked_for_once_more_otherwise(
    server: Misbehaving, chain: Callable[..., Model], senseless: str, heard: Heard | None
) -> None:
    server.behaves = [SENSELESS[senseless]]
    assert await said(chain(), heard) == STOOD_IN
    first, second = map(msgspec.json.decode, server.bodies)
    assert first["generationConfig"].pop("temperature") == 0 < second["generationConfig"].pop("temperature")
    assert "could not be used" in str(second["contents"]) and "could not be used" not in str(first["contents"])
    assert first["contents"][0]["parts"][0] == second["contents"][0]["parts"][0]
    assert ("print(brewpubs" in str(second["contents"])) is (senseless == "malformed call")


@pytest.mark.parametrize("senseless", SENSELESS)
async def test_what_makes_sense_the_second_time_is_the_reply(
    server: Misbehaving, chain: Callable[..., Model], senseless: str, heard: Heard | None
) -> None:
    server.behaves = [SENSELESS[senseless], good]
    reply = await chain(model_timeout_s=20).generate(REQUEST, None if heard is None else heard.append)
    assert (reply.text, reply.fallback, server.count) == (SAID, False, 2)
    assert reply.usage.input == 2 * 812, "what was paid for the first is not forgotten"


@pytest.mark.parametrize("senseless", SENSELESS)
async def test_alone_it_says_that_it_made_no_sense(
    server: Misbehaving, chain: Callable[..., Model], senseless: str
) -> None:
    server.behaves = [SENSELESS[senseless]]
    with pytest.raises(ModelSenseless):
        await said(chain(""))
    assert server.count == 2


@pytest.mark.parametrize("senseless", SENSELESS)
async def test_it_counts_as_a_failure(server: Misbehaving, chain: Callable[..., Model], senseless: str) -> None:
    server.behaves = [SENSELESS[senseless]]
    model = chain(breaker_s=30, breaker_failures=3)
    assert [await said(model) for _ in range(4)] == [STOOD_IN] * 4
    assert server.count == 3


async def test_who_keeps_books_is_told_of_each_at_once(server: Misbehaving, chain: Callable[..., Model]) -> None:
    paid: list[tuple[Reply, int]] = []

    async def pay(reply: Reply) -> None:
        paid.append((reply, server.count))

    server.behaves = [SENSELESS["no candidates"]]
    reply = await chain("gemini:gemini-2.5-pro,offline:").generate(msgspec.structs.replace(REQUEST, paid=pay))
    assert [count for _, count in paid] == [1, 2, 3, 4] and all(void.usage.input == 812 for void, _ in paid)
    assert reply.usage == Usage() and {void.model for void, _ in paid} == {
        "gemini:gemini-2.5-flash", "gemini:gemini-2.5-pro",
    }  # fmt: skip


async def test_a_model_that_keeps_failing_is_left_alone_and_comes_back(
    server: Misbehaving, chain: Callable[..., Fallback]
) -> None:
    server.behaves = [failing]
    model, later = chain(model_timeout_s=20), Later()
    model._upstreams[0].breaker._clock = later.now
    for _ in range(10):
        assert await said(model) == STOOD_IN
    assert server.count == FAILURES, "the retries of the second call ended with the breaker"

    later.by(OPEN_S)
    assert await said(model) == STOOD_IN
    assert server.count == FAILURES + 1, "one probe, which is not tried again"
    assert await said(model) == STOOD_IN
    assert server.count == FAILURES + 1

    server.behaves = [good]
    later.by(OPEN_S)
    assert [await said(model) for _ in range(3)] == [SAID] * 3


class Later:
    """A clock that stands still until it is moved on."""

    def __init__(self) -> None:
        self._now = 0.0

    def now(self) -> float:
        return self._now

    def by(self, seconds: float) -> None:
        self._now += seconds


@pytest.mark.parametrize("behave", [too_many, failing, hang, trickle, garbage, wrong_key, reset])
async def test_every_failure_counts(server: Misbehaving, chain: Callable[..., Model], behave: Behaviour) -> None:
    server.behaves = [behave]
    model = chain(model_timeout_s=0.3, breaker_s=30)
    for _ in range(FAILURES + 1):
        assert await said(model) == STOOD_IN
    assert server.count == FAILURES


async def test_a_request_that_is_at_fault_itself_closes_the_model_to_nobody(
    server: Misbehaving, chain: Callable[..., Model]
) -> None:
    model = chain()
    server.behaves = [refused]
    assert [await said(model) for _ in range(FAILURES + 2)] == [STOOD_IN] * (FAILURES + 2)
    server.behaves = [good]
    assert await said(model) == SAID


async def test_a_success_ends_the_row_of_failures(server: Misbehaving, chain: Callable[..., Model]) -> None:
    server.behaves = [failing, failing, good] * 5
    model = chain(breaker_s=30)
    assert [await said(model) for _ in range(5)] == [SAID] * 5


async def test_when_all_are_left_alone_the_error_says_so(server: Misbehaving, chain: Callable[..., Model]) -> None:
    server.behaves = [failing]
    model = chain("", breaker_failures=1)
    with pytest.raises(ModelUnavailable, match="500"):
        await said(model)
    with pytest.raises(ModelUnavailable, match="left alone"):
        await said(model)
    assert server.count == 1


@pytest.mark.parametrize(("probe", "answers"), [(good, SAID), (failing, STOOD_IN)])
async def test_many_calls_send_one_probe(
    server: Misbehaving, chain: Callable[..., Fallback], probe: Behaviour, answers: str
) -> None:
    server.behaves = [failing, slowly(probe, 0.1)]
    model, later = chain(breaker_failures=1), Later()
    model._upstreams[0].breaker._clock = later.now
    await said(model)
    later.by(OPEN_S)
    all_said = await asyncio.gather(*(said(model) for _ in range(50)))
    assert server.count == 2
    assert sorted(all_said) == sorted([answers] + [STOOD_IN] * 49)


async def test_a_storm_of_calls_is_cut_off(server: Misbehaving, chain: Callable[..., Model]) -> None:
    """Those under way when the breaker opens are not tried again."""
    server.behaves = [failing]
    model = chain(breaker_s=30)
    all_said = await asyncio.gather(*(said(model) for _ in range(50)))
    assert set(all_said) == {STOOD_IN}
    assert server.count == 50


async def test_nobody_waits_for_a_model_that_is_left_alone(
    server: Misbehaving, chain: Callable[..., Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fallback, "FIRST_WAIT_S", 1.0)
    server.behaves = [failing]
    model = chain(breaker_failures=1)
    with within(2):
        assert await said(model) == STOOD_IN


async def test_text_that_was_passed_on_is_taken_back(server: Misbehaving, chain: Callable[..., Model]) -> None:
    server.behaves = [breaks_off, breaks_off, good]
    heard: Heard = []
    assert await said(chain(), heard) == SAID
    assert heard == ["Achei mil e ", "", "Achei mil e ", "", SAID]


async def test_it_is_taken_back_before_another_model_answers(server: Misbehaving, chain: Callable[..., Model]) -> None:
    server.behaves = [breaks_off, hang]
    heard: Heard = []
    assert await said(chain(), heard) == STOOD_IN
    assert heard == ["Achei mil e ", "", STOOD_IN], "the second attempt had said nothing to take back"


async def test_nothing_is_taken_back_where_nothing_was_said(server: Misbehaving, chain: Callable[..., Model]) -> None:
    server.behaves = [failing, reset, garbage]
    heard: Heard = []
    assert await said(chain(), heard) == STOOD_IN
    assert heard == [STOOD_IN]


@pytest.mark.parametrize("behave", [hang, trickle])
async def test_a_run_that_ends_is_nobodys_failure(
    server: Misbehaving, chain: Callable[..., Model], behave: Behaviour, heard: Heard | None
) -> None:
    server.behaves = [behave]
    model = chain(model_timeout_s=5, breaker_failures=1)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await said(model, heard)
    server.behaves = [good]
    assert await said(model, heard) == SAID


async def test_a_run_may_end_between_two_tries(server: Misbehaving, chain: Callable[..., Model]) -> None:
    server.behaves = [retry_info(4), good]
    model = chain(breaker_failures=2)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await said(model)
    assert await said(model) == SAID
    assert server.count == 2


async def test_a_probe_whose_run_ends_gives_its_place_back(server: Misbehaving, chain: Callable[..., Fallback]) -> None:
    server.behaves = [failing, hang]
    model, later = chain(model_timeout_s=5, breaker_failures=1), Later()
    model._upstreams[0].breaker._clock = later.now
    await said(model)
    later.by(OPEN_S)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await said(model)
    server.behaves = [good]
    assert await said(model) == SAID


async def test_each_failure_is_logged_once(
    server: Misbehaving, chain: Callable[..., Model], caplog: pytest.LogCaptureFixture
) -> None:
    server.behaves = [failing, too_many, garbage]
    with caplog.at_level(logging.INFO):
        await said(chain())
    told = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert [level for level, _ in told] == ["WARNING"] * 3
    assert all(what in message for what, (_, message) in zip(("500", "429", "no reply"), told, strict=True))


async def test_other_providers_end_in_time_too(server: Misbehaving) -> None:
    """Signs of life that their SDKs swallow, without an end."""
    pings = Raw((b": ping\n\n",) * 1000, "text/event-stream", pause_s=0.01)
    async with ModelServer(lambda ask: pings) as slow:
        there = Settings(openai_base_url=slow.url, anthropic_base_url=slow.url, model_timeout_s=LIMIT_S)
        for name in ("anthropic:claude-haiku-5-5", "openai-chat:gpt-4.1"):
            model = Fallback([providers.connect(name, there), StandIn()], there)
            for way in WAYS.values():
                with within(LIMIT_S + 2):
                    assert await said(model, way()) == STOOD_IN
            await model.close()
    assert slow.count == 4


async def test_two_servers(server: Misbehaving) -> None:
    """What a chain is for: the first host is down, the second answers."""
    down = Gemini("gemini-2.5-pro", "k", "http://127.0.0.1:1", 1)
    model = Fallback([down, Gemini("gemini-2.5-flash", "k", server.url, 1)], Settings())
    reply = await model.generate(REQUEST)
    assert (reply.text, reply.fallback, model.name) == (SAID, True, "gemini:gemini-2.5-pro")
    await model.close()


async def test_nobody_is_asked_again_for_a_run_that_is_not_ours_any_more(
    server: Misbehaving, chain: Callable[..., Model]
) -> None:
    class Lost(Exception):
        pass

    def permit() -> None:
        if server.count:
            raise Lost

    server.behaves = [failing]
    with permitted(permit), pytest.raises(Lost):
        await chain().generate(REQUEST)
    assert server.count == 1
