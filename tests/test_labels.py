"""Who may see what was made of several things, and of which versions it was made."""

import itertools

import pytest

from beerforyou.labels import Label, of_client, union

ME, OTHER = of_client("CLT-A"), of_client("CLT-B")


def test_every_audience_must_be_satisfied() -> None:
    made = union([Label(), Label(frozenset({ME})), Label(frozenset({OTHER}))])
    assert made.audience == {"public", ME, OTHER}


def test_of_nothing_everybody_may_see_it() -> None:
    assert union([]) == Label()


@pytest.mark.parametrize("name", ["catalogue", "profile", "purchases", "home", "statistics", "prompts", "model", "day"])
def test_two_versions_of_one_thing_are_kept_apart(name: str) -> None:
    old, new = Label(versions={name: "41"}), Label(versions={name: "42"})
    for order in ([old, new], [new, old], [old, new, old], [union([old, new]), new]):
        made = union(order)
        assert made.mixed and made.versions == {name: "41+42"}
        assert made.versions not in (old.versions, new.versions)


def test_the_order_of_making_changes_nothing() -> None:
    labels = [Label(versions={"catalogue": str(n), "profile": "p"}) for n in (3, 1, 2, 1)]
    assert len({str(union(order)) for order in itertools.permutations(labels)}) == 1


def test_equal_versions_are_one() -> None:
    made = union([Label(versions={"catalogue": "41", "day": "2026-11-29"}), Label(versions={"catalogue": "41"})])
    assert not made.mixed and made.versions == {"catalogue": "41", "day": "2026-11-29"}
