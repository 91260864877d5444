"""`beerforyou demo`: from nothing to an answer. The second time it finds all in place and takes seconds."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from beerforyou.cli.output import data_option, note, run

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    import asyncpg

    from beerforyou.house import House
    from beerforyou.settings import Settings

CLIENT = "CLT-00001"
QUESTION = "Cervejarias novas em San Diego"
NEXT = "minhas 5 cervejas mais compradas este mês"
API_PATIENCE_S = 120.0  # the whole catalogue is about sixty pages at two a second


@click.command("demo")
@click.option("--once", is_flag=True, help="End after the answer.")
@click.option(
    "--catalogue", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Open Brewery DB as a CSV file."
)
@click.option("--port", type=click.IntRange(0, 65535), help="Port to serve on; 0 takes a free one.")
@data_option
def command(once: bool, catalogue: Path | None, port: int | None, data: Path | None) -> None:
    """Set up demo clients and a catalogue, ask one question as a demo client, and serve the API.

    What is there already is kept.
    """
    from beerforyou import settings

    file = str(catalogue) if catalogue else None
    raise SystemExit(run(_demo(settings.load(data=data, port=port, catalogue_file=file), once)))


async def _demo(settings: Settings, once: bool) -> int:
    from beerforyou.cli.ask import answered
    from beerforyou.cli.asking import Here, Talk
    from beerforyou.house import opened, prepared
    from beerforyou.worker.worker import working

    note("Starting PostgreSQL and Valkey …")
    async with prepared(settings, keep=True) as ready:
        await set_up(ready)
        async with opened(ready) as house:
            click.echo(f"\n{CLIENT}: {QUESTION}\n")
            async with working(house):
                asked = await answered(Talk(Here(house, CLIENT)), QUESTION)
            note(f'\nThe next question:  {_program()} "{NEXT}" --as {CLIENT}{_data(settings)}')
            if not once:
                await _serve(settings, house)
    return 0 if asked["status"] == "succeeded" else 1


def _program() -> str:
    """As it was called, so that the line can be copied."""
    return os.path.relpath(sys.argv[0]) if os.sep in sys.argv[0] else sys.argv[0]


def _data(settings: Settings) -> str:
    from beerforyou.settings import load

    return "" if settings.data == load().data else f" --data {settings.data}"


async def set_up(settings: Settings) -> None:
    """Migrates, and brings a catalogue and demo clients where there are none."""
    from beerforyou import clock
    from beerforyou.clients.load import analyze
    from beerforyou.clients.profiles import compute
    from beerforyou.clients.statistics import publish
    from beerforyou.db.connections import operator
    from beerforyou.db.migrate import migrate

    days = clock.days(settings.time_zone)
    await migrate(settings)
    async with operator(settings) as connection:
        await _bring_catalogue(connection, settings)
        if not await connection.fetchval("SELECT EXISTS (SELECT FROM clients)"):
            await _bring_clients(connection, days, settings.data)
        if not await connection.fetchval("SELECT EXISTS (SELECT FROM profiles)"):
            await compute(connection, days)
            await publish(connection, days[""])
            await analyze(connection)


async def _bring_catalogue(connection: asyncpg.Connection, settings: Settings) -> None:
    """From the file, the network, or our own making, whichever is there first."""
    import asyncio

    from beerforyou.catalogue import demo
    from beerforyou.catalogue.api import Pace
    from beerforyou.catalogue.sync import store, sync
    from beerforyou.cli.catalogue import partial, told
    from beerforyou.errors import BeerForYouError

    if await connection.fetchval("SELECT EXISTS (SELECT FROM catalogue_versions)"):
        return
    if settings.catalogue_file:
        note(told(await sync(connection, settings.catalogue_file)))
        return
    note("Reading Open Brewery DB …")
    try:
        async with asyncio.timeout(API_PATIENCE_S):
            note(told(await sync(connection, settings.catalogue_url, progress=partial(settings), pace=Pace(tries=2))))
    except (BeerForYouError, TimeoutError) as error:
        note(f"Open Brewery DB cannot be reached ({error}).")
        note("Using a small demo catalogue instead: the cities are real, the breweries are invented.")
        note(told(await store(connection, demo.breweries(), "demo")))


async def _bring_clients(connection: asyncpg.Connection, days: Mapping[str, date], data: Path) -> None:
    from beerforyou.catalogue import refresh
    from beerforyou.clients import demo
    from beerforyou.clients.load import load
    from beerforyou.db.database import Reads

    note("Making demo clients and their purchases …")
    catalogue = await refresh.load(Reads(connection), data)
    with tempfile.TemporaryDirectory() as folder:
        clients, purchases = demo.write(Path(folder), catalogue.breweries, today=days[""])
        report = await load(connection, clients, purchases, catalogue=catalogue, days=days)
    note(f"{report.clients} demo clients, {report.purchases} purchases")


async def _serve(settings: Settings, house: House) -> None:
    from msgspec.structs import replace

    from beerforyou.cli.serve import bound, serve
    from beerforyou.errors import BadUsage

    try:
        listener = bound(house.settings)
    except BadUsage as error:
        note(f"{error.message}; taking a free port.")
        listener = bound(replace(house.settings, port=0))
    with listener:
        await serve(settings, house, listener)
