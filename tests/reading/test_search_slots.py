"""What a search asks: several places and types, what is left out, how many, how far, the closest; and what nobody knows."""

import msgspec
import pytest

from beerforyou.reading.reading import NEARBY_KM, Search
from tests.reading.conftest import Said


@pytest.mark.parametrize(
    ("text", "search"),
    [
        ("cervejarias em Denver que não sejam brewpub", Search(city="Denver", not_types=("brewpub",))),
        ("breweries in Denver that are not brewpubs or taprooms", Search(city="Denver", not_types=("brewpub", "taproom"))),
        ("Denver breweries, no nanos", Search(city="Denver", not_types=("nano",))),
        ("cervejarias em Denver, menos as grandes", Search(city="Denver", not_types=("large",))),
        ("tudo em Austin, exceto micro e nano", Search(city="Austin", not_types=("micro", "nano"))),
        ("breweries in Texas except Austin", Search(state="Texas", not_in=("Austin",))),
        ("breweries anywhere but Denver in Colorado", Search(state="Colorado", not_in=("Denver",))),
        ("cervejarias da California fora de San Diego e San Jose", Search(state="California", not_in=("San Diego", "San Jose"))),
        ("quero cervejaria nova mas não em Austin", Search(not_in=("Austin",), only_new=True)),
        ("nada de micro, quero brewpub em Austin", Search(city="Austin", type="brewpub", not_types=("micro",))),
    ],
)  # fmt: skip
def test_what_is_left_out(said: Said, text: str, search: Search) -> None:
    reading = said(text)
    assert reading.search == search
    assert reading.negated and not reading.leftover


@pytest.mark.parametrize(
    ("text", "only_new"),
    [("breweries in Austin I don't buy from", True), ("cervejarias em Austin que não compro", True)],
)
def test_a_purchase_that_is_denied_leaves_out_no_place(said: Said, text: str, only_new: bool) -> None:
    assert said(text).search == Search(city="Austin", only_new=only_new)


@pytest.mark.parametrize("text", ["não tem brewpub em Austin?", "isn't there a brewpub in Austin?"])
def test_a_question_with_no_in_it_is_no_denial(said: Said, text: str) -> None:
    search = said(text).search
    assert search is not None and (search.type, search.not_types) == ("brewpub", ())


@pytest.mark.parametrize(
    ("text", "city", "not_in"),
    [
        ("cervejarias em Denver, digo, Austin", "Austin", ("Denver",)),
        ("cervejarias em Denver, aliás, em Austin", "Austin", ("Denver",)),
        ("breweries in Denver - wait no, Austin", "Austin", ("Denver",)),
        ("breweries in Denver, sorry I meant Seattle", "Seattle", ("Denver",)),
    ],
)
def test_what_is_set_right_counts(said: Said, text: str, city: str, not_in: tuple[str, ...]) -> None:
    assert said(text).search == Search(city=city, not_in=not_in)


@pytest.mark.parametrize(
    ("text", "search"),
    [
        ("cervejarias em Denver e em Austin", Search(city="Denver", also_in=("Austin",))),
        ("breweries in Denver, Austin or Seattle", Search(city="Denver", also_in=("Austin", "Seattle"))),
        ("brewpubs e taprooms no Texas e no Colorado",
         Search(state="Texas", also_in=("Colorado",), type="brewpub", also_types=("taproom",))),
        ("micro or nano in Austin", Search(city="Austin", type="micro", also_types=("nano",))),
        ("small breweries in Austin", Search(city="Austin", type="micro", also_types=("nano",))),
        ("breweries in Portland, Maine and Denver", Search(city="Portland", state="Maine", also_in=("Denver",))),
    ],
)  # fmt: skip
def test_several_of_a_kind(said: Said, text: str, search: Search) -> None:
    reading = said(text)
    assert reading.search == search and not reading.leftover


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("me indica 3 cervejarias em Austin", 3), ("uma cervejaria nova em Austin", 1), ("ten breweries in Austin please", 10),
        ("one new brewery in Austin", 1), ("quero duas cervejarias novas em Austin", 2), ("a dozen breweries in Austin", 12),
        ("list 20 brewpubs in Austin", 20), ("quantas cervejarias tem em Austin?", 0), ("how many brewpubs are in Austin", 0),
        ("cervejarias em Austin", None), ("breweries within 5 km of Austin", None), ("tem uma cervejaria em Austin?", None),
    ],
)  # fmt: skip
def test_how_many(said: Said, text: str, limit: int | None) -> None:
    reading = said(text)
    assert reading.search is not None and reading.search.limit == limit
    assert not reading.leftover


