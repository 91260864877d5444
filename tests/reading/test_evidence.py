"""Evidence: each content word of a message is used by a slot, or it is left over; so no word can be lost or changed unseen."""

import random
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from beerforyou.catalogue.index import Catalogue
from beerforyou.catalogue.names import plain
from beerforyou.reading.intents.leftover import content
from beerforyou.reading.read import read
from beerforyou.reading.reading import Context, Reading
from beerforyou.reading.words.lexicon import meanings
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


def recorded(*tools: str, of: str = "reading.jsonl") -> list[str]:
    lines = [msgspec.json.decode(line) for line in (EVALS / of).read_bytes().splitlines()]
    return [line["text"] for line in lines if line["tool"] in tools]


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
    unseen = {text: words for text in recorded("run_analytical_query") if (words := changed(text, catalogue)[0])}
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


# Words that ask for breweries and tell of none, or say again what others say ("me recomenda" and "nova"): without them the same is asked.
ASKS = frozenset(
    {"find", "exists", "want", "show_again", "where", "brewery", "beer", "recommend", "tell_about", "tell_more", "website", "fill", "use", "my_business",
     "ack", "hello", "thanks", "yes", "somebody", "only", "also", "it", "named", "buy", "makes", "within", "here", "reads_site", "new", "yet", "already"}
)  # fmt: skip
# Words that would ask something else.
TELLING = {
    "pt": ["outra", "barata", "fechada", "amanhã", "margem", "ontem", "clientes", "quando", "telefone"],
    "en": ["other", "cheap", "closed", "tomorrow", "margin", "yesterday", "clients", "when", "phone"],
    "es": ["otra", "barata", "cerrada", "mañana", "margen", "ayer", "clientes", "cuándo", "teléfono"],
}
SEARCHES = {
    "pt": (
        ("quais cervejarias tem", "me mostra brewpubs", "me recomenda cervejarias", "quero uma cervejaria nova", "me indica 3 micro"),
        ("em Denver", "em Portland, Oregon", "no Texas", "perto de Austin", "a menos de 10 km de Denver", "aqui perto", "em Austin e em Denver"),
        ("que eu ainda não compro", "inclusive as que já compro", "que façam stout", "parecidas com a Alter Brewing Company", ""),
        ("com site", "menos taproom", "por favor", "pra eu comprar", "pro meu bar", ""),
    ),
    "en": (
        ("which breweries are there", "show me brewpubs", "recommend some breweries", "I want a new brewery", "find me 3 micros"),
        ("in Denver", "in Portland, Oregon", "in Texas", "near Austin", "within 10 miles of Denver", "near me", "in Austin or Denver"),
        ("that I haven't bought from yet", "including ones I already buy from", "that make stout", "similar to Alter Brewing Company", ""),
        ("with a website", "except taprooms", "please", "that I could order from", "for my bar", ""),
    ),
    "es": (
        ("qué cervecerías hay", "muéstrame brewpubs", "recomiéndame cervecerías", "quiero una cervecería nueva"),
        ("en Denver", "en Portland, Oregon", "en Texas", "cerca de Austin", "a menos de 10 km de Denver", "cerca de aquí"),
        ("que todavía no compro", "incluyendo las que ya compro", "que hagan stout", ""),
        ("con sitio web", "menos taproom", "por favor", "para mi bar", ""),
    ),
}  # fmt: skip
DETAILS = {
    "pt": (("me fala da", "quero saber mais sobre a", "o que diz o site da"), ("Alter Brewing Company", "Lagunitas"), ("em Chicago", "e os prêmios dela", "")),
    "en": (("tell me about", "I want details on", "what does the site say about"), ("Alter Brewing Company", "Lagunitas"), ("in Chicago", "and its awards", "")),
    "es": (("háblame de", "quiero saber más sobre", "qué dice el sitio de"), ("Alter Brewing Company", "Lagunitas"), ("en Chicago", "y sus premios", "")),
}  # fmt: skip


def made(language: str, seed: int, n: int) -> list[str]:
    """Different messages of one language; the same ones for the same seed."""
    chance = random.Random(seed)
    kinds = [SEARCHES[language]] * 4 + [DETAILS[language]]
    return [" ".join(filter(None, map(chance.choice, chance.choice(kinds)))) for _ in range(n)]


def unseen(text: str, catalogue: Catalogue, others: Sequence[str]) -> set[tuple[str, str]]:
    """Each content word, and what can stand in its place ("" for nothing) while the same is read. What may mean the same is no other word."""
    reading = read(text, catalogue, Context(), TODAY)
    if reading.intent not in ("search", "recommend", "details"):
        return set()
    m = Utterance(words_of(text), Lookups(catalogue), reading.language)
    found: set[tuple[str, str]] = set()
    for i in content(m):
        asks = m.has_at(i, *ASKS) or m.mention_at("brewery", i)  # the catalogue knows a name by a part of it
        for other in others if asks else (*others, ""):
            words = [word.gap + (other if j == i else word.raw) for j, word in enumerate(m.words) if other or j != i]
            alike = not m.at(i).isdisjoint(mark.tag for mark in meanings(m.language).marks([plain(other)]))
            if not alike and same(reading, read("".join(words), catalogue, Context(language=m.language), TODAY)):
                found.add((m.plain[i], other))
    return found


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("language", ["pt", "en", "es"])
def test_no_word_of_a_made_search_is_changed_or_left_out_unseen(catalogue: Catalogue, language: str, seed: int) -> None:
    chance = random.Random(seed)
    texts = made(language, seed, 30)
    others = {text: (STRANGE, *chance.sample(TELLING[language], 3)) for text in texts}
    assert {text: found for text in texts if (found := unseen(text, catalogue, others[text]))} == {}


@pytest.mark.parametrize("of", ["reading.jsonl", "reading_fresh.jsonl", "reading_es.jsonl"])
def test_no_word_of_a_recorded_search_is_changed_unseen(catalogue: Catalogue, of: str) -> None:
    texts = recorded("search_breweries", "get_website_summary", of=of)
    changes = {text: {word for word, other in unseen(text, catalogue, (STRANGE,)) if other} for text in texts}
    assert len(texts) > 50 and {text: words for text, words in changes.items() if words} == {}
