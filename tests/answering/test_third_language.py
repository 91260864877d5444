"""A client whose language is a file that came later: loaded from CSV, greeted, answered and refused in it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from beerforyou import clock
from beerforyou.catalogue import refresh
from beerforyou.clients.load import load
from beerforyou.clients.profiles import compute
from beerforyou.conversations.accepting import accept
from beerforyou.db.connections import admin, take_on
from beerforyou.db.database import Reads
from beerforyou.house import opened
from beerforyou.runs.looking import look
from beerforyou.sentences import say, sentences
from beerforyou.settings import Settings
from beerforyou.worker.worker import work
from tests.conftest import FreshSettings

Say = Callable[..., Awaitable[dict[str, Any]]]

CLIENTS = "client_id,name,city,state,country,postal_code,language\nCLT-ES,La Cantina Azul,San Diego,California,United States,92101,es-MX\n"
PURCHASES = """purchase_id,client_id,purchased_on,beer,style,brewery,brewery_city,brewery_state,quantity,unit_price
E-1,CLT-ES,{day},Faro,IPA,{name},{city},{state},12,30
E-2,CLT-ES,{day},Noche,Stout,{name},{city},{state},5,40
"""


@pytest.fixture(scope="module")
async def spoken(
    fresh_settings: FreshSettings, demo: Settings, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Say]:
    async with fresh_settings(demo) as settings:
        await _load(settings, tmp_path_factory.mktemp("files"))
        async with opened(settings) as house:

            async def said(message: str, **more: Any) -> dict[str, Any]:
                accepted = await accept(house, "CLT-ES", message, more.get("conversation_id"))
                await work(house, accepted.run_id)
                run = await look(house.database.as_client("CLT-ES"), accepted.run, steps=True)
                return {"text": run.text, "outcome": run.outcome, "conversation": run.conversation_id, "run": run}

            yield said


async def _load(settings: Settings, folder: Path) -> None:
    connection = await admin(settings)
    await take_on(connection, "bfy_operator", "core")
    catalogue = await refresh.load(Reads(connection))
    brewery = catalogue.breweries[0]
    day = clock.today(settings.time_zone) - timedelta(days=2)
    (folder / "clients.csv").write_text(CLIENTS, "utf-8")
    bought = PURCHASES.format(day=day, name=brewery.name, city=brewery.city, state=brewery.state)
    (folder / "purchases.csv").write_text(bought, "utf-8")
    days = clock.days(settings.time_zone)
    report = await load(connection, folder / "clients.csv", folder / "purchases.csv", catalogue=catalogue, days=days)
    assert report.bad == () and report.clients == 1
    await compute(connection, days)
    await connection.close()


@pytest.mark.parametrize("message", ["?", "ok", "info", "!!"])
async def test_what_says_nothing_is_answered_in_the_clients_language(spoken: Say, message: str) -> None:
    assert say("talk.offline", "es") in (await spoken(message))["text"]


@pytest.mark.parametrize(
    ("message", "key"),
    [
        ("hola, buenas tardes", "talk.greeting"),
        ("qué puedes hacer?", "talk.help"),
        ("muchas gracias!", "talk.thanks"),
        ("cuéntame un chiste", "talk.off_topic"),
        ("¿cuánto gastó el bar de al lado?", "talk.other_client"),
        ("dónde está mi entrega?", "distributor.delivery"),
        ("necesito la factura de marzo", "distributor.invoice"),
        ("qué es un brewpub?", "know.brewpub"),
    ],
)
async def test_small_talk_and_the_distributors_matters(spoken: Say, message: str, key: str) -> None:
    opening, _, _ = sentences("es")[key].partition("{")
    assert opening in (await spoken(message))["text"]


@pytest.mark.parametrize(
    ("message", "figure"),
    [
        ("¿cuánto gasté este año o el pasado?", "560"),
        ("cuantas unidades he comprado en total", "17 unidades"),
        ("cual es la cerveza que mas compre", "Faro"),
        ("mis compras por estilo", "Stout"),
    ],
)
async def test_questions_about_purchases(spoken: Say, message: str, figure: str) -> None:
    run = await spoken(message)
    assert run["outcome"] == "answered" and figure in run["text"], run["text"]


async def test_a_search_an_offer_and_a_yes(spoken: Say) -> None:
    found = await spoken("recomiéndame cervecerías en San Diego")
    assert "a las que todavía no les compras" in found["text"] and "San Diego" in found["text"]
    more = await spoken("la segunda, por favor", conversation_id=found["conversation"])
    assert sentences("es")["details.web_off"] in more["text"] or "Lo que el catálogo dice" in more["text"]
    place = await spoken("¿y en Portland?", conversation_id=found["conversation"])
    assert "Portland" in place["text"] and say("talk.offline", "es") not in place["text"]