@pytest.mark.parametrize(
    ("text", "search"),
    [
        ("breweries within 10 miles", Search(near_me=True, within_km=16.09344, miles=True)),
        ("breweries within twenty miles of me", Search(near_me=True, within_km=32.18688, miles=True)),
        ("a menos de vinte e cinco km de Denver", Search(city="Denver", within_km=25.0)),
        ("cervejarias a menos de 20 km", Search(near_me=True, within_km=20.0)),
        ("cervejarias a 2,5 km daqui", Search(near_me=True, within_km=2.5)),
        ("breweries within half a mile of me", Search(near_me=True, within_km=0.804672, miles=True)),
        ("num raio de 15km", Search(near_me=True, within_km=15.0)),
        ("anything within walking distance", Search(near_me=True, within_km=2.0)),
        ("brewpubs a pé do meu bar", Search(type="brewpub", near_me=True, within_km=2.0)),
        ("breweries near Denver", Search(city="Denver", within_km=NEARBY_KM)),
        ("the 3 closest breweries to Denver", Search(city="Denver", within_km=NEARBY_KM, nearest=True, limit=3)),
        ("a cervejaria mais próxima de Denver", Search(city="Denver", within_km=NEARBY_KM, nearest=True, limit=1)),
        ("closest brewery in Denver", Search(city="Denver", nearest=True, limit=1)),
    ],
)
def test_how_far(said: Said, text: str, search: Search) -> None:
    assert said(text).search == search


@pytest.mark.parametrize(
    ("text", "search"),
    [
        ("closest brewery to me", Search(near_me=True, nearest=True, limit=1)),
        ("qual a cervejaria mais perto de mim", Search(near_me=True, nearest=True, limit=1)),
        ("as 3 cervejarias mais próximas", Search(nearest=True, limit=3)),
        ("nearest brewpubs", Search(type="brewpub", nearest=True)),
        ("a mais próxima que eu não compro", Search(only_new=True, nearest=True, limit=1)),
    ],
)
def test_the_closest(said: Said, text: str, search: Search) -> None:
    assert said(text).search == search


@pytest.mark.parametrize(
    ("text", "has"),
    [("cervejarias com site em Austin", ("website",)), ("breweries in Austin with a phone number", ("phone",))],
)
def test_what_the_catalogue_knows_besides(said: Said, text: str, has: tuple[str, ...]) -> None:
    search = said(text).search
    assert search is not None and search.has == has


@pytest.mark.parametrize(
    ("text", "wishes", "word"),
    [
        ("cervejaria que faça stout em Austin", ("style",), "stout"), ("something hoppy", ("style",), "hoppy"),
        ("cervejaria de trigo", ("style",), "trigo"), ("cervejaria com comida", ("food",), "comida"),
        ("qual a melhor cervejaria de Austin", ("rating",), "melhor"), ("cheap breweries in Austin", ("price",), "cheap"),
        ("cervejarias abertas domingo em Austin", ("hours",), "abertas"), ("breweries downtown", ("area",), "downtown"),
        ("dog friendly brewpubs in Austin", ("service",), "dog"),
    ],
)  # fmt: skip
def test_what_no_catalogue_knows_is_left_over(said: Said, text: str, wishes: tuple[str, ...], word: str) -> None:
    reading = said(text)
    assert (reading.tool, reading.wishes) == ("search_breweries", wishes)
    assert word in reading.leftover
    assert reading.search is not None and not reading.search.name


