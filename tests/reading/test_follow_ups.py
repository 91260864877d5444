"""Follow-ups: what a message leaves out comes from the turn before it, and only that."""

import pytest

from beerforyou.reading.reading import Context, Question, Ref, Search
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


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("e em março?", Question(measure="amount", by="style", since="2026-03-01", until="2026-04-01")),
        ("and by month?", Question(measure="amount", by="month", since="2026-01-01", until="2027-01-01")),
        ("e no Texas?", Question(measure="amount", by="style", since="2026-01-01", until="2027-01-01", state="Texas")),
    ],
)
def test_the_rest_of_the_last_question(said: Said, text: str, question: Question) -> None:
    last = Question(measure="amount", by="style", since="2026-01-01", until="2027-01-01")
    reading = said(text, Context(question=last))
    assert (reading.tool, reading.question) == ("run_analytical_query", question)


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
    context = Context(search=LAST, question=Question(by="month"), shown=(STONE, DENVER))
    assert not said(text).leans
    assert said(text, context) == said(text)


@pytest.mark.parametrize("text", ["e em Austin?", "sim", "a segunda", "mais", "e em março?", "Austin"])
def test_messages_that_lean_say_so(said: Said, text: str) -> None:
    assert said(text).leans
