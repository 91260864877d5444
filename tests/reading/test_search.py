"""Searches: places, types, names, distance, and what "new" means."""

import pytest

from beerforyou.reading.reading import Search
from tests.reading.conftest import Said


@pytest.mark.parametrize(
    ("text", "search"),
    [
        ("quais brewpubs tem em Denver?", Search(city="Denver", type="brewpub")),
        ("breweries in San Diego", Search(city="San Diego")),
        ("denver breweries", Search(city="Denver")),
        ("Austin, TX", Search(city="Austin", state="Texas")),
        ("cervejarias em Portland, Maine", Search(city="Portland", state="Maine")),
        ("breweries in Portland (Oregon)", Search(city="Portland", state="Oregon")),
        ("breweries in portland, or", Search(city="Portland", state="Oregon")),
        ("breweries in Portland", Search(city="Portland")),
        ("cervejarias na Virgínia Ocidental", Search(state="West Virginia")),
        ("breweries in Virginia", Search(state="Virginia")),
        ("cervejarias no estado de Nova York", Search(state="New York", country="United States")),
        ("breweries in New York", Search(city="New York")),
        ("cervejarias em Grants Pass", Search(city="Grants Pass")),
        ("cervejarias em Munique", Search(city="München")),
        ("breweries in st louis", Search(city="Saint Louis")),
        ("cervejarias alemãs", Search(country="Germany")),
        ("breweries in golden", Search(city="Golden")),
        ("cervejarias em New Orleans", Search(city="New Orleans")),
    ],
)
def test_places_in_the_catalogues_own_spelling(said: Said, text: str, search: Search) -> None:
    reading = said(text)
    assert (reading.intent, reading.search) == ("search", search)


@pytest.mark.parametrize(
    ("text", "city"),
    [
        ("Cervejarias em Atlântida Nova", "Atlântida Nova"),
        ("cervejarias em São Paulo", "São Paulo"),
        ("tem cervejaria no Rio de Janeiro?", "Rio de Janeiro"),
        ("breweries in Port Imaginary", "Port Imaginary"),
    ],
)
def test_a_city_that_the_catalogue_lacks_stays_as_written(said: Said, text: str, city: str) -> None:
    assert said(text).search == Search(city=city)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("microcervejarias", "micro"),
        ("só os taprooms", "taproom"),
        ("large breweries", "large"),
        ("cidrarias", "cidery"),
        ("beer gardens", "beergarden"),
        ("nanos only", "nano"),
        ("cervejarias artesanais", ""),
        ("craft breweries", ""),
        ("breweries for my bar", ""),
        ("breweries that make stout", ""),
    ],
)
def test_types_are_types_of_breweries(said: Said, text: str, kind: str) -> None:
    search = said(text).search
    assert search is not None
    assert search.type == kind


@pytest.mark.parametrize(
    ("text", "only_new"),
    [
        ("Cervejarias novas em San Diego", True),
        ("cervejarias em San Diego que eu ainda não compro", True),
        ("breweries in San Diego I've never ordered from", True),
        ("me recomenda cervejarias em San Diego", True),
        ("suggest a brewery in San Diego", True),
        ("breweries in San Diego other than the ones I already buy from", True),
        ("não quero as que já compro, só novas em San Diego", True),
        ("breweries in San Diego that are not on my list", True),
        ("cervejarias em San Diego", False),
        ("list the breweries of San Diego", False),
        ("cervejarias em San Diego, inclusive as que eu já compro", False),
        ("San Diego breweries, even ones I already carry", False),
        ("quero ver cervejarias em San Diego, não precisa ser nova", False),
    ],
)
def test_new_means_new_to_me(said: Said, text: str, only_new: bool) -> None:
    search = said(text).search
    assert search == Search(city="San Diego", only_new=only_new)


@pytest.mark.parametrize(
    "text",
    ["cervejarias em San Diego que eu já compro", "não quero novas, as que já compro", "breweries I already buy from"],
)
def test_what_i_already_buy_is_a_question_about_purchases(said: Said, text: str) -> None:
    assert said(text).intent == "own_data"


@pytest.mark.parametrize(
    ("text", "search"),
    [
        ("não quero brewpub, só micro em Denver", Search(city="Denver", type="micro", not_types=("brewpub",))),
        ("not Denver, Austin", Search(city="Austin", not_in=("Denver",))),
        ("no brewpubs please. breweries in Austin", Search(city="Austin", not_types=("brewpub",))),
    ],
)
def test_what_is_denied_is_a_slot(said: Said, text: str, search: Search) -> None:
    reading = said(text)
    assert reading.search == search
    assert reading.negated


@pytest.mark.parametrize(
    ("text", "search"),
    [
        ("cervejarias perto de mim", Search(near_me=True)),
        ("brewpubs near my bar", Search(type="brewpub", near_me=True)),
        ("tem cervejaria na minha cidade?", Search(in_home="city")),
        ("breweries within 30 km of Austin", Search(city="Austin", within_km=30.0)),
        ("cervejarias num raio de 20km daqui", Search(near_me=True, within_km=20.0)),
        ("breweries within 10 miles of Denver", Search(city="Denver", within_km=16.09344, miles=True)),
    ],
)
def test_distance(said: Said, text: str, search: Search) -> None:
    assert said(text).search == search


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("tem alguma cervejaria chamada Alter?", "Alter Brewing Company"),
        ("is there a brewery called Moonlit Badger?", "Moonlit Badger"),
        ("do you have Russian River?", "Russian River Brewing Company"),
        ("Fremont Brewing", "Fremont Brewing"),
    ],
)
def test_whether_and_where_a_brewery_is(said: Said, text: str, name: str) -> None:
    assert said(text).search == Search(name=name)


@pytest.mark.parametrize(
    ("text", "search"),
    [
        ("cervejarais em san digo", Search(city="San Diego")),
        ("recomnda brewreies em dever", Search(city="Denver", only_new=True)),
        ("micrcervejarias em Austn", Search(city="Austin", type="micro")),
        ("breweries from Virgina", Search(state="Virginia")),
    ],
)
def test_typing_mistakes(said: Said, text: str, search: Search) -> None:
    assert said(text).search == search


@pytest.mark.parametrize(
    "text",
    [
        "Semana passada um amigo voltou de Denver falando maravilhas. Queria saber: quais brewpubs existem lá?",
        "My brother-in-law moved to Denver and won't stop bragging. Which brewpubs are there?",
    ],
)
def test_of_a_story_the_question_counts(said: Said, text: str) -> None:
    assert said(text).search == Search(city="Denver", type="brewpub")
