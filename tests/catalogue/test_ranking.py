"""Recommendations: only what is new, the fitting first, each with its reasons, none out of reach."""

import copy
import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beerforyou.catalogue import index, ready
from beerforyou.catalogue.brewery import NOT_OPEN, Ambiguous, Criteria, Place
from beerforyou.catalogue.geo import Point, chord_km, unit
from beerforyou.catalogue.index import Catalogue, Selection
from beerforyou.catalogue.ranking import REASONS, Recommendations, Taste, recommend
from beerforyou.catalogue.ready import KEPT, Memory
from tests.catalogue.conftest import Make

SAN_DIEGO = Place(city="San Diego", state="California", country="United States")
HALVES = {"micro": 0.5, "brewpub": 0.33, "regional": 0.17}


def shown(catalogue: Catalogue, taste: Taste, home: Place | None = SAN_DIEGO, **criteria: object) -> Recommendations:
    found = recommend(catalogue, Criteria(**{"per_page": 5} | criteria), taste, home)  # type: ignore[arg-type]
    assert isinstance(found, Recommendations), found
    return found


def bought(catalogue: Catalogue, *names: tuple[str, str, str]) -> frozenset[str]:
    ids = [catalogue.known_as(*name) for name in names]
    assert all(ids)
    return frozenset(id for id in ids if id)


def all_of(catalogue: Catalogue, taste: Taste, home: Place | None = SAN_DIEGO, **criteria: object) -> list[str]:
    ids: list[str] = []
    number = 1
    while matches := shown(catalogue, taste, home, page=number, **criteria).matches:
        ids += [match.brewery.id for match in matches]
        number += 1
    return ids


def test_no_house_of_a_known_brewery_is_new(real: Catalogue) -> None:
    taste = Taste(types=HALVES, bought=bought(real, ("Stone Brewing", "Escondido", "CA")))
    for criteria in ({"city": "San Diego"}, {"state": "Virginia"}, {"name": "stone brewing", "country": "USA"}):
        names = {real.brewery(id).name for id in all_of(real, taste, per_page=50, **criteria)}  # type: ignore[union-attr]
        assert not [name for name in names if name.startswith("Stone Brewing")]
    nothing = {real.brewery(id).name for id in all_of(real, Taste(), state="Virginia", per_page=50)}  # type: ignore[union-attr]
    assert "Stone Brewing Co- Richmond" in nothing, "new to who buys nothing of theirs"


def test_total_counts_each_new_brewery_once_and_paging_reaches_it(real: Catalogue) -> None:
    taste = Taste(types=HALVES, bought=bought(real, ("Ballast Point", "San Diego", "CA")))
    for criteria in ({"city": "San Diego"}, {"state": "Ohio"}, {"country": "Belgium", "per_page": 40}):
        ids = all_of(real, taste, **criteria)
        identities = {real.columns.identity[real.position(id)] for id in ids}  # type: ignore[index]
        assert len(ids) == len(identities) == shown(real, taste, **criteria).total
        open_ones = real.select(Criteria(**{k: v for k, v in criteria.items() if k != "per_page"}))  # type: ignore[arg-type]
        matching = {real.columns.identity[i] for i in open_ones.positions}  # type: ignore[union-attr]
        known = {real.columns.identity[real.position(id)] for id in taste.bought}  # type: ignore[index]
        assert identities == matching - known


@settings(max_examples=25, deadline=None)
@given(
    types=st.dictionaries(st.sampled_from(["micro", "brewpub", "large", "nano"]), st.floats(0.01, 1), max_size=4),
    picks=st.lists(st.integers(0, 11_000), max_size=8),
    city=st.sampled_from(["Seattle", "Denver", "Berlin", "Grants Pass"]),
)
def test_the_same_question_has_the_same_answer_and_changes_nothing(
    real: Catalogue, types: dict[str, float], picks: list[int], city: str
) -> None:
    taste = Taste(types=types, bought=frozenset(real.breweries[i % len(real)].id for i in picks))
    before = copy.deepcopy(taste)
    first = shown(real, taste, city=city)
    assert shown(real, taste, city=city) == first and taste == before
    assert not {m.brewery.id for m in first.matches} & taste.bought
    for match in first.matches:
        assert match.brewery.brewery_type not in NOT_OPEN
        assert {reason.key for reason in match.reasons} <= set(REASONS)


def test_the_types_that_the_client_buys_come_first_and_are_mixed(real: Catalogue) -> None:
    kinds = [m.brewery.brewery_type for m in shown(real, Taste(types=HALVES), city="Denver").matches]
    assert kinds[0] == "micro" and set(kinds) >= {"micro", "brewpub"}
    only_large = [m.brewery.brewery_type for m in shown(real, Taste(types={"regional": 1.0}), city="Denver").matches]
    assert only_large[0] == "regional"


