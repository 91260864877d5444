"""Nothing is spent for work that nobody wants any more: asked before each attempt, and when the connection is there."""

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from msgspec.structs import replace

from beerforyou.errors import ModelError
from beerforyou.llm import providers
from beerforyou.llm.fallback import Fallback
from beerforyou.llm.gemini import Gemini
from beerforyou.llm.model import Model
from beerforyou.outside import permit
from beerforyou.outside.fetch import Outside
from beerforyou.outside.permit import Over, permitted
from beerforyou.outside.public import named_by_operator
from beerforyou.settings import Settings
from bench.model_server.script import Fault
from bench.model_server.server import ModelServer
from tests.llm.conversations import REQUESTS

SETTINGS = Settings(openai_api_key="k", anthropic_api_key="k", model_timeout_s=5)
NAMES = ("openai:gpt-5-mini", "openai-chat:gpt-4.1", "anthropic:claude-haiku-5-5", "azure:gpt-4.1")
SOON = {"retry-after": "0.01"}
REQUEST = REQUESTS["tools"]


class Lost(Exception):
    pass


class Lease:
    """Is lost when it has been asked so often."""

    def __init__(self, holds: int) -> None:
        self.holds = holds

    def go_on(self) -> None:
        self.holds -= 1
        if self.holds < 0:
            raise Lost


@pytest.fixture(scope="module")
async def running() -> AsyncIterator[ModelServer]:
    async with ModelServer([]) as server:
        yield server


@pytest.fixture
def server(running: ModelServer) -> ModelServer:
    running.script, running.count = [Fault(503)] * 4, 0
    return running


@pytest.fixture(params=["gemini:", *NAMES])
async def model(request: pytest.FixtureRequest, running: ModelServer) -> AsyncIterator[Model]:
    if request.param == "gemini:":
        model: Model = Gemini("gemini-2.5-flash", "k", running.url, 5)
    else:
        url = running.url
        there = replace(
            SETTINGS, openai_base_url=url, anthropic_base_url=url, azure_base_url=url, azure_openai_api_key="k"
        )
        model = providers.connect(request.param, there)
    yield model
    await model.close()


@pytest.mark.parametrize("asked", [0, 1], ids=["before", "when the connection is there"])
async def test_a_model_is_not_asked_for_a_run_that_is_lost(server: ModelServer, model: Model, asked: int) -> None:
    for sent in (1, 2):  # by a new connection, and by one that is there
        with permitted(Lease(asked).go_on), pytest.raises(Lost):
            await model.generate(REQUEST)
        assert server.count == sent - 1
        with permitted(Lease(9).go_on), pytest.raises(ModelError):
            await model.generate(REQUEST)
        assert server.count == sent


@pytest.mark.parametrize("attempts", range(3))
@pytest.mark.parametrize("fault", [Fault(503, headers=SOON), Fault(429, headers=SOON)], ids=["503", "429"])
async def test_no_attempt_is_made_for_a_run_that_was_lost_meanwhile(
    server: ModelServer, model: Model, fault: Fault, attempts: int
) -> None:
    server.script = [fault] * 4

    def go_on() -> None:
        if server.count == attempts:
            raise Lost

    with permitted(go_on), pytest.raises(Lost):
        await Fallback([model], SETTINGS).generate(REQUEST)
    assert server.count == attempts


@pytest.mark.parametrize("name", ["deepseek:deepseek-chat", "openrouter:x/y", "together:x", "moonshotai:kimi-latest"])
async def test_a_model_of_any_other_provider_goes_the_same_way(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is sent, so that it needs no network."""
    monkeypatch.setenv(f"{name.partition(':')[0].upper()}_API_KEY", "k")
    model = providers.connect(name, SETTINGS)
    with permitted(Lease(0).go_on), pytest.raises(Lost):
        await model.generate(REQUEST)
    await model.close()


@pytest.mark.parametrize("asked", [0, 1])
async def test_whoever_calls_outside_asks_it(server: ModelServer, asked: int) -> None:
    async with Outside(5, named_by_operator) as outside:
        with permitted(Lease(asked).go_on), pytest.raises(Lost):
            async with outside.request("POST", f"{server.url}/v1/responses"):
                pass
        assert server.count == 0
        async with outside.request("POST", f"{server.url}/v1/responses"):  # without work, without leave
            pass


async def _in_a_task(ask: Callable[[], None]) -> None:
    async def asking() -> None:
        ask()

    await asyncio.create_task(asking())


async def _in_a_thread(ask: Callable[[], None]) -> None:
    await asyncio.to_thread(ask)


@pytest.mark.parametrize("somewhere", [_in_a_task, _in_a_thread])
async def test_it_holds_in_what_the_work_begins(somewhere: Callable[[Callable[[], None]], Awaitable[None]]) -> None:
    await somewhere(permit.ask)
    with permitted(Lease(1).go_on):
        await somewhere(permit.ask)
        with pytest.raises(Lost):
            await somewhere(permit.ask)
    await somewhere(permit.ask)


async def test_what_outlives_its_work_spends_nothing_and_keeps_nothing_of_it() -> None:
    go, lease = asyncio.Event(), Lease(9)

    async def late() -> None:
        await go.wait()
        permit.ask()

    with permitted(lease.go_on):
        task = asyncio.create_task(late())
        await asyncio.sleep(0)
    left = weakref.ref(lease)
    del lease
    gc.collect()
    assert left() is None
    go.set()
    with pytest.raises(Over):
        await task


async def test_neighbours_have_permits_of_their_own() -> None:
    async def work(holds: int) -> str:
        with permitted(Lease(holds).go_on):
            try:
                for _ in range(3):
                    permit.ask()
                    await asyncio.sleep(0)
            except Lost:
                return "lost"
            with permitted(Lease(1).go_on):
                permit.ask()
            return "done"

    assert await asyncio.gather(work(3), work(2), work(9), work(0)) == ["done", "lost", "done", "lost"]
    permit.ask()
