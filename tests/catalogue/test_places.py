"""Places: understood as people write them, asked about when they may be several, unknown when they are none."""

import random
import string

import pytest

from beerforyou.catalogue.brewery import Ambiguous, Place, Unknown
from beerforyou.catalogue.index import Catalogue
from beerforyou.catalogue.names import fold
from beerforyou.catalogue.places import Gazetteer, label
from tests.catalogue.conftest import Make

USA = "United States"


def us(city: str = "", state: str = "") -> Place:
    return Place(city=city, state=state, country=USA)


CALIFORNIA, WASHINGTON = us(state="California"), us(state="Washington")


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ({"state": "CA"}, CALIFORNIA),
        ({"state": "Califórnia"}, CALIFORNIA),
        ({"state": "california", "country": "EUA"}, CALIFORNIA),
        ({"state": "Virgínia"}, us(state="Virginia")),
        ({"state": "virginia"}, us(state="Virginia")),
        ({"state": "West Virginia"}, us(state="West Virginia")),
        ({"state": "Virgínia Ocidental"}, us(state="West Virginia")),
        ({"state": "Carolina do Norte"}, us(state="North Carolina")),
        ({"state": "Nova Iorque"}, us(state="New York")),
        ({"city": "Nova York"}, us("New York", "New York")),
        ({"city": "NYC"}, us("New York", "New York")),
        ({"city": "St. Louis"}, us("Saint Louis", "Missouri")),
        ({"city": "St Petersburg", "state": "FL"}, us("Saint Petersburg", "Florida")),
        ({"city": "Portland, OR"}, us("Portland", "Oregon")),
        ({"city": "Portland, Maine, USA"}, us("Portland", "Maine")),
        ({"city": "Grants Pass"}, us("Grants Pass", "Oregon")),
        ({"city": "Washington DC"}, us("Washington", "District of Columbia")),
        ({"state": "Baviera"}, Place(state="Bayern", country="Germany")),
        ({"country": "Alemanha"}, Place(country="Germany")),
        ({"country": "Holanda"}, Place(country="Netherlands")),
        ({"country": "de"}, Place(country="Germany")),
        ({"city": "Munique"}, Place(city="München", state="Bayern", country="Germany")),
        ({"city": "Colônia"}, Place(city="Köln", state="Nordrhein-Westfalen", country="Germany")),
        ({"city": "Bruxelas"}, Place(city="Bruxelles", state="Brussels Capital Region", country="Belgium")),
        ({"city": "Luik"}, Place(city="Liège", state="Région wallonne", country="Belgium")),
        ({"city": "Cidade do Cabo"}, Place(city="Cape Town", state="Western Cape", country="South Africa")),
        ({"state": "Flandres"}, Place(state="Vlaanderen", country="Belgium")),
        ({"state": "Queensland"}, Place(state="QLD", country="Australia")),
        ({"city": "Kempten"}, Place(city="Kempten (Allgäu)", state="Bayern", country="Germany")),
        ({}, Place()),
    ],
)
def test_other_names_mean_the_same_place(real: Catalogue, asked: dict[str, str], meant: Place) -> None:
    assert real.places.resolve(**asked) == meant


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ({"city": "Colorado"}, us(state="Colorado")),
        ({"city": "Oregon"}, us(state="Oregon")),  # there is an Oregon in Ohio; nobody means it
        ({"city": "Germany"}, Place(country="Germany")),
        ({"city": "Seul"}, Place(state="Seoul", country="South Korea")),
        ({"state": "Chicago"}, us("Chicago", "Illinois")),
        ({"state": "Germany"}, Place(country="Germany")),
        ({"country": "Bavaria"}, Place(state="Bayern", country="Germany")),
    ],
)
def test_a_place_in_the_wrong_field_is_understood(real: Catalogue, asked: dict[str, str], meant: Place) -> None:
    assert real.places.resolve(**asked) == meant


def test_portland_is_asked_about_and_the_clients_state_decides(real: Catalogue) -> None:
    asked = real.places.resolve("Portland")
    assert isinstance(asked, Ambiguous)
    assert [place.state for place in asked.choices[:2]] == ["Oregon", "Maine"], "most breweries first"
    for state in ("Oregon", "Maine", "ME"):
        found = real.places.resolve("Portland", home=Place(city="Bangor", state=state, country="USA"))
        assert found == us("Portland", "Maine" if state != "Oregon" else "Oregon")
    assert isinstance(real.places.resolve("Portland", home=CALIFORNIA), Ambiguous)


