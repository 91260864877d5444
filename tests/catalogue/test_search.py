"""Searches: exact where names are exact, every match in some page, nothing that is not open."""

from math import asin, cos, radians, sin, sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beerforyou.catalogue.brewery import NOT_OPEN, TYPES, Ambiguous, Brewery, Criteria, Page, Place, Unknown
from beerforyou.catalogue.index import MOST_MEANT, Catalogue
from beerforyou.errors import BadInput
from tests.catalogue.conftest import Make
from tests.cpu import quick
from tests.reading.fuzz import LONGEST_S

HOME = Place(city="Bend", state="Oregon", country="United States")


def page(catalogue: Catalogue, home: Place | None = None, **criteria: object) -> Page:
    found = catalogue.search(Criteria(**criteria), home)  # type: ignore[arg-type]
    assert isinstance(found, Page), found
    return found


def pages(catalogue: Catalogue, **criteria: object) -> list[str]:
    """The ids of all pages in order."""
    ids: list[str] = []
    number = 1
    while shown := page(catalogue, page=number, **criteria).matches:
        ids += [match.brewery.id for match in shown]
        number += 1
    return ids


def haversine(a: tuple[float, float], b: tuple[float, float]) -> float:
    (lat1, lon1), (lat2, lon2) = ((radians(x), radians(y)) for x, y in (a, b))
    half = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin((lon2 - lon1) / 2) ** 2
    return 2 * 6371.0088 * asin(sqrt(half))


def test_every_brewery_of_seattle_can_be_reached(real: Catalogue) -> None:
    of_seattle = {b.id for b in real.breweries if (b.city, b.state) == ("Seattle", "Washington")}
    opened = pages(real, city="Seattle")
    shut = [id for kind in NOT_OPEN for id in pages(real, city="Seattle", type=kind)]
    assert len(of_seattle) == 94
    assert {*opened, *shut} == of_seattle and len(opened) + len(shut) == 94


def test_virginia_is_not_west_virginia(real: Catalogue) -> None:
    found = pages(real, state="virginia", per_page=200)
    expected = {b.id for b in real.breweries if b.state == "Virginia" and b.is_open}
    assert set(found) == expected and len(found) == len(expected)


def test_closed_and_planned_breweries_are_never_found_unless_asked_for(real: Catalogue) -> None:
    for criteria in ({"state": "Ohio"}, {"name": "brewing"}, {"city": "Denver", "within_km": 100}, {}):
        kinds = {m.brewery.brewery_type for m in page(real, per_page=200, **criteria).matches}
        assert kinds and not kinds & NOT_OPEN
    assert {m.brewery.brewery_type for m in page(real, state="Ohio", type="planning").matches} == {"planning"}


PLACES = st.sampled_from([
    {}, {"city": "Seattle"}, {"city": "San Diego"}, {"city": "Berlin"}, {"city": "Grants Pass"}, {"state": "Ohio"},
    {"state": "CA"}, {"country": "Belgium"}, {"country": "Portugal"}, {"city": "Portland", "state": "Maine"},
])  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    place=PLACES,
    kind=st.sampled_from(["", *TYPES]),
    name=st.sampled_from(["", "river", "stone", "de", "brewing"]),
    within=st.sampled_from([None, 5.0, 60.0, 400.0]),
    size=st.sampled_from([7, 20, 50, 200]),
)
def test_paging_shows_every_match_exactly_once(
    real: Catalogue, place: dict[str, str], kind: str, name: str, within: float | None, size: int
) -> None:
    criteria = dict(place, type=kind, name=name, within_km=within if "city" in place else None)
    total = page(real, **criteria).total
    if total > 3000:
        return
    ids = pages(real, per_page=size, **criteria)
    assert len(ids) == len(set(ids)) == total
    assert ids == pages(real, per_page=200, **criteria), "the order does not depend on the size of a page"


