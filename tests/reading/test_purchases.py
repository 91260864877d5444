"""Questions about purchases: my own, the stored profile, and everybody's together. Today is Sunday, 22 November 2026."""

import pytest

from beerforyou.reading.question import Bound, Filter, Question, Span
from beerforyou.reading.reading import Context, Search
from tests.reading.conftest import Said

OCTOBER, NOVEMBER = Span(since="2026-10-01", until="2026-10-31"), Span(since="2026-11-01", until="2026-11-30")
SEPTEMBER, MARCH = Span(since="2026-09-01", until="2026-09-30"), Span(since="2026-03-01", until="2026-03-31")
AMOUNT, PRICE, ORDERS = ("amount",), ("price",), ("orders",)
BEER, BREWERY, STYLE, MONTH, ORDER = ("beer",), ("brewery",), ("style",), ("month",), ("order",)


def of(field: str, *values: str, no: bool = False) -> Filter:
    return Filter(field=field, values=values, negated=no)  # type: ignore[arg-type]


IPA, STOUT = (of("style", "ipa"),), (of("style", "stout"),)

TOTALS = [
    ("quanto gastei em março?", Question(measures=AMOUNT, spans=(MARCH,))),
    ("how much did I spend in march", Question(measures=AMOUNT, spans=(MARCH,))),
    ("how many IPAs did I order last month?", Question(filters=IPA, spans=(OCTOBER,))),
    ("qts ipa pedi mes passado", Question(filters=IPA, spans=(OCTOBER,))),
    ("comprei stout em outubro?", Question(filters=STOUT, spans=(OCTOBER,))),
    ("quantos pedidos fiz em outubro?", Question(measures=ORDERS, spans=(OCTOBER,))),
    ("quantas vezes comprei stout em outubro", Question(measures=ORDERS, filters=STOUT, spans=(OCTOBER,))),
    ("how many times did i buy stout in october", Question(measures=ORDERS, filters=STOUT, spans=(OCTOBER,))),
    ("de quantas cervejarias eu compro?", Question(measures=("breweries",))),
    ("how many different beers have I bought?", Question(measures=("beers",))),
    ("de quantos estilos eu comprei em outubro", Question(measures=("styles",), spans=(OCTOBER,))),
    ("quantas unidades e quanto gastei em setembro", Question(measures=("quantity", "amount"), spans=(SEPTEMBER,))),
    ("quantas caixas de stout comprei", Question(filters=STOUT, unit="box")),
    ("how many kegs did we order in october", Question(spans=(OCTOBER,), unit="keg")),
    ("quanto gastei em outubro e em setembro?", Question(measures=AMOUNT, spans=(SEPTEMBER, OCTOBER))),
    ("quanto gastei de setembro a outubro", Question(measures=AMOUNT, spans=(Span(since="2026-09-01", until="2026-10-31"),))),
    ("preço médio da IPA", Question(measures=PRICE, filters=IPA)),
    ("average price I pay per unit", Question(measures=PRICE)),
    ("quanto paguei por unidade na Stone", Question(measures=PRICE, filters=(of("brewery", "Stone"),))),
]  # fmt: skip
FILTERS = [
    ("quanto gastei com a Alter?", (of("brewery", "Alter Brewing Company"),)),
    ("how much did I spend on brewpubs in Oregon?", (of("state", "Oregon"), of("type", "brewpub"))),
    ("quanto gastei sem contar IPA", (of("style", "ipa", no=True),)),
    ("how much did I spend on everything except stout and lager", (of("style", "stout", "lager", no=True),)),
    ("quanto gastei com IPA e stout", (of("style", "ipa", "stout"),)),
    ("quanto gastei com IPA, stout e lager", (of("style", "ipa", "stout", "lager"),)),
    ("quanto gastei com IPA menos Alter", (of("brewery", "Alter Brewing Company", no=True), of("style", "ipa"))),
    ("quanto gastei com cervejarias do Texas que não são brewpub", (of("state", "Texas"), of("type", "brewpub", no=True))),
    ("quanto gastei com Rook Quarry Hazy IPA", (of("beer", "Rook Quarry Hazy IPA"),)),
    ("how much did I spend on Thistle Lantern Wheat Beer", (of("beer", "Thistle Lantern Wheat Beer"),)),
    ("quanto gastei com a cerveja Coral Timber Amber Ale", (of("beer", "Coral Timber Amber Ale"),)),
    ('quanto gastei com "Beer of the Month"', (of("beer", "Beer of the Month"),)),
    ("how much did I spend on Beer 1", (of("beer", "Beer 1"),)),
    ("quanto gastei com o fornecedor Zorbeck", (of("brewery", "Zorbeck"),)),
]  # fmt: skip
SUMS = [
    ("average order value", Question(measures=AMOUNT, aggregate="mean", per="order")),
    ("ticket médio", Question(measures=AMOUNT, aggregate="mean", per="order")),
    ("valor medio por pedido", Question(measures=AMOUNT, aggregate="mean", per="order")),
    ("mean units per order", Question(aggregate="mean", per="order")),
    ("qual meu gasto medio por mes", Question(measures=AMOUNT, aggregate="mean", per="month")),
    ("how much do I spend a week", Question(measures=AMOUNT, aggregate="mean", per="week")),
    ("how often do I order", Question(measures=ORDERS, aggregate="mean", per="month")),
    ("what percentage of my spend is IPA", Question(measures=AMOUNT, aggregate="share", filters=IPA)),
    ("que fatia das minhas compras é stout", Question(aggregate="share", filters=STOUT)),
    ("participação de cada estilo", Question(aggregate="share", by=STYLE)),
    ("outubro vs novembro", Question(aggregate="change", spans=(OCTOBER, NOVEMBER))),
    ("november compared to october", Question(aggregate="change", spans=(OCTOBER, NOVEMBER))),
    ("quanto aumentou meu gasto de setembro pra outubro", Question(measures=AMOUNT, aggregate="change", spans=(SEPTEMBER, OCTOBER))),
    ("gastei mais esse mes que mes passado?", Question(measures=AMOUNT, aggregate="change", spans=(OCTOBER, NOVEMBER), direction="most")),
    ("am I spending more than last month?", Question(measures=AMOUNT, aggregate="change", spans=(OCTOBER, NOVEMBER), direction="most")),
    ("did i spend less in october or september", Question(measures=AMOUNT, spans=(SEPTEMBER, OCTOBER), direction="least")),
    ("month over month growth", Question(aggregate="change", by=MONTH)),
    ("minhas compras tao subindo ou caindo?", Question(aggregate="change", by=MONTH)),
    ("has the price of stout gone up?", Question(measures=PRICE, aggregate="change", by=MONTH, filters=STOUT)),
    ("a stout ficou mais cara?", Question(measures=PRICE, aggregate="change", by=MONTH, filters=STOUT)),
    ("gastei mais com IPA ou stout?", Question(measures=AMOUNT, by=STYLE, filters=(of("style", "ipa", "stout"),), direction="most")),
]  # fmt: skip
DATES = [
    ("when did i last order", Question(aggregate="last")),
    ("data da minha ultima compra", Question(aggregate="last")),
    ("quando foi a ultima vez q comprei stout", Question(aggregate="last", filters=STOUT)),
    ("last time i bought an IPA", Question(aggregate="last", filters=IPA)),
    ("first purchase date", Question(aggregate="first")),
    ("qdo comecei a comprar com vcs", Question(aggregate="first")),
    ("desde quando compro da Alter", Question(aggregate="first", filters=(of("brewery", "Alter Brewing Company"),))),
    ("ha quantos dias nao peço nada", Question(aggregate="since")),
    ("how long since I last bought stout", Question(aggregate="since", filters=STOUT)),
    ("em que mês parei de comprar stout?", Question(aggregate="last", filters=STOUT)),
    ("faz mais de um mes que nao compro stout?", Question(aggregate="since", filters=STOUT)),
    ("quando comprei stout", Question(aggregate="list", by=("day",), filters=STOUT)),
    ("quanto gastei no ultimo pedido", Question(measures=AMOUNT, only_order="last")),
    ("what was in my last order", Question(aggregate="list", by=BEER, only_order="last")),
    ("o que comprei no meu ultimo pedido", Question(aggregate="list", by=BEER, only_order="last")),
    ("qual foi meu primeiro pedido", Question(measures=("quantity", "amount"), aggregate="list", by=ORDER, only_order="first")),
    ("my last 5 orders", Question(measures=("quantity", "amount"), aggregate="list", by=ORDER, only_order="last", limit=5)),
]  # fmt: skip
RANKS = [
    ("o que mais compro?", Question(by=BEER, direction="most")),
    ("qual cerveja eu menos compro?", Question(by=BEER, direction="least", limit=1)),
    ("qual minha cerveja mais comprada", Question(by=BEER, direction="most", limit=1)),
    ("top 5 cervejas que mais compro", Question(by=BEER, direction="most", limit=5)),
    ("os 3 estilos que menos compro", Question(by=STYLE, direction="least", limit=3)),
    ("my bottom three beers", Question(by=BEER, direction="least", limit=3)),
    ("top 5 beers by revenue", Question(measures=AMOUNT, by=BEER, direction="most", limit=5)),
    ("which month did i spend the most", Question(measures=AMOUNT, by=MONTH, direction="most", limit=1)),
    ("em que dia da semana eu compro mais?", Question(by=("weekday",), direction="most", limit=1)),
    ("my biggest order", Question(measures=AMOUNT, by=ORDER, direction="most", limit=1)),
    ("qual meu maior pedido", Question(measures=AMOUNT, by=ORDER, direction="most", limit=1)),
    ("my cheapest beer", Question(measures=PRICE, by=BEER, direction="least", limit=1)),
    ("qual a mais barata que compro", Question(measures=PRICE, by=BEER, direction="least", limit=1)),
    ("which supplier gives me the best price", Question(measures=PRICE, by=BREWERY, direction="least", limit=1)),
    ("qual cervejaria me custa mais", Question(measures=AMOUNT, by=BREWERY, direction="most", limit=1)),
    ("quanto gastei com as 3 cervejas mais compradas", Question(measures=("quantity", "amount"), by=BEER, direction="most", limit=3)),
    ("qual foi o mês mais fraco", Question(by=MONTH, direction="least", limit=1)),
    ("quantas unidades por estilo, do maior pro menor", Question(by=STYLE, direction="most")),
    ("as 3 cervejarias onde mais gasto", Question(measures=AMOUNT, by=BREWERY, direction="most", limit=3)),
    ("who do I buy the most stout from", Question(by=BREWERY, direction="most", limit=1, filters=STOUT)),
    ("gastos por semana em outubro", Question(measures=AMOUNT, by=("week",), spans=(OCTOBER,))),
    ("gastos semana a semana de outubro", Question(measures=AMOUNT, by=("week",), spans=(OCTOBER,))),
    ("gastos por mês", Question(measures=AMOUNT, by=MONTH)),
    ("my spending by style", Question(measures=AMOUNT, by=STYLE)),
    ("gastos por cervejaria e por mes", Question(measures=AMOUNT, by=("brewery", "month"))),
    ("spend by month and style", Question(measures=AMOUNT, by=("month", "style"))),
    ("preço médio por estilo", Question(measures=PRICE, by=STYLE)),
    ("qual minha cerveja mais comprada e quanto gastei com ela?", Question(measures=("quantity", "amount"), by=BEER, direction="most", limit=1)),
    ("whats my top beer and how much did it cost me", Question(measures=("quantity", "amount"), by=BEER, direction="most", limit=1)),
]  # fmt: skip
LISTS = [
    ("which ipas do i buy", Question(aggregate="list", by=BEER, filters=IPA)),
    ("quais stouts eu comprei esse mes", Question(aggregate="list", by=BEER, filters=STOUT, spans=(NOVEMBER,))),
    ("o que comprei mes passado", Question(aggregate="list", by=BEER, spans=(OCTOBER,))),
    ("oq comprei mes passado", Question(aggregate="list", by=BEER, spans=(OCTOBER,))),
    ("what do i buy from Alter", Question(aggregate="list", by=BEER, filters=(of("brewery", "Alter Brewing Company"),))),
    ("breweries i buy from in texas", Question(aggregate="list", by=BREWERY, filters=(of("state", "Texas"),))),
    ("lista minhas cervejas", Question(aggregate="list", by=BEER)),
    ("quem são meus fornecedores", Question(aggregate="list", by=BREWERY)),
    ("quais estilos eu compro", Question(aggregate="list", by=STYLE)),
    ("minhas compras de novembro", Question(measures=("quantity", "amount"), aggregate="list", by=ORDER, spans=(NOVEMBER,))),
    ("quais cervejas parei de comprar", Question(aggregate="list", by=BEER, having="stopped", having_days=60)),
    ("q cervejaria eu abandonei", Question(aggregate="list", by=BREWERY, having="stopped", having_days=60)),
    ("cervejarias que nao compro ha mais de 30 dias", Question(aggregate="list", by=BREWERY, having="stopped", having_days=30)),
    ("cervejas que comprei uma vez só", Question(aggregate="list", by=BEER, having="once")),
    ("beers i bought only once", Question(aggregate="list", by=BEER, having="once")),
    ("which beers are new this month for me", Question(aggregate="list", by=BEER, having="new", spans=(NOVEMBER,))),
    ("quais cervejas novas eu comecei a comprar esse mes", Question(aggregate="list", by=BEER, having="new", spans=(NOVEMBER,))),
    ("quais cervejas comprei tanto em outubro quanto em novembro", Question(aggregate="list", by=BEER, having="kept", spans=(OCTOBER, NOVEMBER))),
]  # fmt: skip


