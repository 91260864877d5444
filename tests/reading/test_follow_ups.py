"""Follow-ups: what a message leaves out comes from the turn before it, and only that."""

import pytest
from msgspec.structs import replace

from beerforyou.reading.question import Filter, Question, Span
from beerforyou.reading.reading import Context, Ref, Search
from tests.reading.conftest import Said

STONE = Ref(id="b0", name="Stone Brewing", city="Escondido", state="California")
DENVER = Ref(id="b6", name="Denver Beer Co", city="Denver", state="Colorado")
CONGRESS = Ref(id="b14", name="Congress Street Brewing", city="Austin", state="Texas")
SHOWN = Context(shown=(STONE, DENVER, CONGRESS), offered=True)
LAST = Search(city="San Diego", state="California", type="brewpub", only_new=True)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("a segunda", DENVER),
        ("the last one", CONGRESS),
        ("a 2", DENVER),
        ("#1", STONE),
        ("sim, a terceira", CONGRESS),
        ("a de Denver", DENVER),
        ("the one in Austin", CONGRESS),
        ("the brewpub", CONGRESS),
        ("me fala da Stone", STONE),
        ("the Denver Beer one", DENVER),
        ("sim", None),
    ],
)
def test_one_of_those_shown(said: Said, text: str, meant: Ref | None) -> None:
    reading = said(text, SHOWN)
    assert reading.tool == "get_website_summary"
    assert reading.brewery == meant


@pytest.mark.parametrize("text", ["a quinta", "#7", "the one in Portland", "a de Seattle", "both", "da 1 a 3"])
def test_a_finger_that_points_at_none_is_no_yes(said: Said, text: str) -> None:
    """A yes costs money."""
    assert said(text).tool == "get_website_summary"
    assert said(text, SHOWN).tool == "none"


def test_a_yes_to_the_only_one(said: Said) -> None:
    assert said("sim", Context(shown=(STONE,), offered=True)).brewery == STONE
    assert said("me fala mais dela", Context(shown=(STONE,))).brewery == STONE


@pytest.mark.parametrize(
    ("text", "search"),
    [
        ("e em Austin?", Search(city="Austin", type="brewpub", only_new=True)),
        ("e no Texas?", Search(state="Texas", type="brewpub", only_new=True)),
        ("Austin", Search(city="Austin", type="brewpub", only_new=True)),
        ("só microcervejarias", Search(city="San Diego", state="California", type="micro", only_new=True)),
        ("mais", Search(city="San Diego", state="California", type="brewpub", only_new=True, page=2)),
        ("show me more", Search(city="San Diego", state="California", type="brewpub", only_new=True, page=2)),
        ("taprooms em Austin", Search(city="Austin", type="taproom", only_new=True)),
        ("quais cervejarias tem em Austin?", Search(city="Austin")),
    ],
)
def test_the_rest_of_the_last_search(said: Said, text: str, search: Search) -> None:
    assert said(text, Context(search=LAST)).search == search


def test_pages_go_on(said: Said) -> None:
    third = said("próxima página", Context(search=Search(city="Denver", page=2))).search
    assert third == Search(city="Denver", page=3)


OCTOBER, NOVEMBER = Span(since="2026-10-01", until="2026-10-31"), Span(since="2026-11-01", until="2026-11-30")
SEPTEMBER = Span(since="2026-09-01", until="2026-09-30")
SPENT = Question(measures=("amount",), spans=(OCTOBER,))
TOP = Question(by=("beer",), direction="most", limit=5, spans=(OCTOBER,))


def style(*values: str, no: bool = False) -> Filter:
    return Filter(field="style", values=values, negated=no)


