"""Names are compared by their words: nothing is cut out of the middle, nothing is left empty."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beerforyou.catalogue.brewery import Brewery
from beerforyou.catalogue.names import BreweryName, brand_key, brewery_key, fold, plain

ANY_TEXT = st.one_of(st.text(), st.text(alphabet="aáÀß'’.&+-,() StBREWcoĲŒﬁ®½İ"))


@pytest.mark.parametrize(
    "same",
    [
        ("Saint Louis", "St. Louis", "ST LOUIS", "  saint   louis "),
        ("Mount Pleasant", "Mt. Pleasant", "Mt Pleasant"),
        ("Fort Collins", "Ft. Collins"),
        ("Sint-Truiden", "St. Truiden", "Saint Truiden"),
        ("São José", "sao jose", "SAO JOSÉ"),
        ("Straßkirchen", "Strasskirchen"),
        ("Wrocław", "wroclaw"),
        ("Emerson's", "Emersons", "Emerson’s", "Emerson´s"),
        ("Barley & Hops", "Barley and Hops", "Barley + Hops", "Barley e Hops"),
        ("D. G. Yuengling", "DG Yuengling", "D.G. Yuengling"),
        ("Washington D.C.", "washington dc"),
    ],
)
def test_one_name_in_many_spellings(same: tuple[str, ...]) -> None:
    assert len({fold(name) for name in same}) == 1


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Stone Brewing Co., LLC", "stone"),
        ("Stone Brewery", "stone"),
        ("The Stone Brewing Company", "stone"),
        ("Cervejaria Stone Ltda.", "stone"),
        ("Brouwerij De Koninck", "de koninck"),
        ("Brewery Ommegang", "ommegang"),
        ("Scheldebrouwerij", "scheldebrouwerij"),  # the word is inside another: it stays
        ("Cobra Brewing", "cobra"),  # begins with "Co"
        ("Incognito Brewing Inc", "incognito"),
        ("Thesis Beer Project", "thesis beer project"),
        ("Main St Brewing", "main street"),
        ("St. Elmo Brewing", "saint elmo"),
        ("Granite City Food & Brewery", "granite city food"),
        ("Company Brewing", "company"),
        ("The Brewing Company", "the brewing company"),
        ("Brewery", "brewery"),
    ],
)
def test_prefixes_and_suffixes_go_as_whole_words_only(name: str, key: str) -> None:
    assert brewery_key(name) == key


@pytest.mark.parametrize(
    ("name", "brand"),
    [
        ("Oddstory Brewing Co: Central", "oddstory"),
        ("Roosters Brewing Co (#2)", "roosters"),
        ("Stone Brewing Co- Richmond", "stone"),
        ("Rock Bottom Brewery - La Jolla", "rock bottom"),
        ("Winston-Salem Brewing", "winston salem"),  # a hyphen is no branch
    ],
)
def test_a_chain_is_called_by_what_stands_before_its_branch(name: str, brand: str) -> None:
    assert brand_key(name) == brand


@given(ANY_TEXT)
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    assert plain(plain(text)) == plain(text)


@given(ANY_TEXT)
def test_a_key_is_made_of_the_words_of_its_name_and_is_not_empty(text: str) -> None:
    name = BreweryName.of(text)
    assert f" {name.key} " in f" {name.whole} "
    assert bool(name.key) == bool(name.whole) and bool(name.brand) == bool(name.whole)


def test_no_real_name_loses_all_of_itself(real_rows: list[Brewery]) -> None:
    for brewery in real_rows:
        name = BreweryName.of(brewery.name)
        assert name.key and set(name.key.split()) <= set(name.whole.split())