@pytest.mark.parametrize(("text", "question"), [*TOTALS, *SUMS, *DATES, *RANKS, *LISTS])
def test_my_purchases(said: Said, text: str, question: Question) -> None:
    reading = said(text)
    assert (reading.intent, reading.tool) == ("own_data", "run_analytical_query")
    assert (reading.question, reading.leftover) == (question, ())


@pytest.mark.parametrize(("text", "filters"), FILTERS)
def test_of_which_purchases(said: Said, text: str, filters: tuple[Filter, ...]) -> None:
    reading = said(text)
    assert (reading.question, reading.leftover) == (Question(measures=AMOUNT, filters=filters), ())


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("quanto vendi de IPA mes passado", "vendi"),
        ("how much stout did I sell last month", "sell"),
        ("quantas gramas de stout comprei", "gramas"),
        ("qual minha margem na stout", "margem"),
        ("how much stock of stout do I have", "stock"),
        ("por que gastei mais em outubro", "por"),
        ("onde comprei stout", "onde"),
        ("top 3 cervejas de cada mês", "cervejas"),
        ("quais cervejarias comprei apenas em outubro", "apenas"),
        ("gastei mais?", "mais"),
        ("quais estilos nunca comprei", "nunca"),
        ("quanto gastei em 2026 tirando outubro", "tirando"),
        ("o que tenho comprado ultimamente", "ultimamente"),
        ("who's my number 2 supplier", "2"),
        ("quais stouts não comprei em março", "nao"),
        ("how much did I buy from that zorbly place", "zorbly"),
    ],
)
def test_what_purchases_do_not_know_is_left_over(said: Said, text: str, left: str) -> None:
    """Then nothing is answered as if it had been understood."""
    assert left in said(text).leftover