@pytest.mark.parametrize("city", ["San Diego", "Denver", "Berlin", "Auckland", "Helsinki"])
@pytest.mark.parametrize("within", [3.0, 40.0, 250.0])
def test_distance_finds_what_a_plain_count_finds(real: Catalogue, city: str, within: float) -> None:
    found = page(real, city=city, within_km=within, per_page=200)
    center = real.point(found.place)
    assert center
    known = {b.id: (b.latitude, b.longitude) for b in real.breweries if b.latitude is not None and b.is_open}
    near = {id for id, point in known.items() if haversine(center, point) <= within}  # type: ignore[arg-type]
    shown = [id for id in pages(real, city=city, within_km=within) if id in known]
    assert set(shown) == near
    distances = [haversine(center, known[id]) for id in shown]  # type: ignore[arg-type]
    assert distances == sorted(distances)
    for match in found.matches:
        if match.distance_km is not None:
            assert match.distance_km == pytest.approx(haversine(center, known[match.brewery.id]), abs=1e-6)  # type: ignore[arg-type]


def test_near_the_client_when_no_city_is_named(real: Catalogue) -> None:
    found = page(real, HOME, within_km=30)
    assert found.place == HOME and found.total > 10
    assert {m.brewery.city for m in found.matches} >= {"Bend"}
    nowhere = real.search(Criteria(within_km=30))
    assert nowhere == Unknown(field="city", asked="")


def test_a_brewery_without_coordinates_is_where_its_city_is(make: Make) -> None:
    catalogue = Catalogue([
        make("Placed", latitude=32.7, longitude=-117.1), make("Unplaced"),
        make("Neighbour", "Chula Vista", latitude=32.6, longitude=-117.0), make("Lost", "Nowhere Springs"),
    ])  # fmt: skip
    found = page(catalogue, city="San Diego", within_km=50)
    assert [(m.brewery.name, m.distance_km is None) for m in found.matches] == [
        ("Placed", False), ("Neighbour", False), ("Unplaced", True),
    ]  # fmt: skip
    assert [m.brewery.name for m in page(catalogue, city="Nowhere Springs", within_km=50).matches] == ["Lost"]


def test_names_match_by_whole_words(real: Catalogue) -> None:
    found = [m.brewery.name for m in page(real, name="Stone Brewing", per_page=200).matches]
    assert "Stone Brewing Co" in found
    assert not [name for name in found if "stone" not in name.lower().replace("-", " ").replace("'", "").split()]
    assert page(real, name="Alter Brewing").matches[0].brewery.name == "Alter Brewing Company"
    assert not any("Walter" in m.brewery.name for m in page(real, name="alter", per_page=200).matches)
    assert [m.brewery.name for m in page(real, name="siera nevada").matches] == ["Sierra Nevada Brewing Co"] * 2


@pytest.mark.parametrize(
    ("words", "kind"),
    [("micro", "micro"), ("Microcervejarias", "micro"), ("brew pub", "brewpub"), ("taprom", "taproom"),
     ("nanobrewery", "nano"), ("beer garden", "beergarden"), ("Sidreria", "cidery"), ("regionais", "regional"),
     ("brewpbu", "brewpub"), ("cervejaria cigana", "contract")],
)  # fmt: skip
def test_types_by_the_words_people_use(real: Catalogue, words: str, kind: str) -> None:
    found = page(real, type=words)
    assert found.type == kind and {m.brewery.brewery_type for m in found.matches} == {kind}


def test_types_match_exactly_or_not_at_all(real: Catalogue) -> None:
    unknown = real.search(Criteria(type="discotheque"))
    assert isinstance(unknown, Unknown) and (unknown.field, unknown.asked) == ("type", "discotheque")
    bars = [m.brewery.brewery_type for m in page(real, type="bar", per_page=200).matches]
    assert set(bars) == {"bar"}


def test_ambiguous_and_unknown_places_pass_through(real: Catalogue) -> None:
    assert isinstance(real.search(Criteria(city="Portland")), Ambiguous)
    assert isinstance(real.search(Criteria(city="Portland"), HOME), Page)
    assert isinstance(real.search(Criteria(city="Curitiba")), Unknown)


@pytest.mark.parametrize(
    "criteria", [{"page": 0}, {"per_page": 0}, {"per_page": 201}, {"within_km": 0.0}, {"within_km": -5.0}]
)
def test_impossible_criteria_are_refused(real: Catalogue, criteria: dict[str, float]) -> None:
    with pytest.raises(BadInput):
        real.search(Criteria(**criteria))  # type: ignore[arg-type]


