"""The command line: one file per command, each imported only when it is called.

Without a command name, the words are a question. Results go to stdout, everything else to stderr; exit codes are 0,
1 (it did not work), 2 (called wrongly) and 130 (interrupted).
"""

from __future__ import annotations

import difflib
import errno
import importlib
import sys

import click

from beerforyou import __version__
from beerforyou.cli.output import data_before

COMMANDS = {
    "ask": "Ask one question and print the answer",
    "chat": "Talk, line by line",
    "serve": "Serve the HTTP API, with a worker",
    "worker": "Work on queued runs",
    "demo": "Set up the demo, ask one question, serve",
    "load": "Bring in clients and purchases from CSV files",
    "catalogue": "Bring in Open Brewery DB, or show what is there",
    "db": "Migrate the database, or show where it stands",
    "doctor": "Check this installation",
    "eval": "Measure a part on an evaluation set",
    "plans": "Say how much is planned without a model, and how well",
    "prove-isolation": "Attack this installation, as another client and as the model",
    "statistics": "Publish statistics over all clients, or show what is there",
    "settings": "List every setting with its value and meaning",
    "token": "Make a token for a client",
    "webhooks": "Tell clients of finished runs, and see what could not be delivered",
}


class Commands(click.Group):
    """A group whose commands are modules of this folder, and whose default command is `ask`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"beerforyou.cli.{name.replace('-', '_')}").command
        if isinstance(command, click.Group) and data_before not in command.params:
            command.params.append(data_before)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        first = _first_of_a_command(args)
        if args[first:] and args[first].startswith("-") and args[first] not in ("--help", "-h", "--version"):
            args = [*args[:first], "ask", *args[first:]]
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name in COMMANDS:
            return super().resolve_command(ctx, args)
        if len(args) == 1 and (near := difflib.get_close_matches(name, COMMANDS, n=1, cutoff=0.75)):
            raise click.UsageError(f"There is no command {name!r}. Did you mean {near[0]!r}?")
        return "ask", self.get_command(ctx, "ask"), args


def _first_of_a_command(args: list[str]) -> int:
    """Where what is not `--data` begins."""
    first = 0
    while first < len(args) and (args[first] == "--data" or args[first].startswith("--data=")):
        first += 2 if args[first] == "--data" else 1
    return first


@click.command(cls=Commands, params=[data_before], context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="beerforyou")
def program() -> None:
    """BeerForYou, an assistant for the people who buy beer for a living.

    \b
    beerforyou "Cervejarias novas em San Diego" --as CLT-00001
    """


def main() -> None:
    import asyncio

    from beerforyou.errors import BeerForYouError

    try:
        program(standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.exceptions.Exit as exit:
        sys.exit(exit.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except BeerForYouError as error:
        click.echo(f"beerforyou: {error.message}" + (f" ({error.hint})" if error.hint else ""), err=True)
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, asyncio.CancelledError, BrokenPipeError):
        sys.exit(130)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        where = f" while writing {error.filename}" if error.filename else ""
        click.echo(f"beerforyou: the disk is full{where} (make room, then do the same again)", err=True)
        sys.exit(1)
