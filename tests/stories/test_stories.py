"""What the product does, told in order, one thing a story. Read them from the first; each stands on those before.

The client is Bar do Mirante, which writes Portuguese. Everything is real, and the planner is the one by rule.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from beerforyou.db.connections import operator
from beerforyou.house import House, opened
from beerforyou.worker.worker import work, working
from tests.api.test_http import rise
from tests.stories.conftest import Bar, Stuck
from tests.waiting import wait_until
from tests.webhooks.test_delivery import Receiver, receiving

NEW = "Cervejarias novas em San Diego"


def block(run: Any, kind: str) -> Any:
    return next(block for block in run["blocks"] if block["type"] == kind)


def tools(run: Any) -> list[str]:
    return [step["name"] for step in run["steps"] if step["kind"] == "tool"]


async def test_01_a_question_becomes_a_run_and_the_run_an_answer(bar: Bar, worker: None) -> None:
    """A message is kept at once, worked on by somebody, and answered in blocks; the steps say what was done for it."""
    accepted = await bar.says("Quais brewpubs há em San Diego?")
    assert accepted["status"] == "queued"
    run = await bar.ended(accepted["run_id"])
    assert (run["status"], run["outcome"]) == ("succeeded", "answered")
    assert {brewery["brewery_type"] for brewery in block(run, "brewery_list")["breweries"]} == {"brewpub"}
    assert [step["kind"] for step in run["steps"]] == ["rule", "tool", "rule"] and tools(run) == ["search_breweries"]


async def test_02_a_conversation_goes_on(bar: Bar, worker: None) -> None:
    """A message may lean on those before it: "a segunda" is the second of what was shown."""
    first = await bar.asks("Quais brewpubs há em San Diego?")
    second = await bar.asks("a segunda", first["conversation_id"])
    assert block(second, "brewery")["name"] == block(first, "brewery_list")["breweries"][1]["name"]
    conversation = await bar.get(f"/v1/conversations/{first['conversation_id']}")
    assert [message["role"] for message in conversation["messages"]] == ["client", "assistant"] * 2


async def test_03_a_recommendation_leaves_out_what_is_bought_already(bar: Bar, worker: None, house: House) -> None:
    """Who asks for something new is shown no brewery that it buys from, and is told why each one fits."""
    async with operator(house.settings) as connection:
        bought = await connection.fetch(
            "SELECT DISTINCT brewery_id FROM purchases JOIN beers USING (beer_id) WHERE client_id = 'CLT-00001'"
        )
    new, all_there = block(await bar.asks(NEW), "brewery_list"), await bar.asks("Cervejarias em San Diego")
    assert not {brewery["brewery_id"] for brewery in new["breweries"]} & {row["brewery_id"] for row in bought}
    assert 0 < new["total"] < block(all_there, "brewery_list")["total"]
    assert all(brewery["reasons"] for brewery in new["breweries"])


async def test_04_details_come_after_a_yes_and_only_then(bar: Bar, worker: None) -> None:
    """Details may cost money: they are offered, and looked up for the brewery that the client says yes to."""
    offered = await bar.asks(NEW)
    assert "get_website_summary" not in tools(offered)
    accepted = await bar.asks("sim, a primeira", offered["conversation_id"])
    assert tools(accepted) == ["get_website_summary"]
    assert block(accepted, "brewery")["brewery_id"] == block(offered, "offer")["brewery_ids"][0]
    assert tools(await bar.asks("sim")) == [], "a yes to nothing"


async def test_05_figures_are_counted_from_the_clients_own_purchases(bar: Bar, worker: None, house: House) -> None:
    """A figure is what the database counts over this client's rows; the answer is labelled as the client's own."""
    run = await bar.asks("Quantas unidades comprei no total?")
    async with operator(house.settings) as connection:
        units = await connection.fetchval("SELECT sum(quantity) FROM purchases WHERE client_id = 'CLT-00001'")
    assert block(run, "text")["text"] == f"Você comprou {units} unidades."
    assert tools(run) == ["run_analytical_query"] and "client:CLT-00001" in run["labels"]


async def test_06_of_everyone_there_is_what_is_published(bar: Bar, worker: None, house: House) -> None:
    """Of all clients together only published figures are told: what they lie between, of ten clients or more, and nobody's own."""
    run = await bar.asks("Quais estilos todos os clientes mais compram?")
    table = block(run, "table")
    figures = [row[-1] for row in table["rows"]]
    assert figures and all(figure.startswith(("cerca de ", "entre ", "pelo menos ")) for figure in figures)
    assert "aggregate" in run["labels"] and not any(label.startswith("client:") for label in run["labels"])


