"""`beerforyou webhooks`: where clients are told of finished runs, and what could not be delivered."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import click

from beerforyou.cli.output import data_option, json_option, moment, note, run, show_json

if TYPE_CHECKING:
    from beerforyou.db.database import Database
    from beerforyou.settings import Settings
    from beerforyou.webhooks.registry import AddedWebhook, RotatedWebhook


class MessageId(click.ParamType[UUID]):
    """As `dead` prints it and as the receiver knows it, or as a UUID."""

    name = "message"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> UUID:
        try:
            return UUID(str(value).removeprefix("msg_"))
        except ValueError:
            self.fail(f"{value!r} is not the id of a message, such as msg_0198a1b2c3d4...", param, ctx)


whose_option = click.option("--as", "client_id", required=True, metavar="ID", help="The client whose webhook it is.")
of_option = click.option("--as", "client_id", metavar="ID", help="Only of this client.")


@click.group("webhooks")
def command() -> None:
    """Tell clients of finished runs, and see what could not be delivered."""


@command.command("add")
@click.argument("url")
@whose_option
@json_option
@data_option
def add(url: str, client_id: str, as_json: bool, data: Path | None) -> None:
    """Send a message to URL for each run of the client that ends. Prints the secret, which is not shown again."""
    added = run(_add(url, client_id, data))
    if as_json:
        show_json(added)
    else:
        note(f"webhook {added.webhook_id}; its secret:")
        click.echo(added.secret)


@command.command("list")
@of_option
@json_option
@data_option
def list_(client_id: str | None, as_json: bool, data: Path | None) -> None:
    """List webhooks, with how many messages wait, were delivered, or were given up, and whether the receiver ended it."""
    found = run(_list(client_id, data))
    if as_json:
        show_json(found)
    elif not found:
        click.echo("There are no webhooks.")
    else:
        for row in found:
            counts = f"{row['waiting']} waiting, {row['delivered']} delivered, {row['dead']} dead"
            ended = f"  ended {moment(row['ended_at'], data)}: the receiver answered 410" if row["ended_at"] else ""
            click.echo(f"{row['webhook_id']}  {row['client_id']}  {counts}  {row['url']}{ended}")


@command.command("remove")
@click.argument("webhook_id", metavar="ID", type=click.UUID)
@whose_option
@json_option
@data_option
def remove(webhook_id: UUID, client_id: str, as_json: bool, data: Path | None) -> None:
    """Remove a webhook and its messages, those that wait too."""
    run(_remove(webhook_id, client_id, data))
    show_json({"removed": webhook_id}) if as_json else click.echo(f"Webhook {webhook_id} is removed.")


@command.command("rotate")
@click.argument("webhook_id", metavar="ID", type=click.UUID)
@whose_option
@json_option
@data_option
def rotate(webhook_id: UUID, client_id: str, as_json: bool, data: Path | None) -> None:
    """Give a webhook a new secret, and print it; the old one is used too for a day."""
    rotated = run(_rotate(webhook_id, client_id, data))
    if as_json:
        show_json(rotated)
    else:
        note(f"messages are signed with the old secret too until {moment(rotated.old_secret_until, data)}")
        click.echo(rotated.secret)


@command.command("resend")
@click.argument("message_ids", metavar="[MESSAGE_ID]...", nargs=-1, type=MessageId())
@click.option("--dead", "all_dead", is_flag=True, help="All that were given up.")
@of_option
@json_option
@data_option
def resend(
    message_ids: tuple[UUID, ...], all_dead: bool, client_id: str | None, as_json: bool, data: Path | None
) -> None:
    """Send messages again that were delivered or given up, under the ids that they have. A worker does it."""
    if bool(message_ids) == all_dead:
        raise click.UsageError("Name the messages to send again, or say --dead for all that were given up.")
    sent = run(_resend(message_ids, client_id, data))
    if missed := len(set(message_ids) - set(sent)) if message_ids else 0:
        note(f"{missed} of them are not there, or wait already")
    if as_json:
        show_json({"resent": len(sent)})
    else:
        click.echo(f"{len(sent)} to be sent again." if sent else "There is nothing to send again.")


@command.command("dead")
@of_option
@json_option
@data_option
def dead(client_id: str | None, as_json: bool, data: Path | None) -> None:
    """List the messages that were given up, newest first."""
    found = run(_dead(client_id, data))
    if as_json:
        show_json(found)
    elif not found:
        click.echo("No message was given up.")
    else:
        for row in found:
            when, tries = moment(row["created_at"], data), f"{row['attempts']} attempts"
            click.echo(f"{row['message_id']}  {when}  {row['client_id']}  {row['url']}  {tries}: {row['last_error']}")


@asynccontextmanager
async def _connected(data: Path | None) -> AsyncIterator[tuple[Database, Settings]]:
    from beerforyou import settings
    from beerforyou.db import database
    from beerforyou.house import prepared

    async with prepared(settings.load(data=data)) as ready:
        db = await database.connect(ready)
        try:
            yield db, ready
        finally:
            await db.close()


async def _add(url: str, client_id: str, data: Path | None) -> AddedWebhook:
    from beerforyou.webhooks import registry

    async with _connected(data) as (db, settings):
        return await registry.add(db, settings, client_id, url)


async def _list(client_id: str | None, data: Path | None) -> list[dict[str, Any]]:
    from beerforyou.webhooks import registry

    async with _connected(data) as (db, _):
        return await registry.counted(db, client_id)


async def _remove(webhook_id: UUID, client_id: str, data: Path | None) -> None:
    from beerforyou.webhooks import registry

    async with _connected(data) as (db, _):
        await registry.remove(db, client_id, webhook_id)


async def _rotate(webhook_id: UUID, client_id: str, data: Path | None) -> RotatedWebhook:
    from beerforyou.webhooks import registry

    async with _connected(data) as (db, settings):
        return await registry.rotate(db, settings, client_id, webhook_id)


async def _resend(message_ids: Sequence[UUID], client_id: str | None, data: Path | None) -> list[UUID]:
    from beerforyou.webhooks import registry

    async with _connected(data) as (db, _):
        return await registry.resend(db, message_ids or None, client_id)


async def _dead(client_id: str | None, data: Path | None) -> list[dict[str, Any]]:
    from beerforyou.webhooks import registry

    async with _connected(data) as (db, _):
        return await registry.dead(db, client_id)
