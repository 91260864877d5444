"""Several places and types, those left out, what comes first, and how far away it is."""

import pytest

from beerforyou.catalogue.brewery import Ambiguous, Criteria, Page, Place, Unknown
from beerforyou.catalogue.index import AROUND_KM, Catalogue
from beerforyou.catalogue.ranking import Recommendations, Taste, recommend
from tests.catalogue.conftest import Make

AUSTIN = Place(city="Austin", state="Texas", country="United States")
DC = Place(city="Washington", state="District of Columbia", country="United States")
VICTORIA = Place(city="Victoria", state="British Columbia", country="Canada")


def found(catalogue: Catalogue, home: Place | None = None, **criteria: object) -> Page:
    page = catalogue.search(Criteria(**({"per_page": 200} | criteria)), home)  # type: ignore[arg-type]
    assert isinstance(page, Page), page
    return page


def ids(page: Page) -> set[str]:
    return {match.brewery.id for match in page.matches}


def test_several_places_are_all_searched(real: Catalogue) -> None:
    houston, dallas = found(real, city="Houston"), found(real, city="Dallas")
    both = found(real, city="Houston", also_in=("Dallas",))
    assert ids(both) == ids(houston) | ids(dallas)
    assert both.total == houston.total + dallas.total


def test_several_types_are_all_searched(real: Catalogue) -> None:
    both = found(real, state="Alaska", type="brewpub", also_types=("taproom",))
    assert {m.brewery.brewery_type for m in both.matches} == {"brewpub", "taproom"}


@pytest.mark.parametrize("not_types", [("micro",), ("micro", "brewpub"), ("nanobrewery",)])
def test_types_are_left_out(real: Catalogue, not_types: tuple[str, ...]) -> None:
    every, rest = found(real, city="Houston"), found(real, city="Houston", not_types=not_types)
    assert rest.not_types and not {m.brewery.brewery_type for m in rest.matches} & set(rest.not_types)
    assert ids(rest) == {m.brewery.id for m in every.matches if m.brewery.brewery_type not in rest.not_types}


def test_places_are_left_out(real: Catalogue) -> None:
    texas, rest = found(real, state="Texas"), found(real, state="Texas", not_in=("Austin", "Houston"))
    assert rest.total == texas.total - found(real, city="Austin").total - found(real, city="Houston").total
    near = found(real, city="Austin", within_km=100, not_in=("Austin",))
    assert near.total and not [m for m in near.matches if m.brewery.city == "Austin"]


def test_one_place_says_which_the_other_is(real: Catalogue) -> None:
    assert isinstance(real.search(Criteria(city="Portland")), Ambiguous)
    assert found(real, city="Portland", also_in=("Eugene",)).place.state == "Oregon"


def test_only_those_that_can_be_reached(real: Catalogue) -> None:
    for field in ("website", "phone"):
        some = found(real, city="Denver", has=(field,))
        assert some.total < found(real, city="Denver").total
        assert all(getattr(match.brewery, field) for match in some.matches)


def test_whom_a_bar_can_order_from_comes_first(make: Make) -> None:
    rows = [
        make("A Bar", brewery_type="bar", website="a", phone="1"), make("B Pub", brewery_type="brewpub", website="b"),
        make("C Mute"), make("D Micro", website="d"), make("E Micro", website="e", phone="5"), make("F Pub", brewery_type="brewpub"),
    ]  # fmt: skip
    names = [match.brewery.name for match in found(Catalogue(rows), city="San Diego").matches]
    assert names == ["E Micro", "D Micro", "C Mute", "B Pub", "F Pub", "A Bar"]


@pytest.mark.parametrize("criteria", [{"city": "Austin"}, {"state": "Texas"}, {"country": "United States"}, {}])
def test_the_closest_to_home_come_first_where_home_is(real: Catalogue, criteria: dict[str, str]) -> None:
    page = found(real, AUSTIN, **criteria)
    away = [match.distance_km for match in page.matches if match.distance_km is not None]
    assert away == sorted(away) and away[0] < 5
    assert page.origin == AUSTIN
    unknown = [match.distance_km is None for match in page.matches]
    assert unknown == sorted(unknown), "whose place is not known comes last"


@pytest.mark.parametrize("criteria", [{"city": "Denver"}, {"state": "Ohio"}, {"country": "Germany"}])
def test_elsewhere_all_clients_see_the_same_order(real: Catalogue, criteria: dict[str, str]) -> None:
    assert found(real, AUSTIN, **criteria) == found(real, DC, **criteria) == found(real, **criteria)


