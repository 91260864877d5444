"""The kinds of runs that the benchmark asks for: what the client says, and what the scripted model answers to it.

Most are planned by the model, which knows them by words that nobody else understands; `SURE` is planned by the reading.
A message that a model sees names its run by a marker, "pedido 3000042": the kind and the number of the run. That is all that
the model server needs, so that it has no state of a conversation.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, NamedTuple

CANNED = "canned"
SEARCH = "profile + search"
SEEN = "search + SQL seen before"
NEW = "search + new SQL"
SURE = "sure plan"
KINDS = (CANNED, SEARCH, SEEN, NEW, SURE)
NO_MODEL = (CANNED, SURE)
MIX = "mix"  # of all, with follow-ups of any kind in one conversation
SHORT = {"canned": CANNED, "search": SEARCH, "seen": SEEN, "new": NEW, "sure": SURE, "mix": MIX}
MIXED = (CANNED, SEARCH, SEARCH, SEARCH, SEEN, SEEN, SEEN, SEEN, NEW, NEW)

MARK = b"pedido "
CALLS = 3  # of the model, in each kind that asks it: two that end in a tool, and the answer
PIECES = 20

GREETINGS = ("oi", "bom dia", "boa tarde", "hello", "good morning", "olá, tudo bem?", "oi, boa noite")
CITIES = (
    "San Diego", "Denver", "Chicago", "Austin", "Seattle", "Minneapolis", "Milwaukee", "Houston",
    "Cincinnati", "Asheville", "Boulder", "Tampa", "Brooklyn", "Philadelphia", "Pittsburgh", "Atlanta", "Dallas",
)  # fmt: skip
FIRST = (
    "Quero conhecer cervejarias novas em {city} para o bar, {mark}",
    "Cervejarias em {city} de que ainda não compro, por favor: {mark}",
    "What breweries in {city} should I try next? It is for {mark}",
)
BOTH = (
    "Cervejarias novas em {city}, e o que mais compro ultimamente? É para o {mark}",
    "Compare o que eu compro com o que há de novo em {city}, {mark}",
    "New breweries in {city} please, and my purchases beside them, {mark}",
)
UNDERSTOOD = (  # every word of them, so that the model is not asked
    "Cervejarias novas em {city}",
    "Quanto gastei por estilo nos últimos 3 meses?",
    "What brewpubs are in {city}?",
    "Quais as 5 cervejas que mais compro?",
)
LINE = (
    "Pelo que você tem comprado, estas casas ficam perto do seu gosto, ",
    "com boa entrega e rótulos que o seu público ainda não viu. ",
)
# 1.5 kB, as sentences that begin and end anywhere in the pieces.
ANSWER = tuple(LINE[number % 2] + ("Vale a pena provar. " if number % 2 else "") for number in range(PIECES))

USUAL = (
    "SELECT beer, sum(quantity) AS quantity FROM my_purchases GROUP BY beer ORDER BY quantity DESC LIMIT 5",
    "SELECT sum(amount) AS amount FROM my_purchases",
    "SELECT style, sum(quantity) AS quantity FROM my_purchases WHERE style <> '' GROUP BY style ORDER BY quantity DESC LIMIT 10",
    "SELECT date_trunc('month', purchased_on)::date AS month, sum(amount) AS amount FROM my_purchases GROUP BY 1 ORDER BY 1",
    "SELECT brewery, count(DISTINCT beer) AS beers FROM my_purchases GROUP BY brewery ORDER BY beers DESC LIMIT 5",
    "SELECT city, sum(amount) AS amount FROM my_purchases GROUP BY city ORDER BY amount DESC LIMIT 3",
    "SELECT type, avg(unit_price) AS price FROM my_purchases GROUP BY type ORDER BY price DESC",
    "SELECT max(purchased_on) AS day, sum(quantity) AS quantity FROM my_purchases WHERE style = 'IPA'",
)
BY = (
    ("brewery", "brewery"), ("style", "style"), ("beer", "beer"), ("type", "type"), ("city", "city"), ("state", "state"),
    ("month", "date_trunc('month', purchased_on)::date"), ("weekday", "extract(isodow FROM purchased_on)"),
)  # fmt: skip
MEASURES = (
    "sum(quantity) AS quantity", "sum(amount) AS amount", "count(DISTINCT beer) AS beers", "avg(unit_price) AS price",
    "max(purchased_on) AS latest", "count(*) AS lines",
)  # fmt: skip
FILTERS = (
    "quantity > {small}",
    "unit_price > {price}",
    "style <> ''",
    "purchased_on >= DATE '{day}'",
    "type IN ('micro', 'brewpub')",
)
HAVING = ("", " HAVING count(*) > {small}", " HAVING sum(quantity) > {small}")
SHAPES = len(BY) * (2 ** len(MEASURES) - 1) * 2 ** len(FILTERS) * len(HAVING) * 2
STRIDE = 61_001  # has no divisor in common with SHAPES (2, 3 and 7): neighbours differ, and none comes twice


class Call(NamedTuple):
    tool: str
    args: dict[str, Any]


def message(kind: str, number: int) -> str:
    kind = MIXED[number * 7 % len(MIXED)] if kind == MIX else kind
    if kind == CANNED:
        return GREETINGS[number % len(GREETINGS)]
    if kind == SURE:
        return UNDERSTOOD[number % len(UNDERSTOOD)].format(city=CITIES[number % len(CITIES)])
    texts = FIRST if kind == SEARCH else BOTH
    mark = f"{MARK.decode()}{KINDS.index(kind)}{number:06}"
    return texts[number % len(texts)].format(city=CITIES[number % len(CITIES)], mark=mark)


def calls(kind: str, number: int) -> tuple[Call, ...]:
    """What the model calls one after the other, before it answers."""
    search = Call("search_breweries", {"city": CITIES[number % len(CITIES)], "only_new": True})
    if kind == SEARCH:
        return Call("get_client_profile", {}), search
    sql = new_sql(number) if kind == NEW else USUAL[number % len(USUAL)]
    return search, Call("run_sql", {"sql": sql})


def new_sql(number: int) -> str:
    """A text of another shape and with other constants for each number below SHAPES."""
    left = number * STRIDE % SHAPES
    left, by = divmod(left, len(BY))
    left, measured = divmod(left, 2 ** len(MEASURES) - 1)
    left, filtered = divmod(left, 2 ** len(FILTERS))
    by_measure, having = divmod(left, len(HAVING))
    name, expression = BY[by]
    chosen = _subset(MEASURES, measured + 1)
    where = " AND ".join(_subset(FILTERS, filtered))
    order = f"{chosen[0].rpartition(' ')[2]} DESC" if by_measure else name
    text = (
        f"SELECT {expression} AS {name}, {', '.join(chosen)} FROM my_purchases"
        f"{f' WHERE {where}' if where else ''} GROUP BY 1{HAVING[having]} ORDER BY {order} LIMIT {number % 17 + 3}"
    )
    day = date.today() - timedelta(days=number % 500 + 30)
    return text.format(small=number % 5 + 1, price=f"{number % 400 / 100 + 1:.2f}", day=day)


def _subset(of: tuple[str, ...], bits: int) -> list[str]:
    return [each for place, each in enumerate(of) if bits >> place & 1]