def everyone(**slots: object) -> Question:
    return Question(about="everyone", **slots)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("qual a cerveja mais comprada no Texas?", everyone(by=BEER, direction="most", limit=1, filters=(of("state", "Texas"),))),
        ("most popular style in Oregon", everyone(by=STYLE, direction="most", limit=1, filters=(of("state", "Oregon"),))),
        ("what are other bars in Austin buying?", everyone(by=STYLE, direction="most", filters=(of("city", "Austin"),))),
        ("o que os outros bares compram", everyone(by=STYLE, direction="most")),
        ("top 10 beers among all clients", everyone(by=BEER, direction="most", limit=10)),
        ("how many clients buy stout", everyone(measures=("clients",), filters=STOUT)),
        ("quantos bares compram IPA", everyone(measures=("clients",), filters=IPA)),
    ],
)  # fmt: skip
def test_everybodys_purchases(said: Said, text: str, question: Question) -> None:
    reading = said(text)
    assert (reading.intent, reading.tool) == ("statistics", "run_analytical_query")
    assert reading.question == question


@pytest.mark.parametrize(
    "text",
    [
        "quanto o bar do João gastou em março?",
        "what does The Rusty Nail order most?",
        "show me the purchases of CLT-00017",
        "ticket médio do bar da Ana",
        "quais cervejas o concorrente parou de comprar",
        "how much did client 12 spend last month",
    ],
)
def test_another_clients_purchases_are_not_read(said: Said, text: str) -> None:
    reading = said(text)
    assert (reading.intent, reading.tool, reading.question) == ("other_client", "none", None)


