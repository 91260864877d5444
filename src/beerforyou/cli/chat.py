"""`beerforyou chat`: one conversation, line by line."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from beerforyou.cli.ask import as_option, speaking_for
from beerforyou.cli.output import Beside, data_option, json_option, note

if TYPE_CHECKING:
    from beerforyou.cli.asking import Talk

PROMPT = "> "
REMEMBERED = 1000  # lines of the history


@click.command("chat")
@as_option
@json_option
@data_option
def command(client_id: str | None, as_json: bool, data: Path | None) -> None:
    """Talk, line by line. Ctrl-C stops an answer, Ctrl-D leaves.

    With --json: one run a line.
    """
    from beerforyou import settings
    from beerforyou.cli.asking import Talk, asking

    chosen = settings.load(data=data)
    for signum in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, _leave)
    if _is_a_person():  # also where whoever started this wants none of it
        signal.signal(signal.SIGINT, signal.default_int_handler)
    client = speaking_for(chosen, client_id)
    with Beside() as beside, beside.open(asking(chosen, client)) as somebody:
        talk = Talk(somebody)
        beside.run(talk.greet())
        if _is_a_person():
            note(f"Talking as {client} with {somebody.where}. Ctrl-C stops an answer, Ctrl-D leaves.")
        with _history(chosen.data) if _is_a_person() else contextlib.nullcontext():
            for line in filter(str.strip, _typed() if _is_a_person() else iter(sys.stdin.readline, "")):
                _turn(beside, talk, line, as_json)


def _turn(beside: Beside, talk: Talk, line: str, as_json: bool) -> None:
    from beerforyou.errors import BadInput, BeerForYouError

    try:
        beside.run(_say(talk, line, as_json))
    except BeerForYouError as error:
        if not (_is_a_person() or isinstance(error, BadInput)):
            raise
        note(f"{error.message} ({error.hint})")
    except KeyboardInterrupt:
        if not _is_a_person():
            raise
        note("… stopped")


async def _say(talk: Talk, line: str, as_json: bool) -> None:
    import msgspec

    from beerforyou.cli.printing import Printing

    printing = Printing(sys.stdout.isatty())
    try:
        run_id = await talk.say(line, (lambda *_: None) if as_json else printing.show)
    finally:
        printing.end()
    if as_json:
        click.echo(msgspec.json.encode(await talk.asking.look(run_id)))


def _leave(*_: object) -> None:
    raise SystemExit(130)


def _is_a_person() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def _typed() -> Iterator[str]:
    """Lines, edited, to the end of the input. Ctrl-C clears one, as in a shell."""
    while True:
        try:
            yield input(PROMPT)
        except KeyboardInterrupt:
            click.echo()
        except EOFError:
            click.echo()
            return


@contextlib.contextmanager
def _history(data: Path) -> Iterator[None]:
    """Kept for its user alone, where it can be kept and Python was built with a line editor."""
    try:
        import readline
    except ImportError:
        yield
        return
    file = data / "chat_history"
    readline.set_history_length(REMEMBERED)
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        readline.read_history_file(file)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            readline.write_history_file(file)
