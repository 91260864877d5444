"""What the servers' folder holds beside them: a password for each login, and where their sockets are."""

import os
import re
import secrets
import shutil
import tempfile
from pathlib import Path

import msgspec

from beerforyou.errors import SetupError
from beerforyou.servers import account
from beerforyou.servers.server import private

LONGEST_SOCKET = 103  # bytes of a socket's path: 107 on Linux, 103 on macOS
PLAIN = re.compile(rb"[A-Za-z0-9/._+~ -]+")  # blanks: the usual folder on macOS has one
LOGINS = ("postgres", "bfy_service", "bfy_client", "bfy_reader", "valkey")


def passwords(path: Path) -> dict[str, str]:
    """Made once, and on the disk before a server learns of them; a login that is new since then gets its own."""
    try:
        kept = msgspec.json.decode(path.read_bytes(), type=dict[str, str]) if path.exists() else {}
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise SetupError(
            f"{path} cannot be read", "bring it back: without it nobody can log in to the servers of this folder"
        ) from None
    if kept.keys() >= set(LOGINS):
        return kept
    made = {login: secrets.token_urlsafe(24) for login in LOGINS} | kept
    private(path.with_suffix(".new"), msgspec.json.encode(made).decode()).rename(path)
    return made


def places(home: Path) -> tuple[Path, Path]:
    """The home by a name that the servers can take, and the folder of their sockets.

    Their options, configurations and scripts have separators, quotes and escapes of their own, and a socket's path is
    short. So where the path has more than PLAIN in it, or is too long, both are in a folder of ours in /tmp.
    """
    run = home / "run"
    if PLAIN.fullmatch(os.fsencode(home)) and len(os.fsencode(run / ".s.PGSQL.5432")) <= LONGEST_SOCKET:
        if run.is_symlink():  # the folder had another name
            run.unlink()
        return home, account.give(account.own(run, 0o700))
    if not _leads_back(run, home):  # a reboot empties /tmp, and a copy of a folder is not the folder
        shutil.rmtree(run) if run.is_dir() and not run.is_symlink() else run.unlink(missing_ok=True)
        short = Path(tempfile.mkdtemp(prefix="beerforyou-", dir="/tmp"))
        (short / "home").symlink_to(home)
        run.symlink_to(account.give(short))
    short = run.readlink()
    return short / "home", short


def _leads_back(run: Path, home: Path) -> bool:
    """And is ours: by now the name in /tmp may be somebody else's."""
    try:
        return (run / "home").readlink() == home and run.stat().st_uid == account.uid()
    except OSError:
        return False