@pytest.mark.parametrize(
    ("text", "first", "second"),
    [
        ("how much did i spend in october and what brewpubs are in Austin", "own_data", "search"),
        ("quanto gastei em outubro? e quais brewpubs tem em Austin?", "own_data", "search"),
        ("me indica uma cervejaria em Austin e me diz quanto gastei esse mes", "recommend", "own_data"),
        ("quantas ipas comprei em outubro e qual cervejaria mais comprei", "own_data", "own_data"),
    ],
)
def test_two_questions_are_both_read(said: Said, text: str, first: str, second: str) -> None:
    reading = said(text)
    assert reading.also is not None
    assert (reading.intent, reading.also.intent) == (first, second)
    assert (reading.leftover, reading.also.leftover) == ((), ())


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


@pytest.mark.parametrize(
    ("text", "measures", "by", "way", "figure"),
    [
        ("orders over $1000 this year", ("amount",), ("order",), "over", 1000),
        ("quantos pedidos acima de R$ 1.500,50 eu fiz?", ("amount",), ("order",), "over", 1500.5),
        ("how many orders over 500 did i place this year", ("amount",), ("order",), "over", 500),
        ("meses em que gastei mais de 2.000", ("amount",), ("month",), "over", 2000),
        ("months with fewer than 10 orders", ("orders",), ("month",), "under", 10),
        ("cervejas de que comprei pelo menos 20 unidades", ("quantity",), ("beer",), "least", 20),
        ("beers i ordered at least 3 times", ("orders",), ("beer",), "least", 3),
        ("cervejas que custam menos de 30", ("price",), ("beer",), "under", 30),
        ("breweries i spent at most 1,500.50 on", ("amount",), ("brewery",), "most", 1500.5),
        ("pedidos de más de 500", ("amount",), ("order",), "over", 500),
        ("gastei mais de 5000 em outubro?", ("amount",), (), "over", 5000),
        ("did I buy more than 10 units of stout?", ("quantity",), (), "over", 10),
    ],
)
def test_a_figure_bounds_what_is_listed(
    said: Said, text: str, measures: tuple[str, ...], by: tuple[str, ...], way: str, figure: float
) -> None:
    reading = said(text)
    assert reading.question and reading.leftover == ()
    assert (reading.question.measures, reading.question.by) == (measures, by)
    assert reading.question.bound == Bound(way=way, figure=figure)


