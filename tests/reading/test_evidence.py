"""Evidence: each content word of a message is used by a slot, or it is left over; so no word can be lost or changed unseen."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from beerforyou.catalogue.index import Catalogue
from beerforyou.reading.intents.leftover import content
from beerforyou.reading.read import read
from beerforyou.reading.reading import Context, Reading
from beerforyou.reading.words.lookups import Lookups
from beerforyou.reading.words.text import words_of
from beerforyou.reading.words.utterance import Utterance
from tests.reading.conftest import TODAY
from tests.reading.test_purchases import DATES, FILTERS, LISTS, RANKS, SUMS, TOTALS
from tests.reading.test_traps import key

EVALS = Path(__file__).parents[1] / "evals"
STRANGE = "zqxlorb"
# Words that only carry the others: who buys, what is bought, please show. Without them the same is asked.
CARRIES = frozenset(
    {"bought", "frames", "shows", "axis", "purchases", "i", "self", "hello", "my_business", "distinct", "range"}
)
# Said twice: without these words the others still ask the same.
TWICE = {
    "average price I pay per unit": "average price pay unit",
    "quanto gastei sem contar IPA": "contar",
    "average order value": "average value",
    "ticket médio": "medio",
    "mean units per order": "mean units",
    "valor medio por pedido": "medio",
    "top 5 beers by revenue": "top",
    "participação de cada estilo": "cada",
    "november compared to october": "november",
    "outubro vs novembro": "outubro",  # this month is compared with the one before it
    "quanto aumentou meu gasto de setembro pra outubro": "setembro",
    "minhas compras tao subindo ou caindo?": "subindo ou caindo",
    "quando foi a ultima vez q comprei stout": "quando vez",
    "qdo comecei a comprar com vcs": "quando",
    "ha quantos dias nao peço nada": "nao nada",
    "how long since I last bought stout": "since last",
    "top 5 cervejas que mais compro": "top mais",
    "qual a mais barata que compro": "mais",
    "beers i bought only once": "only",
    "qual minha cerveja mais comprada e quanto gastei com ela?": "ela",
    "whats my top beer and how much did it cost me": "it",
    "qual foi o mês mais fraco": "mais",
    "quantas unidades por estilo, do maior pro menor": "unidades menor",
    "as 3 cervejarias onde mais gasto": "onde mais",
    "cervejarias que nao compro ha mais de 30 dias": "mais",
    "quais cervejas novas eu comecei a comprar esse mes": "novas comecei",
}
OWN = [text for text, _ in (*TOTALS, *FILTERS, *SUMS, *DATES, *RANKS, *LISTS)]


def recorded() -> list[str]:
    lines = [msgspec.json.decode(line) for line in (EVALS / "reading.jsonl").read_bytes().splitlines()]
    return [line["text"] for line in lines if line["tool"] == "run_analytical_query"]


def changed(text: str, catalogue: Catalogue) -> tuple[list[str], list[str]]:
    """The words of a question about purchases that can be replaced without a trace, and those that can be left out so."""
    reading = read(text, catalogue, Context(), TODAY)
    if reading.intent not in ("own_data", "statistics"):
        return [], []
    m = Utterance(words_of(text), Lookups(catalogue), reading.language)
    replaced, left_out = [], []
    for i in content(m):
        others = [word.gap + (STRANGE if j == i else word.raw) for j, word in enumerate(m.words)]
        if same(reading, read("".join(others), catalogue, Context(language=reading.language), TODAY)):
            replaced.append(m.plain[i])
        if m.has_at(i, *CARRIES):
            continue
        rest = "".join(word.gap + word.raw for j, word in enumerate(m.words) if j != i)
        if same(reading, read(rest, catalogue, Context(language=reading.language), TODAY)):
            left_out.append(m.plain[i])
    return replaced, left_out


def same(one: Reading, other: Reading) -> bool:
    return key(one) == key(other)


@pytest.mark.parametrize("text", OWN)
def test_no_word_is_changed_or_left_out_unseen(catalogue: Catalogue, text: str) -> None:
    assert changed(text, catalogue) == ([], TWICE.get(text, "").split())


def test_no_word_of_a_recorded_message_is_changed_unseen(catalogue: Catalogue) -> None:
    unseen = {text: words for text in recorded() if (words := changed(text, catalogue)[0])}
    assert unseen == {}


PT = (
    (
        "quanto gastei",
        "quanto comprei",
        "quantas caixas comprei",
        "quantos pedidos fiz",
        "qual meu gasto médio",
    ),
    (
        "com IPA",
        "com IPA e stout",
        "sem stout",
        "tirando brewpubs",
        "da Alter",
        "de Rook Quarry Hazy IPA",
        "no Texas",
        "",
    ),
    ("em outubro", "mês passado", "desde março", "em 2025", ""),
    ("por mês", "por estilo", "por cervejaria", "por semana", ""),
)
EN = (
    ("how much did I spend", "how much did I buy", "how many kegs did we order", "what share of my spend is"),
    (
        "on IPA",
        "on IPA and stout",
        "except stout",
        "without brewpubs",
        "from Alter",
        "on Rook Quarry Hazy IPA",
        "in Texas",
        "",
    ),
    ("in October", "last month", "since March", "in 2025", ""),
    ("by month", "by style", "by brewery", "each week", ""),
)


@settings(max_examples=120, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from([PT, EN]).flatmap(lambda parts: st.tuples(*(st.sampled_from(part) for part in parts))))
def test_no_word_of_a_made_message_is_changed_or_left_out_unseen(catalogue: Catalogue, parts: tuple[str, ...]) -> None:
    text = " ".join(filter(None, parts))
    assert changed(text, catalogue) == ([], []), text