def test_types_come_in_the_proportion_in_which_they_are_bought(make: Make) -> None:
    rows = [make(f"{kind} {n}", f"City {kind} {n}", brewery_type=kind) for kind in HALVES for n in range(9)]
    kinds = [
        m.brewery.brewery_type for m in shown(Catalogue(rows), Taste(types=HALVES), per_page=7, state="CA").matches
    ]
    assert sorted(kinds[:5]) == ["brewpub", "brewpub", "micro", "micro", "micro"] and "regional" in kinds


def test_five_of_the_same_are_not_shown_where_others_are_as_good(make: Make) -> None:
    rows = [make(f"{city} Micro {n}", city) for n in range(6) for city in ("San Diego", "Oakland")]
    rows += [make(f"Pub {n}", brewery_type="brewpub") for n in range(6)]
    matches = shown(Catalogue(rows), Taste(types={"micro": 0.5, "brewpub": 0.5}), state="California").matches
    assert {m.brewery.brewery_type for m in matches} == {"micro", "brewpub"}
    assert {m.brewery.city for m in matches} == {"San Diego", "Oakland"}


def test_nearer_is_better_and_distance_is_a_reason(real: Catalogue) -> None:
    found = shown(real, Taste(types={"micro": 1.0}), type="micro")
    assert found.place == SAN_DIEGO, "without a place, around the client"
    away = [reason.values["km"] for m in found.matches for reason in m.reasons if reason.key == "distance"]
    assert len(away) == 5 and all(isinstance(km, float) and km < 15 for km in away)
    far = shown(real, Taste(), state="Maine").matches
    assert not [r for m in far for r in m.reasons if r.key == "distance"], "4,000 km are no reason"


def test_every_reason_is_true(real: Catalogue) -> None:
    taste = Taste(
        types=HALVES, bought=bought(real, ("Ballast Point", "San Diego", "CA")), other_cities=frozenset({"carlsbad"})
    )
    supplied = {"San Diego", "Carlsbad"}
    for match in shown(real, taste, state="California", per_page=200).matches:
        reasons = {reason.key: reason.values for reason in match.reasons}
        kind = match.brewery.brewery_type
        rank = {"micro": 1, "brewpub": 2, "regional": 3}.get(kind)
        assert reasons.get("type_top") == ({"type": kind, "rank": rank} if rank else None)
        assert ("type_new" in reasons) is (rank is None)
        assert ("supplier_in_city" in reasons) is (match.brewery.city in supplied)
        assert ("no_supplier_in_city" in reasons) is (match.brewery.city not in supplied)


def test_who_buys_nothing_yet_gets_no_reasons_about_its_purchases(real: Catalogue) -> None:
    keys = {reason.key for m in shown(real, Taste(), city="San Diego").matches for reason in m.reasons}
    assert keys == {"distance"}


def test_a_client_far_from_every_brewery_is_shown_what_is_where_its_suppliers_are(real: Catalogue) -> None:
    taste = Taste(
        types=HALVES,
        bought=bought(real, ("Fremont Brewing Co", "Seattle", "WA"), ("Georgetown Brewing Co", "Seattle", "WA")),
    )
    curitiba = Place(city="Curitiba", state="PR", country="Brasil")
    assert shown(real, taste, curitiba).place == Place(state="Washington", country="United States")
    assert shown(real, Taste(), curitiba).total > 9000, "and everything when it has none"


def test_the_search_widens_until_there_is_enough(make: Make) -> None:
    rows = [make("Near", latitude=32.7, longitude=-117.2), make("Far Out", "Eureka", latitude=40.8, longitude=-124.2)]
    rows += [make(f"Farther {n}", "Bangor", "Maine", latitude=44.8, longitude=-68.8) for n in range(6)]
    assert shown(Catalogue(rows), Taste()).total == 8
    assert [m.brewery.name for m in shown(Catalogue(rows), Taste()).matches][:2] == ["Near", "Far Out"]


def test_doubled_entries_are_recommended_once(make: Make) -> None:
    rows = [make("Harbor Brewing"), make("Harbor Brewing Co"), make("Pier Ales")]
    assert shown(Catalogue(rows), Taste(), city="San Diego").total == 2


@pytest.mark.parametrize("criteria", [{"city": "Portland"}])
def test_an_ambiguous_place_is_asked_about(real: Catalogue, criteria: dict[str, str]) -> None:
    assert isinstance(recommend(real, Criteria(**criteria), Taste(), SAN_DIEGO), Ambiguous)  # type: ignore[arg-type]


