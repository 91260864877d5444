"""Picking from what was shown, and what is asked of it: by number, place in the row, distance, type, place or name."""

import pytest

from beerforyou.catalogue.brewery import Brewery, Place
from beerforyou.catalogue.index import Catalogue
from beerforyou.reading.read import read
from beerforyou.reading.reading import Context, Reading, Ref, Search
from tests.reading.conftest import TODAY

_ROWS = [
    ("Blue Star Brewing", "brewpub", "San Antonio", 29.41), ("Ranger Creek", "micro", "San Antonio", 29.55),
    ("Weathered Souls", "taproom", "Boerne", 29.79), ("Back Unturned", "micro", "San Antonio", 29.43),
    ("Freetail Brewing", "nano", "New Braunfels", 29.70),
]  # fmt: skip
_BREWERIES = [
    Brewery(id=f"b{n}", name=name, brewery_type=kind, city=city, state="Texas", country="United States", latitude=north, longitude=-98.49)
    for n, (name, kind, city, north) in enumerate(_ROWS, start=1)
]  # fmt: skip
CATALOGUE = Catalogue(_BREWERIES)
REFS = tuple(Ref(id=b.id, name=b.name, city=b.city, state=b.state) for b in _BREWERIES)
HOME = Place(city="San Antonio", state="Texas", country="United States")
SEARCH = Search(state="Texas", only_new=True)
LIST = Context(shown=REFS, offered=True, search=SEARCH)
SECOND_PAGE = Context(shown=REFS, first=6, offered=True, search=SEARCH)
TOLD = Context(shown=REFS, told=(REFS[1],), search=SEARCH)
TWO_TOLD = Context(shown=REFS, told=(REFS[0], REFS[4]), search=SEARCH)


def said(text: str, context: Context = LIST) -> Reading:
    return read(text, CATALOGUE, context, TODAY, HOME)


def meant(reading: Reading) -> list[int]:
    return [REFS.index(ref) + 1 for ref in ((reading.brewery,) if reading.brewery else reading.picks)]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("a segunda", [2]), ("a 2", [2]), ("#2", [2]), ("número dois", [2]), ("2", [2]), ("option two", [2]), ("2nd one", [2]),
        ("1 e 3", [1, 3]), ("1, 2 e 5", [1, 2, 5]), ("a primeira e a última", [1, 5]), ("3 and 4", [3, 4]),
        ("as duas primeiras", [1, 2]), ("as 2 primeiras", [1, 2]), ("the first two", [1, 2]), ("first 3", [1, 2, 3]),
        ("as duas últimas", [4, 5]), ("últimas 3", [3, 4, 5]), ("the last two", [4, 5]), ("gimme the last 2", [4, 5]),
        ("a última", [5]), ("last one", [5]), ("a penúltima", [4]), ("second to last", [4]), ("next to last", [4]),
        ("antepenúltima", [3]), ("third from last", [3]), ("a do meio", [3]), ("the middle one", [3]), ("the one in the middle", [3]),
        ("a mais perto", [4]), ("the closest one", [4]), ("a mais próxima de mim", [4]), ("a mais longe", [3]), ("the farthest", [3]),
        ("the nano", [5]), ("o taproom", [3]), ("the one in Boerne", [3]), ("a de New Braunfels", [5]), ("a que fica em Boerne", [3]),
        ("Freetail", [5]), ("sim, a Blue Star", [1]), ("Ranger Creek please", [2]), ("na verdade a primeira", [1]),
        ("actually the third", [3]), ("vou querer essa última", [5]), ("e a quarta?", [4]), ("all of them", [1, 2, 3, 4, 5]), ("só a segunda", [2]), ("tell me about 3", [3]),
    ],
)  # fmt: skip
def test_picked(text: str, numbers: list[int]) -> None:
    reading = said(text)
    assert (reading.tool, meant(reading)) == ("get_website_summary", numbers)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("number 8", [3]), ("a 6", [1]), ("a oitava", [3]), ("a segunda", [2]), ("a do meio", [3]), ("7 e 9", [2, 4])],
)
def test_the_numbers_are_those_on_the_screen(text: str, numbers: list[int]) -> None:
    assert meant(said(text, SECOND_PAGE)) == numbers


@pytest.mark.parametrize(
    ("text", "unsure"),
    [
        ("a sétima", "outside"), ("number 9", "outside"), ("#12", "outside"), ("as seis primeiras", "outside"), ("the one in Austin", "outside"),
        ("as primeiras", "several"), ("both", "several"), ("as duas", "several"), ("da 1 a 3", "several"), ("the micro", "several"),
        ("the one in San Antonio", "several"), ("as 4", "several"),
    ],
)  # fmt: skip
def test_outside_or_several_is_said(text: str, unsure: str) -> None:
    reading = said(text)
    assert (reading.tool, reading.unsure, meant(reading)) == ("none", unsure, [])


@pytest.mark.parametrize(
    "text", ["mais perto", "uma mais perto", "algo mais pertinho", "só as 3 primeiras", "só as duas últimas"]
)
def test_something_nearer_or_fewer_is_another_search(text: str) -> None:
    assert said(text).tool != "get_website_summary"


