"""One client's model sends the worst there is; the others, who have the same model, notice nothing."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from beerforyou.llm.model import Reply, TextPart
from beerforyou.settings import Settings
from bench.model_server.script import Answer, Ask, Raw
from bench.model_server.server import ModelServer
from tests.api.conftest import MINE, bearer
from tests.llm.gemini_replies import call, chunk, text
from tests.processes.fleet import Process
from tests.processes.neighbour import installed, undisturbed

TIMES = 2
ATTACK = "brewpubs em Denver"  # and not the neighbour's question
CALLS = range(500)


def sse(*responses: dict[str, Any]) -> Raw:
    """In one write: what is slow must be the reader."""
    return Raw(
        (b"".join(b"data: " + msgspec.json.encode(response) + b"\n\n" for response in responses),), "text/event-stream"
    )


def calling(make: Callable[[int], dict[str, Any]]) -> Raw:
    return sse(chunk(*(make(n) for n in CALLS), finish="STOP"))


def question(*filters: dict[str, Any], **more: Any) -> dict[str, Any]:
    return call("run_analytical_query", {"about": "me", "filters": filters, **more})


WORST: dict[str, Callable[[], Raw]] = {
    "500 good calls": lambda: calling(lambda n: call("search_breweries", {"city": "Denver", "page": n + 1})),
    "500 questions": lambda: calling(
        lambda n: call("run_sql", {"sql": f"SELECT beer, sum(amount) + {n} FROM my_purchases GROUP BY beer"})
    ),
    "500 questions in slots": lambda: calling(lambda n: question(
        {"field": "brewery", "values": [f"Here and Now {m} Brewing Co {n}" for m in range(50)]}, by=["beer", "month", "brewery"])),
    "500 questions of 150 filters": lambda: calling(lambda n: question(*[{"field": "beer", "values": ["a"]}] * 150, limit=n)),
    "500 refused questions": lambda: calling(lambda n: call("run_sql", {"sql": f"SELECT pg_sleep({n})"})),
    "500 calls with much in them": lambda: calling(lambda n: call("search_breweries", {"city": f"{n}" + "x" * 7000})),
    "500 calls of deep arguments": lambda: calling(
        lambda n: call("search_breweries", {"city": msgspec.json.decode("[" * 200 + f"{n}" + "]" * 200)})
    ),
    "40,000 pieces": lambda: sse(*(chunk(text("a"), usage={}) for _ in range(40_000))),
    "40,000 sentences": lambda: sse(*(chunk(text("a.\n"), usage={}) for _ in range(40_000))),
    "4 MB of text": lambda: sse(chunk(text("word " * 800_000), finish="STOP")),
    "a line without an end": lambda: Raw((b"data: " + b"x" * 5_000_000,), "text/event-stream"),
}  # fmt: skip


class Model:
    """Answers the neighbour, and the other client's question with the worst, until its results come back."""

    worst: Raw

    def __call__(self, ask: Ask) -> Answer:
        asked = [part.text for message in ask.messages for part in message.parts if isinstance(part, TextPart)]
        if any(ATTACK in words for words in asked) and not ask.results:
            return self.worst
        return Reply(parts=(TextPart("Pronto."),))


@pytest.fixture(scope="module")
def model() -> Model:
    return Model()


@pytest.fixture(scope="module")
async def house(furnished: Settings, tmp_path_factory: pytest.TempPathFactory, model: Model) -> AsyncIterator[Process]:
    """It has answered before: what a process does once, such as its imports, is not the model's doing."""
    logs: Path = tmp_path_factory.mktemp("logs")
    async with ModelServer(model, keep=False) as server:
        env = {
            "BEERFORYOU_MODEL": "gemini:gemini-2.5-flash", "GEMINI_API_KEY": "k", "BEERFORYOU_GEMINI_BASE_URL": server.url,
        }  # fmt: skip
        async with installed(furnished, logs, env) as process:
            model.worst = sse(chunk(call("search_breweries", {"city": "Denver"}), finish="STOP"))
            await asked(process.address, bearer(furnished, MINE, 600))
            yield process


@pytest.mark.parametrize("worst", WORST)
async def test_a_neighbour_notices_nothing(house: Process, furnished: Settings, model: Model, worst: str) -> None:
    model.worst = WORST[worst]()
    async with undisturbed(house, furnished) as waits:
        for _ in range(TIMES):
            run = await asked(house.address, bearer(furnished, MINE, 600))
            assert run["status"] == "succeeded", run
            assert len(msgspec.json.encode(run)) < 200_000, "what is kept of it"
    print(f"{worst}: /healthz {waits.health:.3f} s, answer {waits.answer:.3f} s")


async def asked(address: str, headers: dict[str, str]) -> dict[str, Any]:
    async with aiohttp.ClientSession(address, headers=headers) as http:
        async with http.post("/v1/runs", json={"message": ATTACK}) as response:
            accepted = await response.json()
        url = f"/v1/runs/{accepted['run_id']}?include=steps"
        async with http.get(url, headers={"prefer": "wait=60"}) as response:
            run: dict[str, Any] = await response.json()
    return run
