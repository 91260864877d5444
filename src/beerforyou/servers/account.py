"""Who the embedded servers run as, and the folders and programs that this account can reach.

PostgreSQL refuses to run as root, so root starts the servers as `nobody`; what `nobody` cannot reach (all of /root,
as a rule) lives under /var/lib/beerforyou instead. No account is made, and no folder but our own changes its rights.
"""

import errno
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import metadata, util
from pathlib import Path
from typing import IO

from beerforyou.errors import SetupError

ROOTS_PLACE = Path("/var/lib/beerforyou")
ELSEWHERE = "run as an ordinary user, or set DATABASE_URL and VALKEY_URL"
# Nothing of ours goes to the servers: a PGPORT or PGDATA of the user's would.
ENVIRONMENT = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C", "TZ": "UTC"}


@cache
def account() -> pwd.struct_passwd | None:
    """None: the servers run as whoever we are."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("nobody")
    except KeyError:
        raise SetupError("PostgreSQL does not run as root, and there is no account `nobody`", ELSEWHERE) from None


def uid() -> int:
    who = account()
    return who.pw_uid if who else os.geteuid()


def spawn(
    args: Sequence[str | Path],
    output: int | IO[bytes],
    pass_fds: tuple[int, ...] = (),
    env: Mapping[str, str] = ENVIRONMENT,
) -> subprocess.Popen[bytes]:
    """A program of the servers' account, out of reach of the terminal's Ctrl-C; its standard input is a pipe."""
    who = account()
    return subprocess.Popen(  # noqa: S603
        args,
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=subprocess.STDOUT,
        cwd="/",
        env=env,
        pass_fds=pass_fds,
        start_new_session=True,
        umask=0o077,
        user=who and who.pw_uid,
        group=who and who.pw_gid,
        extra_groups=[] if who else None,
    )


def run(args: Sequence[str | Path], text: str = "", pass_fds: tuple[int, ...] = ()) -> tuple[int, str]:
    """Runs such a program to its end: its exit code, and all that it said."""
    with spawn(args, subprocess.PIPE, pass_fds) as process:
        said, _ = process.communicate(text.encode())
    return process.returncode, said.decode("utf-8", "replace").strip()


def home(data: Path) -> Path:
    """The servers' folder: `data/servers`, or what that is a link to. Raises SetupError."""
    link = data / "servers"
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o711 if account() else 0o700)
        if not link.is_symlink():
            _make_home(data, link)
        folder = link.resolve(strict=True)
    except FileNotFoundError:
        raise SetupError(f"{link} points to a folder that is gone", "bring it back, or remove the link") from None
    except OSError as error:
        raise unusable(data, error) from None
    if folder.stat().st_uid != os.geteuid():
        raise SetupError(f"{folder} belongs to another user", "run as that user, or name another folder with --data")
    return folder


def unusable(data: Path, error: OSError) -> SetupError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return SetupError(f"the disk of {data} is full", "make room, or name another folder with --data")
    return SetupError(f"{data} cannot be used: {error.strerror}", "name another folder with --data or BEERFORYOU_DATA")


def _make_home(data: Path, link: Path) -> None:
    if link.exists():
        return
    if _enters(data):
        own(link, 0o711 if account() else 0o700)
        return
    own(ROOTS_PLACE, 0o711)
    if not _enters(ROOTS_PLACE):
        raise SetupError(f"the account `nobody` reaches neither {data} nor {ROOTS_PLACE}", ELSEWHERE)
    folder = Path(tempfile.mkdtemp(prefix="data-", dir=ROOTS_PLACE))
    folder.chmod(0o711)
    try:
        link.symlink_to(folder)
    except FileExistsError:  # another process was first
        folder.rmdir()


def own(folder: Path, mode: int) -> Path:
    """A folder of ours, whatever the umask."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(mode)
    return folder


def give(path: Path) -> Path:
    """Hands a file or folder of ours to the servers' account."""
    if who := account():
        os.chown(path, who.pw_uid, who.pw_gid)
    return path


def _enters(folder: Path) -> bool:
    return account() is None or run(["/bin/sh", "-c", 'cd -- "$1"', "sh", folder])[0] == 0


def program(distribution: str, package: str, pattern: str) -> Path:
    """The program of an installed wheel, or a copy of it that the account can run. Raises SetupError."""
    spec = util.find_spec(package)
    site = Path(spec.origin).parent.parent if spec and spec.origin else Path()
    found = next(site.glob(f"{package}/{pattern}"), None) if spec else None
    if found is None:
        raise SetupError(f"{distribution} is not installed, or not for this platform", ELSEWHERE)
    answer = _version(found)
    if answer is not None and account():
        found = _copied(distribution, package, site) / found.relative_to(site)
        answer = _version(found)
    if answer is not None:
        raise SetupError(f"{found} does not run: {answer}", ELSEWHERE)
    return found


def _version(executable: Path) -> str | None:
    """None when it runs, libraries and all; otherwise why not."""
    try:
        code, said = run([executable, "--version"])
    except OSError as error:
        return error.strerror or str(error)
    return None if code == 0 else said


def _copied(distribution: str, package: str, site: Path) -> Path:
    """A copy of the package beside its libraries (programs find them by the layout), one for each version."""
    copies = own(ROOTS_PLACE / "programs", 0o755)
    target = copies / f"{distribution}-{metadata.version(distribution)}"
    if target.exists():
        return target
    scratch = Path(tempfile.mkdtemp(dir=copies))
    unneeded = shutil.ignore_patterns("*.a", "*.py*", "include", "pginstall")  # the last is another PostgreSQL, 16
    for part in (package, f"{package}.libs"):
        if (site / part).exists():
            shutil.copytree(site / part, scratch / part, symlinks=True, ignore=unneeded)
    for path in (scratch, *scratch.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    try:
        scratch.rename(target)
    except OSError:  # another process was first
        shutil.rmtree(scratch)
    return target
