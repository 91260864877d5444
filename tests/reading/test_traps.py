"""Near misses: sentences that look alike and ask for something else must not be read as one; paraphrases must."""

import pytest

from beerforyou.reading.reading import Reading
from tests.reading.conftest import Said


def key(reading: Reading) -> tuple[object, ...]:
    """What the semantic cache compares."""
    said = reading.leftover, reading.aside, reading.also and key(reading.also)
    return reading.intent, reading.search, reading.question, reading.brewery, reading.negated, *said


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("cervejarias novas em San Diego", "cervejarias novas em San José"),
        ("breweries in Virginia", "breweries in West Virginia"),
        ("breweries in Portland, Oregon", "breweries in Portland, Maine"),
        ("cervejarias novas em San Diego", "cervejarias que eu já compro em San Diego"),
        ("cervejarias em San Diego", "cervejarias novas em San Diego"),
        ("top 3 cervejas que mais compro", "top 5 cervejas que mais compro"),
        ("qual cerveja eu mais compro", "qual cerveja eu menos compro"),
        ("quanto gastei em março", "quanto gastei em maio"),
        ("quanto gastei em março", "quanto gastei desde março"),
        ("quanto gastei em março de 2025", "quanto gastei em março de 2026"),
        ("o que comprei na segunda", "o que comprei na terça"),
        ("o que comprei na segunda", "a segunda"),
        ("what did I buy last Monday", "what did I buy last Friday"),
        ("quanto gastei com IPA", "quanto gastei com stout"),
        ("quanto gastei por mês", "quanto gastei por semana"),
        ("quanto gastei", "quantos pedidos fiz"),
        ("quando comprei stout", "quanto comprei de stout"),
        ("quais stouts comprei em março", "quais stouts não comprei em março"),
        ("qual a cerveja mais comprada no Texas", "qual a cerveja que mais compro no Texas"),
        ("most popular beer in Texas", "most popular style in Texas"),
        ("tell me about Stone Brewing", "where is Stone Brewing?"),
        ("tell me about the history of Alter", "tell me about the beers of Alter"),
        ("brewpubs em Denver", "microcervejarias em Denver"),
        ("breweries near me", "breweries near Denver"),
        ("breweries within 10 km of Denver", "breweries within 10 miles of Denver"),
        ("am I spending more than last month?", "how much did I spend last month?"),
        ("cervejarias em Denver", "cervejarias em Denver que não sejam brewpubs"),
        ("quanto gastei com IPA e stout", "quanto gastei com IPA"),
        ("quanto gastei sem IPA", "quanto gastei com IPA"),
        ("how much did I spend in Denver and Boulder", "how much did I spend in Denver"),
        ("quanto gastei com tudo menos micro", "quanto gastei com tudo menos brewpubs"),
        ("how many boxes of stout did I buy", "how many bottles of stout did I buy"),
        ("spent before 2024", "spent before 2025"),
        ("quanto gastei com IPA menos stout", "quanto gastei com IPA e stout"),
        ("quanto gastei em outubro e novembro", "quanto gastei de outubro a novembro"),
        ("gasto médio por mês", "gasto por mês"),
        ("gasto médio por pedido", "gasto médio por mês"),
        ("when did I first buy stout", "when did I last buy stout"),
        ("quando comprei stout", "há quantos dias não compro stout"),
        ("cervejas que comprei uma vez só", "cervejas que comprei"),
        ("quais cervejas parei de comprar", "quais cervejas comecei a comprar"),
        ("meu maior pedido", "meu último pedido"),
        ("minha cerveja mais cara", "minha cerveja mais comprada"),
        ("what share of my spend is stout", "how much did I spend on stout"),
        ("top 3 beers by revenue", "top 3 beers by volume"),
        ("quanto gastei com Hazy Moth IPA", "quanto gastei com Hazy Moon IPA"),
        ("quanto comprei de IPA", "quanto vendi de IPA"),
        ("which stouts did I buy in march", "which stouts did I not buy in march"),
        ("gastei mais em outubro ou novembro", "gastei menos em outubro ou novembro"),
        ("gastei mais em outubro que em setembro?", "gastei mais em setembro que em outubro?"),
        ("quantas cervejas comprei", "quantas cervejas diferentes comprei"),
        ("breweries in Texas", "breweries near Texas"),
        ("breweries in Denver", "more breweries in Denver"),
        ("breweries in Denver", "other breweries in Denver"),
        ("breweries in Denver", "breweries already in Denver"),
        ("breweries in Denver", "breweries in Denver with a menu"),
        ("breweries in Denver for my menu", "breweries in Denver with a menu"),
        ("breweries in Denver", "when breweries in Denver"),
        ("breweries in Denver", "how are breweries in Denver"),
        ("breweries in Denver", "breweries opening in Denver"),
        ("breweries in Denver", "breweries in Denver that other bars like"),
        ("breweries near me", "breweries near my cousin"),
        ("breweries in Austin", "my breweries in Austin"),
        ("cervejarias em Austin", "minhas cervejarias em Austin"),
        ("cervejarias em Denver", "mais cervejarias em Denver"),
        ("cervejarias no Texas", "cervejarias perto do Texas"),
        ("cervejarias em Denver pro meu cardápio", "cervejarias em Denver com cardápio"),
        ("cervejarias em Austin que ainda não compro", "cervejarias em Austin que ainda compro"),
        ("cervejarias em Austin que ainda não compro", "cervejarias em Austin que já não compro"),
        ("breweries in Austin I haven't bought from", "breweries in Austin I don't buy from anymore"),
        ("breweries in Austin that I could order from", "breweries in Austin that I order from"),
        ("surprise me with a brewery I've never had", "surprise me with a brewery I've had"),
        ("recomenda cervejarias que fazem IPA em Austin", "recomenda cervejarias que não fazem IPA em Austin"),
        ("recommend breweries in Austin", "recommend breweries similar to the ones I buy in Austin"),
        ("breweries within 10 miles of Denver", "breweries more than 10 miles from Denver"),
        ("me recomenda brewpubs em Denver", "me recomenda brewpubs em Denver tipo a Zorblat"),
        ("favorite breweries in Denver", "breweries in Denver"),
        (
            "não quero o site, só onde fica a Alter Brewing Company",
            "não quero o dono, só onde fica a Alter Brewing Company",
        ),
        ("cervecerías en Texas", "cervecerías cerca de Texas"),
        ("cervecerías en Austin que todavía no compro", "cervecerías en Austin que todavía compro"),
        ("tell me about Stone Brewing", "tell me about Stone Brewing in Chicago"),
        ("tell me about Stone Brewing", "don't tell me about Stone Brewing"),
    ],
)
def test_traps_are_read_differently(said: Said, one: str, other: str) -> None:
    assert key(said(one)) != key(said(other))


@pytest.mark.parametrize(("one", "other"), [("a primeira", "a segunda"), ("the first one", "the last one")])
def test_fingers_that_point_elsewhere_lean(said: Said, one: str, other: str) -> None:
    """Only the conversation tells them apart, so neither may be answered without it."""
    assert said(one).leans
    assert said(other).leans


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("cervejarias novas em San Diego", "me mostra cervejarias novas em San Diego, por favor"),
        ("breweries in Portland, OR", "breweries in Portland, Oregon"),
        ("quanto gastei mês passado?", "qto gastei no mes passado"),
        ("brewpubs in Denver", "Hi! Which brewpubs are there in Denver?"),
        ("me fala da Alter", "quero saber mais sobre a Alter Brewing Company"),
        ("most popular beer in Texas", "what's the most popular beer in texas?"),
        ("cervejarias em Munique", "cervejarias em München"),
    ],
)
def test_paraphrases_are_read_alike(said: Said, one: str, other: str) -> None:
    assert key(said(one)) == key(said(other))
