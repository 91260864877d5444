"""`--data` is one option of every command: behind it, before it, and before its group."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from beerforyou import settings
from beerforyou.cli import COMMANDS, program

ME = ["--as", "CLT-00001"]
ID = "01a20507-8cc7-7f47-a4d4-a9e81b8b822c"
NEEDED = {
    "ask": ["oi", *ME], "chat": ME, "load": ["FILE", "FILE"], "token": ME,
    "eval reading": ["FILE"], "eval conversations": ["FILE"], "eval statistics": ["FILE", *ME], "eval isolation": ["FILE", *ME],
    "eval planner": ["FILE"],
    "webhooks add": ["https://example.com", *ME], "webhooks remove": [ID, *ME], "webhooks rotate": [ID, *ME],
    "webhooks resend": ["--dead"],
}  # fmt: skip


class Loaded(Exception):
    """The settings were asked for, with this folder."""


def _commands() -> Iterator[str]:
    ctx = click.Context(program)
    for name in COMMANDS:
        command = program.get_command(ctx, name)
        yield from [f"{name} {sub}" for sub in command.commands] if isinstance(command, click.Group) else [name]


def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *args: str) -> Path | None:
    """The one that a command was called with."""

    def load(*_: Any, data: Path | None = None, **__: Any) -> None:
        raise Loaded(data)

    (tmp_path / "file").write_text('{"id": "1", "text": "oi", "args": {}, "sql": "SELECT 1"}')
    monkeypatch.setattr(settings, "load", load)
    with pytest.raises(Loaded) as loaded:
        program([str(tmp_path / "file") if arg == "FILE" else arg for arg in args], standalone_mode=False)
    found: Path | None = loaded.value.args[0]
    return found


@pytest.mark.parametrize("command", list(_commands()))
def test_every_command_takes_the_folder_before_and_behind(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: str
) -> None:
    called, here = [*command.split(), *NEEDED.get(command, [])], ["--data", "here"]
    assert folder(monkeypatch, tmp_path, *called) is None
    assert folder(monkeypatch, tmp_path, *called, *here) == Path("here")
    assert folder(monkeypatch, tmp_path, *here, *called) == Path("here")
    assert folder(monkeypatch, tmp_path, "--data=here", *called) == Path("here")
    assert folder(monkeypatch, tmp_path, "--data", "there", *called, *here) == Path("here"), "the nearest one"
    group, *rest = called
    if " " in command:
        assert folder(monkeypatch, tmp_path, group, *here, *rest) == Path("here")
        assert folder(monkeypatch, tmp_path, "--data", "there", group, *here, *rest) == Path("here")


@pytest.mark.parametrize(
    "words", [["oi", *ME], [*ME, "oi"], ["quanto", "gastei?", *ME], ["ask", "serve", *ME], ["--json", "oi", *ME]]
)
def test_a_question_is_one_behind_the_folder_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, words: list[str]
) -> None:
    assert folder(monkeypatch, tmp_path, "--data", "here", *words) == Path("here")
    assert folder(monkeypatch, tmp_path, *words, "--data", "here") == Path("here")


@pytest.mark.parametrize("args", [["--data"], ["--data", "here", "serv"], ["--data=here", "--nothing"]])
def test_what_is_no_command_is_said_so(args: list[str]) -> None:
    with pytest.raises(click.UsageError):
        program(args, standalone_mode=False)


def test_help_names_it(capsys: pytest.CaptureFixture[str]) -> None:
    program(["--help"], standalone_mode=False)
    assert "--data" in capsys.readouterr().out