@pytest.mark.parametrize("city", ["Richmond", "Springfield", "Vancouver", "Charleston", "Hamilton", "Frankfurt"])
def test_namesakes_of_like_size_are_asked_about(real: Catalogue, city: str) -> None:
    assert isinstance(real.places.resolve(city), Ambiguous)


@pytest.mark.parametrize(
    ("city", "state"),
    [("Chicago", "Illinois"), ("San Diego", "California"), ("Berlin", "Berlin"), ("Nashville", "Tennessee"),
     ("Columbus", "Ohio"), ("Dublin", "Dublin"), ("Kansas City", "Missouri"), ("Buffalo", "New York")],
)  # fmt: skip
def test_a_far_better_known_namesake_is_taken_without_asking(real: Catalogue, city: str, state: str) -> None:
    found = real.places.resolve(city)
    assert isinstance(found, Place) and found.state == state


def test_a_city_that_is_better_known_elsewhere_is_offered_not_taken(real: Catalogue) -> None:
    asked = real.places.resolve("London")
    assert isinstance(asked, Ambiguous) and asked.choices[0].state == "Ontario"
    assert real.places.resolve("London", country="Canada") == asked.choices[0]
    assert isinstance(real.places.resolve("Londres"), Unknown)


def test_washington_is_a_state_or_a_city(real: Catalogue) -> None:
    asked = real.places.resolve("Washington")
    assert isinstance(asked, Ambiguous)
    assert set(asked.choices) == {WASHINGTON, us("Washington", "District of Columbia")}
    assert real.places.resolve("New York") == us("New York", "New York"), "the city is in the state of its name"


def test_wa_is_washington_unless_the_country_says_otherwise(real: Catalogue) -> None:
    western_australia = Place(state="WA", country="Australia")
    assert real.places.resolve(state="WA") == WASHINGTON
    assert real.places.resolve("Seattle", "WA") == us("Seattle", "Washington")
    assert real.places.resolve(state="WA", country="Australia") == western_australia
    assert real.places.resolve(state="WA", home=Place(state="VIC", country="Australia")) == western_australia
    assert real.places.resolve(state="Western Australia") == western_australia


def test_united_kingdom_is_several_countries_here(real: Catalogue) -> None:
    asked = real.places.resolve(country="Reino Unido")
    assert isinstance(asked, Ambiguous) and {c.country for c in asked.choices} == {"England", "Scotland"}


def test_a_city_in_the_wrong_state_is_unknown_and_its_namesakes_are_suggested(real: Catalogue) -> None:
    found = real.places.resolve("Portland", "Texas")
    assert isinstance(found, Unknown) and (found.field, found.asked) == ("city", "Portland")
    assert found.within == "Texas" and [place.state for place in found.choices[:2]] == ["Oregon", "Maine"]


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ({"city": "Seatle"}, us("Seattle", "Washington")),
        ({"city": "seattel"}, us("Seattle", "Washington")),
        ({"city": "San Deigo"}, us("San Diego", "California")),
        ({"city": "Chicgo"}, us("Chicago", "Illinois")),  # as near to Chico, which has a twentieth of its breweries
        ({"city": "Colorodo"}, us(state="Colorado")),
        ({"state": "Califronia"}, CALIFORNIA),
        ({"state": "Virgina"}, us(state="Virginia")),
        ({"state": "West Virgina"}, us(state="West Virginia")),
        ({"country": "Alemnha"}, Place(country="Germany")),
    ],
)
def test_typing_mistakes_are_repaired(real: Catalogue, asked: dict[str, str], meant: Place) -> None:
    assert real.places.resolve(**asked) == meant


@pytest.mark.parametrize(
    "city", ["São Paulo", "Curitiba", "Zürich", "Kraków", "Milano", "Genova", "Córdoba", "Londres"]
)
def test_a_well_known_city_elsewhere_is_no_misspelling(real: Catalogue, city: str) -> None:
    assert isinstance(real.places.resolve(city), Unknown)
    assert real.nearest("city", city) is None


