"""Runs SQL that a model wrote, which is to say an attacker: as the login bfy_reader, in a transaction of its own that reads
only, on behalf of the one client whose signed identity comes with it.

What holds is the database: roles, views and row policies (migrations 0002 and 0013), functions and limits (fence.sql). Here is
the form in which a text reaches it: short and flat (shape.py), as one SELECT within a statement of ours, cut to a limit. The
gate (parser.py) comes before.
"""

import asyncio
import contextlib
import json
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import msgspec

from beerforyou import clock
from beerforyou.db.failure import GONE, answered
from beerforyou.db.fence import shape, words
from beerforyou.db.fence.forms import Form, remember
from beerforyou.db.fence.parser import Gate
from beerforyou.db.identity import Identity
from beerforyou.db.pool import Pool
from beerforyou.db.replica import Route
from beerforyou.errors import Refused, SetupError, Unavailable

HEAVY_S = 0.5  # a query that took longer may have left memory behind: its connection is not used again
RUNS = 2000  # of one session, which is then renewed
PLANS = 50  # that a session keeps; one of KEPT characters takes up to 0.3 MB

# The rows are asked for when it is known who asks, and not before: a LATERAL that names bfy_me comes after it. MATERIALIZED:
# planned for all rows, not for the first of them. JSON cut to a length promises that no value is larger than what we want to
# hold. The zone is there because what is a constant of a statement was read in it.
STATEMENT = """WITH bfy_me AS MATERIALIZED (SELECT authz.present($1) AS client), bfy_rows AS MATERIALIZED (SELECT * FROM (
{sql}
) AS bfy_row)
SELECT bfy_lines.line FROM bfy_me CROSS JOIN LATERAL (
    SELECT lines.bfy_json(bfy_rows, {chars}) AS line FROM bfy_rows WHERE bfy_me.client IS NOT NULL LIMIT {rows}
) AS bfy_lines -- {zone}"""
BEFORE, AFTER = STATEMENT.index("{sql}"), "\n) AS bfy_row)"
_PARAMETER = re.compile(r"\$(\d+)")
# Where a session is somebody else's next, or SQL may change its settings. A name that clock.known() lets pass has no quote.
BEGIN = "BEGIN READ ONLY; SET LOCAL TIME ZONE '{zone}'"
LEAVE = "ROLLBACK"
LEAVE_UNLOCKED = "ROLLBACK; SELECT authz.leave()"  # advisory locks are not rolled back; where SQL can take them
ZONE = "SET TIME ZONE '{zone}'"
# A value is sent as the text that the literal was, and PostgreSQL reads it as it would have read that.
TYPES = ("bool", "int2", "int4", "int8", "float4", "float8", "numeric", "text", "varchar", "bpchar", "name", "date", "time",
         "timestamp", "timestamptz", "interval")  # fmt: skip

