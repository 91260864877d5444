"""The kept form of the index: the same answers as a new one, and never an answer from a file that is not ours."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from beerforyou.catalogue import kept, refresh
from beerforyou.catalogue.brewery import Brewery, Criteria, Place
from beerforyou.catalogue.index import Catalogue
from beerforyou.catalogue.sync import store
from beerforyou.db.connections import operator
from beerforyou.db.database import Reads
from beerforyou.settings import Settings
from tests.catalogue.conftest import Make

KEY = b"k" * 64
HOME = Place(city="San Diego", state="California", country="United States")
SEARCHES = (
    Criteria(), Criteria(city="Portland"), Criteria(city="portlnd", state="OR"), Criteria(state="Bavaria", type="brewpub"),
    Criteria(city="São Paulo"), Criteria(type="closed", country="Ireland"), Criteria(within_km=30), Criteria(name="Stone"),
    Criteria(city="Köln", within_km=80, page=2), Criteria(name="rivver", state="ohio"), Criteria(city="Oregon", per_page=200),
    Criteria(type="braupub"), Criteria(country="KR", type="planning"), Criteria(name="the brewery", within_km=5_000),
)  # fmt: skip
NAMES = (
    "Stone Brewing Co.",
    "ballast pont",
    "Beer",
    "Rock Bottom",
    "Nobody's",
    "Fall",
    "mikkeller",
    "Sierra Nevda",
    "",
)
MESSAGES = (
    "cervejarias novas em san diego", "brewpubs in st louis or portland maine", "a stone brewing da california",
    "gordon biersch brewery restaurant", "usa", "taprooms am rhein und in köln", "",
)  # fmt: skip


@pytest.fixture(scope="module")
def again(real: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    folder = tmp_path_factory.mktemp("data")
    kept.write(folder, KEY, real)
    found = kept.read(folder, KEY)
    assert found is not None
    return found


@pytest.mark.parametrize("criteria", SEARCHES, ids=str)
def test_a_search_finds_the_same(real: Catalogue, again: Catalogue, criteria: Criteria) -> None:
    for home in (None, HOME):
        assert again.search(criteria, home) == real.search(criteria, home)
        assert again.select(criteria, home) == real.select(criteria, home)


def test_names_and_messages_mean_the_same(real: Catalogue, again: Catalogue) -> None:
    for name in (*NAMES, *(b.name for b in real.breweries[::250])):
        for place in (None, HOME):
            assert again.find(name, place, HOME) == real.find(name, place, HOME)
        assert again.is_vague(name) == real.is_vague(name)
        assert again.known_as(name, "San Diego", "California") == real.known_as(name, "San Diego", "California")
        for kind in ("city", "state", "country", "type", "brewery"):
            assert again.nearest(kind, name) == real.nearest(kind, name)
    for message in MESSAGES:
        assert again.mentions(message.split()) == real.mentions(message.split())


def test_every_brewery_is_where_it_was(real: Catalogue, again: Catalogue) -> None:
    assert (again.version, again.breweries, again.columns) == (real.version, real.breweries, real.columns)
    for brewery in real.breweries[::97]:
        place = real.place_of(brewery.id)
        assert again.place_of(brewery.id) == place and again.point(place) == real.point(place)
        assert again.same_brewery(brewery.id) == real.same_brewery(brewery.id)
        assert again.distance_km(brewery.id, (32.7, -117.2)) == real.distance_km(brewery.id, (32.7, -117.2))


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-100])


def _turned(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def _linked(file: Path) -> None:
    """To the very same content, where somebody else may change it."""
    elsewhere = file.parent.parent / "elsewhere"
    file.rename(elsewhere)
    file.symlink_to(elsewhere)


SPOILED: dict[str, Callable[[Path], Any]] = {
    "empty": lambda file: file.write_bytes(b""),
    "half written": _cut,
    "one bit": _turned,
    "another format": lambda file: file.write_bytes(b"\x80\x04\x95" + b"pickle" * 50),
    "no seal": lambda file: file.write_bytes(file.read_bytes()[kept.SEAL :]),
    "a link": _linked,
    "a folder": lambda file: (file.unlink(), file.mkdir()),
    "anybody may write": lambda file: file.parent.chmod(0o777),
    "none": lambda file: file.unlink(),
}


@pytest.mark.parametrize("spoil", SPOILED.values(), ids=SPOILED)
def test_what_is_not_ours_to_the_last_bit_is_not_read(make: Make, tmp_path: Path, spoil: Callable[[Path], Any]) -> None:
    kept.write(tmp_path, KEY, Catalogue([make("Harbor"), make("Anvil")]))
    assert kept.read(tmp_path, KEY)
    spoil(tmp_path / "cache/catalogue.index")
    assert kept.read(tmp_path, KEY) is None


def test_of_another_version_or_code_nothing_is_read(make: Make, tmp_path: Path) -> None:
    kept.write(tmp_path, KEY, Catalogue([make("Harbor")]))
    assert kept.read(tmp_path, KEY[:-1] + b"x") is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_of_another_user_nothing_is_read(make: Make, tmp_path: Path) -> None:
    kept.write(tmp_path, KEY, Catalogue([make("Harbor")]))
    os.chown(tmp_path / "cache", 12345, 12345)
    assert kept.read(tmp_path, KEY) is None


def test_only_its_user_reads_it(make: Make, tmp_path: Path) -> None:
    kept.write(tmp_path / "new", KEY, Catalogue([make("Harbor")]))
    folder = tmp_path / "new/cache"
    assert [path.name for path in folder.iterdir()] == ["catalogue.index"]
    assert (folder.stat().st_mode & 0o777, (folder / "catalogue.index").stat().st_mode & 0o777) == (0o700, 0o600)


class Counted:
    """The queries that were asked."""

    def __init__(self, reads: Reads) -> None:
        self._reads = reads
        self.asked: list[str] = []

    async def fetch(self, query: str, *args: Any) -> list[Any]:
        self.asked.append(query)
        return await self._reads.fetch(query, *args)

    async def fetchrow(self, query: str, *args: Any) -> Any:
        self.asked.append(query)
        return await self._reads.fetchrow(query, *args)


async def test_rows_are_read_once_a_version(settings: Settings, make: Make, tmp_path: Path) -> None:
    first: list[Brewery] = [make("Harbor"), make("Anvil"), make("Stay")]
    async with operator(settings) as connection:
        reads = Counted(Reads(connection))  # type: ignore[arg-type]
        assert len(await refresh.load(reads, tmp_path)) == 0
        for rows in (first, [*first, make("Come")]):
            reads.asked.clear()
            await store(connection, rows, "a source")
            for _ in range(3):
                assert {b.name for b in (await refresh.load(reads, tmp_path)).breweries} == {b.name for b in rows}
            assert reads.asked.count("catalogue.breweries") == 1
        (tmp_path / "cache/catalogue.index").write_bytes(b"broken")
        assert len(await refresh.load(reads, tmp_path)) == 4
        assert kept.read(tmp_path, kept.key(await reads.fetchrow("catalogue.latest_version"))), "it is made anew"
