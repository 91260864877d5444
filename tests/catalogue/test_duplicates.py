"""Who is the same brewery, and whom a purchase names."""

from collections import Counter

import pytest

from beerforyou.catalogue.index import Catalogue
from tests.catalogue.conftest import Make


def known(catalogue: Catalogue, name: str, city: str = "", state: str = "") -> str | None:
    """The name and city of whom a purchase names."""
    id = catalogue.known_as(name, city, state)
    brewery = catalogue.brewery(id) if id else None
    return f"{brewery.name}, {brewery.city}" if brewery else None


@pytest.mark.parametrize(
    ("named", "meant"),
    [
        (("Stone Brewing Company", "Escondido", "California"), "Stone Brewing Co, Escondido"),
        (("Stone Brewing", "Escondido", "CA"), "Stone Brewing Co, Escondido"),
        (("STONE BREWING CO., LLC", "San Diego", "Califórnia"), "Stone Brewing Co, Escondido"),  # nobody else there
        (("Alter Brewing", "Downers Grove", "IL"), "Alter Brewing Company, Downers Grove"),
        (("Wild River Brewing and Pizza Co - Grants Pass", "Grants Pass", "Oregon"),
         "Wild River Brewing and Pizza Co - Grants Pass, Grants Pass"),
        (("Schlenkerla", "Bamberg", "Bavaria"), None),  # not under this name
        (("Paulaner", "Munique", "Baviera"), "Paulaner, München"),
        (("Cervejaria Stone", "Escondido", "California"), "Stone Brewing Co, Escondido"),
        (("Stone Brewing", "Sydney", "NSW"), "Stone Brewing, Byron Bay"),
        (("Stone Brewing", "Dallas", "Texas"), None),
        (("Brewery That Never Was", "San Diego", "California"), None),
        (("Epic Brewing", "", ""), None),  # several of that name: nobody rather than anybody
        (("", "", ""), None),
    ],
)  # fmt: skip
def test_purchases_name_breweries_in_their_own_way(
    real: Catalogue, named: tuple[str, str, str], meant: str | None
) -> None:
    assert known(real, *named) == meant


def test_every_brewery_is_known_by_its_own_name_and_city(real: Catalogue) -> None:
    lost = []
    for brewery in real.breweries:
        id = real.known_as(brewery.name, brewery.city, brewery.state)
        if id is None or (id != brewery.id and id not in real.same_brewery(brewery.id)):
            lost.append(f"{brewery.name}, {brewery.city}")
    assert len(lost) <= 10, lost  # some namesakes in one city contradict each other in name and site


def test_other_houses_of_a_known_brewery_are_not_new(real: Catalogue) -> None:
    id = real.known_as("Stone Brewing Company", "Escondido", "California")
    assert id
    houses = {(b.name, b.city) for i in real.same_brewery(id) if (b := real.brewery(i))}
    assert ("Stone Brewing Co- Richmond", "Richmond") in houses
    assert ("Stone Brewing World Bistro & Gardens- Liberty Station", "San Diego") in houses
    assert not {city for name, city in houses} & {"Byron Bay", "Holland Patent", "Peterborough"}, "other Stones"


def test_a_stone_is_not_sixty_breweries(real: Catalogue) -> None:
    with_stone = [b for b in real.breweries if "stone" in b.name.lower()]
    assert len(with_stone) > 50
    groups = Counter(real.same_brewery(b.id) for b in with_stone)
    assert len(groups) > 40


def test_doubled_entries_of_the_source_are_one(real: Catalogue) -> None:
    doubled: dict[tuple[str, str, str], set[str]] = {}
    for b in real.breweries:
        doubled.setdefault((b.name, b.city, b.state), set()).add(b.id)
    pairs = [ids for ids in doubled.values() if len(ids) > 1]
    assert len(pairs) >= 50
    assert all(ids <= real.same_brewery(min(ids)) for ids in pairs)


def test_groups_agree_with_each_other(real: Catalogue) -> None:
    for id, same in real.columns.groups.items():
        assert id in same and all(real.same_brewery(other) == same for other in same)
        assert len({real.columns.identity[real.position(other)] for other in same}) == 1  # type: ignore[index]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (("Stone Brewing", "San Diego", ""), ("Stone Brewing Company", "San Diego", ""), True),
        (("Brouwerij Lindemans", "San Diego", ""), ("Lindemans", "San Diego", ""), True),
        (("Buffalo Brewing", "San Diego", "https://a.com"), ("Buffalo Brewpub", "San Diego", "https://b.com"), False),
        (("Buffalo Brewing", "San Diego", ""), ("Buffalo Brewpub", "San Diego", "https://b.com"), True),
        (("Harbor Brewing", "San Diego", ""), ("Harbor Brewing Co", "Oakland", "https://a.com"), True),
        (("Harbor Brewing", "San Diego", "http://a.com"), ("Harbor Brewing", "Oakland", "http://b.com"), False),
        (("Harbor Brewing", "San Diego", "http://a.com/x"), ("Harbor Brewing - Oakland", "Oakland", "https://www.A.com"), True),
        (("Harbor Brewing", "San Diego", "https://facebook.com/x"), ("Pier Brewing", "San Diego", "https://facebook.com/y"), False),
        (("The Brewing Company", "San Diego", ""), ("The Brewing Company of Oz", "Oakland", ""), False),
        (("River Brewing", "San Diego", ""), ("Rivers Brewing", "San Diego", ""), False),
    ],
)  # fmt: skip
def test_what_makes_two_entries_one(
    make: Make, one: tuple[str, str, str], other: tuple[str, str, str], same: bool
) -> None:
    a, b = (make(name, city, website=site) for name, city, site in (one, other))
    assert (b.id in Catalogue([a, b]).same_brewery(a.id)) is same
