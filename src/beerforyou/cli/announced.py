"""The card that `serve` leaves in its data folder, by which the command line finds it.

Its writer holds a lock on it: a card that nobody holds is a dead server's, whoever has its process id by now.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import secrets
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path

import msgspec

from beerforyou.settings import Settings

log = logging.getLogger(__name__)

# How one process serves, or is asked: no answer depends on it.
OWN = {
    "data", "host", "port", "workers", "worker_concurrency", "catalogue_file", "catalogue_url", "url", "token",
}  # fmt: skip
ANY = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}  # noqa: S104 (who listens everywhere is found here)


class Card(msgspec.Struct, frozen=True):
    """`settings` is a digest: whoever has other ones, another database or model, means another installation."""

    address: str
    pid: int
    settings: str


@contextlib.contextmanager
def announced(settings: Settings, address: str) -> Iterator[None]:
    """While the block lasts, `found` finds this process. Where no card can be written, nobody does."""
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(_held(_folder(settings), Card(_reachable(address), os.getpid(), _digest(settings))))
        except OSError as error:
            log.warning("the command line will not find this server: %s", error)
        yield


def found(settings: Settings) -> list[Card]:
    """Of the servers that live on this data folder with these settings, the newest first."""
    folder = _folder(settings)
    try:
        if folder.stat().st_uid != os.geteuid():
            return []
        files = sorted(folder.glob("*.json"), key=lambda file: file.stat().st_mtime, reverse=True)
    except OSError:  # there is none, or it goes in this moment
        return []
    cards = [card for file in files if (card := _living(file))]
    return [card for card in cards if card.settings == _digest(settings)]


def _reachable(address: str) -> str:
    for everywhere, here in ANY.items():
        address = address.replace(f"//{everywhere}:", f"//{here}:")
    return address


def _folder(settings: Settings) -> Path:
    return settings.data / "serving"


@contextlib.contextmanager
def _held(folder: Path, card: Card) -> Iterator[None]:
    """Locked before anybody can see it, and whole. Raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = folder / f"{card.pid}-{secrets.token_hex(4)}.json"
    draft = file.with_suffix(".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb", buffering=0) as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        held.write(msgspec.json.encode(card))
        draft.replace(file)
        try:
            yield
        finally:
            file.unlink(missing_ok=True)


def _living(file: Path) -> Card | None:
    """A dead one's card is taken away. None for it, and for what is no card."""
    try:
        with os.fdopen(os.open(file, os.O_RDONLY | os.O_NOFOLLOW), "rb") as card:
            try:
                fcntl.flock(card, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return msgspec.json.decode(card.read(4096), type=Card)
        file.unlink(missing_ok=True)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return None


def _digest(settings: Settings) -> str:
    same = {field: str(getattr(settings, field)) for field in settings.__struct_fields__ if not _is_own(field)}
    return blake2b(msgspec.json.encode(same), digest_size=16).hexdigest()


def _is_own(field: str) -> bool:
    return field in OWN or field.startswith("http_")