@pytest.mark.parametrize(
    ("text", "like"),
    [
        ("something similar to Russian River", "Russian River Brewing Company"),
        ("breweries like Alter", "Alter Brewing Company"),
        ("algo parecido com a Alter", "Alter Brewing Company"),
    ],
)
def test_like_another(said: Said, text: str, like: str) -> None:
    assert said(text).search == Search(like=like)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("cervejarias novas mas não em Austin", "cervejarias novas mas não em Denver"),
        ("all breweries except micro in Austin", "all breweries except brewpubs in Austin"),
        ("me indica 3 cervejarias em Austin", "me indica 10 cervejarias em Austin"),
        ("cervejarias em Denver e Austin", "cervejarias em Denver"),
        ("breweries in Austin that make IPA", "breweries in Austin that make stout"),
        ("breweries within 10 km of Austin", "breweries within 10 miles of Austin"),
        ("cervejarias em Austin", "cervejarias perto de Austin"),
        ("brewpubs in Austin", "how many brewpubs in Austin"),
        ("breweries in Austin founded before 1990", "breweries in Austin founded before 2015"),
        ("breweries in Austin, closest first", "breweries in Austin"),
        ("cervejarias com site em Austin", "cervejarias com telefone em Austin"),
    ],
)
def test_near_misses_have_different_keys(said: Said, one: str, other: str) -> None:
    a, b = said(one), said(other)
    assert (a.intent, a.search, a.leftover) != (b.intent, b.search, b.leftover)


@pytest.mark.parametrize(
    ("text", "search"),
    [
        ("Oregon, Ohio", Search(city="Oregon", state="Ohio")),
        ("breweries in Mexico, Missouri", Search(city="Mexico", state="Missouri")),
        ("cervejarias em Austin, Maine", Search(city="Austin", state="Maine")),
        ("breweries in Victoria, British Columbia", Search(city="Victoria", state="British Columbia")),
        ("Victoria, Canada", Search(city="Victoria", country="Canada")),
        ("breweries in Oregon and Ohio", Search(state="Oregon", also_in=("Ohio",))),
        ("breweries in Washington state", Search(state="Washington", country="United States")),
        ("tem cervejaria aqui em San Ramon né", Search(city="San Ramon")),
    ],
)
def test_a_qualifier_decides(said_of_all: Said, text: str, search: Search) -> None:
    assert said_of_all(text).search == search


@pytest.mark.parametrize(
    ("text", "name"),
    [("is there a brewery called Pinthouse", "Pinthouse"), ("cervejarias com nome de santo", "santo"),
     ("Blue Star Brewing", "Blue Star Brewing Co")],
)  # fmt: skip
def test_a_name_is_taken_as_it_was_written(said_of_all: Said, text: str, name: str) -> None:
    assert said_of_all(text).search == Search(name=name)


@pytest.mark.parametrize(
    "text", ["top 5 beers by revenue", "how much did I buy in Octobre", "minhas cervejas por faturamento"]
)
def test_a_word_is_no_place_for_standing_where_one_could(said_of_all: Said, text: str) -> None:
    question = said_of_all(text).question
    assert question is not None and not question.filters


@pytest.mark.parametrize("text", ["recommend something similar", "me recomenda algo no mesmo estilo"])
def test_a_recommendation_without_a_brewery_is_one_of_taste(said: Said, text: str) -> None:
    assert said(text).search == Search(only_new=True)


def test_searches_that_were_remembered_before_still_mean_the_same() -> None:
    old = b'{"city":"Austin","type":"brewpub","only_new":true,"within_km":30.0,"page":2}'
    search = msgspec.json.decode(old, type=Search)
    assert search == Search(city="Austin", type="brewpub", only_new=True, within_km=30.0, page=2)
    assert msgspec.json.encode(search) == old