def test_the_closest_can_be_asked_for_from_afar(real: Catalogue) -> None:
    page = found(real, AUSTIN, state="Colorado", nearest=True)
    away = [match.distance_km for match in page.matches if match.distance_km is not None]
    assert away == sorted(away) and away[0] > 500


def test_without_a_place_it_is_looked_for_around_home(real: Catalogue) -> None:
    page = found(real, AUSTIN, per_page=5)
    assert page.within_km == AROUND_KM[0] and page.total == found(real, city="Austin", within_km=AROUND_KM[0]).total
    rare = found(real, AUSTIN, type="cidery", per_page=5)
    assert rare.within_km is None and rare.origin == AUSTIN, "farther than a long day's drive, everywhere"


def test_around_each_of_several_places(real: Catalogue) -> None:
    both = found(real, city="Denver", also_in=("Boulder",), within_km=15)
    assert ids(both) == ids(found(real, city="Denver", within_km=15)) | ids(found(real, city="Boulder", within_km=15))


def test_the_circle_around_home_does_not_depend_on_the_size_of_a_page(real: Catalogue) -> None:
    anaconda = Place(city="Missoula", state="Montana", country="United States")
    for criteria in ({}, {"type": "large"}, {"type": "cidery"}):
        assert len({found(real, anaconda, per_page=size, **criteria).total for size in (1, 3, 12, 200)}) == 1
        shown = [recommend(real, Criteria(per_page=size, **criteria), Taste(), anaconda) for size in (1, 12)]
        assert len({each.total for each in shown if isinstance(each, Recommendations)}) == 1


def test_pages_of_another_size_go_on_where_the_last_ended(real: Catalogue) -> None:
    first = [m.brewery.id for m in found(real, city="Denver", per_page=8).matches]
    then = [m.brewery.id for m in found(real, city="Denver", per_page=3, skip=5).matches]
    assert then == first[5:8]


@pytest.mark.parametrize(
    ("words", "home", "place"),
    [
        (("", "Washington", ""), DC, DC),
        (("Washington", "", ""), DC, DC),
        (("", "Washington", ""), AUSTIN, Place(state="Washington", country="United States")),
        (("", "Washington", "United States"), DC, Place(state="Washington", country="United States")),
        (("", "Victoria", ""), VICTORIA, VICTORIA),
        (("Victoria", "", "Canada"), AUSTIN, VICTORIA),
        (("", "Victoria", "Canada"), None, VICTORIA),
        (("Victoria", "British Columbia", ""), None, VICTORIA),
    ],
)
def test_home_and_qualifier_decide(
    real: Catalogue, words: tuple[str, str, str], home: Place | None, place: Place
) -> None:
    assert real.places.resolve(*words, home) == place


@pytest.mark.parametrize(
    ("city", "state", "elsewhere"),
    [("Austin", "Maine", "Texas"), ("Denver", "Texas", "Colorado"), ("Oregon", "Ohio", ""), ("Mexico", "Missouri", "")],
)
def test_a_qualifier_that_contradicts_is_told(real: Catalogue, city: str, state: str, elsewhere: str) -> None:
    unknown = real.places.resolve(city, state)
    assert isinstance(unknown, Unknown) and (unknown.asked, unknown.within) == (city, state)
    assert [place.state for place in unknown.choices][:1] == ([elsewhere] if elsewhere else [])


def test_a_recommendation_says_how_far_it_looked(real: Catalogue) -> None:
    shown = recommend(real, Criteria(per_page=5), Taste(), AUSTIN)
    assert isinstance(shown, Recommendations)
    assert (shown.within_km, shown.origin) == (100.0, AUSTIN)
    here = recommend(real, Criteria(city="Austin", per_page=5), Taste(), AUSTIN)
    assert isinstance(here, Recommendations) and here.within_km is None
    assert shown.in_city == here.total < shown.total


def test_the_closest_new_ones(real: Catalogue) -> None:
    shown = recommend(real, Criteria(per_page=20, nearest=True), Taste(types={"brewpub": 1.0}), AUSTIN)
    assert isinstance(shown, Recommendations)
    away = [match.distance_km for match in shown.matches if match.distance_km is not None]
    assert away == sorted(away)