def by_definition(catalogue: Catalogue, found: Selection, taste: Taste, around: Point | None) -> list[str]:
    """Everything that is new, judged one by one and sorted: what the ranking means, without what makes it fast."""
    of = catalogue.columns
    known = {p for id in taste.bought if (p := catalogue.position(id)) is not None}
    cities = {of.city[i] for i in known}
    cities |= {of.cities[p] for name in taste.other_cities for p in catalogue.places.named("city", name)}
    most = max(taste.types.values(), default=0)

    def worth(i: int) -> float:
        liked = taste.types.get(of.type[i], 0) / most if most else 0
        vector = of.vector[i]
        close = 50 / (50 + chord_km(unit(around), vector)) if around and vector else 0
        return liked + 0.05 * of.has_site[i] + 0.1 * (of.city[i] not in cities) + close

    best_first = sorted((-worth(i), i) for i in found.positions if of.type[i] not in NOT_OPEN)
    taken, kinds, heres = {of.identity[i] for i in known}, Counter[str](), Counter[tuple[str, int]]()
    judged = []
    for negative, i in best_first:
        if of.identity[i] in taken:
            continue
        kind, here = of.type[i], (of.type[i], of.city[i])
        judged.append((negative + (0.2 * min(kinds[kind], 10) + 0.05 * min(heres[here], 10)), i))
        taken.add(of.identity[i])
        kinds[kind] += 1
        heres[here] += 1
    return [catalogue.breweries[i].id for _, i in sorted(judged)]


TASTES = (
    {},
    HALVES,
    {"micro": 0.1, "taproom": 0.1, "large": 0.0},
    {"bar": 1.0},
    {"brewpub": 0.4, "nano": 0.35, "contract": 0.25},
)
WHERE = (
    {"state": "California"}, {"city": "San Diego"}, {"city": "Portland", "state": "OR", "within_km": 60.0}, {"country": "Ireland"},
    {"within_km": 100.0}, {"state": "Texas", "type": "micro"}, {"name": "stone"}, {"state": "Ohio", "within_km": 900.0},
    {"type": "closed", "state": "Ohio"}, {"state": "Virginia", "name": "brewing"},
)  # fmt: skip


@pytest.mark.parametrize("where", WHERE, ids=str)
def test_the_order_is_the_one_that_the_definition_gives(real: Catalogue, where: dict[str, str | float]) -> None:
    chance = random.Random(str(where))
    homes = (None, SAN_DIEGO, Place(city="Akron", state="Ohio", country="United States"))
    for types in TASTES:
        home = SAN_DIEGO if "within_km" in where else chance.choice(homes)
        found = real.select(Criteria(**where), home)  # type: ignore[arg-type]
        assert isinstance(found, Selection)
        near = [real.breweries[i].id for i in found.positions] or [real.breweries[0].id]
        taste = Taste(
            types=types,
            bought=frozenset(chance.sample(near, min(len(near) // 3, 30))),
            other_cities=frozenset(chance.sample(["portland", "carlsbad", "akron", "dublin", "no such city"], 2)),
        )
        expected = by_definition(real, found, taste, found.center or (real.point(home) if home else None))
        assert all_of(real, taste, home, per_page=100, **where) == expected


def test_what_is_ready_serves_other_clients_and_other_pages(real: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(real.__dict__, "_memory", Memory())
    made: list[object] = []
    monkeypatch.setattr(index, "ready", lambda *args: made.append(args) or ready.ready(*args))  # type: ignore[func-returns-value]
    for taste in (Taste(), Taste(types=HALVES), Taste(bought=bought(real, ("Ballast Point", "San Diego", "CA")))):
        for page in (1, 2, 40):
            shown(real, taste, state="CA", page=page)
            shown(real, taste, page=page)
    assert len(made) == 3, "California and San Diego, both seen from there, and what is around San Diego"


def test_what_is_ready_is_forgotten_when_it_is_too_much(real: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = Memory()
    monkeypatch.setitem(real.__dict__, "_memory", memory)
    monkeypatch.setattr(ready, "KEPT", 20_000)
    towns = sorted({p for p in real.columns.place if p.country == "United States"}, key=str)[::500]
    first = [shown(real, Taste(types=HALVES), home, country="US") for home in towns]
    assert [shown(real, Taste(types=HALVES), home, country="US") for home in towns] == first
    kept = list(memory._made.values())
    assert 0 < len(kept) < len(towns) and sum(ready.APIECE + len(made) for made in kept) == memory._weight <= 20_000


def test_a_search_greater_than_the_memory_is_answered_and_not_kept() -> None:
    memory = Memory()
    assert memory.once("much", lambda: range(KEPT)) == range(KEPT)
    assert memory.once("much", lambda: range(3)) == range(3) and memory.once("much", lambda: range(4)) == range(3)