# That a parameter cannot stand for a literal there: the text is tried as it was written. Whether it is right is seen then.
UNFIT = (asyncpg.SyntaxOrAccessError, asyncpg.InterfaceError)


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Of a result: `rows`, `bytes` of all its rows as JSON. `seconds` before the connection is given up."""

    rows: int
    bytes: int
    seconds: float


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """`truncated`: there are more rows, or larger ones, than fit."""

    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()
    truncated: bool = False


class _Late(Exception):
    """There is no answer in time; whether the text or the server is slow is not known."""


class Fence:
    def __init__(
        self, route: Route, identity: Identity, limits: Limits, functions_revoked: bool, gate: Gate, zone: str
    ) -> None:
        self._route, self._identity, self._limits, self._gate, self._zone = route, identity, limits, gate, zone
        self._functions_revoked = functions_revoked
        self._leave = LEAVE if functions_revoked else LEAVE_UNLOCKED
        self._unfit: dict[str, None] = {}
        self._asked_for: dict[str, bool] = {}

    async def ask(self, client_id: str, sql: str, zone: str = "") -> Found:
        """Through the gate. Raises as `run` does."""
        return await self._asked(client_id, await self._gate.passed(sql), zone)

    async def run(self, client_id: str, sql: str, zone: str = "") -> Found:
        """In `zone`, where the client has one, CURRENT_DATE is the client's day. Raises Refused, in words for the model,
        Unavailable and SetupError."""
        return await self._asked(client_id, Form(sql, zones=shape.checked(sql).zones), zone)

    async def _asked(self, client_id: str, form: Form, zone: str) -> Found:
        zone = clock.usable(zone or self._zone)
        try:
            lines = await self._route.ask(lambda pool: self._lines(pool, client_id, form, zone))
        except asyncpg.PostgresError as error:
            raise _refused(error, form) from None
        return self._found(lines)

    async def _lines(self, pool: Pool, client_id: str, form: Form, zone: str) -> list[str]:
        ours = pool.direct and self._functions_revoked
        try:
            async with pool.acquire(timeout=self._limits.seconds, whose=client_id) as connection:
                token = self._identity.token(client_id)  # now: it would not outlive a long wait
                async with self._watched(connection, form, "" if ours else self._leave):
                    return await (self._at_once if ours else self._apart)(connection, token, form, zone)
        except (asyncpg.QueryCanceledError, asyncpg.ConfigurationLimitExceededError, asyncpg.OutOfMemoryError):
            raise  # its own limits: another server would not be faster
        except _Late:
            # A server that stands still does not answer anybody; that is no fault of the text.
            await answered(pool.ask(self._limits.seconds, lambda connection: connection.execute("SELECT"), client_id))
            raise Refused("the query was refused: it took too long", "ask for less") from None
        except GONE as error:  # also TimeoutError: the server let nobody in
            raise Unavailable("the database does not answer", "try again in a moment") from error

    @asynccontextmanager
    async def _watched(self, connection: asyncpg.Connection, form: Form, leave: str) -> AsyncIterator[None]:
        """Where something heavy ran, or still does, the connection is given up; the server ends what runs for nobody
        (client_connection_check_interval in fence.sql). Otherwise `leave` ends its transaction.
        """
        started, used_up = time.monotonic(), form.zones
        try:
            async with asyncio.timeout(self._limits.seconds):
                yield
        except TimeoutError:
            used_up = True
            raise _Late from None
        except (asyncpg.OutOfMemoryError, asyncio.CancelledError):
            used_up = True
            raise
        finally:
            if used_up or time.monotonic() - started > HEAVY_S:
                connection.terminate()
            elif leave:
                with contextlib.suppress(*GONE):
                    await connection.execute(leave)

    async def _at_once(self, connection: asyncpg.Connection, token: str, form: Form, zone: str) -> list[str]:
        """One round trip, two for a statement whose plan the session does not have: its own transaction, which ends with it.
        What SQL may call here leaves nothing behind that a ROLLBACK would undo.
        """
        if connection.get_settings().TimeZone != zone:  # as the server told it last
            await _placed(connection, ZONE.format(zone=zone))
        if form.sql in self._unfit:
            return await self._fetched(connection, token, Form(form.plain), zone)
        try:
            return await self._fetched(connection, token, form, zone)
        except UNFIT:
            if not form.values or connection.is_closed():
                raise
            remember(self._unfit, form.sql, None)
            return await self._fetched(connection, token, Form(form.plain), zone)

    async def _fetched(self, connection: asyncpg.Connection, token: str, form: Form, zone: str) -> list[str]:
        statement = self._statement(form.sql, zone)
        if form.kept and self._comes_again(form.sql):
            rows = await connection.fetch(statement, token, *form.values)
        else:
            rows = await (await connection.prepare(statement, name="")).fetch(token, *form.values)
        return [row["line"] for row in rows]

    def _comes_again(self, sql: str) -> bool:
        """Most new texts never do: a plan under a name would be made for nobody, and end another's, at a round trip more."""
        again = self._asked_for.pop(sql, False)
        remember(self._asked_for, sql, True)
        return again

    async def _apart(self, connection: asyncpg.Connection, token: str, form: Form, zone: str) -> list[str]:
        """In a transaction that is always rolled back, and a session that keeps nothing."""
        await _placed(connection, BEGIN.format(zone=zone))
        return await self._fetched(connection, token, Form(form.plain), zone)

    def _statement(self, sql: str, zone: str) -> str:
        return STATEMENT.format(sql=sql, rows=self._limits.rows + 1, chars=self._limits.bytes + 1, zone=zone)

    def _found(self, lines: list[str]) -> Found:
        fit, size = 0, 0
        for line in lines[: self._limits.rows]:
            size += len(line.encode())
            if size > self._limits.bytes:
                break
            fit += 1
        if lines and not fit:
            raise Refused("the query was refused: its first row alone is too large", "select fewer or shorter values")
        rows = list(map(_read, lines[:fit]))
        return Found(
            columns=tuple(name for name, _ in rows[0]) if rows else (),
            rows=tuple(tuple(_plain(value) for _, value in row) for row in rows),
            truncated=fit < len(lines),
        )


async def _placed(connection: asyncpg.Connection, statement: str) -> None:
    """What this refuses is no fault of the text that follows."""
    try:
        await connection.execute(statement)
    except asyncpg.InvalidParameterValueError as error:
        raise SetupError(f"PostgreSQL refuses a client's time zone: {error}", "update its time zones") from None


async def read_as_text(connection: asyncpg.Connection) -> None:
    """Makes parameters of it what TYPES says."""
    for name in TYPES:
        await connection.set_type_codec(name, schema="pg_catalog", encoder=str, decoder=str, format="text")


def _integer(text: str) -> int | float | str:
    """A number that others can read, too: 64 bits, or about."""
    if len(text) < 19:
        return int(text)
    return float(text) if len(text) < 300 else text


_read = json.JSONDecoder(object_pairs_hook=tuple, parse_int=_integer).decode  # columns of one name are all there


def _plain(value: Any) -> Any:
    """A cell: rows and lists within a row become text."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (tuple, list)) else value


def _refused(error: asyncpg.PostgresError, form: Form) -> Refused:
    """Where it stands is told in the statement around the text, or which parameter it was."""
    word, after = "", ""
    if found := _PARAMETER.search(error.context or ""):
        word = form.literal(int(found[1]))
    elif error.position:
        ran = (error.query or "")[BEFORE:].rpartition(AFTER)[0]
        word, after = words.at(ran, int(error.position) - 1 - BEFORE)
    return shape.refused(words.of_error(error.sqlstate or "", error.args[0], form.plain, word, after))
