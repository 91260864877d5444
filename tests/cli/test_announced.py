"""How a server is found by its data folder, and what a stale or foreign card does: nothing."""

import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from beerforyou.cli.announced import Card, announced, found
from beerforyou.settings import Settings

ADDRESS = "http://127.0.0.1:8080"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path / "data")


def addresses(settings: Settings) -> list[str]:
    return [card.address for card in found(settings)]


def test_a_server_is_found_while_it_lives(settings: Settings) -> None:
    assert addresses(settings) == []
    with announced(settings, ADDRESS):
        (card,) = found(settings)
        assert (card.address, card.pid) == (ADDRESS, os.getpid())
        with announced(settings, "http://127.0.0.1:1"):
            assert sorted(addresses(settings)) == ["http://127.0.0.1:1", ADDRESS]
        assert addresses(settings) == [ADDRESS], "the one that goes leaves the other"
    assert addresses(settings) == [] and list((settings.data / "serving").iterdir()) == []


def test_only_its_user_reads_the_card(settings: Settings) -> None:
    with announced(settings, ADDRESS):
        (card,) = (settings.data / "serving").iterdir()
        assert card.stat().st_mode & 0o777 == 0o600 and card.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("listening", "reached"),
    [
        ("http://0.0.0.0:8080", "http://127.0.0.1:8080"),
        ("http://[::]:80", "http://[::1]:80"),
        ("http://10.0.0.0:8080", "http://10.0.0.0:8080"),
    ],
)
def test_who_listens_everywhere_is_reached_here(settings: Settings, listening: str, reached: str) -> None:
    with announced(settings, listening):
        assert addresses(settings) == [reached]


@pytest.mark.parametrize(
    "other",
    [
        {"database_url": "postgresql://elsewhere"},
        {"valkey_url": "redis://elsewhere"},
        {"model": "gemini:x"},
        {"auth_secret": "s" * 40},
        {"fallback_models": ""},
    ],
)
def test_a_server_with_other_settings_is_another_installation(settings: Settings, other: dict[str, str]) -> None:
    with announced(settings, ADDRESS):
        assert addresses(msgspec.structs.replace(settings, **other)) == []


@pytest.mark.parametrize(
    "other", [{"port": 1}, {"host": "::"}, {"http_idle_s": 9.0}, {"url": ADDRESS}, {"worker_concurrency": 7}]
)
def test_how_it_serves_makes_no_difference(settings: Settings, other: dict[str, object]) -> None:
    with announced(settings, ADDRESS):
        assert addresses(msgspec.structs.replace(settings, **other)) == [ADDRESS]


def _a_card_of(pid: int) -> Callable[[Path], object]:
    return lambda folder: (folder / "1-x.json").write_bytes(msgspec.json.encode(Card("http://127.0.0.1:1", pid, "x")))


STALE: dict[str, Callable[[Path], object]] = {
    "of a dead process": _a_card_of(2**22),
    "with the id of a living one": _a_card_of(os.getpid()),
    "empty": lambda folder: (folder / "1-x.json").touch(),
    "no card": lambda folder: (folder / "1-x.json").write_bytes(b"\xff\x00"),
    "half written": lambda folder: (folder / "1-x.new").write_bytes(b'{"addr'),
    "a folder": lambda folder: (folder / "1-x.json").mkdir(),
    "a link": lambda folder: (folder / "1-x.json").symlink_to("/etc/hostname"),
}


@pytest.mark.parametrize("leave", STALE.values(), ids=STALE)
def test_what_nobody_holds_is_nobody(settings: Settings, leave: Callable[[Path], object]) -> None:
    with announced(settings, ADDRESS):
        leave(settings.data / "serving")
        assert addresses(settings) == [ADDRESS]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_somebody_else_is_not_believed(settings: Settings) -> None:
    with announced(settings, ADDRESS):
        os.chown(settings.data / "serving", 12345, 12345)
        assert addresses(settings) == []


def test_where_nothing_can_be_written_the_server_serves_all_the_same(settings: Settings) -> None:
    settings.data.parent.mkdir(exist_ok=True)
    settings.data.touch()
    with announced(settings, ADDRESS):
        assert addresses(settings) == []