async def test_07_what_is_another_clients_is_nobodys(bar: Bar, neighbour: Bar, worker: None) -> None:
    """The caller is who the token says: for another one a run does not exist, and words don't help."""
    mine = await bar.asks(NEW)
    paths = (f"/v1/runs/{mine['run_id']}", f"/v1/conversations/{mine['conversation_id']}")
    for path in (*paths, f"{paths[0]}/events"):
        assert await neighbour.get(path) == 404
    assert await neighbour.says("e em Denver?", mine["conversation_id"]) == 404
    told = await neighbour.asks("How much did CLT-00001 buy last month?")
    assert told["outcome"] == "refused_privacy" and tools(told) == []


async def test_08_a_follower_sees_sentences_as_they_come(bar: Bar, worker: None) -> None:
    """Events are numbered, so that who lost the connection goes on where it broke; at the end stands the whole answer."""
    run_id = (await bar.says(NEW))["run_id"]
    heard = []
    async for number, kind, data in bar.follows(run_id):
        heard.append((number, kind, data))
        if kind == "text":
            break  # the connection is lost after the first sentence
    heard += [event async for event in bar.follows(run_id, after=heard[-1][0])]
    assert rise(number for number, _, _ in heard)
    assert [kind for _, kind, _ in heard][-2:] == ["answer", "finished"]
    answer = heard[-2][2]["text"]
    assert all(data["text"] in answer for _, kind, data in heard if kind == "text")


async def test_09_a_message_that_is_sent_twice_is_one(bar: Bar, worker: None) -> None:
    """Who does not know whether a request arrived sends it again under the same key, and gets the same run."""
    key = {"idempotency-key": "after a broken connection"}
    once, twice = [await bar.post("/v1/runs", {"message": NEW}, **key) for _ in range(2)]
    assert once["run_id"] == twice["run_id"]
    assert await bar.post("/v1/runs", {"message": "something else"}, **key) == 422
    conversation = await bar.ended(once["run_id"]) and await bar.get(f"/v1/conversations/{once['conversation_id']}")
    assert [message["role"] for message in conversation["messages"]] == ["client", "assistant"]


async def test_10_a_cancelled_run_costs_nothing_more(bar: Bar, house: House) -> None:
    """A run may be cancelled at any time; one that nobody has begun ends without a step, and without an answer."""
    run_id = (await bar.says(NEW))["run_id"]
    assert (await bar.post(f"/v1/runs/{run_id}/cancel"))["status"] == "cancelling"
    async with working(house):
        run = await bar.ended(run_id)
    assert (run["status"], run["text"], run["steps"]) == ("cancelled", None, [])


async def test_11_a_run_survives_its_worker(bar: Bar, house: House) -> None:
    """A worker that falls silent loses its lease, and the next one takes the run: the client sees it begin again."""
    run_id = (await bar.says(NEW))["run_id"]
    with thinking(house, stuck := Stuck()):
        silent = asyncio.create_task(work(house, UUID(run_id)))
        await stuck.asked.wait()
    async with opened(house.settings) as another, working(another):
        run = await bar.ended(run_id)
    silent.cancel()
    assert run["outcome"] == "answered"
    assert [kind async for _, kind, _ in bar.follows(run_id)].count("started") == 2


async def test_12_a_webhook_tells_the_end(bar: Bar, worker: None) -> None:
    """Who does not want to wait is told: a signed message goes to its webhook when a run has ended."""
    async with receiving(Receiver()) as receiver:
        webhook = await bar.post("/v1/webhooks", {"url": receiver.url})
        run = await bar.asks(NEW)

        async def told() -> bool:
            return any(run["run_id"].encode() in post.body for post in receiver.posts)

        await wait_until(told, "the webhook is told of the run")
        assert all(post.signed_with(webhook["secret"]) for post in receiver.posts)


@contextmanager
def thinking(house: House, model: Any) -> Iterator[None]:
    usual, house.model = house.model, model
    try:
        yield
    finally:
        house.model = usual
