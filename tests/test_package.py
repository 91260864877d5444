"""What ships: the wheel holds what the program reads, and nothing that an editor or a merge left behind."""

import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
from flit_core.wheel import make_wheel_in

ROOT = Path(__file__).parents[1]
KINDS = {".py", ".sql", ".toml", ".jsonl", ".md", ".typed"}
LEFT_OVER = ("runs.sql.orig", "runs.sql.rej", "runs.sql~", "runs.sql.bak", ".runs.sql.swp", ".#runs.sql", "#runs.sql#")


def wheel(project: Path, folder: Path) -> list[str]:
    folder.mkdir()
    made = make_wheel_in(project / "pyproject.toml", folder)
    with zipfile.ZipFile(made.file) as archive:
        return [name for name in archive.namelist() if name.startswith("beerforyou/")]


def unexpected(names: list[str]) -> list[str]:
    return [name for name in names if Path(name).suffix not in KINDS or "/." in name]


def test_the_wheel_holds_nothing_but_what_the_program_reads(tmp_path: Path) -> None:
    names = wheel(ROOT, tmp_path / "wheel")
    assert "beerforyou/db/queries/runs.sql" in names
    assert unexpected(names) == []


@pytest.mark.parametrize("name", LEFT_OVER)
@pytest.mark.parametrize("room", ["src/beerforyou/db/queries", "docs", "tests"])
def test_lint_refuses_what_is_left_over(tmp_path: Path, room: str, name: str) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    folder = tmp_path / room
    folder.mkdir(parents=True)
    (folder / "runs.sql").touch()
    tidy = ["make", "--silent", "tidy"]
    assert subprocess.run(tidy, cwd=tmp_path, capture_output=True).returncode == 0
    (folder / name).touch()
    said = subprocess.run(tidy, cwd=tmp_path, capture_output=True, text=True)
    assert said.returncode != 0 and name in said.stderr