def test_a_page_after_the_last_is_empty_and_tells_the_true_total(real: Catalogue) -> None:
    assert page(real, city="Seattle", page=999).matches == ()
    assert page(real, city="Seattle", page=999).total == page(real, city="Seattle").total


def test_swapped_coordinates_are_repaired(real_rows: list[Brewery]) -> None:
    by_name = {(b.name, b.city): b for b in real_rows}
    cullman, manchester = by_name["Goat Island Brewing", "Cullman"], by_name["Labyrinth Brewing Company", "Manchester"]
    assert cullman.latitude == pytest.approx(34.14, abs=0.01) and cullman.longitude == pytest.approx(-86.82, abs=0.01)
    assert manchester.latitude == pytest.approx(41.78, abs=0.01) and manchester.longitude == pytest.approx(
        -72.56, abs=0.01
    )
    assert by_name["Batzen", "Bolzano"].latitude == pytest.approx(46.50, abs=0.01), "all of Italy came swapped"


def test_find_asks_among_namesakes_unless_home_decides(real: Catalogue) -> None:
    both = {m.brewery.city for m in real.find("Stone Brewing")}
    assert both == {"Escondido", "Byron Bay"}
    assert [m.brewery.city for m in real.find("Stone Brewing", home=HOME)] == ["Escondido"]
    australia = Place(country="Australia")
    assert [m.brewery.city for m in real.find("Stone Brewing", place=australia)] == ["Byron Bay"]


def test_find_tells_one_brewery_of_a_city_once(real: Catalogue) -> None:
    san_diego = Place(city="San Diego", state="California", country="United States")
    (found,) = real.find("Ballast Point", place=san_diego)
    assert found.brewery.website, "of doubled entries, the one that says more"


def test_find_by_old_name(make: Make) -> None:
    renamed, other = make("Harbor Light Brewing"), make("Pier Nine Brewing")
    catalogue = Catalogue([renamed, other], {renamed.id: ["Dockside Brewing Co"], "gone": ["Nobody"]})
    assert [m.brewery.id for m in catalogue.find("dockside")] == [renamed.id]
    assert [m.brewery.id for m in catalogue.find("Harbour Light")] == [renamed.id], "misspelt"
    assert catalogue.known_as("Dockside Brewing", "San Diego", "CA") == renamed.id


@pytest.mark.parametrize(
    "name", ["Beer", "Brewing Co", "and Brewing", "The River", "Old Brewing", "Brewing Company Brewing", "Creek"]
)
def test_a_name_of_too_many_breweries_is_vague(real: Catalogue, name: str) -> None:
    assert real.is_vague(name) and real.find(name) == ()
    few = next(b for b in real.breweries if not real.is_vague(name, here(real, b)) and real.find(name, here(real, b)))
    found = real.find(name, here(real, few))
    assert 0 < len(found) <= MOST_MEANT, "where the place tells them apart, it is understood"


def test_no_brewery_s_own_name_is_vague(real: Catalogue) -> None:
    names = {brewery.name for brewery in real.breweries[::7]} | {"Rock Bottom", "Granite City", "Gordon Biersch"}
    assert [name for name in names if real.is_vague(name) or not real.find(name)] == []


@pytest.mark.parametrize(
    "name",
    [
        "x" + " " * 20_000 + "y",
        "- " * 10_000,
        "brewing " * 5_000,
        "and the beer company " * 1_000,
        "(" * 20_000,
        "a" * 20_000,
    ],
)
def test_a_long_name_takes_no_longer_than_its_length(real: Catalogue, name: str) -> None:
    with quick(LONGEST_S):
        real.find(name)
        real.search(Criteria(name=name, city=name))


def here(catalogue: Catalogue, brewery: Brewery) -> Place:
    return catalogue.place_of(brewery.id)


def test_an_empty_catalogue_answers(make: Make) -> None:
    empty = Catalogue([])
    assert isinstance(empty.search(Criteria(city="Seattle")), Unknown)
    assert page(empty).total == 0 and empty.find("stone") == () and empty.mentions(["seattle"]) == []