@pytest.mark.parametrize(
    "text", ["mais de 3 cervejarias em Bend", "at least 3 new breweries in Austin", "breweries within 20 miles"]
)
def test_a_bound_of_a_search_bounds_no_purchases(said: Said, text: str) -> None:
    assert said(text).tool == "search_breweries"


@pytest.mark.parametrize(
    ("text", "of", "way"),
    [
        ("comprei mais ipa do que stout?", ("ipa", "stout"), "most"),
        ("did I buy more lager than porter in october", ("lager", "porter"), "most"),
        ("gastei menos com stout que com ipa?", ("stout", "ipa"), "least"),
        ("IPA vs stout este ano", ("ipa", "stout"), ""),
    ],
)
def test_two_styles_are_set_side_by_side(said: Said, text: str, of: tuple[str, ...], way: str) -> None:
    question = said(text).question
    assert question and question.by == ("style",) and question.direction == way
    assert [each.values for each in question.filters] == [of]


@pytest.mark.parametrize(
    ("text", "before", "now"),
    [
        ("meu gasto subiu ou caiu em relação ao mês passado", "2026-10-01", "2026-11-01"),
        ("did my spend go up or down vs last year", "2025-01-01", "2026-01-01"),
        ("gastei menos que em janeiro?", "2026-01-01", "2026-11-01"),
    ],
)
def test_what_is_compared_with_a_time_is_the_present(said: Said, text: str, before: str, now: str) -> None:
    question = said(text).question
    assert question and question.aggregate == "change"
    assert [span.since for span in question.spans] == [before, now]


