"""Questions about purchases: my own, the stored profile, and everybody's together."""

import pytest

from beerforyou.reading.reading import Question
from tests.reading.conftest import Said


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("quanto gastei em março?", Question(measure="amount", since="2026-03-01", until="2026-04-01")),
        ("how many IPAs did I order last month?", Question(style="ipa", since="2026-10-01", until="2026-11-01")),
        ("o que mais compro?", Question(by="beer")),
        ("qual cerveja eu menos compro?", Question(by="beer", direction="least")),
        ("top 5 cervejas que mais compro", Question(by="beer", limit=5)),
        ("gastos por mês", Question(measure="amount", by="month")),
        ("my spending by style", Question(measure="amount", by="style")),
        ("em que dia da semana eu compro mais?", Question(by="weekday")),
        ("quantos pedidos fiz em 2025?", Question(measure="orders", since="2025-01-01", until="2026-01-01")),
        ("de quantas cervejarias eu compro?", Question(measure="breweries")),
        ("how many different beers have I bought?", Question(measure="beers")),
        ("quanto gastei com a Alter?", Question(measure="amount", brewery="Alter Brewing Company")),
        ("how much did I spend on brewpubs in Oregon?", Question(measure="amount", type="brewpub", state="Oregon")),
    ],
)
def test_my_purchases(said: Said, text: str, question: Question) -> None:
    reading = said(text)
    assert (reading.intent, reading.tool) == ("own_data", "run_analytical_query")
    assert reading.question == question


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("qual a cerveja mais comprada no Texas?", Question(about="everyone", by="beer", state="Texas")),
        ("most popular style in Oregon", Question(about="everyone", by="style", state="Oregon")),
        ("what are other bars in Austin buying?", Question(about="everyone", city="Austin")),
        ("top 10 beers among all clients", Question(about="everyone", by="beer", limit=10)),
    ],
)
def test_everybodys_purchases(said: Said, text: str, question: Question) -> None:
    reading = said(text)
    assert (reading.intent, reading.tool) == ("statistics", "run_analytical_query")
    assert reading.question == question


@pytest.mark.parametrize(
    "text",
    [
        "o que você sabe sobre mim?",
        "who am I?",
        "meu histórico de compras",
        "show my profile",
        "o que eu costumo comprar?",
        "my favourite beers",
        "mostra meu perifl",
    ],
)
def test_what_is_stored_about_me(said: Said, text: str) -> None:
    assert said(text).tool == "get_client_profile"


@pytest.mark.parametrize(
    "text", ["minhas 5 cervejas preferidas", "my favourite beers this year", "meu histórico de março"]
)
def test_what_has_to_be_counted_is_no_profile(said: Said, text: str) -> None:
    assert said(text).tool == "run_analytical_query"