# Cities that neither the catalogue nor its list of well-known ones has.
ELSEWHERE = """Feira de Santana, Anápolis, Chapecó, Volta Redonda, Bento Gonçalves, Passo Fundo, Mossoró, Caruaru, Olinda,
Cascavel, Ponta Grossa, Vila Velha, Divinópolis, Poços de Caldas, Campina Grande, Imperatriz, Marília, Franca, Bauru,
Piracicaba, Jundiaí, Murcia, Zaragoza, Salamanca, Pamplona, Ravenna, Siena, Trieste, Perugia, Rouen, Dijon, Grenoble,
Montpellier, Leicester, Swansea, Inverness, Dundee, Brno, Pilsen, Ostrava, Gdańsk, Poznań, Debrecen, Malmö, Uppsala,
Aarhus, Odense, Trondheim, Stavanger, Nagoya, Sapporo, Hiroshima, Ankara, Izmir, Casablanca, Accra, Kampala, Arequipa,
Mar del Plata, Bariloche, Antofagasta, Barranquilla, Maracaibo, Querétaro, Oaxaca, Regina, Saskatoon, Darwin, Cairns"""


def test_hardly_any_other_city_is_bent_into_one_of_the_catalogue(real: Catalogue) -> None:
    cities = [city.strip() for city in ELSEWHERE.split(",")]
    strangers = [city for city in cities if not real.places.named("city", fold(city))]
    bent = {city: label(found) for city in strangers if isinstance(found := real.places.resolve(city), Place)}
    assert len(bent) <= 0.05 * len(strangers), bent


def test_repairs_of_mistakes_in_every_city_are_nearly_always_right(real: Catalogue) -> None:
    """One edit in a name of five letters or more, anywhere: right, or not repaired; hardly ever another place."""
    chance = random.Random(1)
    cities = sorted({p.city for p in real.columns.place if len(p.city) >= 5 and p.city.isascii()})
    right = wrong = 0
    for city in chance.sample(cities, 600):
        found = real.nearest("city", _mistyped(city, chance))
        right += found == city
        wrong += found is not None and found != city
    assert right > 0.8 * 600
    assert wrong < 0.03 * 600


def _mistyped(word: str, chance: random.Random) -> str:
    at = chance.randrange(1, len(word) - 1)
    left, letter, right = word[:at], word[at], word[at + 1 :]
    return chance.choice([
        left + right, left + letter + letter + right, left + right[0] + letter + right[1:],
        left + chance.choice(string.ascii_lowercase) + right,
    ])  # fmt: skip


def test_every_place_is_found_by_its_own_full_name(real: Catalogue) -> None:
    for place in set(real.columns.place):
        assert real.places.resolve(place.city, place.state, place.country) == place


def test_spellings_of_one_place_are_one_place(make: Make) -> None:
    rows = [
        make("A", "St Petersburg", "Florida"), make("B", "Saint Petersburg", "Florida"),
        make("C", "Saint Petersburg", "Florida"), make("D", "Joplin", "MIssouri"), make("E", "Joplin", "Missouri"),
        make("F", "Joplin", "Missouri"), make("G", "Luik", "Waals Gewest", country="Belgium"),
        make("H", "Liège", "Wallonia", country="Belgium"),
    ]  # fmt: skip
    places = Gazetteer(rows)
    assert {label(places.place_of(row)) for row in rows} == {
        "Saint Petersburg, Florida", "Joplin, Missouri", "Liège, Région wallonne",
    }  # fmt: skip


def test_places_without_open_breweries_do_not_make_a_name_ambiguous(make: Make) -> None:
    rows = [make("A", "Salem", "Oregon"), make("B", "Salem", "Ohio", brewery_type="closed")]
    assert Gazetteer(rows).resolve("Salem") == us("Salem", "Oregon")


def test_a_clients_place_is_settled_as_far_as_it_is_known(real: Catalogue) -> None:
    settled = real.places.settled
    assert settled(Place(city="San Diego", state="CA", country="USA")) == us("San Diego", "California")
    assert settled(Place(city="Nowhere at all", state="CA", country="USA")) == CALIFORNIA
    assert settled(Place(city="Curitiba", state="PR", country="Brasil")) == Place()