@pytest.mark.parametrize(
    ("last", "text", "question"),
    [
        (SPENT, "e em novembro?", replace(SPENT, spans=(NOVEMBER,))),
        (SPENT, "and the month before?", replace(SPENT, spans=(SEPTEMBER,))),
        (SPENT, "e o mês antes?", replace(SPENT, spans=(SEPTEMBER,))),
        (SPENT, "e no mês seguinte?", replace(SPENT, spans=(NOVEMBER,))),
        (SPENT, "e no mesmo período do ano passado?", replace(SPENT, spans=(Span(since="2025-10-01", until="2025-10-31"),))),
        (SPENT, "e em todo o período?", replace(SPENT, spans=())),
        (SPENT, "and of all time?", replace(SPENT, spans=())),
        (SPENT, "and units?", replace(SPENT, measures=("quantity",))),
        (SPENT, "e quantas unidades foram?", replace(SPENT, measures=("quantity",))),
        (SPENT, "e por cervejaria?", replace(SPENT, by=("brewery",))),
        (SPENT, "break it down by brewery", replace(SPENT, by=("brewery",))),
        (SPENT, "by weekday", replace(SPENT, by=("weekday",))),
        (SPENT, "só ipa", replace(SPENT, filters=(style("ipa"),))),
        (SPENT, "only on lager", replace(SPENT, filters=(style("lager"),))),
        (SPENT, "sem stout", replace(SPENT, filters=(style("stout", no=True),))),
        (SPENT, "e no Texas?", replace(SPENT, filters=(Filter(field="state", values=("Texas",)),))),
        (SPENT, "just brewpubs", replace(SPENT, filters=(Filter(field="type", values=("brewpub",)),))),
        (SPENT, "e em média por semana?", replace(SPENT, aggregate="mean", per="week")),
        (replace(SPENT, filters=(style("ipa"),)), "e stout?", replace(SPENT, filters=(style("stout"),))),
        (replace(SPENT, filters=(style("ipa"),)), "what about stout?", replace(SPENT, filters=(style("stout"),))),
        (replace(SPENT, filters=(style("ipa"),)), "e stout também", replace(SPENT, filters=(style("ipa", "stout"),))),
        (replace(SPENT, filters=(style("ipa"),)), "e de todos os estilos?", SPENT),
        (replace(SPENT, filters=(style("ipa"),)), "what share is that of my total", replace(SPENT, filters=(style("ipa"),), aggregate="share")),
        (replace(SPENT, by=("month",)), "só ipa", replace(SPENT, by=("month",), filters=(style("ipa"),))),
        (replace(SPENT, by=("style",)), "e stout?", replace(SPENT, filters=(style("stout"),))),
        (replace(SPENT, by=("style",)), "só o total", SPENT),
        (SPENT, "e os outros bares?", replace(SPENT, about="everyone")),
        (replace(SPENT, about="everyone"), "and me?", SPENT),
        (TOP, "e em valor?", replace(TOP, measures=("amount",))),
        (TOP, "which one do I spend most on?", replace(TOP, measures=("amount",), limit=1)),
        (SPENT, "e comparado a setembro?", replace(SPENT, aggregate="change", spans=(SEPTEMBER, OCTOBER))),
        (replace(SPENT, by=("month",)), "e o menor?", replace(SPENT, by=("month",), direction="least", limit=1)),
        (TOP, "same for styles", replace(TOP, by=("style",))),
        (TOP, "sort by price", replace(TOP, measures=("price",))),
        (TOP, "sem a Alter", replace(TOP, filters=(Filter(field="brewery", values=("Alter Brewing Company",), negated=True),))),
        (TOP, "by revenue", replace(TOP, measures=("amount",))),
        (TOP, "só as 3 primeiras", replace(TOP, limit=3)),
        (TOP, "just the top 3", replace(TOP, limit=3)),
        (TOP, "bottom three", replace(TOP, limit=3, direction="least")),
        (TOP, "e as menos compradas?", replace(TOP, direction="least")),
        (TOP, "e a que menos compro?", replace(TOP, direction="least", limit=1)),
        (TOP, "and this month", replace(TOP, spans=(NOVEMBER,))),
        (TOP, "top ten breweries", Question(by=("brewery",), direction="most", limit=10)),
        (TOP, "average order value", Question(measures=("amount",), aggregate="mean", per="order")),
        (TOP, "biggest order", Question(measures=("amount",), by=("order",), direction="most", limit=1)),
        (TOP, "faz quanto tempo que nao compro nada?", Question(aggregate="since")),
        (replace(SPENT, aggregate="change", spans=(SEPTEMBER, OCTOBER)), "e em novembro?", replace(SPENT, spans=(NOVEMBER,))),
        (replace(SPENT, about="everyone"), "e por estilo?", replace(SPENT, about="everyone", by=("style",))),
    ],
)  # fmt: skip
def test_the_last_question_with_a_slot_changed(said: Said, last: Question, text: str, question: Question) -> None:
    reading = said(text, Context(question=last))
    assert (reading.tool, reading.question) == ("run_analytical_query", question)
    assert (reading.leftover, reading.leans) == ((), True)


