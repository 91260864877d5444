"""What needs no tool: the distributor's matters, words of the trade, and the language they are answered in."""

import asyncpg
import pytest
from msgspec.structs import replace

from beerforyou.answering.small_talk import contact
from beerforyou.house import House
from beerforyou.sentences import LANGUAGES, say, sentences
from beerforyou.settings import Settings
from tests.conftest import Walk

REACHED = {"operator_name": "Sol Drinks", "operator_phone": "(619) 555-0134", "operator_hours": "Mon-Fri 9-17"}


@pytest.mark.parametrize(
    ("message", "topic"),
    [
        ("quero fazer um pedido", "order"),
        ("como faço pra comprar da Stone?", "order"),
        ("quanto custa o barril de IPA?", "price"),
        ("tem desconto pra pagar a vista?", "offer"),
        ("tem stout em estoque", "stock"),
        ("cadê minha entrega??", "delivery"),
        ("me manda a 2a via do boleto", "invoice"),
        ("dá pra parcelar no cartão", "payment"),
        ("vieram 3 garrafas quebradas", "complaint"),
        ("qual o telefone do distribuidor?", "contact"),
        ("quero mudar meu cadastro, atualizar cadastro", "account"),
        ("how do i order from Stone?", "order"),
        ("any discounts this week?", "offer"),
        ("is the porter in stock", "stock"),
        ("where is my order", "delivery"),
        ("i need an invoice copy", "invoice"),
        ("the beer was expired", "complaint"),
        ("do you take payment by wire transfer", "payment"),
    ],
)
async def test_the_distributors_matters_name_who_helps(walk: Walk, house: House, message: str, topic: str) -> None:
    house.settings, usual = replace(house.settings, **REACHED), house.settings
    try:
        run = await walk(message)
    finally:
        house.settings = usual
    opening = {sentences(language)[f"distributor.{topic}"].partition("{")[0] for language in LANGUAGES}
    assert run["outcome"] == "answered" and run["text"].startswith(tuple(opening))
    assert "Sol Drinks" in run["text"] and "(619) 555-0134" in run["text"] and "Mon-Fri 9-17" in run["text"]
    assert not [step for step in run["steps"] if step["kind"] == "tool"]


def test_who_helps_as_far_as_it_is_known() -> None:
    assert contact(Settings(), "pt") == "o seu distribuidor"
    assert contact(Settings(operator_phone="123"), "en") == "your distributor (phone 123)"
    assert contact(Settings(operator_name="Sol"), "en") == "Sol"


@pytest.mark.parametrize(
    ("message", "says"),
    [
        ("o que é um brewpub?", ["Brewpub:"]),
        ("oq é ipa", ["IPA ("]),
        ("qual a diferença entre lager e ale", ["Lager:", "Ale:"]),
        ("what does IBU mean?", ["IBU:"]),
        ("whats the difference between a stout and a porter", ["Stout:", "Porter:"]),
    ],
)
async def test_words_of_the_trade_are_told_in_a_line(walk: Walk, message: str, says: list[str]) -> None:
    run = await walk(message)
    assert all(word in run["text"] for word in says) and len(run["text"]) < 300


@pytest.mark.parametrize(
    "message", ["what are brewpubs in Denver", "o que eu compro de ipa", "diferença entre outubro e setembro"]
)
async def test_what_asks_for_more_than_a_word_is_no_lesson(walk: Walk, message: str) -> None:
    run = await walk(message)
    assert not any(
        text in run["text"]
        for language in LANGUAGES
        for key, text in sentences(language).items()
        if key.startswith("know.")
    )


@pytest.mark.parametrize("message", ["?", "ok", "info", "!!"])
async def test_a_conversation_begins_in_the_clients_language(walk: Walk, house: House, message: str) -> None:
    admin = await asyncpg.connect(house.settings.database_admin_url)
    clients = dict(await admin.fetch("SELECT language, min(client_id) FROM core.clients GROUP BY language"))
    await admin.close()
    for language in ("pt", "en"):
        run = await walk(message, client=clients[language])
        assert say("talk.offline", language) in run["text"]