def test_of_two_that_are_as_near_neither_is_meant() -> None:
    twin = Brewery(id="b9", name="Twin", brewery_type="micro", city="San Antonio", latitude=29.41, longitude=-98.49)
    near = Context(shown=(REFS[0], Ref(id="b9", name="Twin")), offered=True)
    assert read("the closest one", Catalogue([*_BREWERIES, twin]), near, TODAY, HOME).intent == "facts"


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("qual o telefone?", "phone"), ("manda o telefone dela", "phone"), ("phone number?", "phone"), ("whats the phone number", "phone"),
        ("qual o zap deles", "phone"), ("onde fica?", "address"), ("o endereço?", "address"), ("where is it?", "address"),
        ("what street is it on?", "address"), ("tem site?", "website"), ("does it have a website?", "website"),
        ("que tipo é?", "type"), ("what kind of brewery is it", "type"), ("é longe?", "distance"), ("how far is it?", "distance"),
        ("fica longe do meu bar?", "distance"), ("how many miles away is it?", "miles"), ("eu já compro dela?", "bought"),
        ("do i already buy from them?", "bought"), ("já comprei deles alguma vez?", "bought"), ("desde quando compro dela?", "since"),
        ("is it open on sunday?", "hours"), ("que horas abre?", "hours"), ("what beers do they make?", "beers"),
        ("eles fazem ipa?", "beers"), ("ela é um brewpub?", "type"), ("tel dela", "phone"), ("whats their number", "phone"), ("já comprei lá?", "bought"), ("who owns it?", "other"), ("e o instagram?", "other"),
    ],
)  # fmt: skip
def test_asked_of_the_one_last_told_of(text: str, asks: str) -> None:
    reading = said(text, TOLD)
    assert (reading.intent, reading.asks, meant(reading)) == ("facts", (asks,), [2])
    assert reading.search == Search(breweries=("b2",))


@pytest.mark.parametrize(
    "text", ["qual o telefone?", "phone number?", "onde fica?", "is it open on sunday?", "qual o site dela?"]
)
def test_with_several_shown_and_none_told_it_is_asked_which(text: str) -> None:
    assert (said(text).intent, said(text).tool, said(text).unsure) == ("facts", "none", "several")
    pending = Context(shown=REFS, search=SEARCH, pending=("facts", "phone"))
    answer = said("a terceira", pending)
    assert (answer.intent, answer.asks, meant(answer)) == ("facts", ("phone",), [3])


@pytest.mark.parametrize(
    ("text", "asks", "numbers"),
    [
        ("telefone da segunda", "phone", [2]), ("onde fica a última?", "address", [5]), ("a primeira é micro ou brewpub?", "type", [1]), ("número da primeira", "phone", [1]), ("website of the first one", "website", [1]),
        ("is the third one far?", "distance", [3]), ("telefone das duas primeiras", "phone", [1, 2]),
        ("where is Freetail?", "address", [5]), ("telefone da Ranger Creek", "phone", [2]),
        ("qual a distancia ate a Blue Star Brewing?", "distance", [1]), ("já compro da primeira?", "bought", [1]),
    ],
)  # fmt: skip
def test_asked_of_what_is_pointed_at(text: str, asks: str, numbers: list[int]) -> None:
    reading = said(text)
    assert (reading.intent, reading.asks, meant(reading)) == ("facts", (asks,), numbers)


@pytest.mark.parametrize(
    ("text", "context", "numbers"),
    [
        ("compara a primeira com a terceira", LIST, [1, 3]), ("difference between 1 and 2", LIST, [1, 2]), ("1 vs 5", LIST, [1, 5]),
        ("qual a diferença entre a segunda e a última?", LIST, [2, 5]), ("compare the first two", LIST, [1, 2]),
        ("compare Freetail and Blue Star", LIST, [1, 5]), ("compare them", LIST, [1, 2, 3, 4, 5]), ("a 2 ou a 3, qual é mais perto?", LIST, [2, 3]), ("compara", TWO_TOLD, [1, 5]),
        ("compara as duas", TWO_TOLD, [1, 5]), ("compara com a primeira", TOLD, [2, 1]), ("bota a 1 e a 2 lado a lado", LIST, [1, 2]),
    ],
)  # fmt: skip
def test_compared(text: str, context: Context, numbers: list[int]) -> None:
    reading = said(text, context)
    assert (reading.intent, reading.tool) == ("compare", "search_breweries")
    assert sorted(meant(reading)) == sorted(numbers)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("why?", []), ("pq?", []), ("por que essas?", []), ("why did you suggest these ones?", []), ("why the third?", [3]), ("pq vc indicou a segunda?", [2]),
     ("qual você acha melhor?", [1]), ("which one would you pick?", [1])],
)  # fmt: skip
def test_why(text: str, numbers: list[int]) -> None:
    reading = said(text)
    assert (reading.intent, reading.search, meant(reading)) == ("why", SEARCH, numbers)


@pytest.mark.parametrize(
    "text",
    ["qual o telefone de vocês?", "what's your phone number?", "onde tem brewpub?", "where can i find brewpubs in Austin?",
     "tem cervejaria perto?", "quantos km eu rodei?", "ok i want to buy from them", "how do i buy from them?", "como compro dela?", "quero comprar dela", "what kind of beer do i like?", "how far is the moon?"],
)  # fmt: skip
def test_other_questions_are_not_about_them(text: str) -> None:
    assert said(text, TOLD).intent != "facts"