BEERS = tuple(Filter(field="beer", values=(name,)) for name in ("Iron Sparrow", "Hazy Moth", "Rook Dusk"))
IRON, MOTH, DUSK = BEERS


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("quanto gastei com a primeira?", replace(SPENT, filters=(IRON,))),
        ("how much did i spend on the first one", replace(SPENT, filters=(IRON,))),
        ("e com a segunda, quanto gastei?", replace(SPENT, filters=(MOTH,))),
        ("how much did I spend on the last one?", replace(SPENT, filters=(DUSK,))),
        ("desde quando compro da primeira?", Question(aggregate="first", filters=(IRON,))),
        ("quando comprei a segunda pela última vez?", Question(aggregate="last", filters=(MOTH,))),
        ("quanto gastei com elas?", replace(SPENT, filters=(Filter(field="beer", values=("Iron Sparrow", "Hazy Moth", "Rook Dusk")),))),
    ],
)  # fmt: skip
def test_rows_of_the_last_table(said: Said, text: str, question: Question) -> None:
    reading = said(text, Context(question=TOP, listed=BEERS))
    assert (reading.question, reading.leftover) == (question, ())


@pytest.mark.parametrize(
    "text", ["e quanto gastei com ela?", "quanto gastei com essa cerveja?", "how much did I spend on it?"]
)
def test_it_is_the_only_row(said: Said, text: str) -> None:
    one = said(text, Context(question=replace(TOP, limit=1), listed=(IRON,)))
    assert (one.question, one.leftover) == (replace(SPENT, filters=(IRON,)), ())
    assert said(text, Context(question=TOP, listed=BEERS)).leftover  # which of the three?
    assert said(text).leftover


@pytest.mark.parametrize(
    "text", ["Oregon", "a primeira", "Portland, Oregon", "the one in Oregon", "1", "oregon please"]
)
def test_which_of_the_namesakes(said: Said, text: str) -> None:
    choices = tuple(Search(city="Portland", state=state, country="United States") for state in ("Oregon", "Maine"))
    reading = said(text, Context(choices=choices, search=Search(city="Portland", only_new=True)))
    assert reading.tool == "search_breweries"
    assert reading.search == Search(city="Portland", state="Oregon", country="United States", only_new=True)


@pytest.mark.parametrize(
    "text", ["cervejarias novas em Denver", "quanto gastei em março?", "me fala da Alter", "meu perfil"]
)
def test_whole_messages_take_nothing(said: Said, text: str) -> None:
    context = Context(search=LAST, question=Question(by=("month",)), shown=(STONE, DENVER))
    assert not said(text).leans
    assert said(text, context) == said(text)


@pytest.mark.parametrize("text", ["e em Austin?", "sim", "a segunda", "mais", "e em março?", "Austin"])
def test_messages_that_lean_say_so(said: Said, text: str) -> None:
    assert said(text).leans


@pytest.mark.parametrize(
    "text", ["ones i don't", "the ones I don't buy from", "as que eu não compro", "e as que eu ainda não compro?"]
)
def test_the_others_than_those_one_buys_from_are_searched_for(said: Said, text: str) -> None:
    texas = Question(aggregate="list", by=("brewery",), filters=(Filter(field="state", values=("Texas",)),))
    reading = said(text, Context(question=texas))
    assert (reading.intent, reading.search) == ("recommend", Search(state="Texas", only_new=True))
