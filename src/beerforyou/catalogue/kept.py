"""The index as a file in the data folder, read in a fraction of the time that it takes to build one.

MessagePack of typed parts and no pickle: what is read can be names and numbers, and nothing that runs. A file that is
not exactly what this code made of this version of the catalogue is built anew and replaced.
"""

from __future__ import annotations

import contextlib
import gc
import os
import stat
import sys
import unicodedata
from collections.abc import Iterator
from functools import cache
from hashlib import blake2b
from importlib import resources
from pathlib import Path
from typing import Any, get_type_hints

import msgspec

from beerforyou.catalogue.index import Catalogue

SEAL = 64  # bytes of the digest before the parts
DECODERS = {part: msgspec.msgpack.Decoder(kind) for part, kind in get_type_hints(Catalogue).items()}


def key(version: Any) -> bytes:
    """Of a row of `catalogue_versions`: a database of its own has another moment, if not another content."""
    return blake2b(f"{version['version']} {version['synced_at']} {version['sha256']}".encode() + _code()).digest()


def read(folder: Path, key: bytes) -> Catalogue | None:
    """None when there is none, or another, or a broken one, or when somebody else may have written it."""
    content = _content(folder)
    seal, parts = content[:SEAL], content[SEAL:]
    if _seal(parts, key) != seal:
        return None
    catalogue = Catalogue.__new__(Catalogue)
    with uncollected():
        for part, encoded in zip(DECODERS, msgspec.msgpack.decode(parts, type=list[bytes]), strict=True):
            setattr(
                catalogue, part, DECODERS[part].decode(encoded)
            )  # one by one: other threads have their turn between
    return catalogue


def write(folder: Path, key: bytes, catalogue: Catalogue) -> None:
    """Does nothing where it cannot: a full disk, a folder that is somebody else's."""
    with uncollected():
        parts = msgspec.msgpack.encode([msgspec.msgpack.encode(getattr(catalogue, part)) for part in DECODERS])
    with contextlib.suppress(OSError):
        _folder(folder).mkdir(mode=0o700, parents=True, exist_ok=True)
        if _is_ours(_folder(folder)):
            draft = _file(folder).with_suffix(".new")
            draft.unlink(missing_ok=True)
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(_seal(parts, key))
                file.write(parts)
            draft.replace(_file(folder))


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """All that is made in the block is kept: to look for garbage in it finds none, and takes half of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _folder(data: Path) -> Path:
    return data / "cache"


def _file(data: Path) -> Path:
    return _folder(data) / "catalogue.index"


def _content(data: Path) -> bytes:
    try:
        if not _is_ours(_folder(data)):
            return b""
        with os.fdopen(os.open(_file(data), os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
            return file.read()
    except OSError:
        return b""


def _is_ours(folder: Path) -> bool:
    """And nobody else may put a file there. Raises OSError."""
    found = folder.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o022


def _seal(parts: bytes, key: bytes) -> bytes:
    return blake2b(parts, key=key).digest()


@cache
def _code() -> bytes:
    """What the parts are made by: every file of this room, and the tables of letters that it goes by."""
    files = sorted(resources.files("beerforyou.catalogue").iterdir(), key=lambda file: file.name)
    code = blake2b(f"{sys.version} {unicodedata.unidata_version} {msgspec.__version__}".encode())
    for file in files:
        if file.is_file():
            code.update(file.read_bytes())
    return code.digest()