@pytest.mark.parametrize(
    "text",
    [
        "cervejas que comprei em agosto mas não em setembro",
        "quais cervejas comprei em agosto e não comprei em setembro?",
        "beers I bought in August but not in September",
        "cervezas que compré en agosto y no en septiembre",
    ],
)
def test_what_was_bought_then_and_not_later(said: Said, text: str) -> None:
    question = said(text).question
    assert question and said(text).leftover == ()
    assert (question.having, question.by) == ("left", ("beer",))
    assert [span.since[:7] for span in question.spans] == ["2026-08", "2026-09"]


def test_the_first_time_is_the_one_that_was_bought_in(said: Said) -> None:
    question = said("beers I bought in September but not in August").question
    assert question and [span.since[:7] for span in question.spans] == ["2026-09", "2026-08"]


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("which suppliers are new this month", Question(aggregate="list", by=("brewery",), having="new", spans=(NOVEMBER,))),
        ("quais cervejas novas entraram esse mês", Question(aggregate="list", by=("beer",), having="new", spans=(NOVEMBER,))),
        ("what day do I usually order", Question(by=("weekday",), direction="most", limit=1)),
        ("que dia eu costumo pedir?", Question(by=("weekday",), direction="most", limit=1)),
        ("quantas ipas diferentes já comprei", Question(measures=("beers",), filters=(Filter(field="style", values=("ipa",)),))),
        ("biggest supplier", Question(by=("brewery",), direction="most", limit=1)),
        ("que dia foi meu maior pedido?", Question(measures=("amount",), by=("order",), direction="most", limit=1)),
        ("what was the price of my last IPA",
         Question(measures=("price",), filters=(Filter(field="style", values=("ipa",)),), only_order="last")),
        ("how many orders in october and how much was each", Question(measures=("amount",), aggregate="list", by=("order",), spans=(OCTOBER,))),
        ("quantos pedidos fiz em outubro e quanto deu cada um em média?", Question(measures=("amount",), aggregate="mean", per="order", spans=(OCTOBER,))),
    ],
)  # fmt: skip
def test_what_is_new_usual_or_each(said: Said, text: str, question: Question) -> None:
    assert (said(text).question, said(text).leftover) == (question, ())


@pytest.mark.parametrize(
    ("text", "search"),
    [
        ("breweries in my state", Search(in_home="state")),
        ("micro na minha cidade", Search(in_home="city", type="micro")),
        ("new breweries but not in my state", Search(not_home="state", only_new=True)),
        ("cervejarias fora da minha cidade", Search(not_home="city", near_me=True)),
        ("quantas cervejarias tem no meu estado?", Search(in_home="state", limit=0)),
        ("cervecerías fuera de mi ciudad", Search(not_home="city", near_me=True)),
    ],
)
def test_the_clients_own_city_or_state(said: Said, text: str, search: Search) -> None:
    assert (said(text).search, said(text).leftover) == (search, ())


@pytest.mark.parametrize(
    "text", ["Quais as 5 cervejas que mais compro?", "minhas 3 cervejas mais caras", "quanto gastei com IPA?"]
)
def test_a_whole_question_edits_no_search(said: Said, text: str) -> None:
    after = Context(search=Search(city="Boulder", type="brewpub"))
    assert said(text, after).question == said(text).question


@pytest.mark.parametrize("text", ["What brewpubs are in Austin?", "brewpubs em Denver", "micro in Austin, please"])
def test_a_whole_search_edits_no_question(said: Said, text: str) -> None:
    after = Context(question=Question(measures=("amount",), by=("style",), spans=(OCTOBER,)))
    assert said(text, after).search == said(text).search and said(text).search


def test_what_is_sent_may_be_a_list_of_ones_own(said: Said) -> None:
    assert said("me manda meu top 5 de cervejas").question == Question(by=("beer",), direction="most", limit=5)
    assert said("me manda 5 caixas de stout").intent == "distributor"
